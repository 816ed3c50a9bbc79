import { dirname, isAbsolute, join } from 'node:path';
import { load } from 'js-yaml';
import { errorMessage } from '../std/index.ts';
import type { ClusterConfig, Credential, ExecPlugin } from './cluster-config.ts';
import { KubeError } from './errors.ts';
import type { Host } from './host.ts';
import { isRecord } from './json.ts';

/** A kubeconfig larger than this is refused. */
const SIZE_LIMIT = 4 << 20;

type Named = { name: string; folder: string; body: Record<string, unknown> };

/** A merged kubeconfig: clusters, users and contexts by name. */
export type Kubeconfig = {
  currentContext: string;
  clusters: readonly Named[];
  users: readonly Named[];
  contexts: readonly Named[];
};

/** What a caller lets a kubeconfig do. Flux strips both from kubeconfigs in Secrets unless its flags allow them (KB91). */
export type KubeconfigPolicy = {
  /** Use `exec` credential plugins. Default true. */
  allowExec?: boolean;
  /** Honour `insecure-skip-tls-verify`. Default true. */
  allowInsecure?: boolean;
  /** Read files a kubeconfig names (`tokenFile`, `certificate-authority`, …). Default true; false for one from a Secret. */
  allowFiles?: boolean;
};

/**
 * Reads one kubeconfig text.
 * @param folder what its relative paths are relative to
 * @throws KubeError `KubeconfigInvalid`
 */
export function parseKubeconfig(text: string, folder = '.'): Kubeconfig {
  if (text.length > SIZE_LIMIT) throw invalid(`larger than ${SIZE_LIMIT} bytes`);
  let value: unknown;
  try {
    // As Go's reader: of a key given twice the last counts.
    value = load(text, { json: true });
  } catch (error) {
    throw invalid(errorMessage(error).split('\n')[0] ?? 'not YAML', error);
  }
  if (!isRecord(value)) throw invalid('want a mapping');
  return {
    currentContext: textOf(value['current-context']),
    clusters: named(value['clusters'], 'cluster', folder),
    users: named(value['users'], 'user', folder),
    contexts: named(value['contexts'], 'context', folder),
  };
}

/** Joins kubeconfigs as `KUBECONFIG=a:b` does: the first to name a thing wins. */
export function mergeKubeconfigs(configs: readonly Kubeconfig[]): Kubeconfig {
  const first = (pick: (config: Kubeconfig) => readonly Named[]): Named[] => {
    const byName = new Map<string, Named>();
    for (const entry of configs.flatMap(pick)) if (!byName.has(entry.name)) byName.set(entry.name, entry);
    return [...byName.values()];
  };
  return {
    currentContext: configs.find((config) => config.currentContext !== '')?.currentContext ?? '',
    clusters: first((config) => config.clusters),
    users: first((config) => config.users),
    contexts: first((config) => config.contexts),
  };
}

/** Which kubeconfig files to read: the flag, else `KUBECONFIG` (a list), else `~/.kube/config`. */
export function kubeconfigPaths(host: Host, flag?: string): readonly string[] {
  if (flag !== undefined && flag !== '') return [flag];
  const list = (host.env['KUBECONFIG'] ?? '').split(':').filter((path) => path !== '');
  return list.length > 0 ? list : [join(host.home, '.kube', 'config')];
}

/**
 * Reads and merges kubeconfig files; absent files of a list are passed over.
 * @throws KubeError `KubeconfigInvalid` when none is there or one does not parse
 */
export async function readKubeconfigs(host: Host, paths: readonly string[]): Promise<Kubeconfig> {
  const configs: Kubeconfig[] = [];
  for (const path of paths) {
    let text: string;
    try {
      text = await host.readFile(path);
    } catch (error) {
      if (isRecord(error) && error['code'] === 'ENOENT' && paths.length > 1) continue;
      throw invalid(`${path}: ${errorMessage(error)}`, error);
    }
    configs.push(parseKubeconfig(text, dirname(path)));
  }
  if (configs.length === 0) throw invalid(`none of ${paths.join(', ')} exists`);
  return mergeKubeconfigs(configs);
}

/**
 * Resolves a context (default the current one) to a cluster and a credential, reading the files it names.
 * @throws KubeError `KubeconfigInvalid`
 */
