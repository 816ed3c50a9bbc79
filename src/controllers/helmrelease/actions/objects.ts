import { isKubeError } from '../../../kube/index.ts';
import { objectRef, objectRefKey, readObjects, type KubeObject } from '../../../manifest/index.ts';
import { errorMessage } from '../../../std/index.ts';
import { normalise } from '../../../apply/index.ts';
import { OWNER_GROUP, type ReleaseTarget } from './action.ts';
import { actionError, wrapped } from './errors.ts';
import type { Run } from './run.ts';

const MANAGED_BY = 'app.kubernetes.io/managed-by';
const RELEASE_NAME = 'meta.helm.sh/release-name';
const RELEASE_NAMESPACE = 'meta.helm.sh/release-namespace';
const KEEP = 'helm.sh/resource-policy';

/**
 * Reads a manifest of a release.
 * @throws CodedError `ManifestUnbuildable`
 */
export function readManifest(text: string, what: string): KubeObject[] {
  try {
    return readObjects(text);
  } catch (error) {
    throw actionError('ManifestUnbuildable', `unable to build kubernetes objects from ${what}: ${errorMessage(error)}`, {
      cause: error,
      retryable: false,
    });
  }
}

/**
 * Objects ready to be written: fit for apply, in the release's namespace where they name none, cluster-scoped ones in none.
 * @throws CodedError `ManifestUnbuildable` for a kind nobody serves
 */
export async function resolveObjects(objects: readonly KubeObject[], what: string, run: Run): Promise<KubeObject[]> {
  const resolved: KubeObject[] = [];
  for (const object of objects) {
    const placed = await place(object, run);
    if (placed === undefined) throw unserved(object, what);
    resolved.push(normalise(placed));
  }
  return resolved;
}

/** As {@link resolveObjects} for what was applied once: an object of a kind that is gone is gone, too. */
export async function resolveStored(objects: readonly KubeObject[], run: Run): Promise<KubeObject[]> {
  const resolved: KubeObject[] = [];
  for (const object of objects) {
    const placed = await place(object, run);
    if (placed === undefined) run.trace(`kind ${object.kind} of ${object.apiVersion} is served no more: ${object.metadata.name} is gone`);
    else resolved.push(normalise(placed));
  }
  return resolved;
}

async function place(object: KubeObject, { target, signal }: Run): Promise<KubeObject | undefined> {
  const { client, namespace } = target;
  let namespaced: boolean;
  try {
    ({ namespaced } = client.mapper.cached(object) ?? (await client.mapper.resource(object, signal)));
  } catch (error) {
    if (isKubeError(error, 'NoMatch')) return undefined;
    throw error;
  }
  const { namespace: own, ...metadata } = object.metadata;
  if (!namespaced) return own === undefined ? object : { ...object, metadata };
  return (own ?? '') === '' ? { ...object, metadata: { ...object.metadata, namespace } } : object;
}

function unserved({ apiVersion, kind, metadata: { name, namespace = '' } }: KubeObject, what: string): Error {
  const text =
    `unable to build kubernetes objects from ${what}: resource mapping not found for name: ${JSON.stringify(name)} ` +
    `namespace: ${JSON.stringify(namespace)} from "": no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(apiVersion)}\n` +
    'ensure CRDs are installed first';
  return actionError('ManifestUnbuildable', text, { subject: `${kind}/${name}` });
}

/** A copy with Helm's ownership metadata (HB58). */
export function withReleaseMetadata(object: KubeObject, { name, namespace }: { name: string; namespace: string }): KubeObject {
  const { labels, annotations } = object.metadata;
  return {
    ...object,
    metadata: {
      ...object.metadata,
      labels: { ...labels, [MANAGED_BY]: 'Helm' },
      annotations: { ...annotations, [RELEASE_NAME]: name, [RELEASE_NAMESPACE]: namespace },
    },
  };
}

/** A copy with the labels of the HelmRelease it belongs to. */
export function withOwnerLabels(object: KubeObject, owner: ReleaseTarget['owner']): KubeObject {
  const labels = { ...object.metadata.labels, [`${OWNER_GROUP}/name`]: owner.name, [`${OWNER_GROUP}/namespace`]: owner.namespace };
  return { ...object, metadata: { ...object.metadata, labels } };
}

/** True when the object carries the labels of the HelmRelease, so that the shared watches show it. */
export function isLabelled({ metadata: { labels } }: KubeObject, { name, namespace }: ReleaseTarget['owner']): boolean {
  return labels?.[`${OWNER_GROUP}/name`] === name && labels[`${OWNER_GROUP}/namespace`] === namespace;
}

