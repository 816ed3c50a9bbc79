import type { ClusterVerificationPolicy, ConditionUpdate, OCIRepository, VerificationPolicy } from '../../api/index.ts';
import { parseExpression } from '../../cel/index.ts';
import { parseClusterVerificationPolicy, parseVerificationPolicy } from '../../api/index.ts';
import type { KubeObject } from '../../manifest/index.ts';
import { parseRepository, type Repository } from '../../oci/index.ts';
import type { ConfigReader, ResourceView } from '../../runtime/index.ts';
import { digestOf, errorMessage, isCodedError, type Digest } from '../../std/index.ts';
import type { WantedAttestation } from './attestations.ts';
import { SourceFailure } from './failure.ts';
import { parseNamespaceGlob, parseRepositoryGlob, repositoryNames, type TextGlob } from './repository-glob.ts';
import { readSignerTrust, type SignerTrust } from './signer-trust.ts';
import { readWanted, type Wanted } from './verification.ts';

/** A policy of either kind; one of the namespace of its OCIRepositories, the other of all. */
export type Policy = Pick<VerificationPolicy, 'metadata' | 'status'> & {
  kind: PolicyKind;
  spec: ClusterVerificationPolicy['spec'];
  /** Why it cannot be read: it then concerns whatever it could mean. */
  unreadable?: string;
};

export type PolicyKind = 'VerificationPolicy' | 'ClusterVerificationPolicy';

/** A policy with what it refers to; the same `id` asks for the same. */
export type ReadPolicy = { name: string; id: Digest; enforced: boolean; deniesRollback: boolean } & (
  | { fault: string }
  | {
      fault?: undefined;
      /** Without them whoever `spec.verify` trusts. */
      parties: readonly { name: string; trust: SignerTrust }[] | undefined;
      threshold: number;
      attestations: readonly WantedAttestation[];
    }
);

/** Where Secrets are read. */
export type SecretReader = Pick<ConfigReader, 'data'>;

/** The namespace of the Secrets of cluster policies, when nobody says where the controllers are. */
export const usualHome = 'flux-system';

const CLUSTER: PolicyKind = 'ClusterVerificationPolicy';

/** Takes a policy as the cluster has it. One that does not fit the schema is kept: it must not be forgotten, but fail what it concerns. */
export function toPolicy(object: KubeObject): Policy {
  const kind: PolicyKind = object.kind === CLUSTER ? CLUSTER : 'VerificationPolicy';
  try {
    const { metadata, spec, status } = kind === CLUSTER ? parseClusterVerificationPolicy(object) : parseVerificationPolicy(object);
    return { kind, metadata, spec, status };
  } catch (error) {
    const { name, namespace = '', uid = '', resourceVersion = '', generation = 0 } = object.metadata;
    const metadata = { name, namespace, uid, resourceVersion, generation };
    return {
      kind,
      metadata,
      spec: { rollback: 'Allow', ...salvage(object['spec']) },
      status: { observedGeneration: -1 },
      unreadable: errorMessage(error),
    };
  }
}

/** Of a spec that cannot be read: what it is about, as far as that can be told. */
function salvage(spec: unknown): Pick<Policy['spec'], 'repositories' | 'namespaces' | 'enforcement'> {
  const { repositories, namespaces, enforcement } = (typeof spec === 'object' && spec !== null ? spec : {}) as Readonly<
    Record<string, unknown>
  >;
  const texts = (value: unknown): string[] | undefined =>
    Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
  const [about, where] = [texts(repositories), texts(namespaces)];
  return {
    enforcement: enforcement === 'Warn' ? 'Warn' : 'Enforce',
    ...(about === undefined ? {} : { repositories: about }),
    ...(where === undefined ? {} : { namespaces: where }),
  };
}

/** What messages call a policy. */
export function policyName({ kind, metadata }: Pick<Policy, 'kind' | 'metadata'>): string {
  return `${kind}/${metadata.name}`;
}

/** What a policy is about; undefined for everything. */
type Scope = { namespaces: readonly TextGlob[] | undefined; repositories: readonly TextGlob[] | undefined };

/** Of each state of a policy, once. */
const scopes = new WeakMap<Policy, Scope>();

