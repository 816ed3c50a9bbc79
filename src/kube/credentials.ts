import { errorMessage, minutes, type Clock, type Instant } from '../std/index.ts';
import type { ClusterConfig, ExecPlugin } from './cluster-config.ts';
import { KubeError } from './errors.ts';
import type { Host, ProgramResult } from './host.ts';
import { isRecord } from './json.ts';

/** What to send with a request. A client certificate comes only from an exec plugin; it makes the transport open new connections. */
export type AuthMaterial = { authorization?: string; cert?: string; key?: string };

/** Where requests get their proof of identity; caches, and renews what has run out. */
export interface CredentialSource {
  current(): Promise<AuthMaterial> | AuthMaterial;
  /** The server answered 401: forget what is cached. Returns true when asking again may help. */
  rejected(): boolean;
}

/** A projected token file is read again after this long (the kubelet rotates it well before it expires). */
const TOKEN_FILE_AGE = minutes(1);
/** An exec credential is renewed this long before it expires. */
const EXPIRY_MARGIN = 10_000;
/** A plugin that takes longer is stopped. Requests that wait for it fail together. */
const PLUGIN_TIMEOUT = minutes(1);
const EXEC_INFO = 'KUBERNETES_EXEC_INFO';

/** The source for a cluster's credential. Does no I/O before it is asked. */
export function credentialSource(config: ClusterConfig, host: Host, clock: Clock): CredentialSource {
  const { credential } = config;
  switch (credential.kind) {
    case 'none':
      return fixed({});
    case 'token':
      return fixed({ authorization: `Bearer ${credential.token}` });
    case 'basic':
      return fixed({ authorization: `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString('base64')}` });
    case 'token-file':
      return cached(clock, async () => ({
        material: { authorization: `Bearer ${await readToken(host, credential.path)}` },
        until: (clock.now() + TOKEN_FILE_AGE) as Instant,
      }));
    case 'exec':
      return cached(clock, () => runPlugin(credential.exec, config, host, clock));
  }
}

function fixed(material: AuthMaterial): CredentialSource {
  return { current: () => material, rejected: () => false };
}

type Fetched = { material: AuthMaterial; until: Instant | undefined };

function cached(clock: Clock, fetch: () => Promise<Fetched>): CredentialSource {
  let held: Fetched | undefined;
  let pending: Promise<Fetched> | undefined;
  return {
    current() {
      if (held !== undefined && (held.until === undefined || clock.now() < held.until)) return held.material;
      pending ??= fetch().finally(() => {
        pending = undefined;
      });
      return pending.then(
        (fetched) => {
          held = fetched;
          return fetched.material;
        },
        (error: unknown) => {
          // A token file that is briefly unreadable while the kubelet swaps it must not fail a request: the old token still works.
          if (held?.until !== undefined && clock.now() < held.until + TOKEN_FILE_AGE) return held.material;
          throw error;
        },
      );
    },
    rejected() {
      const had = held !== undefined;
      held = undefined;
      return had;
    },
  };
}

async function readToken(host: Host, path: string): Promise<string> {
  let token: string;
  try {
    token = (await host.readFile(path)).trim();
  } catch (error) {
    throw failed(`read token file ${JSON.stringify(path)}`, errorMessage(error), undefined, error);
  }
  if (token === '') throw failed(`read token file ${JSON.stringify(path)}`, 'file is empty');
  return token;
}

async function runPlugin(plugin: ExecPlugin, config: ClusterConfig, host: Host, clock: Clock): Promise<Fetched> {
  const what = `run credential plugin ${JSON.stringify(plugin.command)}`;
  const hint = plugin.installHint === '' ? undefined : plugin.installHint;
  const env: Record<string, string> = Object.fromEntries(plugin.env.map(({ name, value }) => [name, value]));
  env[EXEC_INFO] = JSON.stringify(execInfo(plugin, config));
  const deadline = new AbortController();
  const cancel = clock.after(PLUGIN_TIMEOUT, () => deadline.abort());
  let result: ProgramResult;
  try {
    result = await host.run(plugin.command, plugin.args, env, deadline.signal);
  } catch (error) {
    throw failed(what, deadline.signal.aborted ? 'no answer within a minute' : errorMessage(error), hint, error);
  } finally {
    cancel();
  }
  if (result.exitCode !== 0) throw failed(what, `exit code ${result.exitCode}: ${result.stderr.trim().slice(0, 500)}`, hint);
  return parseExecCredential(result.stdout, plugin.apiVersion, what);
}

function execInfo(plugin: ExecPlugin, config: ClusterConfig): unknown {
  const cluster = {
    server: config.server,
    ...(config.tls.serverName === undefined ? {} : { 'tls-server-name': config.tls.serverName }),
    ...(config.tls.insecureSkipVerify === true ? { 'insecure-skip-tls-verify': true } : {}),
    ...(config.tls.ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(config.tls.ca).toString('base64') }),
    ...(config.proxyUrl === undefined ? {} : { 'proxy-url': config.proxyUrl }),
    config: execExtension(plugin.cluster),
  };
  return {
    apiVersion: plugin.apiVersion,
    kind: 'ExecCredential',
    spec: { interactive: false, ...(plugin.provideClusterInfo ? { cluster } : {}) },
  };
}

/** The cluster extension a plugin is handed as its configuration. */
function execExtension(cluster: Record<string, unknown>): unknown {
  const extensions = Array.isArray(cluster['extensions']) ? cluster['extensions'].filter(isRecord) : [];
  return extensions.find((entry) => entry['name'] === 'client.authentication.k8s.io/exec')?.['extension'] ?? null;
}

function parseExecCredential(stdout: string, apiVersion: string, what: string): Fetched {
  let value: unknown;
  try {
    value = JSON.parse(stdout);
  } catch (error) {
    // The text may hold a token, so it is not quoted.
    throw failed(what, 'its output is not JSON', undefined, error);
  }
  const status = isRecord(value) && isRecord(value['status']) ? value['status'] : undefined;
  if (!isRecord(value) || value['kind'] !== 'ExecCredential' || value['apiVersion'] !== apiVersion || status === undefined) {
    throw failed(what, `its output is not an ExecCredential of ${apiVersion} with a status`);
  }
  const { token, clientCertificateData, clientKeyData, expirationTimestamp } = status;
  if (typeof token !== 'string' && typeof clientCertificateData !== 'string')
    throw failed(what, 'it gave neither a token nor a certificate');
  const expiry = typeof expirationTimestamp === 'string' ? Date.parse(expirationTimestamp) : Number.NaN;
  return {
    material: {
      ...(typeof token === 'string' && token !== '' ? { authorization: `Bearer ${token}` } : {}),
      ...(typeof clientCertificateData === 'string' ? { cert: clientCertificateData } : {}),
      ...(typeof clientKeyData === 'string' ? { key: clientKeyData } : {}),
    },
    until: Number.isNaN(expiry) ? undefined : ((expiry - EXPIRY_MARGIN) as Instant),
  };
}

function failed(what: string, cause: string, remedy?: string, error?: unknown): KubeError {
  return new KubeError({
    code: 'CredentialFailed',
    message: `${what}: ${cause}`,
    subject: 'credential',
    ...(remedy === undefined ? {} : { remedy }),
    ...(error === undefined ? {} : { cause: error }),
  });
}
