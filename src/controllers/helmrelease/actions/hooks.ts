import { deleteObjects, writeRelease } from '../../../apply/index.ts';
import { sortHooksByWeight, type HookEvent, type ReleaseHook } from '../../../helm/index.ts';
import { isKubeError } from '../../../kube/index.ts';
import { formatObjectRef, objectRef, readObjects, type KubeObject } from '../../../manifest/index.ts';
import { errorMessage } from '../../../std/index.ts';
import { FIELD_MANAGER, type WaitPolicy } from './action.ts';
import { actionError, textOf, wrapped } from './errors.ts';
import { tellOutput } from './hook-output.ts';
import type { Ledger } from './ledger.ts';
import { keyOf, resolveObjects } from './objects.ts';
import { awaitGone, awaitHook } from './readiness.ts';
import { assertNotCanceled, isCanceled, type Run, type Steps } from './run.ts';
import { TAKEOVER } from './write-objects.ts';

export type HookOptions = {
  serverSide: boolean;
  wait: Omit<WaitPolicy, 'resources' | 'jobs'>;
  /** Waits for the end of what is deleted. */
  awaitDeletion: boolean;
  /** In a namespace that is being deleted nothing can be created: hooks are passed over. */
  skipsInTerminating?: boolean;
  /** Only these; default all of the event. */
  select?: (hook: ReleaseHook) => boolean;
};

type Policy = 'before-hook-creation' | 'hook-succeeded' | 'hook-failed';

/**
 * Runs the hooks of an event, one after the other by weight, with their delete policies; the record says how each went.
 * @throws CodedError `HookFailed`
 */
export async function* runHooks(event: HookEvent, ledger: Ledger, options: HookOptions, run: Run): Steps<void> {
  const { select = () => true } = options;
  const hooks = sortHooksByWeight(ledger.release.hooks.filter(({ events }) => events.includes(event)));
  const selected = hooks.filter(select);
  for (const [index, hook] of selected.entries()) {
    try {
      yield* runHook(event, hook, ledger, options, run);
    } catch (error) {
      // Ended from outside: whoever comes next removes it, or waits for it to end.
      if (isCanceled(error, run)) throw error;
      yield* deleteQuietly(hook, 'hook-failed', options, run);
      for (const done of selected.slice(0, index)) yield* deleteQuietly(done, 'hook-succeeded', options, run);
      throw error;
    }
  }
  for (const hook of selected.toReversed()) yield* deleteByPolicy(hook, 'hook-succeeded', options, run);
}

async function* runHook(event: HookEvent, hook: ReleaseHook, ledger: Ledger, options: HookOptions, run: Run): Steps<void> {
  yield* deleteByPolicy(hook, 'before-hook-creation', options, run);
  const objects = await hookObjects(event, hook, run);
  const startedAt = run.timestamp();
  run.trace(`running ${event} hook ${hook.path}`);
  ledger.noteHook(hook, { startedAt, phase: 'Running' });
  await ledger.tryWrite();
  let current: KubeObject | undefined;
  try {
    for (const object of objects) {
      current = undefined;
      current = await create(event, hook, object, options, run);
      yield* awaitHook(object, current, options.wait, run);
      await tellOutput(hook, current, false, run);
    }
    ledger.noteHook(hook, { startedAt, completedAt: run.timestamp(), phase: 'Succeeded' });
  } catch (error) {
    if (options.skipsInTerminating === true && isTerminating(error)) {
      ledger.noteHook(hook, { startedAt, completedAt: run.timestamp(), phase: 'Unknown' });
      run.trace(`${event} hook ${hook.path} is passed over: its namespace is being deleted`);
      return;
    }
    if (current !== undefined && !isCanceled(error, run)) await tellOutput(hook, current, true, run);
    ledger.noteHook(hook, { startedAt, completedAt: run.timestamp(), phase: 'Failed' });
    throw error;
  }
}

function isTerminating(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return isKubeError(cause) && cause.causes.some(({ reason }) => reason === 'NamespaceTerminating');
}

async function hookObjects(event: HookEvent, hook: ReleaseHook, run: Run): Promise<KubeObject[]> {
  const what = `${event} hook ${hook.path}`;
  try {
    return await resolveObjects(readObjects(hook.manifest), what, run);
  } catch (error) {
    throw wrapped('HookFailed', `unable to build kubernetes object for ${what}: `, error);
  }
}

async function create(event: HookEvent, hook: ReleaseHook, object: KubeObject, { serverSide }: HookOptions, run: Run): Promise<KubeObject> {
  const { client } = run.target;
  const { signal, clock } = run;
  const prefix = `warning: Hook ${event} ${hook.path} failed: `;
  if (!serverSide) {
    try {
      return await client.create(object, { fieldManager: FIELD_MANAGER, signal });
    } catch (error) {
      throw wrapped('HookFailed', prefix, error);
    }
  }
  const { applied, failures } = await writeRelease({
    client,
    objects: [object],
    method: 'server',
    fieldManager: FIELD_MANAGER,
    force: false,
    previous: new Map(),
    takeover: TAKEOVER,
    clock,
    signal,
  });
  assertNotCanceled(run);
  const answer = applied.get(keyOf(object));
  if (answer !== undefined) return answer;
  const cause = failures[0]?.cause;
  throw actionError('HookFailed', `${prefix}${textOf(cause)}`, { cause, subject: formatObjectRef(objectRef(object)) });
}

function hasPolicy({ deletePolicies }: ReleaseHook, policy: Policy): boolean {
  return deletePolicies.length === 0 ? policy === 'before-hook-creation' : deletePolicies.includes(policy);
}

async function* deleteByPolicy(hook: ReleaseHook, policy: Policy, { wait, awaitDeletion }: HookOptions, run: Run): Steps<void> {
  // Deleting a definition takes all its objects along.
  if (hook.kind === 'CustomResourceDefinition' || !hasPolicy(hook, policy)) return;
  const objects = await hookObjectsToDelete(hook, run);
  // The Pods of a run that was cut short must be gone before the next one starts: two migrations at once are one too many.
  const propagation = policy === 'before-hook-creation' && hook.kind === 'Job' ? 'Foreground' : 'Background';
  const { going, failures } = await deleteObjects({ client: run.target.client, objects, propagation, signal: run.signal });
  assertNotCanceled(run);
  if (failures.length > 0)
    throw actionError('HookFailed', failures.map(({ cause }) => textOf(cause)).join('; '), { cause: failures[0]?.cause });
  if (awaitDeletion || policy === 'before-hook-creation') yield* awaitGone(going, wait.timeout, run);
}

async function hookObjectsToDelete(hook: ReleaseHook, run: Run): Promise<KubeObject[]> {
  try {
    return await resolveObjects(readObjects(hook.manifest), `hook ${hook.path}`, run);
  } catch (error) {
    throw wrapped('HookFailed', `unable to build kubernetes object for deleting hook ${hook.path}: `, error);
  }
}

/** A hook that failed is what is to be reported, whatever becomes of its remains. */
async function* deleteQuietly(hook: ReleaseHook, policy: Policy, options: HookOptions, run: Run): Steps<void> {
  try {
    yield* deleteByPolicy(hook, policy, options, run);
  } catch (error) {
    if (isCanceled(error, run)) throw error;
    run.trace(`error deleting the hook resource: ${errorMessage(error)}`);
  }
}
