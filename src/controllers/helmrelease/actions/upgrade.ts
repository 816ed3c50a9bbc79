import { isPending, lastDeployed, lastRelease, surplusReleases, type Release } from '../../../helm/index.ts';
import type { KubeObject } from '../../../manifest/index.ts';
import type { ActionContext, ActionProgress, ActionResult, ApplyMode, UpgradeOptions } from './action.ts';
import { applyCrds } from './crds.ts';
import { actionError, textOf } from './errors.ts';
import type { HookOptions } from './hooks.ts';
import { buildTarget, hooksOf } from './install.ts';
import { failedEarly, Ledger, recorded } from './ledger.ts';
import { assertNoForeignObjects, keyOf } from './objects.ts';
import { previousObjects, staleObjects, type Previous } from './previous.ts';
import { awaitReady } from './readiness.ts';
import { drive, isCanceled, Run, type Steps } from './run.ts';
import { cleanUp, deleteStale, writeObjects } from './write-objects.ts';

/**
 * Upgrades a release as `helm upgrade` does (HB51): record, definitions, pre-upgrade hooks, objects, what is no more, wait, post-upgrade hooks,
 * records. What attempts that failed in between had applied is removed, too.
 */
export function upgradeRelease(options: UpgradeOptions, context: ActionContext): Promise<ActionProgress> {
  const run = new Run(context);
  return drive(run, upgrade(options, run));
}

type Prepared = { objects: KubeObject[]; previous: Previous; current: Release; ledger: Ledger };

async function* upgrade(options: UpgradeOptions, run: Run): Steps<ActionResult> {
  let prepared: Prepared;
  try {
    prepared = await prepare(options, run);
  } catch (error) {
    return failedEarly(run, error);
  }
  return yield* recorded(run, prepared.ledger, perform(options, prepared, run), (error) => ({
    status: 'failed',
    description: `Upgrade ${JSON.stringify(run.target.name)} failed: ${textOf(error)}`,
  }));
}

async function prepare(options: UpgradeOptions, run: Run): Promise<Prepared> {
  const { rendered, takeOwnership, maxHistory } = options;
  const history = await run.storage.list(run.signal);
  const last = lastRelease(history);
  if (last === undefined) throw noDeployedReleases(run);
  if (isPending(last)) throw pending(last);
  const current = currentRelease(history, last, run);
  const previous = await previousObjects(history, current, run);
  const objects = await buildTarget(rendered, options.crds, 'release manifest', run);
  const fresh = objects.filter((object) => !previous.objects.has(keyOf(object)));
  if (!takeOwnership) await assertNoForeignObjects(fresh, 'update', run);
  const serverSide = isServerSide(options.serverSideApply, last);
  const release: Release = {
    ...rendered.record,
    labels: mergeLabels(last.labels, rendered.record.labels),
    version: last.version + 1,
    status: 'pending-upgrade',
    description: 'Preparing upgrade',
    ...(current.firstDeployed === undefined ? {} : { firstDeployed: current.firstDeployed }),
    lastDeployed: run.timestamp(),
    applyMethod: serverSide ? 'ssa' : 'csa',
  };
  await makeRoom(history, maxHistory, run);
  return { objects, previous, current, ledger: new Ledger(run, release) };
}

async function* perform(options: UpgradeOptions, { objects, previous, current, ledger }: Prepared, run: Run): Steps<void> {
  const { rendered, crds, hooks, wait, force, cleanupOnFail } = options;
  const serverSide = ledger.release.applyMethod === 'ssa';
  await ledger.open();
  yield* applyCrds(rendered.crds, crds, serverSide, run);
  const hookOptions: HookOptions = { serverSide, wait, awaitDeletion: wait.resources };
  if (hooks) yield* hooksOf('pre-upgrade', 'pre-upgrade hooks failed: ', ledger, hookOptions, run);
  const written = await writeObjects(objects, previous.objects, { serverSide, replace: force && !serverSide, phase: 'update' }, run);
  try {
    if (written.error !== undefined) throw written.error;
    await deleteStale(staleObjects(previous, objects), previous.unsure, run);
    yield* awaitReady(objects, written.applied, wait, run);
    if (hooks) yield* hooksOf('post-upgrade', 'post-upgrade hooks failed: ', ledger, hookOptions, run);
  } catch (error) {
    throw cleanupOnFail && !isCanceled(error, run) ? await afterCleanup(error, written.created, 'original upgrade error: ', run) : error;
  }
  await run.storage.update({ ...current, status: 'superseded' }, run.signal);
  await ledger.write({ status: 'deployed', description: 'Upgrade complete' });
}

/** The error of a failed action once what it created is deleted. */
export async function afterCleanup(error: unknown, created: readonly KubeObject[], words: string, run: Run): Promise<unknown> {
  const problem = await cleanUp(created, run);
  if (problem === undefined) return error;
  return actionError('ObjectsFailed', `an error occurred while cleaning up resources. ${words}${textOf(error)}: ${problem}`, {
    cause: error,
  });
}

/** The release whose objects are in the cluster, as Helm sees it. */
function currentRelease(history: readonly Release[], last: Release, run: Run): Release {
  const deployed = last.status === 'deployed' ? last : lastDeployed(history);
  if (deployed !== undefined) return deployed;
  // One that is being uninstalled is partly there: what is missing is made again.
  if (last.status === 'failed' || last.status === 'superseded' || last.status === 'uninstalling') return last;
  throw noDeployedReleases(run);
}

/** HB51, HB52: `auto` follows the release. */
export function isServerSide(mode: ApplyMode, { applyMethod }: Release): boolean {
  return mode === 'auto' ? applyMethod === 'ssa' : mode === 'enabled';
}

/** Deletes the oldest records to make room for one more. */
export async function makeRoom(history: readonly Release[], maxHistory: number, run: Run): Promise<void> {
  if (maxHistory <= 0) return;
  await Promise.all(surplusReleases(history, maxHistory - 1).map(({ version }) => run.storage.delete(version, run.signal)));
}

/** A label set to `null` is dropped. */
function mergeLabels(old: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries({ ...old, ...wanted }).filter(([, value]) => value !== 'null'));
}

export function pending({ name, status }: Release): Error {
  return actionError('ReleasePending', 'another operation (install/upgrade/rollback) is in progress', {
    subject: `${name} (${status})`,
    remedy: 'unlock the release first',
  });
}

function noDeployedReleases({ target }: Run): Error {
  return actionError('NoDeployedReleases', `${JSON.stringify(target.name)} has no deployed releases`, { subject: target.name });
}