export async function clusterConfig(
  kubeconfig: Kubeconfig,
  host: Host,
  options: KubeconfigPolicy & { context?: string } = {},
): Promise<ClusterConfig> {
  const policy = {
    allowExec: options.allowExec ?? true,
    allowInsecure: options.allowInsecure ?? true,
    allowFiles: options.allowFiles ?? true,
  };
  const contextName = options.context ?? kubeconfig.currentContext;
  const context = kubeconfig.contexts.find((entry) => entry.name === contextName);
  if (context === undefined)
    throw invalid(contextName === '' ? 'no current context' : `context ${JSON.stringify(contextName)} does not exist`);
  const cluster = require(kubeconfig.clusters, 'cluster', textOf(context.body['cluster']));
  const userName = textOf(context.body['user']);
  const user = userName === '' ? { name: '', folder: '.', body: {} } : require(kubeconfig.users, 'user', userName);
  const server = textOf(cluster.body['server']).replace(/\/+$/, '');
  if (!/^https?:\/\/[^/]/.test(server))
    throw invalid(`cluster ${JSON.stringify(cluster.name)}: server ${JSON.stringify(server)} is not an http(s) URL`);
  const [ca, cert, key] = [
    await material(cluster, 'certificate-authority', host, policy.allowFiles),
    await material(user, 'client-certificate', host, policy.allowFiles),
    await material(user, 'client-key', host, policy.allowFiles),
  ];
  const serverName = textOf(cluster.body['tls-server-name']);
  const proxyUrl = textOf(cluster.body['proxy-url']);
  const impersonate = identity(user.body);
  return {
    server,
    namespace: textOf(context.body['namespace']) || 'default',
    tls: {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(serverName === '' ? {} : { serverName }),
      ...(cluster.body['insecure-skip-tls-verify'] === true && policy.allowInsecure ? { insecureSkipVerify: true } : {}),
    },
    ...(proxyUrl === '' ? {} : { proxyUrl }),
    ...(impersonate === undefined ? {} : { impersonate }),
    credential: credential(user, cluster, policy),
  };
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * The cluster this Pod runs in: service host and port from the environment, token and CA from the projected volume.
 * @throws KubeError `KubeconfigInvalid` outside a Pod
 */
export async function inClusterConfig(host: Host): Promise<ClusterConfig> {
  const name = host.env['KUBERNETES_SERVICE_HOST'] ?? '';
  const port = host.env['KUBERNETES_SERVICE_PORT'] ?? '';
  if (name === '' || port === '') throw invalid('not in a Pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set');
  try {
    const ca = await host.readFile(`${SERVICE_ACCOUNT}/ca.crt`);
    const namespace = await host.readFile(`${SERVICE_ACCOUNT}/namespace`).catch(() => 'default');
    return {
      server: `https://${name.includes(':') ? `[${name}]` : name}:${port}`,
      namespace: namespace.trim(),
      tls: { ca },
      credential: { kind: 'token-file', path: `${SERVICE_ACCOUNT}/token` },
    };
  } catch (error) {
    throw invalid(`read service account: ${errorMessage(error)}`, error);
  }
}

/** As kubectl decides: an explicit kubeconfig or context, else in-cluster when in a Pod without `KUBECONFIG`, else the default files. */
export async function loadClusterConfig(
  host: Host,
  options: KubeconfigPolicy & { kubeconfig?: string; context?: string } = {},
): Promise<ClusterConfig> {
  const explicit = (options.kubeconfig ?? '') !== '' || (options.context ?? '') !== '' || (host.env['KUBECONFIG'] ?? '') !== '';
  if (!explicit && (host.env['KUBERNETES_SERVICE_HOST'] ?? '') !== '') return inClusterConfig(host);
  const { context, ...rest } = options;
  const config = await readKubeconfigs(host, kubeconfigPaths(host, options.kubeconfig));
  return clusterConfig(config, host, context === undefined || context === '' ? rest : { ...rest, context });
}

function named(value: unknown, field: string, folder: string): Named[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isRecord).map((entry) => {
    const body = entry[field];
    return { name: textOf(entry['name']), folder, body: isRecord(body) ? body : {} };
  });
}

