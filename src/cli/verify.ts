import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { CommanderError, Option, type Command } from 'commander';
import { describeSigner, verifySignature, type Wanted } from '../controllers/source/index.ts';
import { formatReference, formatRepository } from '../oci/index.ts';
import { errorMessage, isCodedError, redact, systemClock, type Digest } from '../std/index.ts';
import { VerificationError, type NotationSkip, type Verdict } from '../verify/index.ts';
import { artifactReference, openRegistry, usage } from './artifact-registry.ts';
import { useEnvironmentProxies } from './environment-proxy.ts';
import { progress } from './progress.ts';
import { usualTrust } from './sigstore-root.ts';
import { readPolicyFiles, verifyByPolicies, type PolicyFiles } from './verify-policies.ts';

type Flags = {
  provider: 'cosign' | 'notation';
  key?: string[];
  certificateIdentityRegexp?: string;
  certificateOidcIssuerRegexp?: string;
  trustedRoot?: string;
  trustPolicy?: string;
  cert?: string[];
  policy?: string[];
  creds?: string;
  insecureRegistry?: boolean;
  timeout: string;
  output: 'text' | 'json';
};

/** Exit codes: the signature is good; there is none that is; it could not be looked at. */
const [VERIFIED, NOT_VERIFIED, FAILED] = [0, 1, 2];

const repeated = (value: string, previous: string[] = []): string[] => [...previous, value];

/** `sluice verify`: checks the signature of an artifact as an OCIRepository would. */
export function verifyCommand(program: Command): void {
  const command = program
    .command('verify <url>')
    .description('Verify the signature of an OCI artifact: exit code 0 when it is good, 1 when it is not, 2 when it could not be looked at')
    .addOption(new Option('--provider <name>', 'the kind of signature').choices(['cosign', 'notation']).default('cosign'))
    .option('--key <file>', 'cosign: file with a trusted public key, repeatable', repeated)
    .option('--certificate-identity-regexp <regexp>', 'cosign keyless: the subject of the certificate')
    .option('--certificate-oidc-issuer-regexp <regexp>', 'cosign keyless: the issuer of the identity')
    .option('--trusted-root <file>', 'cosign: trusted_root.json of a private Sigstore')
    .option('--trust-policy <file>', 'notation: trustpolicy.json')
    .option('--cert <file>', 'notation: file with trusted certificates, repeatable', repeated)
    .option(
      '--policy <file>',
      'file with verification policies and the Secrets they name, repeatable; instead of the flags above',
      repeated,
    )
    .option('--creds <credentials>', 'credentials for the registry in the format <username>[:<password>]')
    .option('--insecure-registry', 'allows the registry to be reached without TLS')
    .addOption(new Option('-o, --output <format>', 'how the verdict is printed').choices(['text', 'json']).default('text'));
  command.exitOverride((error) => {
    throw error.exitCode === 0 ? error : new CommanderError(FAILED, error.code, error.message);
  });
  command.action(async (url: string) => {
    const flags = command.optsWithGlobals<Flags>();
    try {
      process.exitCode = await verify(url, flags);
    } catch (error) {
      progress.failure(redact(errorMessage(error)));
      if (isCodedError(error) && error.remedy !== undefined) process.stderr.write(`  try: ${error.remedy}\n`);
      process.exitCode = FAILED;
    }
  });
}

async function verify(url: string, flags: Flags): Promise<number> {
  const reference = artifactReference(url);
  const policies = await readPolicies(flags);
  const wanted = policies === undefined ? await readWanted(flags) : undefined;
  await using registry = await openRegistry({ ...flags, provider: 'generic' });
  const { client, signal } = registry;
  const { digest } = await client.resolve(reference, signal);
  useEnvironmentProxies(process.env);
  const trust = usualTrust(systemClock, (message) => progress.warning(message));
  const context = { client, clock: systemClock, trust, signal };
  if (policies !== undefined)
    return { verified: VERIFIED, refused: NOT_VERIFIED, unusable: FAILED }[
      await verifyByPolicies(policies, reference, digest, context, flags.output)
    ];
  if (wanted === undefined) return FAILED;
  try {
    const verdict = await verifySignature(wanted, reference, digest, context);
    if ('kind' in verdict) return skipped(verdict, digest, flags);
    tell(verdict, formatRepository(reference), flags);
    return VERIFIED;
  } catch (error) {
    // Keys and policies that cannot be used say nothing about the artifact.
    if (!(error instanceof VerificationError) || error.code === 'TrustInvalid') throw error;
    refuse(error, formatReference(reference), digest, flags);
    return NOT_VERIFIED;
  }
}

