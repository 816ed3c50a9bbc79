import { Option, type Command } from 'commander';
import {
  createRegistryClient,
  parseCredentials,
  parseReference,
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

/** Connects as the flags say: `--creds`, else the user's docker config (A11). Opens nothing before the first request. */
export async function openRegistry(flags: RegistryFlags): Promise<RegistrySession> {
  if (flags.provider !== 'generic') {
    throw usage(
      `could not login to provider ${flags.provider}: not supported by this version`,
      "log in with the provider's docker credential helper, or give --creds",
    );
  }
  if (flags.creds !== undefined) progress.action('logging in to registry with credentials');
  const credentials = flags.creds === undefined ? await userCredentials(process.env) : staticCredentials(parseCredentials(flags.creds));
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
  };
  return { client, signal, [Symbol.asyncDispose]: close };
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
