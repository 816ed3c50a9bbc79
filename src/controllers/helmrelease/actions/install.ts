import { isPending, lastRelease, type Release } from '../../../helm/index.ts';
import type { KubeObject } from '../../../manifest/index.ts';
import type { ActionContext, ActionProgress, ActionResult, InstallOptions, RenderedRelease } from './action.ts';
import { applyCrds, definitionsOf } from './crds.ts';
import { actionError, textOf, wrapped } from './errors.ts';
import { runHooks, type HookOptions } from './hooks.ts';
import { failedEarly, Ledger, recorded } from './ledger.ts';
import { ensureNamespace } from './namespace.ts';
import { assertNoForeignObjects, readManifest, resolveObjects, withReleaseMetadata } from './objects.ts';
import { awaitReady } from './readiness.ts';
import { drive, Run, type Steps } from './run.ts';
import { leftovers, staleObjects, type Previous } from './previous.ts';
import { deleteStale, writeObjects } from './write-objects.ts';

/**
 * Installs a release as `helm install` does (HB50): record, definitions, pre-install hooks, objects, wait, post-install hooks, record. A chart
 * without hooks costs two storage writes and one request for each object.
 */
export function installRelease(options: InstallOptions, context: ActionContext): Promise<ActionProgress> {
  const run = new Run(context);
  return drive(run, install(options, run));
}

async function* install(options: InstallOptions, run: Run): Steps<ActionResult> {
  let prepared: Prepared;
  try {
    prepared = await prepare(options, run);
  } catch (error) {
    return failedEarly(run, error);
  }
  return yield* recorded(run, prepared.ledger, perform(options, prepared, run), (error) => ({
    status: 'failed',
    description: `Release ${JSON.stringify(run.target.name)} failed: ${textOf(error)}`,
  }));
}

type Prepared = { objects: KubeObject[]; previous: Previous; ledger: Ledger; superseded: Release | undefined };

async function prepare(options: InstallOptions, run: Run): Promise<Prepared> {
  const { rendered, serverSideApply, takeOwnership, createNamespace } = options;
  const history = await run.storage.list(run.signal);
  const last = lastRelease(history);
  assertNameIsFree(last, options);
  const objects = await buildTarget(rendered, options.crds, 'release manifest', run);
  if (!takeOwnership) await assertNoForeignObjects(objects, 'install', run);
  if (createNamespace) await ensureNamespace(run);
  const now = run.timestamp();
  const release: Release = {
    ...rendered.record,
    version: (last?.version ?? 0) + 1,
    status: 'pending-install',
    description: 'Initial install underway',
    firstDeployed: now,
    lastDeployed: now,
    applyMethod: serverSideApply ? 'ssa' : 'csa',
  };
  return { objects, previous: await leftovers(history, run), ledger: new Ledger(run, release), superseded: last };
}

/** Objects of a new revision, ready to be written. Kinds the chart itself defines are taken for served. */
export async function buildTarget(
  { manifest, crds, record }: RenderedRelease,
  policy: InstallOptions['crds'],
  what: string,
  run: Run,
): Promise<KubeObject[]> {
  const hooks = record.hooks
    .filter(({ kind }) => kind === 'CustomResourceDefinition')
    .flatMap((hook) => readManifest(hook.manifest, hook.path));
  for (const crd of definitionsOf([...(policy === 'Skip' ? [] : crds), ...hooks, ...manifest])) run.target.client.mapper.learn(crd);
  const objects = await resolveObjects(manifest, what, run);
  return objects.map((object) => withReleaseMetadata(object, run.target));
}

function assertNameIsFree(last: Release | undefined, { replace }: InstallOptions): void {
  if (last === undefined) return;
  if (replace && (last.status === 'uninstalled' || last.status === 'failed')) return;
  const remedy = isPending(last)
    ? 'unlock the release first'
    : 'set install.replace to go on with the history of an uninstalled or failed release';
  throw actionError('ReleaseNameInUse', 'release name check failed: cannot reuse a name that is still in use', {
    subject: last.name,
    remedy,
    retryable: false,
  });
}

async function* perform(options: InstallOptions, { objects, previous, ledger, superseded }: Prepared, run: Run): Steps<void> {
  const { rendered, serverSideApply: serverSide, crds, hooks, wait } = options;
  await ledger.open();
  // After the new record is there: the last one always says how far things are.
  if (superseded !== undefined) await run.storage.update({ ...superseded, status: 'superseded' }, run.signal);
  yield* applyCrds(rendered.crds, crds, serverSide, run);
  const hookOptions: HookOptions = { serverSide, wait, awaitDeletion: wait.resources };
  if (hooks) yield* hooksOf('pre-install', 'failed pre-install: ', ledger, hookOptions, run);
  const written = await writeObjects(objects, previous.objects, { serverSide, replace: false, phase: 'install' }, run);
  if (written.error !== undefined) throw written.error;
  await deleteStale(staleObjects(previous, objects), previous.unsure, run);
  yield* awaitReady(objects, written.applied, wait, run);
  if (hooks) yield* hooksOf('post-install', 'failed post-install: ', ledger, hookOptions, run);
  await ledger.write({ status: 'deployed', description: 'Install complete' });
}

/** Runs the hooks of an event with Helm's words before what goes wrong. */
export async function* hooksOf(
  event: Parameters<typeof runHooks>[0],
  prefix: string,
  ledger: Ledger,
  options: HookOptions,
  run: Run,
): Steps<void> {
  try {
    yield* runHooks(event, ledger, options, run);
  } catch (error) {
    throw prefix === '' ? error : wrapped('HookFailed', prefix, error);
  }
}