/** The policies of the flags, which say themselves whose signatures count. @throws CodedError `UsageInvalid` */
async function readPolicies({ policy, key, cert, trustPolicy, trustedRoot, ...flags }: Flags): Promise<PolicyFiles | undefined> {
  if (policy === undefined) return undefined;
  const others = [key, cert, trustPolicy, trustedRoot, flags.certificateIdentityRegexp, flags.certificateOidcIssuerRegexp];
  if (others.some((other) => other !== undefined)) throw usage('--policy says whose signatures count: leave out the other flags that do');
  return readPolicyFiles(await Promise.all(policy.map(async (name) => ({ name, content: await read(name) }))));
}

/** Whose signatures the flags want. @throws CodedError `UsageInvalid` */
async function readWanted(flags: Flags): Promise<Wanted> {
  const { provider, key = [], cert = [], trustPolicy, trustedRoot } = flags;
  const [subject, issuer] = [flags.certificateIdentityRegexp, flags.certificateOidcIssuerRegexp];
  if (provider === 'notation') {
    if (trustPolicy === undefined || cert.length === 0) throw usage('--provider notation needs --trust-policy and --cert');
    if (key.length > 0 || subject !== undefined || issuer !== undefined || trustedRoot !== undefined)
      throw usage('--key, --certificate-… and --trusted-root are for --provider cosign');
    const files = { 'trustpolicy.json': await read(trustPolicy), ...(await named(cert, '.crt')) };
    return { provider, files, identities: [], root: undefined };
  }
  if (trustPolicy !== undefined || cert.length > 0) throw usage('--trust-policy and --cert are for --provider notation');
  const root = trustedRoot === undefined ? undefined : await read(trustedRoot);
  if (key.length > 0) {
    if (subject !== undefined || issuer !== undefined) throw usage('give either --key or --certificate-…');
    return { provider, files: await named(key), identities: [], root };
  }
  if (subject === undefined || issuer === undefined)
    throw usage('whose signature counts is not said: give --key, or --certificate-identity-regexp and --certificate-oidc-issuer-regexp');
  return { provider, files: undefined, identities: [{ issuer, subject }], root };
}

async function read(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw usage(`read ${JSON.stringify(path)}: ${errorMessage(error)}`);
  }
}

/** Files by the names messages call them; equal names get a number. */
async function named(paths: readonly string[], suffix = ''): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {};
  for (const [index, path] of paths.entries()) {
    const base = `${basename(path)}${/\.(crt|pem)$/.test(path) ? '' : suffix}`;
    files[base in files ? `${index}-${base}` : base] = await read(path);
  }
  return files;
}

function tell(verdict: Verdict, repository: string, { output }: Flags): void {
  const { attestation, ...rest } = verdict;
  if (output === 'json') {
    const told = {
      verified: true,
      repository,
      ...rest,
      ...(attestation === undefined ? {} : { predicateType: attestation.predicateType }),
    };
    process.stdout.write(`${JSON.stringify(told, undefined, 2)}\n`);
    return;
  }
  for (const warning of verdict.warnings) progress.warning(warning);
  const log = verdict.log.map(({ id, index, integrated }) => ['log entry', `${index} of ${id}${at(integrated)}`]);
  const rows = [
    ['digest', `${repository}@${verdict.digest}`],
    ['signer', describeSigner(verdict.signer)],
    ['format', `${verdict.provider} ${verdict.format}`],
    ...log,
    ...(verdict.timestamp === undefined ? [] : [['timestamp', verdict.timestamp.toISOString()]]),
    ...(attestation === undefined ? [] : [['attestation', attestation.predicateType]]),
  ];
  for (const [name = '', value = ''] of rows) process.stdout.write(`${`${name}:`.padEnd(13)}${value}\n`);
  progress.success('verified');
}

function at(time: Date | undefined): string {
  return time === undefined ? '' : ` at ${time.toISOString()}`;
}

function refuse(error: VerificationError, reference: string, digest: Digest, { output }: Flags): void {
  const { code, message, rejections } = error;
  if (output === 'json')
    process.stdout.write(`${JSON.stringify({ verified: false, reference, digest, code, message, rejections }, undefined, 2)}\n`);
  for (const { signature, found, wanted } of rejections) progress.failure(`${signature}: found ${found}, want ${wanted}`);
  progress.failure(rejections.length === 0 ? message : `not verified: ${reference} (${digest})`);
  if (error.remedy !== undefined) process.stderr.write(`  try: ${error.remedy}\n`);
}

/** A trust policy that does not ask proves nothing. */
function skipped(skip: NotationSkip, digest: Digest, { output }: Flags): number {
  const message = `nothing is proven by trust policy statement ${JSON.stringify(skip.statement)}: ${skip.reason}`;
  if (output === 'json') process.stdout.write(`${JSON.stringify({ verified: false, digest, code: 'Skipped', message }, undefined, 2)}\n`);
  progress.failure(message);
  return NOT_VERIFIED;
}
