import { parseOCIRepository } from '../api/index.ts';
import {
  concerns,
  describeSigner,
  judgePolicies,
  Materials,
  readPolicy,
  readWanted,
  toPolicy,
  usualHome,
  verifySignature,
  type Trust,
} from '../controllers/source/index.ts';
import type { KubeClient } from '../kube/index.ts';
import { formatObjectRef, type KubeObject, objectRef } from '../manifest/index.ts';
import { digested, formatReference, parseRepository, type Reference, type Repository } from '../oci/index.ts';
import { ConfigReader } from '../runtime/index.ts';
import { CodedError, isCodedError, systemClock, type Digest } from '../std/index.ts';
import { VerificationError, type NotationSkip, type Verdict } from '../verify/index.ts';
import type { RegistrySession } from './artifact-registry.ts';
import { useEnvironmentProxies } from './environment-proxy.ts';
import type { Signed } from './preview-plan.ts';
import { isMasked, keyOf, MASK, textAt, valueAt } from './preview-objects.ts';
import { progress } from './progress.ts';
import { usualTrust } from './sigstore-root.ts';

/** Where the signature and the Secrets that say whose is wanted are found. */
export type VerifyContext = {
  /** Reads the registry the target is in. */
  registry: Pick<RegistrySession, 'client' | 'signal'>;
  /** The simulated cluster, with the Secrets of the snapshot and of the files given. */
  cluster: KubeClient;
  /** What that cluster was started with. */
  objects: readonly KubeObject[];
};

const REMEDY = 'take the snapshot with --with-secrets, give the Secret in the file of --kustomization, or preview with --skip-verify';

/**
 * Verifies an artifact as `spec.verify` of the OCIRepository it stands in for asks (OB13–OB15), and as the verification policies of the
 * snapshot do, by the code of the controllers and before anything of it is fetched.
 * @returns what was verified, by its digest
 * @throws CodedError `NotVerified`, when the signature is not as wanted or nobody knows whose is wanted
 */
export async function verifiedTarget({ source, policies }: Signed, target: Reference, context: VerifyContext): Promise<Reference> {
  const { client, signal } = context.registry;
  const { digest } = await client.resolve(target, signal);
  const proven = digested(target, digest);
  useEnvironmentProxies(process.env);
  const trust = usualTrust(systemClock, (message) => progress.warning(message));
  if (valueAt(source, 'spec', 'verify') !== undefined) tell(proven, await verify(source, target, digest, trust, context));
  await judge(policies, source, proven, digest, trust, context);
  return proven;
}

function tell(proven: Reference, verdict: Verdict | NotationSkip): void {
  if ('kind' in verdict) {
    progress.warning(`${formatReference(proven)}: nothing is proven by trust policy statement ${JSON.stringify(verdict.statement)}`);
    return;
  }
  for (const warning of verdict.warnings) progress.warning(warning);
  progress.success(`${formatReference(proven)} verified: ${describeSigner(verdict.signer)}`);
}

/** What the policies say that are about the repository. One that cannot be applied here is told; one that refuses ends the preview. */
async function judge(
  policies: readonly KubeObject[],
  source: KubeObject,
  proven: Reference,
  digest: Digest,
  trust: Trust,
  { registry: { client, signal }, cluster }: VerifyContext,
): Promise<void> {
  const namespace = source.metadata.namespace ?? '';
  const configs = new ConfigReader(cluster, systemClock);
  const found = policies.map(toPolicy).filter((policy) => concerns(policy, namespace, repositoryOf(source)));
  if (found.length === 0) return;
  const read = await Promise.all(found.map((policy) => readPolicy(policy, configs, usualHome)));
  const own = { kind: 'unusable', why: 'a preview does not count the signers of spec.verify for policies' } as const;
  const materials = new Materials(client, proven, digest, signal);
  const judgements = await judgePolicies(read, materials, own, { clock: systemClock, trust, signal });
  for (const { policy, outcome, message } of judgements) {
    if (outcome === 'refused' && policy.enforced) throw notVerified(message, 'sign it as the policy asks, or preview with --skip-verify');
    if (outcome === 'satisfied') progress.success(message);
    else progress.warning(message);
  }
}

function repositoryOf(source: KubeObject): Repository {
  return parseRepository(textAt(source, 'spec', 'url'));
}

async function verify(
  source: KubeObject,
  target: Reference,
  digest: Digest,
  trust: Trust,
  { registry: { client, signal }, cluster, objects }: VerifyContext,
): Promise<Verdict | NotationSkip> {
  const { namespace, verify: spec } = requirementOf(source);
  const what = `verify ${JSON.stringify(formatReference(target))} as ${formatObjectRef(objectRef(source))} asks`;
  for (const reference of [spec.secretRef, spec.trustedRootSecretRef]) {
    if (reference !== undefined) assertValues(objects, namespace, reference.name, what);
  }
  try {
    const { wanted } = await readWanted(spec, namespace, new ConfigReader(cluster, systemClock), 'the Secrets of spec.verify');
    return await verifySignature(wanted, target, digest, { client, clock: systemClock, trust, signal });
  } catch (error) {
    if (isCodedError(error, 'ConfigNotFound')) throw notVerified(`${what}: ${error.message}`, REMEDY, error);
    if (!(error instanceof VerificationError)) throw error;
    for (const { signature, found, wanted } of error.rejections) progress.failure(`${signature}: found ${found}, want ${wanted}`);
    throw notVerified(`${what}: ${error.message}`, error.remedy, error);
  }
}

type Requirement = { namespace: string; verify: NonNullable<ReturnType<typeof parseOCIRepository>['spec']['verify']> };

/** `spec.verify` with its defaults. */
function requirementOf(source: KubeObject): Requirement {
  const metadata = { uid: 'preview', resourceVersion: '1', generation: 1, ...source.metadata };
  const { spec } = parseOCIRepository({ ...source, metadata, status: {} });
  const namespace = source.metadata.namespace ?? '';
  if (spec.verify !== undefined) return { namespace, verify: spec.verify };
  throw notVerified(`verify: ${formatObjectRef(objectRef(source))} has no spec.verify`);
}

/** A Secret of a snapshot may have lost the values that say whose signature is wanted. */
function assertValues(objects: readonly KubeObject[], namespace: string, name: string, what: string): void {
  const key = keyOf({ apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name } });
  const secret = objects.find((object) => keyOf(object) === key);
  if (secret === undefined || !isMasked(secret)) return;
  const data = valueAt(secret, 'data') ?? {};
  const lost = Object.keys(data).filter((field) => isTrust(field) && textAt(secret, 'data', field) === MASK);
  if (lost.length === 0) return;
  throw notVerified(`${what}: Secret "${namespace}/${name}" has no value of ${lost.join(', ')} in the snapshot`, REMEDY);
}

/** Keys of Secrets that are read to verify (OB14, OB15). */
function isTrust(field: string): boolean {
  return /\.(pub|crt|pem)$/.test(field) || field === 'trustpolicy.json' || field === 'trusted_root.json';
}

function notVerified(message: string, remedy?: string, cause?: unknown): CodedError<'NotVerified'> {
  return new CodedError({ code: 'NotVerified', message, cause, retryable: false, ...(remedy === undefined ? {} : { remedy }) });
}