type Metadata = Pick<KubeObject['metadata'], 'labels' | 'annotations'>;

/** What Helm says of an object that is there and is not the release's; undefined when it is (validate.go, checkOwnership). */
export function ownershipProblem({ labels, annotations }: Metadata, release: { name: string; namespace: string }): string | undefined {
  const problems = [
    valueProblem('label', labels, MANAGED_BY, 'Helm'),
    valueProblem('annotation', annotations, RELEASE_NAME, release.name),
    valueProblem('annotation', annotations, RELEASE_NAMESPACE, release.namespace),
  ].filter((problem) => problem !== undefined);
  return problems.length === 0 ? undefined : `invalid ownership metadata; ${problems.join('; ')}`;
}

function valueProblem(what: string, values: Metadata['labels'], key: string, want: string): string | undefined {
  const have = values?.[key];
  if (have === want) return undefined;
  const quoted = JSON.stringify(key);
  const problem =
    have === undefined
      ? `missing key ${quoted}: must be set to ${JSON.stringify(want)}`
      : `key ${quoted} must equal ${JSON.stringify(want)}: current value is ${JSON.stringify(have)}`;
  return `${what} validation error: ${problem}`;
}

/** True when another release has taken the object over; one without any release's name on it has not been. */
export function isAnothers({ annotations }: Metadata, release: { name: string; namespace: string }): boolean {
  const [name, namespace] = [annotations?.[RELEASE_NAME], annotations?.[RELEASE_NAMESPACE]];
  if (name === undefined && namespace === undefined) return false;
  return (name ?? release.name) !== release.name || (namespace ?? release.namespace) !== release.namespace;
}

/** True when the object says that it is the release's. */
export function isOurs({ annotations }: Metadata, release: { name: string; namespace: string }): boolean {
  return annotations?.[RELEASE_NAME] === release.name && annotations[RELEASE_NAMESPACE] === release.namespace;
}

/** True for an object that says it outlives its release. */
export function isToKeep({ annotations }: Metadata): boolean {
  return annotations?.[KEEP]?.trim().toLowerCase() === 'keep';
}

/** `Deployment "web" in namespace "shop"`, as Helm names an object. */
export function resourceString({ kind, metadata: { name, namespace = '' } }: KubeObject): string {
  return `${kind} ${JSON.stringify(name)} in namespace ${JSON.stringify(namespace)}`;
}

/** `ns/name apps/v1, Kind=Deployment`, as Helm names an object in apply errors. */
export function fullResourceString({ apiVersion, kind, metadata: { name, namespace = '' } }: KubeObject): string {
  const version = apiVersion.includes('/') ? apiVersion : `/${apiVersion}`;
  return `${namespace}/${name} ${version}, Kind=${kind}`;
}

export function keyOf(object: KubeObject): string {
  return objectRefKey(objectRef(object));
}

/**
 * Fails when an object that would be created is there already and belongs to someone else. Reads each.
 * @throws CodedError `OwnershipConflict`
 */
export async function assertNoForeignObjects(objects: readonly KubeObject[], phase: 'install' | 'update', run: Run): Promise<void> {
  const { client, name, namespace } = run.target;
  const prefix = `unable to continue with ${phase}: `;
  const problems = await Promise.all(
    objects.map(async (object) => {
      const { metadata } = await readMetadata(object, prefix);
      const problem = metadata === undefined ? undefined : ownershipProblem(metadata, { name, namespace });
      return problem === undefined ? undefined : { object, problem };
    }),
  );
  const first = problems.find((each) => each !== undefined);
  if (first === undefined) return;
  const text = `${prefix}${resourceString(first.object)} exists and cannot be imported into the current release: ${first.problem}`;
  throw actionError('OwnershipConflict', text, {
    subject: resourceString(first.object),
    remedy: 'unset disableTakeOwnership, or remove the object',
    retryable: false,
  });

  async function readMetadata(object: KubeObject, before: string): Promise<Partial<KubeObject>> {
    try {
      const { apiVersion, kind, metadata } = object;
      const at = metadata.namespace === undefined ? {} : { namespace: metadata.namespace };
      const found = await client.find({ apiVersion, kind, name: metadata.name, ...at }, { form: 'metadata', signal: run.signal });
      return found ?? {};
    } catch (error) {
      throw wrapped('OwnershipConflict', `${before}could not get information about the resource ${resourceString(object)}: `, error);
    }
  }
}
