import { formatObjectRef, type KubeObject } from '../manifest/index.ts';
import { isKubeError, targetOf, type KubeClient } from '../kube/index.ts';
import { dryRunFailure, immutability, type ObjectFailure } from './errors.ts';
import { lostFields, managersOf, ownEntry, subtractFields } from './managed-fields.ts';
import { MARKS, hasMark } from './marks.ts';
import { isBuiltIn } from './normalise.ts';
import { afterDryRun, withLiveObject, type NextStep, type Policy, type Prepared } from './plan.ts';
import type { ApplyWarning, DriftReport, Known, LiveRecord } from './request.ts';
import { undeclaredFields, withoutFields } from './unknown-fields.ts';

export type ExamineContext = {
  client: KubeClient;
  policy: Policy;
  known: Known | undefined;
  live: LiveRecord | undefined;
  drift: DriftReport['kind'] | undefined;
  force: boolean;
  signal: AbortSignal | undefined;
};

/** What the dry-run of one object led to. */
export type Examined =
  | { kind: 'failed'; failure: ObjectFailure }
  | {
      kind: 'decided';
      next: Exclude<NextStep, { kind: 'needs-live' }>;
      /** Delete the live object first: immutable fields changed and that is allowed. */
      recreate: boolean;
      drift: DriftReport | undefined;
      warnings: readonly ApplyWarning[];
    };

/** Undeclared fields come a few at a time, in random order; this many rounds are enough for any object worth saving. */
const STRIP_ROUNDS = 20;

/** Dry-runs one object and decides what to do with it, reading the live one only where the answer leaves a question. Writes nothing. */
export async function examine(object: Prepared, context: ExamineContext): Promise<Examined> {
  const warnings: ApplyWarning[] = [];
  let trial = object;
  for (let round = 0; ; round++) {
    try {
      const answer = await dryRun(trial.desired, context);
      return await decide(trial, answer, context, warnings);
    } catch (error) {
      const stripped = round < STRIP_ROUNDS && isBuiltIn(object.desired) ? stripUndeclared(trial, error, warnings) : undefined;
      if (stripped === undefined) return recreateOrFail(trial, error, context, warnings);
      trial = stripped;
    }
  }
}

function dryRun(desired: KubeObject, { client, policy, signal }: ExamineContext): Promise<KubeObject> {
  return client.apply(desired, { fieldManager: policy.fieldManager, force: true, dryRun: true, signal });
}

async function decide(object: Prepared, answer: KubeObject, context: ExamineContext, warnings: readonly ApplyWarning[]): Promise<Examined> {
  const { client, policy, known, live, drift, signal } = context;
  const next = afterDryRun(object, answer, known, live, policy);
  const isNew = (answer.metadata.resourceVersion ?? '') === '';
  if (isNew || (next.kind !== 'needs-live' && drift === undefined)) {
    if (next.kind === 'needs-live') throw new Error('a new object leaves no question');
    const report: DriftReport | undefined = drift === undefined ? undefined : { ref: object.ref, kind: drift, managers: [], fields: [] };
    return { kind: 'decided', next, recreate: false, drift: report, warnings };
  }
  const current = await client.find(targetOf(object.desired), { signal });
  if (current === undefined) {
    // Deleted between the two requests: what follows is a creation.
    const write = { action: 'created', payload: object.desired, base: '' } as const;
    return { kind: 'decided', next: { kind: 'write', write }, recreate: false, drift: undefined, warnings };
  }
  const decided = next.kind === 'needs-live' ? withLiveObject(object, answer, current, policy) : next;
  if (decided.kind === 'needs-live') throw new Error('a live object leaves no question');
  const report =
    drift === undefined || decided.kind !== 'write' ? undefined : explainDrift(object, answer, current, known, drift, policy.fieldManager);
  return { kind: 'decided', next: decided, recreate: false, drift: report, warnings };
}

/** Names the fields we lost, and who has them now. */
function explainDrift(
  object: Prepared,
  answer: KubeObject,
  live: KubeObject,
  known: Known | undefined,
  drift: DriftReport['kind'],
  fieldManager: string,
): DriftReport {
  const wanted = ownEntry(answer, fieldManager)?.fieldsV1;
  const owned = ownEntry(live, fieldManager)?.fieldsV1;
  const lost = subtractFields(wanted, owned);
  const managers = managersOf(live, fieldManager, lost);
  // Gone from the watch but not from the cluster: someone took the owner's labels off.
  const kind = drift === 'gone' && live.metadata.uid === known?.uid ? 'changed' : drift;
  return { ref: object.ref, kind, managers, fields: lostFields(wanted, owned) };
}

function stripUndeclared(object: Prepared, error: unknown, warnings: ApplyWarning[]): Prepared | undefined {
  const paths = isKubeError(error) ? undeclaredFields(error.serverMessage) : [];
  const desired = paths.length === 0 ? undefined : withoutFields(object.desired, paths);
  if (desired === undefined) return undefined;
  for (const path of paths)
    warnings.push({ ref: object.ref, message: `${formatObjectRef(object.ref)}: unknown field ${path.slice(1)} left out` });
  return { ...object, desired };
}

/** KB55: an immutable field changed. Allowed by spec.force or the force annotation, the object is deleted and made again. */
async function recreateOrFail(
  object: Prepared,
  error: unknown,
  context: ExamineContext,
  warnings: readonly ApplyWarning[],
): Promise<Examined> {
  const { client, force, signal, live } = context;
  const failure = dryRunFailure(object.ref, error);
  const certainty = immutability(error);
  const allowed =
    force || hasMark(object.desired.metadata, MARKS.forceEnabled) || (live !== undefined && hasMark(live, MARKS.forceEnabled));
  if (certainty === 'no') return { kind: 'failed', failure };
  const current = await client.find(targetOf(object.desired), { signal }).catch(() => undefined);
  if (current === undefined || !(allowed || hasMark(current.metadata, MARKS.forceEnabled))) return { kind: 'failed', failure };
  if (!(await isOnlyTheChange(object, error, certainty, context))) return { kind: 'failed', failure };
  const write = { action: 'created', payload: object.desired, base: '', cleanup: current } as const;
  return { kind: 'decided', next: { kind: 'write', write }, recreate: true, drift: undefined, warnings };
}

/**
 * Kubernetes answers an invalid object and a changed immutable field alike, and often both at once. Deleting a live object for one that cannot
 * be created would lose it, so the desired object is tried under another name first. Where the server spoke of immutability, only a complaint
 * it makes both times counts: another name may have troubles of its own (a node port in use).
 */
async function isOnlyTheChange(
  object: Prepared,
  error: unknown,
  certainty: 'sure' | 'likely',
  { client, policy, signal }: ExamineContext,
): Promise<boolean> {
  const { desired } = object;
  const name = `${desired.metadata.name.slice(0, 40).replace(/[^a-z0-9]+$/, '')}-sluice-check`;
  try {
    await client.create(
      { ...desired, metadata: { ...desired.metadata, name } },
      { dryRun: true, fieldManager: policy.fieldManager, signal },
    );
    return true;
  } catch (check) {
    if (!isKubeError(check)) throw check;
    const before = new Set(causeKeys(error));
    return certainty === 'sure' && !causeKeys(check).some((key) => before.has(key));
  }
}

function causeKeys(error: unknown): string[] {
  return isKubeError(error) ? error.causes.map(({ field, message }) => `${field} ${message}`) : [];
}
