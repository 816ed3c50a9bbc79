import { deleteObjects } from '../../../apply/index.ts';
import { lastDeployed, lastRelease, sortForUninstall, type Release } from '../../../helm/index.ts';
import { formatObjectRef, objectRef, type KubeObject } from '../../../manifest/index.ts';
import type { ActionContext, ActionProgress, ActionResult, UninstallOptions } from './action.ts';
import { actionError, textOf } from './errors.ts';
import { runHooks, type HookOptions } from './hooks.ts';
import { Ledger } from './ledger.ts';
import { isAnothers, isOurs, isToKeep, keyOf, readManifest, resolveStored } from './objects.ts';
import { awaitGone } from './readiness.ts';
import { assertNotCanceled, drive, isCanceled, Run, toError, type Steps } from './run.ts';
import { previousObjects } from './previous.ts';

/** Removes a release as `helm uninstall` does (HB53). One that is not there is removed already. */
export function uninstallRelease(options: UninstallOptions, context: ActionContext): Promise<ActionProgress> {
  const run = new Run(context);
  return drive(run, uninstall(options, run));
}

async function* uninstall(options: UninstallOptions, run: Run): Steps<ActionResult> {
  let ledger: Ledger | undefined;
  try {
    const history = await run.storage.list(run.signal);
    const last = lastRelease(history);
    if (last === undefined) return { kind: 'succeeded', release: undefined };
    if (last.status === 'uninstalled') {
      if (!options.keepHistory) await purge(history, run);
      return { kind: 'succeeded', release: last };
    }
    ledger = new Ledger(run, last);
    yield* perform(options, history, ledger, run);
    return { kind: 'succeeded', release: ledger.release };
  } catch (thrown) {
    const error = toError(thrown);
    // The record says `uninstalling`: the next attempt goes on from there.
    const release = ledger?.stored === true ? ledger.release : undefined;
    if (isCanceled(error, run)) return { kind: 'canceled', release };
    run.trace(error.message);
    return { kind: 'failed', error, release, stored: release !== undefined };
  }
}

async function* perform(options: UninstallOptions, history: readonly Release[], ledger: Ledger, run: Run): Steps<void> {
  const { hooks, keepHistory, wait } = options;
  const { name } = run.target;
  ledger.change({ status: 'uninstalling', deleted: run.timestamp(), description: 'Deletion in progress (or silently failed)' });
  const hookOptions: HookOptions = { serverSide: true, wait, awaitDeletion: wait.resources, skipsInTerminating: true };
  if (hooks) yield* runHooks('pre-delete', ledger, hookOptions, run);
  await ledger.tryWrite();
  const { going, failures } = await deleteRelease(history, ledger.release, options, run);
  if (failures.length > 0)
    throw actionError('UninstallFailed', `failed to delete release: ${name}: ${failures.join('; ')}`, { subject: name });

  const errors: string[] = [];
  const collect = (error: unknown): void => {
    if (isCanceled(error, run)) throw error;
    errors.push(textOf(error));
  };
  try {
    if (wait.resources) yield* awaitGone(going, wait.timeout, run);
  } catch (error) {
    collect(error);
  }
  try {
    if (hooks) yield* runHooks('post-delete', ledger, hookOptions, run);
  } catch (error) {
    collect(error);
  }
  ledger.change({ status: 'uninstalled', description: 'Uninstallation complete' });
  if (keepHistory) await keep(history, ledger, run);
  else await purge(history, run);
  if (errors.length > 0) {
    throw actionError('UninstallFailed', `uninstallation completed with ${errors.length} error(s): ${errors.join('; ')}`, {
      subject: name,
    });
  }
}

/** Also what attempts that failed left behind, where it carries our metadata. */
async function deleteRelease(
  history: readonly Release[],
  release: Release,
  { propagation }: UninstallOptions,
  run: Run,
): Promise<{ going: readonly KubeObject[]; failures: string[] }> {
  const named = await resolveStored(readManifest(release.manifest, 'release manifest'), run);
  const names = new Set(named.map(keyOf));
  const { objects: before } = await previousObjects(history, lastDeployed(history) ?? release, run);
  const unsure = new Set([...before.keys()].filter((key) => !names.has(key)));
  const all = [...named, ...[...before].filter(([key]) => unsure.has(key)).flatMap(([, versions]) => versions.slice(-1))];
  const kept = all.filter(({ metadata }) => isToKeep(metadata));
  if (kept.length > 0) {
    const list = kept.map(({ kind, metadata }) => `[${kind}] ${metadata.name}`).join(' ');
    run.trace(`These resources were kept due to the resource policy: ${list}`);
  }
  const objects = sortForUninstall(
    all.filter((object) => !kept.includes(object)),
    ({ kind }) => kind,
    { webhooksLast: true },
  );
  const { client, owned } = run.target;
  const result = await deleteObjects({
    client,
    objects,
    propagation,
    live: owned,
    mayDelete: (metadata, object) => (unsure.has(keyOf(object)) ? isOurs(metadata, run.target) : !isAnothers(metadata, run.target)),
    signal: run.signal,
  });
  assertNotCanceled(run);
  for (const object of result.deleted) run.memory.delete(keyOf(object));
  for (const object of result.spared) run.trace(`kept ${formatObjectRef(objectRef(object))}: it belongs to another release`);
  const failures = result.failures.map(({ object, cause }) => `${formatObjectRef(objectRef(object))}: ${textOf(cause)}`);
  return { going: result.going, failures };
}

async function keep(history: readonly Release[], ledger: Ledger, run: Run): Promise<void> {
  await ledger.tryWrite();
  for (const each of history) {
    if (each.status === 'deployed' && each.version !== ledger.release.version)
      await run.storage.update({ ...each, status: 'superseded' }, run.signal);
  }
}

/** Oldest first: while any is left, the newest says how far the removal got. */
async function purge(history: readonly Release[], run: Run): Promise<void> {
  const versions = history.map(({ version }) => version).sort((a, b) => a - b);
  const last = versions.pop();
  await Promise.all(versions.map((version) => run.storage.delete(version, run.signal)));
  if (last !== undefined) await run.storage.delete(last, run.signal);
}
