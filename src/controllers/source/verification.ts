import type { OCIRepository } from '../../api/index.ts';
import type { RegistryClient, Repository } from '../../oci/index.ts';
import type { ConfigReader } from '../../runtime/index.ts';
import { digestOf, errorMessage, isCodedError, type Clock, type Digest } from '../../std/index.ts';
import {
  parseIdentities,
  parseNotationSecret,
  parsePublicKeys,
  parseTrustedRoot,
  publicGoodRoot,
  VerificationError,
  verifyCosign,
  verifyNotation,
  type CosignPolicy,
  type NotationSkip,
  type RefreshingRoot,
  type RevocationSource,
  type Subject,
  type Verdict,
} from '../../verify/index.ts';
import { SourceFailure, step, type TimeLimit } from './failure.ts';
import type { Target } from './resolve.ts';
import { Materials } from './materials.ts';

/** What the trust in signatures rests on beside the Secrets of a spec. */
export type Trust = {
  /** The public-good Sigstore, kept fresh. Default: as of this build. */
  publicGood?: Pick<RefreshingRoot, 'current' | 'refreshed'>;
  /** How revocation lists and responders are reached. Without it certificates that name one have an unknown status. */
  revocation?: RevocationSource;
};

/** Whose signatures are wanted, with the files that say so. */
export type Wanted = {
  provider: 'cosign' | 'notation';
  /** Public keys for cosign (without them: keyless), trust policy and certificates for notation. */
  files: Entries | undefined;
  /** Of a keyless signature; none accepts every identity of the root. */
  identities: readonly { issuer: string; subject: string }[];
  /** A `trusted_root.json`. */
  root: Uint8Array | undefined;
};

/** `spec.verify` and the Secrets it names, as they are now; the same `id` means the same trust. */
export type Requirement = { spec: Verification; id: Digest; wanted: Wanted };

type Verification = NonNullable<OCIRepository['spec']['verify']>;
type Entries = Readonly<Record<string, Uint8Array>>;

/** What a verification works with. */
export type VerificationContext = { client: RegistryClient; clock: Clock; trust: Trust; signal: AbortSignal };
type Context = Omit<VerificationContext, 'signal' | 'client'> & { limit: TimeLimit };

/** Key of the Secret a `trustedRootSecretRef` names. */
export const ROOT_KEY = 'trusted_root.json';
/** Characters of a message of a condition: what strangers wrote into signatures is quoted in it. */
const MAX_MESSAGE = 2048;

/**
 * Reads `spec.verify` with its Secrets.
 * @throws SourceFailure `VerificationError` for a Secret that is missing, `ReadOperationFailed` when the API server cannot be asked
 */
export async function readRequirement(object: OCIRepository, spec: Verification, configs: ConfigReader): Promise<Requirement> {
  try {
    const { wanted, id } = await readWanted(spec, object.metadata.namespace, configs, 'the Secrets of spec.verify');
    return { spec, id: digestOf(JSON.stringify([spec, id])), wanted };
  } catch (error) {
    throw isCodedError(error, 'ConfigNotFound') ? refusal(spec, error) : error;
  }
}

/**
 * Reads whose signatures are wanted, with the Secrets that say so; the same `id` means the same content of them.
 * @throws CodedError `ConfigNotFound`; SourceFailure `ReadOperationFailed` when the API server cannot be asked for `what`
 */
export async function readWanted(
  { provider, secretRef, trustedRootSecretRef, matchOIDCIdentity }: Verification,
  namespace: string,
  configs: Pick<ConfigReader, 'data'>,
  what: string,
): Promise<{ wanted: Wanted; id: Digest }> {
  const read = async (reference: { name: string } | undefined): Promise<Entries | undefined> => {
    if (reference === undefined) return undefined;
    try {
      return (await configs.data('Secret', namespace, reference.name)).data;
    } catch (error) {
      if (isCodedError(error, 'ConfigNotFound')) throw error;
      throw new SourceFailure('ReadOperationFailed', `failed to read ${what}`, error);
    }
  };
  const [secret, root] = [await read(secretRef), await read(trustedRootSecretRef)];
  const hashed = [secret, root].map((data) => Object.entries(data ?? {}).map(([key, value]) => [key, digestOf(value)]));
  return {
    id: digestOf(JSON.stringify(hashed)),
    wanted: {
      provider,
      files: secret === undefined || provider === 'notation' ? secret : publicKeysOf(secret),
      identities: matchOIDCIdentity ?? [],
      root: root === undefined ? undefined : (root[ROOT_KEY] ?? new Uint8Array()),
    },
  };
}

function publicKeysOf(secret: Entries): Entries {
  return Object.fromEntries(Object.entries(secret).filter(([name]) => name.endsWith('.pub')));
}

