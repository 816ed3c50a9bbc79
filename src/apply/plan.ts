import { objectRefKey, type KubeObject, type ObjectRef } from '../manifest/index.ts';
import type { JsonPatchOperation } from '../kube/index.ts';
import type { Action } from './change-set.ts';
import { contentHash, desiredHash } from './hash.ts';
import { adaptPayload, ignoredPaths, withoutPaths, type CompiledRules } from './ignore-rules.ts';
import { driftHash, hasForeignManager, ownEntry, subtractFields, takeOver, type ManagerMatch } from './managed-fields.ts';
import { MARKS, hasMark } from './marks.ts';
import type { Known, LiveRecord } from './request.ts';

/** One desired object ready to be applied. */
export type Prepared = {
  ref: ObjectRef;
  key: string;
  /** Normalised, labelled; without a namespace when its kind has none. */
  desired: KubeObject;
  hash: string;
};

/** What deciding needs besides the object. */
export type Policy = { fieldManager: string; takeover: readonly ManagerMatch[]; ignore: CompiledRules };

/** Metadata apply removes from live objects (kubectl's and Flux v1's bookkeeping). */
const CLEANED_ANNOTATIONS = [
  'kubectl.kubernetes.io/last-applied-configuration',
  'kustomize.toolkit.fluxcd.io/checksum',
  'fluxcd.io/sync-checksum',
] as const;
const CLEANED_LABELS = ['fluxcd.io/sync-gc-mark'] as const;

/** What to do with an object before anything is sent. */
export type FirstStep = { kind: 'skipped' } | { kind: 'unchanged'; known: Known } | { kind: 'dry-run' };

/** What to do with an object after its dry-run. */
export type NextStep = { kind: 'skipped' } | { kind: 'unchanged'; known: Known } | { kind: 'needs-live' } | { kind: 'write'; write: Write };

/** A decided write. */
export type Write = {
  action: Action;
  payload: KubeObject;
  /** resourceVersion before the write; the same after it means nothing changed. Empty for a new object. */
  base: string;
  /** managedFields and metadata to put right first (KB56), against this live object. */
  cleanup?: KubeObject;
};

export function prepare(ref: ObjectRef, desired: KubeObject): Prepared {
  return { ref, key: objectRefKey(ref), desired, hash: desiredHash(desired) };
}

/** Decides from memory and watches alone: marks (KB57), or proof by hashes that nothing is to do (KB53). */
export function firstStep(object: Prepared, known: Known | undefined, live: LiveRecord | 'absent' | undefined): FirstStep {
  const { metadata } = object.desired;
  if (isExcluded(metadata)) return { kind: 'skipped' };
  if (live === undefined || live === 'absent') return { kind: 'dry-run' };
  if (isExcluded(live)) return { kind: 'skipped' };
  if (hasMark(metadata, MARKS.ssaIfNotPresent)) return { kind: 'skipped' };
  if (known === undefined || known.desiredHash !== object.hash || known.uid !== live.uid) return { kind: 'dry-run' };
  return driftOf(known, live, hasMark(metadata, MARKS.ssaMerge)) === undefined ? { kind: 'unchanged', known } : { kind: 'dry-run' };
}

/**
 * Compares what we remember with what a watch says. `gone`: deleted. `changed`: someone else changed or removed a field of ours. `foreign`: our
 * fields stand, but a manager we take over (kubectl) added others. A record older than our own last write says nothing.
 */
export function driftOf(known: Known, live: LiveRecord | 'absent', merge = false): 'gone' | 'changed' | 'foreign' | undefined {
  if (live === 'absent') return 'gone';
  if (isOlder(live.resourceVersion, known.resourceVersion)) return undefined;
  if (live.uid !== known.uid) return 'gone';
  const stands = known.contentHash === undefined ? live.driftHash === known.driftHash : live.contentHash === known.contentHash;
  if (!stands) return 'changed';
  return live.foreign && !merge && !hasMark(live, MARKS.ssaMerge) ? 'foreign' : undefined;
}

/** resourceVersions count up within a cluster (KEP-5504); what is not a number is never older. */
function isOlder(a: string, b: string): boolean {
  return /^\d+$/.test(a) && /^\d+$/.test(b) && (a.length === b.length ? a < b : a.length < b.length);
}