/** Whether a policy is about a repository that an object of this namespace names. Globs that cannot be read match everything. */
export function concerns(policy: Policy, namespace: string, repository: Repository): boolean {
  if (policy.kind !== CLUSTER && policy.metadata.namespace !== namespace) return false;
  let scope = scopes.get(policy);
  if (scope === undefined) scopes.set(policy, (scope = scopeOf(policy)));
  const { namespaces, repositories } = scope;
  if (namespaces !== undefined && !namespaces.some((matches) => matches(namespace))) return false;
  return repositories === undefined || repositoryNames(repository).some((name) => repositories.some((matches) => matches(name)));
}

/** The same of a URL; one that is none is nobody's: it cannot be fetched either. */
export function concernsUrl(policy: Policy, namespace: string, url: string): boolean {
  const repository = repositoryOf(url);
  return repository !== undefined && concerns(policy, namespace, repository);
}

function scopeOf({ kind, spec }: Policy): Scope {
  return {
    namespaces: kind === CLUSTER ? spec.namespaces?.map((glob) => leniently(glob, parseNamespaceGlob)) : undefined,
    repositories: spec.repositories?.map((glob) => leniently(glob, parseRepositoryGlob)),
  };
}

function leniently(glob: string, parse: (glob: string) => TextGlob): TextGlob {
  try {
    return parse(glob);
  } catch {
    // The policy is told to be invalid, and refuses until somebody puts it right.
    return () => true;
  }
}

/** The Secrets a policy names, as `Secret/namespace/name`; those of cluster policies are in `home`. */
export function policySecrets({ kind, metadata, spec }: Policy, home: string): string[] {
  const namespace = kind === CLUSTER ? home : metadata.namespace;
  return (spec.signers ?? []).flatMap(({ secretRef, trustedRootSecretRef }) =>
    [secretRef, trustedRootSecretRef].flatMap((reference) => (reference === undefined ? [] : [`Secret/${namespace}/${reference.name}`])),
  );
}

/**
 * Reads a policy with its Secrets. What is wrong with it becomes its `fault`.
 * @param home the namespace of the Secrets of cluster policies
 * @throws SourceFailure `ReadOperationFailed` when the API server cannot be asked
 */
export async function readPolicy(policy: Policy, configs: SecretReader, home: string): Promise<ReadPolicy> {
  const { kind, metadata, spec } = policy;
  const name = policyName(policy);
  const base = { name, enforced: spec.enforcement === 'Enforce', deniesRollback: spec.rollback === 'Deny' };
  const namespace = kind === CLUSTER ? home : metadata.namespace;
  try {
    if (policy.unreadable !== undefined) throw new Error(policy.unreadable);
    const signers = await readSigners(spec.signers, configs, namespace);
    assertThreshold('threshold', spec.threshold, signers);
    for (const glob of spec.repositories ?? []) parseRepositoryGlob(glob);
    for (const glob of spec.namespaces ?? []) parseNamespaceGlob(glob);
    const attestations = (spec.attestations ?? []).map(({ predicateType, expressions = [], threshold = 1 }, index) => {
      assertThreshold(`attestations[${index}].threshold`, threshold, signers);
      return { predicateType, expressions: expressions.map(parseExpression), threshold };
    });
    return {
      ...base,
      id: digestOf(JSON.stringify([name, metadata.namespace, spec, signers?.map(({ id }) => id)])),
      parties: signers?.map((signer) => ({ name: signer.name, trust: signer.trust })),
      threshold: spec.threshold ?? 1,
      attestations,
    };
  } catch (error) {
    // That the API server does not answer says nothing about the policy.
    if (error instanceof SourceFailure && error.code === 'ReadOperationFailed') throw error;
    const fault = errorMessage(error);
    return { ...base, id: digestOf(JSON.stringify([name, metadata.namespace, spec, fault])), fault };
  }
}

type ReadSigner = { name: string; trust: SignerTrust; id: string };

async function readSigners(
  signers: ClusterVerificationPolicy['spec']['signers'],
  configs: SecretReader,
  namespace: string,
): Promise<ReadSigner[] | undefined> {
  if (signers === undefined) return undefined;
  const read: ReadSigner[] = [];
  for (const signer of signers) {
    if (read.some(({ name }) => name === signer.name)) throw new Error(`signer ${JSON.stringify(signer.name)} is there twice`);
    try {
      const { wanted, id } = await readWanted(signer, namespace, configs, 'the Secrets of a verification policy');
      read.push({ name: signer.name, trust: readSignerTrust(wanted, { anchored: true }), id });
    } catch (error) {
      if (error instanceof SourceFailure) throw error;
      throw new Error(`signer ${JSON.stringify(signer.name)}: ${errorMessage(error)}`, { cause: error });
    }
  }
  return read;
}

