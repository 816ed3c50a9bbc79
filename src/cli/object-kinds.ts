import { findCondition, isConditionTrue } from '../api/index.ts';
import type { KubeObject } from '../manifest/index.ts';
import { shortenHashes } from './table.ts';

/** A kind the object commands (get, reconcile, suspend, resume) know. */
export type ObjectKind = {
  apiVersion: string;
  kind: string;
  /** How Flux's messages name it, such as `source oci`. */
  human: string;
  /** The command words that mean it; the first is the one in help. */
  words: readonly string[];
  /** `source oci` sits below the word `source`. */
  below?: 'source';
  /** Cells between NAME and SUSPENDED. */
  columns: (object: KubeObject, options: { showSource: boolean }) => readonly string[];
  header: (options: { showSource: boolean }) => readonly string[];
  /** Where an object names its source. */
  source?: readonly string[];
  /** What a finished reconciliation says. */
  done: (object: KubeObject) => string;
};

/** The Flux kinds with object commands. */
export const OBJECT_KINDS: readonly ObjectKind[] = [
  {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'OCIRepository',
    human: 'source oci',
    words: ['oci'],
    below: 'source',
    header: () => ['Revision'],
    columns: (object) => [shortenHashes(text(object, 'status', 'artifact', 'revision'))],
    done: (object) => `fetched revision ${text(object, 'status', 'artifact', 'revision')}`,
  },
  {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    human: 'kustomization',
    words: ['kustomization', 'kustomizations', 'ks'],
    header: ({ showSource }) => (showSource ? ['Source', 'Revision'] : ['Revision']),
    columns: (object, { showSource }) => {
      const revision = shortenHashes(text(object, 'status', 'lastAppliedRevision'));
      const kind = text(object, 'spec', 'sourceRef', 'kind');
      return showSource ? [`${kind}/${text(object, 'spec', 'sourceRef', 'name')}`, revision] : [revision];
    },
    source: ['spec', 'sourceRef'],
    done: (object) => `applied revision ${text(object, 'status', 'lastAppliedRevision')}`,
  },
  {
    apiVersion: 'helm.toolkit.fluxcd.io/v2',
    kind: 'HelmRelease',
    human: 'helmrelease',
    words: ['helmrelease', 'helmreleases', 'hr'],
    header: ({ showSource }) => (showSource ? ['Source', 'Revision'] : ['Revision']),
    columns: (object, { showSource }) => {
      const revision = releasedVersion(object);
      const namespace = text(object, 'spec', 'chartRef', 'namespace') || (object.metadata.namespace ?? '');
      const source = [text(object, 'spec', 'chartRef', 'kind'), namespace, text(object, 'spec', 'chartRef', 'name')].join('/');
      return showSource ? [source, revision] : [revision];
    },
    source: ['spec', 'chartRef'],
    done: (object) => `applied revision ${releasedVersion(object)}`,
  },
];

/** The chart version of the latest revision of a release, else the one last attempted. */
function releasedVersion(object: KubeObject): string {
  const history = (object['status'] as { history?: readonly { chartVersion?: string }[] } | undefined)?.history;
  return history?.[0]?.chartVersion ?? text(object, 'status', 'lastAttemptedRevision');
}

/** The text at a path of an object; empty when there is none. */
export function text(object: KubeObject, ...path: readonly string[]): string {
  const value = path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : undefined),
    object,
  );
  return typeof value === 'string' ? value : '';
}

/** The Ready condition as the tables show it: status and message (K09). */
export function readiness(object: KubeObject): { status: string; message: string } {
  const ready = findCondition(conditionsOf(object), 'Ready');
  return ready === undefined
    ? { status: 'False', message: 'waiting to be reconciled' }
    : { status: ready.status, message: shortenHashes(ready.message) };
}

/** `spec.suspend`. */
export function isSuspended(object: KubeObject): boolean {
  const spec = object['spec'];
  return typeof spec === 'object' && spec !== null && 'suspend' in spec && spec.suspend === true;
}

/** How far an object is with its current spec, judged as kstatus does for conditions (K06, K07). */
export function progressOf(object: KubeObject): 'current' | 'in-progress' | 'failed' {
  const conditions = conditionsOf(object);
  const observed = (object['status'] as { observedGeneration?: number } | undefined)?.observedGeneration;
  if (isConditionTrue(conditions, 'Stalled')) return 'failed';
  if (observed !== undefined && observed !== object.metadata.generation) {
    const ready = findCondition(conditions, 'Ready');
    if (ready?.observedGeneration !== object.metadata.generation || ready?.status !== 'False') return 'in-progress';
  }
  const ready = findCondition(conditions, 'Ready');
  if (ready?.status === 'True') return isConditionTrue(conditions, 'Reconciling') ? 'in-progress' : 'current';
  return ready?.status === 'False' ? 'failed' : 'in-progress';
}

type Condition = NonNullable<Parameters<typeof findCondition>[0]>[number];

function conditionsOf(object: KubeObject): readonly Condition[] {
  const conditions = (object['status'] as { conditions?: unknown } | undefined)?.conditions;
  return Array.isArray(conditions) ? (conditions as readonly Condition[]) : [];
}