/**
 * Verifies that what `target` names is signed as `spec.verify` wants (OB13–OB15), before anything of it is fetched.
 * @param materials its signatures, for others to look at too
 * @throws SourceFailure `VerificationError` with what was found and what was wanted; `ReadOperationFailed` when the registry cannot be asked
 */
export async function verifyTarget(
  { spec, wanted }: Requirement,
  { subject }: Pick<Target, 'subject'>,
  materials: Materials,
  { limit, ...context }: Context,
): Promise<Verdict | NotationSkip> {
  return step(
    'ReadOperationFailed',
    `failed to read the signatures of '${subject}'`,
    () =>
      verifyMaterials(wanted, materials, { ...context, signal: limit.signal }).catch((error: unknown) => {
        throw error instanceof VerificationError ? refusal(spec, error) : error;
      }),
    limit,
  );
}

/**
 * Verifies that a digest of a repository is signed as wanted (OB14, OB15); of the artifact itself nothing is fetched.
 * @throws VerificationError with each signature that was looked at; RegistryError when the registry cannot be asked
 */
export async function verifySignature(
  wanted: Wanted,
  repository: Repository,
  digest: Digest,
  context: VerificationContext,
): Promise<Verdict | NotationSkip> {
  return verifyMaterials(wanted, new Materials(context.client, repository, digest, context.signal), context);
}

async function verifyMaterials(
  wanted: Wanted,
  materials: Materials,
  context: Omit<VerificationContext, 'client'>,
): Promise<Verdict | NotationSkip> {
  const subject = await materials.subject();
  return wanted.provider === 'notation' ? byNotation(wanted, subject, materials, context) : byCosign(wanted, subject, materials, context);
}

async function byCosign(
  { files, identities: wanted, root: rootFile }: Wanted,
  subject: Subject,
  { cosign }: Materials,
  { clock, trust, signal }: Omit<VerificationContext, 'client'>,
): Promise<Verdict> {
  const verify = (policy: CosignPolicy): Promise<Verdict> => verifyCosign(subject, cosign, policy, { now: new Date(clock.now()), signal });
  const own = rootFile === undefined ? undefined : parseTrustedRoot(rootFile, ROOT_KEY);
  if (files !== undefined) return verify({ keys: parsePublicKeys(Object.entries(files)), ...(own === undefined ? {} : { root: own }) });
  const identities = wanted.length === 0 ? 'any' : parseIdentities(wanted);
  const root = own ?? trust.publicGood?.current(signal) ?? publicGoodRoot();
  try {
    return await verify({ identities, root });
  } catch (error) {
    // Keys of the public-good logs rotate: what the root at hand cannot prove, the newest may.
    if (own !== undefined || trust.publicGood === undefined || !isCodedError(error, 'ProofInvalid', 'SignerUntrusted')) throw error;
    const newest = await trust.publicGood.refreshed(signal);
    if (newest === root) throw error;
    return verify({ identities, root: newest });
  }
}

async function byNotation(
  { files }: Wanted,
  subject: Subject,
  { notation }: Materials,
  { clock, trust, signal }: Omit<VerificationContext, 'client'>,
): Promise<Verdict | NotationSkip> {
  const trusted = parseNotationSecret(files ?? {});
  return verifyNotation(subject, notation, {
    ...trusted,
    now: new Date(clock.now()),
    signal,
    ...(trust.revocation === undefined ? {} : { revocation: trust.revocation }),
  });
}

function refusal({ provider, secretRef }: Verification, cause: unknown): SourceFailure {
  const how = provider === 'cosign' && secretRef === undefined ? 'cosign keyless' : provider;
  const remedy = isCodedError(cause) && cause.remedy !== undefined ? `; try: ${cause.remedy}` : '';
  const message = `failed to verify the signature using provider '${how}': ${errorMessage(cause)}${remedy}`;
  return new SourceFailure('VerificationError', shorten(message));
}

/** What the condition says of a good signature: who signed, where it is logged, and what to mind. */
export function describeVerdict(revision: string, { signer, log, warnings }: Verdict): string {
  const entries = log.map(({ index }) => `, log index ${index}`).join('');
  const notes = warnings.map((warning) => `; warning: ${warning}`).join('');
  return shorten(`verified signature of revision ${revision} by ${describeSigner(signer)}${entries}${notes}`);
}

/** A signer with the fingerprint of its key. */
export function describeSigner(signer: Verdict['signer']): string {
  switch (signer.kind) {
    case 'key':
      return `key ${JSON.stringify(signer.name)} (${signer.fingerprint})`;
    case 'oidc':
      return `${JSON.stringify(signer.subject)} of ${JSON.stringify(signer.issuer)}`;
    case 'x509':
      return `certificate ${JSON.stringify(signer.subject)} (${signer.fingerprint})`;
  }
}

/** A message no longer than a condition should be. */
export function shorten(message: string): string {
  return message.length <= MAX_MESSAGE ? message : `${message.slice(0, MAX_MESSAGE)}…`;
}
