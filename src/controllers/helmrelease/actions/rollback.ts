import { isPending, lastDeployed, lastRelease, type Release } from '../../../helm/index.ts';
import type { KubeObject } from '../../../manifest/index.ts';
import type { ActionContext, ActionProgress, ActionResult, RollbackOptions } from './action.ts';
import { actionError, isActionError, textOf } from './errors.ts';
import type { HookOptions } from './hooks.ts';
import { hooksOf } from './install.ts';
import { failedEarly, Ledger, recorded } from './ledger.ts';
import { readManifest, resolveObjects, withReleaseMetadata } from './objects.ts';
import { awaitReady } from './readiness.ts';
import { drive, isCanceled, Run, type Steps } from './run.ts';
import { previousObjects, staleObjects, type Previous } from './previous.ts';
import { afterCleanup, isServerSide, makeRoom, pending } from './upgrade.ts';
import { deleteStale, writeObjects } from './write-objects.ts';

/** Goes back to an earlier revision as `helm rollback` does (HB52): a new revision with the old one's content. */
export function rollbackRelease(options: RollbackOptions, context: ActionContext): Promise<ActionProgress> {
  const run = new Run(context);
  return drive(run, rollback(options, run));
}

type Prepared = { objects: KubeObject[]; previous: Previous; current: Release; ledger: Ledger };

async function* rollback(options: RollbackOptions, run: Run): Steps<ActionResult> {
  let prepared: Prepared;
  try {
    prepared = await prepare(options, run);
  } catch (error) {
    return failedEarly(run, error);
  }
  const name = JSON.stringify(run.target.name);
  return yield* recorded(run, prepared.ledger, perform(options, prepared, run), (error) => ({
    status: 'failed',
    description: isActionError(error, 'ObjectsFailed')
      ? `Rollback ${name} failed: ${textOf(error)}`
      : `Release ${name} failed: ${textOf(error)}`,
  }));
}

async function prepare({ version, serverSideApply, maxHistory }: RollbackOptions, run: Run): Promise<Prepared> {
  const history = await run.storage.list(run.signal);
  const current = lastRelease(history);
  const wanted = history.find((each) => each.version === version);
  if (current === undefined || wanted === undefined) {
    throw actionError('RevisionMissing', `release has no ${version} version`, { subject: run.target.name, retryable: false });
  }
  if (isPending(current)) throw pending(current);
  // Objects of the last good revision are still there when a later attempt failed before it removed them.
  const base = lastDeployed(history) ?? current;
  const previous = await previousObjects(history, base, run);
  const manifest = readManifest(wanted.manifest, 'new release manifest');
  const objects = (await resolveObjects(manifest, 'new release manifest', run)).map((object) => withReleaseMetadata(object, run.target));
  const { deleted: _, ...content } = wanted;
  const release: Release = {
    ...content,
    namespace: current.namespace,
    version: current.version + 1,
    status: 'pending-rollback',
    description: `Rollback to ${version}`,
    ...(current.firstDeployed === undefined ? {} : { firstDeployed: current.firstDeployed }),
    lastDeployed: run.timestamp(),
    applyMethod: isServerSide(serverSideApply, wanted) ? 'ssa' : 'csa',
  };
  await makeRoom(
    history.filter((each) => each.version !== version),
    maxHistory === 0 ? 0 : Math.max(1, maxHistory - 1),
    run,
  );
  return { objects, previous, current, ledger: new Ledger(run, release) };
}

async function* perform(options: RollbackOptions, { objects, previous, current, ledger }: Prepared, run: Run): Steps<void> {
  const { hooks, wait, force, cleanupOnFail } = options;
  const serverSide = ledger.release.applyMethod === 'ssa';
  await ledger.open();
  const hookOptions: HookOptions = { serverSide, wait, awaitDeletion: wait.resources };
  if (hooks) yield* hooksOf('pre-rollback', '', ledger, hookOptions, run);
  const written = await writeObjects(objects, previous.objects, { serverSide, replace: force && !serverSide, phase: 'update' }, run);
  try {
    if (written.error !== undefined) throw written.error;
    await deleteStale(staleObjects(previous, objects), previous.unsure, run);
  } catch (error) {
    if (isCanceled(error, run)) throw error;
    await run.storage.update({ ...current, status: 'superseded' }, run.signal);
    throw cleanupOnFail ? await afterCleanup(error, written.created, 'original rollback error: ', run) : error;
  }
  yield* awaitReady(objects, written.applied, wait, run);
  if (hooks) yield* hooksOf('post-rollback', '', ledger, hookOptions, run);
  for (const each of await run.storage.list(run.signal)) {
    if (each.status === 'deployed') await run.storage.update({ ...each, status: 'superseded' }, run.signal);
  }
  await ledger.write({ status: 'deployed' });
}