function require(list: readonly Named[], what: string, name: string): Named {
  const found = list.find((entry) => entry.name === name);
  if (found === undefined) throw invalid(`${what} ${JSON.stringify(name)} does not exist`);
  return found;
}

/** `<field>-data` (base64) wins over `<field>` (a path), as in client-go. */
async function material(entry: Named, field: string, host: Host, allowFiles: boolean): Promise<string | undefined> {
  const data = textOf(entry.body[`${field}-data`]);
  if (data !== '') return Buffer.from(data, 'base64').toString('utf8');
  const path = textOf(entry.body[field]);
  if (path === '') return undefined;
  if (!allowFiles) throw invalid(`${field} ${JSON.stringify(path)}: this kubeconfig must not name files; use ${field}-data`);
  try {
    return await host.readFile(resolvePath(entry.folder, path));
  } catch (error) {
    throw invalid(`${field}: ${errorMessage(error)}`, error);
  }
}

function credential(user: Named, cluster: Named, policy: { allowExec: boolean; allowFiles: boolean }): Credential {
  const { body } = user;
  // client-go: tokenFile wins over token, so that it can rotate.
  const tokenFile = textOf(body['tokenFile']);
  if (tokenFile !== '') {
    if (!policy.allowFiles) throw invalid(`tokenFile ${JSON.stringify(tokenFile)}: this kubeconfig must not name files; use token`);
    return { kind: 'token-file', path: resolvePath(user.folder, tokenFile) };
  }
  const token = textOf(body['token']);
  if (token !== '') return { kind: 'token', token };
  const username = textOf(body['username']);
  if (username !== '') return { kind: 'basic', username, password: textOf(body['password']) };
  const exec = body['exec'];
  if (isRecord(exec) && policy.allowExec) return { kind: 'exec', exec: execPlugin(exec, user.folder, cluster.body) };
  if (isRecord(body['auth-provider'])) {
    throw invalid(`user ${JSON.stringify(user.name)}: auth-provider was removed from Kubernetes; use an exec plugin`);
  }
  return { kind: 'none' };
}

function execPlugin(exec: Record<string, unknown>, folder: string, cluster: Record<string, unknown>): ExecPlugin {
  const command = textOf(exec['command']);
  const apiVersion = textOf(exec['apiVersion']);
  if (command === '') throw invalid('exec: command is missing');
  if (!/^client\.authentication\.k8s\.io\/(v1|v1beta1)$/.test(apiVersion))
    throw invalid(`exec: apiVersion ${JSON.stringify(apiVersion)} is not supported`);
  const env = Array.isArray(exec['env']) ? exec['env'].filter(isRecord) : [];
  return {
    apiVersion,
    command: command.includes('/') ? resolvePath(folder, command) : command,
    args: Array.isArray(exec['args']) ? exec['args'].map(textOf) : [],
    env: env.map((entry) => ({ name: textOf(entry['name']), value: textOf(entry['value']) })),
    provideClusterInfo: exec['provideClusterInfo'] === true,
    installHint: textOf(exec['installHint']),
    folder,
    cluster,
  };
}

function identity(user: Record<string, unknown>): ClusterConfig['impersonate'] {
  const name = textOf(user['as']);
  if (name === '') return undefined;
  const groups = Array.isArray(user['as-groups']) ? user['as-groups'].map(textOf) : [];
  const extra: Record<string, readonly string[]> = {};
  for (const [key, values] of Object.entries(isRecord(user['as-user-extra']) ? user['as-user-extra'] : {})) {
    if (Array.isArray(values)) extra[key] = values.map(textOf);
  }
  const uid = textOf(user['as-uid']);
  return { user: name, groups, extra, ...(uid === '' ? {} : { uid }) };
}

function resolvePath(folder: string, path: string): string {
  return isAbsolute(path) ? path : join(folder, path);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

function invalid(cause: string, error?: unknown): KubeError {
  return new KubeError({
    code: 'KubeconfigInvalid',
    message: `read kubeconfig: ${cause}`,
    subject: 'kubeconfig',
    remedy: 'fix the kubeconfig or choose another with --kubeconfig or --context',
    ...(error === undefined ? {} : { cause: error }),
  });
}
