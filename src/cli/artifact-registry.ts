import { readFile } from 'node:fs/promises';
import { Option, type Command } from 'commander';
import {
  type CloudLogins,
  type CloudProvider,
  createCloudLogins,
  createRegistryClient,
  isProviderRegistry,
  parseCredentials,
  parseReference,
  type CredentialSource,
  type LoginHost,
  type ProxyOptions,
  type Reference,
  type RegistryClient,
  staticCredentials,
  userCredentials,
} from '../oci/index.ts';
import { CodedError, parseDuration, systemClock } from '../std/index.ts';
import { progress } from './progress.ts';

/** The flags every artifact command shares. */
export type RegistryFlags = { creds?: string; provider: string; insecureRegistry?: boolean; timeout: string };

/** A client and the time the command may take; closed when the command ends. */
export type RegistrySession = AsyncDisposable & { client: RegistryClient; signal: AbortSignal };

const ALIVE_MILLISECONDS = 60_000;

/** Adds `--creds`, `--provider` and, where Flux has it, `--insecure-registry`. */
export function withRegistryFlags(command: Command, insecure = true): Command {
  command
    .option('--creds <credentials>', 'credentials for OCI registry in the format <username>[:<password>] if --provider is generic')
    .addOption(new Option('--provider <name>', 'the OCI provider name').choices(['generic', 'aws', 'azure', 'gcp']).default('generic'));
  return insecure ? command.option('--insecure-registry', 'allows the registry to be reached without TLS') : command;
}

/**
 * Connects as the flags say: `--creds`, else the login of `--provider`, else the user's docker config (A11). Opens nothing before the first
 * request. @throws CodedError `UsageInvalid` when `registry` is not one of the provider's
 */
export async function openRegistry(flags: RegistryFlags, registry?: string): Promise<RegistrySession> {
  const { provider } = flags;
  if (registry !== undefined && flags.creds === undefined && isCloudProvider(provider) && !isProviderRegistry(provider, registry)) {
    throw usage(
      `could not login to provider ${provider}: "${registry}" is none of its registries`,
      'leave out --provider, or give --creds',
    );
  }
  if (flags.creds !== undefined) progress.action('logging in to registry with credentials');
  const logins = isCloudProvider(provider) ? createCloudLogins(loginHost()) : undefined;
  const credentials = await credentialsOf(flags, logins);
  const client = createRegistryClient({
    clock: systemClock,
    random: Math.random,
    userAgent: 'sluice',
    proxy: environmentProxy(process.env),
    credentials,
    insecure: flags.insecureRegistry === true,
  });
  const signal = AbortSignal.timeout(parseDuration(flags.timeout));
  // Waits between attempts keep no process alive, and neither does the signal that ends them.
  const alive = setInterval(() => {}, ALIVE_MILLISECONDS);
  const close = async (): Promise<void> => {
    clearInterval(alive);
    await client.close();
    await logins?.close();
  };
  return { client, signal, [Symbol.asyncDispose]: close };
}

/** `--creds` win over the provider's login, as with an OCIRepository (OB06); then the user's docker config. */
async function credentialsOf(flags: RegistryFlags, logins: CloudLogins | undefined): Promise<CredentialSource> {
  if (flags.creds !== undefined) return staticCredentials(parseCredentials(flags.creds));
  const { provider } = flags;
  return logins !== undefined && isCloudProvider(provider) ? logins.credentials(provider) : await userCredentials(process.env);
}

function isCloudProvider(name: string): name is CloudProvider {
  return name === 'aws' || name === 'azure' || name === 'gcp';
}

/** What logins need of this process: its environment, its files. */
function loginHost(): LoginHost {
  const readText = (path: string): Promise<string> => readFile(path, 'utf8');
  return { clock: systemClock, random: Math.random, env: process.env, readFile: readText, proxy: environmentProxy(process.env) };
}

/** Proxy settings from the usual variables, lower case first. */
export function environmentProxy(environment: Readonly<Record<string, string | undefined>>): ProxyOptions {
  const value = (name: string): string | undefined => environment[name.toLowerCase()] ?? environment[name];
  const [http, https, none] = [value('HTTP_PROXY'), value('HTTPS_PROXY'), value('NO_PROXY')];
  return {
    ...(http === undefined || http === '' ? {} : { httpProxy: http }),
    ...(https === undefined || https === '' ? {} : { httpsProxy: https }),
    ...(none === undefined ? {} : { noProxy: none }),
  };
}

/** The artifact an argument names: `oci://host/repository[:tag][@digest]`. */
export function artifactReference(url: string): Reference {
  if (!url.startsWith('oci://')) throw usage(`parse ${JSON.stringify(url)}: URL must be in format 'oci://<domain>/<org>/<repo>'`);
  return parseReference(url);
}

/** A command line that cannot be meant. */
export function usage(message: string, remedy?: string): CodedError<'UsageInvalid'> {
  return new CodedError({ code: 'UsageInvalid', message, ...(remedy === undefined ? {} : { remedy }), retryable: false });
}
