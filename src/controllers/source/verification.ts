import type { OCIRepository } from '../../api/index.ts';
import type { RegistryClient } from '../../oci/index.ts';
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
import { cosignMaterial, notationMaterial, signedSubject } from './signatures.ts';

/** What the trust in signatures rests on beside the Secrets of a spec. */
export type Trust = {
  /** The public-good Sigstore, kept fresh. Default: as of this build. */
  publicGood?: Pick<RefreshingRoot, 'current' | 'refreshed'>;
  /** How revocation lists and responders are reached. Without it certificates that name one have an unknown status. */
  revocation?: RevocationSource;
};

/** `spec.verify` and the Secrets it names, as they are now; the same `id` means the same trust. */
export type Requirement = { spec: Verification; id: Digest; secret: Entries | undefined; root: Entries | undefined };

type Verification = NonNullable<OCIRepository['spec']['verify']>;
type Entries = Readonly<Record<string, Uint8Array>>;
type Context = { client: RegistryClient; clock: Clock; trust: Trust; limit: TimeLimit };

const ROOT_KEY = 'trusted_root.json';
/** Characters of a message of a condition: what strangers wrote into signatures is quoted in it. */
const MAX_MESSAGE = 2048;

/**
 * Reads `spec.verify` with its Secrets.
 * @throws SourceFailure `VerificationError` for a Secret that is missing, `ReadOperationFailed` when the API server cannot be asked
 */
export async function readRequirement(object: OCIRepository, spec: Verification, configs: ConfigReader): Promise<Requirement> {
  const { namespace } = object.metadata;
  const read = async (reference: { name: string } | undefined): Promise<Entries | undefined> => {
    if (reference === undefined) return undefined;
    try {
      return (await configs.data('Secret', namespace, reference.name)).data;
    } catch (error) {
      if (isCodedError(error, 'ConfigNotFound')) throw refusal(spec, error);
      throw new SourceFailure('ReadOperationFailed', 'failed to read the Secrets of spec.verify', error);
    }
  };
  const [secret, root] = [await read(spec.secretRef), await read(spec.trustedRootSecretRef)];
  const hashed = [secret, root].map((data) => Object.entries(data ?? {}).map(([key, value]) => [key, digestOf(value)]));
  return { spec, id: digestOf(JSON.stringify([spec, hashed])), secret, root };
}

/**
 * Verifies that what `target` names is signed as `spec.verify` wants (OB13–OB15), before anything of it is fetched.
 * @throws SourceFailure `VerificationError` with what was found and what was wanted; `ReadOperationFailed` when the registry cannot be asked
 */
export async function verifyTarget(requirement: Requirement, target: Target, context: Context): Promise<Verdict | NotationSkip> {
  const reading = `failed to read the signatures of '${target.subject}'`;
  const run = async (): Promise<Verdict | NotationSkip> => {
    const subject = await signedSubject(context.client, target.repository, target.digest, context.limit.signal);
    try {
      return requirement.spec.provider === 'notation'
        ? await byNotation(requirement, subject, target, context)
        : await byCosign(requirement, subject, target, context);
    } catch (error) {
      if (error instanceof VerificationError) throw refusal(requirement.spec, error);
      throw error;
    }
  };
  return step('ReadOperationFailed', reading, run, context.limit);
}

async function byCosign(
  { spec, secret, root: rootData }: Requirement,
  subject: Subject,
  { repository, digest }: Target,
  { client, clock, trust, limit: { signal } }: Context,
): Promise<Verdict> {
  const verify = (policy: CosignPolicy): Promise<Verdict> =>
    verifyCosign(subject, cosignMaterial(client, repository, digest, signal), policy, { now: new Date(clock.now()), signal });
  const own = rootData === undefined ? undefined : parseTrustedRoot(rootData[ROOT_KEY] ?? new Uint8Array(), ROOT_KEY);
  if (secret !== undefined) {
    const keys = parsePublicKeys(Object.entries(secret).filter(([name]) => name.endsWith('.pub')));
    return verify({ keys, ...(own === undefined ? {} : { root: own }) });
  }
  const wanted = spec.matchOIDCIdentity ?? [];
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
  { secret }: Requirement,
  subject: Subject,
  { repository, digest }: Target,
  { client, clock, trust, limit: { signal } }: Context,
): Promise<Verdict | NotationSkip> {
  const trusted = parseNotationSecret(secret ?? {});
  return verifyNotation(subject, notationMaterial(client, repository, digest, signal), {
    ...trusted,
    now: new Date(clock.now()),
    signal,
    ...(trust.revocation === undefined ? {} : { revocation: trust.revocation }),
  });
}

function refusal({ provider, secretRef }: Verification, cause: unknown): SourceFailure {
  const how = provider === 'cosign' && secretRef === undefined ? 'cosign keyless' : provider;
  const message = `failed to verify the signature using provider '${how}': ${errorMessage(cause)}`;
  return new SourceFailure('VerificationError', shorten(message));
}

/** What the condition says of a good signature: who signed, where it is logged, and what to mind. */
export function describeVerdict(revision: string, { signer, log, warnings }: Verdict): string {
  const entries = log.map(({ index }) => `, log index ${index}`).join('');
  const notes = warnings.map((warning) => `; warning: ${warning}`).join('');
  return shorten(`verified signature of revision ${revision} by ${describeSigner(signer)}${entries}${notes}`);
}

function describeSigner(signer: Verdict['signer']): string {
  switch (signer.kind) {
    case 'key':
      return `key ${JSON.stringify(signer.name)} (${signer.fingerprint})`;
    case 'oidc':
      return `${JSON.stringify(signer.subject)} of ${JSON.stringify(signer.issuer)}`;
    case 'x509':
      return `certificate ${JSON.stringify(signer.subject)} (${signer.fingerprint})`;
  }
}

function shorten(message: string): string {
  return message.length <= MAX_MESSAGE ? message : `${message.slice(0, MAX_MESSAGE)}…`;
}
