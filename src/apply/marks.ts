import type { KubeObject, ObjectMeta } from '../manifest/index.ts';

/** Who applies a set of objects: the Kustomization or HelmRelease, whose labels they carry. */
export type Owner = {
  /** API group of the owner, the prefix of its labels: `kustomize.toolkit.fluxcd.io`, `helm.toolkit.fluxcd.io`. */
  group: string;
  name: string;
  namespace: string;
};

/** A key with a value, compared without case, as a label or an annotation. */
export type Mark = { key: string; value: string };

const KUSTOMIZE = 'kustomize.toolkit.fluxcd.io';

/** Labels and annotations by which users steer apply and prune (flux-behaviour, "Labels and annotations acted on"). */
export const MARKS: Readonly<
  Record<'reconcileDisabled' | 'pruneDisabled' | 'forceEnabled' | 'ssaMerge' | 'ssaIfNotPresent' | 'ssaIgnore', Mark>
> = {
  reconcileDisabled: { key: `${KUSTOMIZE}/reconcile`, value: 'disabled' },
  pruneDisabled: { key: `${KUSTOMIZE}/prune`, value: 'disabled' },
  forceEnabled: { key: `${KUSTOMIZE}/force`, value: 'enabled' },
  ssaMerge: { key: `${KUSTOMIZE}/ssa`, value: 'merge' },
  ssaIfNotPresent: { key: `${KUSTOMIZE}/ssa`, value: 'ifnotpresent' },
  ssaIgnore: { key: `${KUSTOMIZE}/ssa`, value: 'ignore' },
};

/** What Helm releases act on: whose the object is, whether it outlives its release, whether its drift counts (HB58, HB59). */
export const RELEASE_KEYS: readonly string[] = [
  'meta.helm.sh/release-name',
  'meta.helm.sh/release-namespace',
  'helm.sh/resource-policy',
  'helm.toolkit.fluxcd.io/driftDetection',
];

/** True when the object carries the mark as a label or an annotation. */
export function hasMark(metadata: Pick<ObjectMeta, 'labels' | 'annotations'> | undefined, { key, value }: Mark): boolean {
  return matches(metadata?.labels?.[key], value) || matches(metadata?.annotations?.[key], value);
}

function matches(have: unknown, want: string): boolean {
  return typeof have === 'string' && have.toLowerCase() === want;
}

/** The owner labels of an object (KB70). */
export function ownerLabels(owner: Owner): Record<string, string> {
  return { [`${owner.group}/name`]: owner.name, [`${owner.group}/namespace`]: owner.namespace };
}

/** True when the object carries this very owner's labels. */
export function isOwnedBy(metadata: Pick<ObjectMeta, 'labels'>, owner: Owner): boolean {
  return metadata.labels?.[`${owner.group}/name`] === owner.name && metadata.labels[`${owner.group}/namespace`] === owner.namespace;
}

/** A copy of the object with the owner's labels on it. */
export function withOwner(object: KubeObject, owner: Owner): KubeObject {
  return { ...object, metadata: { ...object.metadata, labels: { ...object.metadata.labels, ...ownerLabels(owner) } } };
}
