import {
  concerns,
  describeSigner,
  judgePolicies,
  Materials,
  policyName,
  readPolicy,
  toPolicy,
  usualHome,
  type Judgement,
  type Policy,
  type ReadPolicy,
  type SecretReader,
  type VerificationContext,
} from '../controllers/source/index.ts';
import { readObjects, type KubeObject } from '../manifest/index.ts';
import { formatRepository, type Reference } from '../oci/index.ts';
import { configData } from '../runtime/index.ts';
import { CodedError, type Digest } from '../std/index.ts';
import { usage } from './artifact-registry.ts';
import { progress } from './progress.ts';

/** Policies and Secrets out of files. */
export type PolicyFiles = { policies: readonly Policy[]; secrets: SecretReader };

/** What became of the policies of a command: whether the artifact is refused, or a policy could not be applied. */
export type PolicyOutcome = 'verified' | 'refused' | 'unusable';

const GROUP = 'source.sluice.dev/';

/** Reads the policies and Secrets of files; other objects are passed over. @throws CodedError for what is no YAML, or without a policy */
export function readPolicyFiles(files: readonly { name: string; content: Uint8Array }[]): PolicyFiles {
  const objects = files.flatMap(({ name, content }) => readObjects(content, name));
  const policies = objects
    .filter(({ apiVersion, kind }) => apiVersion.startsWith(GROUP) && /^(Cluster)?VerificationPolicy$/.test(kind))
    .map((object) => toPolicy({ ...object, metadata: { ...object.metadata, namespace: object.metadata.namespace ?? usualHome } }));
  if (policies.length === 0) throw usage('--policy: no VerificationPolicy and no ClusterVerificationPolicy in it');
  return { policies, secrets: secretsOf(objects.filter(({ kind, apiVersion }) => kind === 'Secret' && apiVersion === 'v1')) };
}

function secretsOf(objects: readonly KubeObject[]): SecretReader {
  return {
    data: async (kind, namespace, name) => {
      // A file may leave out namespaces, as it does for `kubectl apply -n`.
      const found = objects.find(({ metadata }) => metadata.name === name && (metadata.namespace ?? namespace) === namespace);
      if (found !== undefined) return configData({ ...found, data: { ...encoded(found['stringData']), ...entries(found['data']) } });
      throw new CodedError({ code: 'ConfigNotFound', message: `get ${kind} "${namespace}/${name}": not in the files of --policy` });
    },
  };
}

function entries(data: unknown): Record<string, string> {
  const pairs = typeof data === 'object' && data !== null ? Object.entries(data) : [];
  return Object.fromEntries(pairs.map(([key, value]) => [key, String(value)]));
}

function encoded(data: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(entries(data)).map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
}

/**
 * Judges an artifact by the policies of files, with the code of the controllers, and prints what each says. Not judged are rollbacks,
 * which need the artifact that was accepted before, and which namespaces a policy is about.
 * @throws RegistryError when the registry cannot be asked
 */
export async function verifyByPolicies(
  { policies, secrets }: PolicyFiles,
  reference: Reference,
  digest: Digest,
  context: VerificationContext,
  output: 'text' | 'json',
): Promise<PolicyOutcome> {
  const materials = new Materials(context.client, reference, digest, context.signal);
  const judgements: Judgement[] = [];
  const others: string[] = [];
  for (const policy of policies) {
    if (!concernsRepository(policy, reference)) {
      others.push(policyName(policy));
      continue;
    }
    const read = await readPolicy(policy, secrets, usualHome);
    const own = { kind: 'unusable', why: 'no signers, and no spec.verify to count the signers of' } as const;
    judgements.push(...(await judgePolicies([read], materials, own, context)));
  }
  const outcome = sumUp(judgements);
  const place = { repository: formatRepository(reference), digest };
  if (output === 'json') process.stdout.write(`${JSON.stringify(asJson(outcome, place, judgements, others), undefined, 2)}\n`);
  tell(outcome, judgements, others);
  return outcome;
}

function concernsRepository(policy: Policy, reference: Reference): boolean {
  const { namespaces: _namespaces, ...spec } = policy.spec;
  return concerns({ ...policy, spec }, policy.metadata.namespace, reference);
}

/** That no policy is about it proves nothing. */
function sumUp(judgements: readonly Judgement[]): PolicyOutcome {
  const enforced = judgements.filter(({ policy }) => policy.enforced);
  if (enforced.some(({ outcome }) => outcome === 'unusable')) return 'unusable';
  return enforced.some(({ outcome }) => outcome === 'refused') || judgements.length === 0 ? 'refused' : 'verified';
}

function asJson(
  outcome: PolicyOutcome,
  place: { repository: string; digest: Digest },
  judgements: readonly Judgement[],
  others: readonly string[],
): Record<string, unknown> {
  return {
    verified: outcome === 'verified',
    ...place,
    policies: judgements.map(({ policy, outcome: one, verdicts, message, found, wanted }) => ({
      policy: policy.name,
      enforcement: enforcement(policy),
      satisfied: one === 'satisfied',
      outcome: one,
      signers: verdicts.map(({ signer }) => describeSigner(signer)),
      ...(found === undefined ? {} : { found }),
      ...(wanted === undefined ? {} : { wanted }),
      message,
      ...(policy.deniesRollback ? { rollback: 'not judged' } : {}),
    })),
    notConcerned: others,
  };
}

function enforcement({ enforced }: ReadPolicy): 'Enforce' | 'Warn' {
  return enforced ? 'Enforce' : 'Warn';
}

function tell(outcome: PolicyOutcome, judgements: readonly Judgement[], others: readonly string[]): void {
  for (const name of others) progress.warning(`policy ${name} is about other repositories`);
  for (const { policy, outcome: one, message } of judgements) {
    if (one === 'satisfied') progress.success(message);
    else if (policy.enforced) progress.failure(message);
    else progress.warning(message);
    if (policy.deniesRollback) progress.warning(`policy ${policy.name}: rollback is not judged here`);
  }
  if (judgements.length === 0) progress.failure('no policy is about this repository: nothing is proven');
  else if (outcome === 'verified') progress.success('verified');
}