/** Decides from a dry-run's answer (KB53, KB57), with the watch's record when it shows the same state of the object. */
export function afterDryRun(
  object: Prepared,
  answer: KubeObject,
  known: Known | undefined,
  live: LiveRecord | undefined,
  policy: Policy,
): NextStep {
  const { desired } = object;
  const base = answer.metadata.resourceVersion ?? '';
  if (base === '') return { kind: 'write', write: { action: 'created', payload: desired, base } };
  if (isExcluded(answer.metadata) || hasMark(desired.metadata, MARKS.ssaIfNotPresent)) return { kind: 'skipped' };
  if (needsCleanup(object, answer, policy) || ignoredPaths(policy.ignore, answer).length > 0) return { kind: 'needs-live' };
  const write: NextStep = { kind: 'write', write: { action: 'configured', payload: desired, base } };
  if (live?.resourceVersion === base) {
    if (live.contentHash !== contentHash(answer)) return write;
    if (live.driftHash === driftHash(answer, policy.fieldManager))
      return { kind: 'unchanged', known: toKnown(object, answer, policy.fieldManager) };
  } else if (known !== undefined && known.desiredHash !== object.hash) {
    // Something new is wanted, so a write is all but certain; the answer's resourceVersion will tell if it was none.
    return write;
  }
  return { kind: 'needs-live' };
}

/** Decides with the live object itself (KB53, KB56, KB59). */
export function withLiveObject(object: Prepared, answer: KubeObject, live: KubeObject, policy: Policy): NextStep {
  if (isExcluded(live.metadata)) return { kind: 'skipped' };
  const base = live.metadata.resourceVersion ?? '';
  const paths = ignoredPaths(policy.ignore, answer);
  const same = contentHash(withoutPaths(live, paths)) === contentHash(withoutPaths(answer, paths));
  const cleanup = needsCleanup(object, live, policy) ? { cleanup: live } : {};
  const payload = paths.length === 0 ? object.desired : adaptPayload(object.desired, live, answer, paths, policy.fieldManager);
  if (!same || cleanup.cleanup !== undefined) return { kind: 'write', write: { action: 'configured', payload, base, ...cleanup } };
  // Equal content whose fields are not ours would drift unseen: become their owner. Nothing a user looks at changes.
  const gained = subtractFields(ownEntry(answer, policy.fieldManager)?.fieldsV1, ownEntry(live, policy.fieldManager)?.fieldsV1);
  const adopts = Object.keys(gained).length > 0 && paths.length === 0 && !isMerge(object, live);
  if (adopts) return { kind: 'write', write: { action: 'unchanged', payload, base } };
  return { kind: 'unchanged', known: toKnown(object, live, policy.fieldManager) };
}

/** The JSON patch that puts managers and bookkeeping metadata right (KB56), against one state of the live object. */
export function cleanupPatch(live: KubeObject, policy: Policy): JsonPatchOperation[] {
  const operations: JsonPatchOperation[] = [];
  const remove = (field: 'annotations' | 'labels', key: string): void => {
    if (live.metadata[field]?.[key] !== undefined)
      operations.push({ op: 'remove', path: `/metadata/${field}/${key.replaceAll('/', '~1')}` });
  };
  for (const key of CLEANED_ANNOTATIONS) remove('annotations', key);
  for (const key of CLEANED_LABELS) remove('labels', key);
  const managedFields = takeOver(live, policy.fieldManager, policy.takeover);
  if (managedFields !== undefined) operations.push({ op: 'replace', path: '/metadata/managedFields', value: managedFields });
  // Replacing the resourceVersion with the one seen makes the server refuse (Conflict) when someone was faster.
  return [{ op: 'replace', path: '/metadata/resourceVersion', value: live.metadata.resourceVersion }, ...operations];
}

/** What to remember of an object as the server shows it. */
export function toKnown(object: Prepared, shown: KubeObject, fieldManager: string): Known {
  const { resourceVersion, uid } = shown.metadata;
  return { desiredHash: object.hash, driftHash: driftHash(shown, fieldManager), resourceVersion: resourceVersion ?? '', uid: uid ?? '' };
}

/** True when apply would have to take over managers or clean metadata of this live object. */
export function isForeign(live: KubeObject, takeover: readonly ManagerMatch[]): boolean {
  const { annotations, labels } = live.metadata;
  return (
    hasForeignManager(live, takeover) ||
    CLEANED_ANNOTATIONS.some((key) => annotations?.[key] !== undefined) ||
    CLEANED_LABELS.some((key) => labels?.[key] !== undefined)
  );
}

function needsCleanup(object: Prepared, live: KubeObject, policy: Policy): boolean {
  return !isMerge(object, live) && isForeign(live, policy.takeover);
}

function isMerge(object: Prepared, live: KubeObject): boolean {
  return hasMark(object.desired.metadata, MARKS.ssaMerge) || hasMark(live.metadata, MARKS.ssaMerge);
}

/** KB57: never touched, whatever is desired. */
function isExcluded(metadata: Parameters<typeof hasMark>[0]): boolean {
  return hasMark(metadata, MARKS.reconcileDisabled) || hasMark(metadata, MARKS.ssaIgnore);
}