function assertThreshold(field: string, threshold: number | undefined, signers: readonly unknown[] | undefined): void {
  if (threshold === undefined || signers === undefined || threshold <= signers.length) return;
  throw new Error(`${field} is ${threshold}, but there ${signers.length === 1 ? 'is 1 signer' : `are ${signers.length} signers`}`);
}

/** Whom `spec.verify` trusts, for policies that name no signers; undefined when it accepts everybody. @throws VerificationError */
export function ownTrust(wanted: Wanted): SignerTrust | undefined {
  const anybody = wanted.provider === 'cosign' && wanted.files === undefined && wanted.identities.length === 0;
  return anybody ? undefined : readSignerTrust(wanted, { anchored: false });
}

/** The policies of a cluster, as they are now. */
export class Policies {
  readonly #views: readonly Pick<ResourceView<Policy>, 'list'>[];
  readonly #configs: SecretReader;
  readonly #home: string;
  /** Policies that were read, by what they were read from: expressions and keys are parsed once. */
  readonly #read = new WeakMap<Policy, { secrets: string; policy: ReadPolicy }>();

  /** @param options.home the namespace of the Secrets of cluster policies */
  constructor(options: { views: readonly Pick<ResourceView<Policy>, 'list'>[]; configs: SecretReader; home: string }) {
    this.#views = options.views;
    this.#configs = options.configs;
    this.#home = options.home;
  }

  /** The policies that concern an object, always in the same order. A URL that is none is nobody's: it cannot be fetched either. */
  concerning({ metadata, spec }: OCIRepository): Policy[] {
    const all = this.#views.flatMap((view) => view.list());
    if (all.length === 0) return [];
    const repository = repositoryOf(spec.url);
    if (repository === undefined) return [];
    return all
      .filter((policy) => concerns(policy, metadata.namespace, repository))
      .sort((a, b) => (policyName(a) < policyName(b) ? -1 : 1));
  }

  /** A policy with its Secrets as they are now. @throws SourceFailure `ReadOperationFailed` when the API server cannot be asked */
  async read(policy: Policy): Promise<ReadPolicy> {
    const versions: string[] = [];
    const data: SecretReader['data'] = async (kind, namespace, name) => {
      const found = await this.#configs.data(kind, namespace, name);
      versions.push(`${name}@${found.resourceVersion}`);
      return found;
    };
    const known = this.#read.get(policy);
    if (known !== undefined && known.policy.fault === undefined && (await this.#versions(policy)) === known.secrets) return known.policy;
    const read = await readPolicy(policy, { data }, this.#home);
    this.#read.set(policy, { secrets: versions.join(), policy: read });
    return read;
  }

  /** The versions of the Secrets of a policy, in the order they are read; undefined when one cannot be read. */
  async #versions(policy: Policy): Promise<string | undefined> {
    const versions: string[] = [];
    for (const secret of policySecrets(policy, this.#home)) {
      const [, namespace = '', name = ''] = secret.split('/');
      try {
        versions.push(`${name}@${(await this.#configs.data('Secret', namespace, name)).resourceVersion}`);
      } catch (error) {
        // It is read again, and the failure told.
        if (isCodedError(error)) return undefined;
        throw error;
      }
    }
    return versions.join();
  }
}

function repositoryOf(url: string): Repository | undefined {
  try {
    return parseRepository(url);
  } catch {
    // Told by whoever resolves it.
    return undefined;
  }
}

/** The Ready condition of a policy. */
export function policyCondition(policy: ReadPolicy): ConditionUpdate {
  if (policy.fault !== undefined) {
    const message = `${policy.enforced ? 'refuses every artifact it concerns' : 'cannot be judged by'}: ${policy.fault}`;
    return { type: 'Ready', status: 'False', reason: 'PolicyInvalid', message };
  }
  const { parties, threshold, attestations } = policy;
  const who =
    parties === undefined
      ? `${threshold} of whoever spec.verify trusts`
      : `${threshold} of ${parties.map(({ name }) => JSON.stringify(name)).join(', ')}`;
  const parts = [
    `wants signatures of ${who}`,
    ...attestations.map(({ predicateType }) => `an attestation ${JSON.stringify(predicateType)}`),
    ...(policy.deniesRollback ? ['no rollback'] : []),
  ];
  return { type: 'Ready', status: 'True', reason: 'Succeeded', message: `${policy.enforced ? '' : 'warns only: '}${parts.join('; ')}` };
}
