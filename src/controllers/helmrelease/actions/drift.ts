import { findDrift, overrideManager, writeRelease, type Change, type ManagerMatch, type ObjectDrift } from '../../../apply/index.ts';
import type { Release } from '../../../helm/index.ts';
import { formatObjectRef, objectRef, type KubeObject } from '../../../manifest/index.ts';
import { FIELD_MANAGER, type ActionContext, type DriftOptions } from './action.ts';
import { textOf, wrapped } from './errors.ts';
import { readManifest, resolveObjects, withReleaseMetadata } from './objects.ts';
import { assertNotCanceled, Run } from './run.ts';
import { TAKEOVER } from './write-objects.ts';

const DRIFT_DETECTION = 'helm.toolkit.fluxcd.io/driftDetection';

/** One object that is not as the release says. */
export type Drift = ObjectDrift;

/** What correcting came to; `failures` in Flux's words. */
export type DriftCorrection = { changes: readonly Change[]; failures: readonly string[] };

/**
 * Compares the objects of a release with the cluster (HB59). Objects the memory knows and watches prove untouched cost no request.
 * @throws CodedError `DriftFailed` when any object could not be compared; `IgnoreRuleInvalid`
 */
export async function detectDrift(release: Release, options: DriftOptions, context: ActionContext): Promise<readonly Drift[]> {
  const run = new Run(context);
  const { client, owned } = run.target;
  const objects = await wantedObjects(release, run);
  for (const object of objects) if (owned.find(objectRef(object), object.apiVersion) === undefined) watchKind(object, run);
  const { drift, known, failures } = await findDrift({
    client,
    objects,
    fieldManager: FIELD_MANAGER,
    ...(options.ignore === undefined ? {} : { ignore: options.ignore }),
    exempt: isExempt,
    takeover: overridden(options),
    known: run.memory,
    live: owned,
    clock: run.clock,
    signal: run.signal,
  });
  for (const [key, each] of known) run.memory.set(key, each);
  assertNotCanceled(run);
  const [first] = failures;
  if (first !== undefined) {
    const texts = failures.map(({ object, cause }) => `${formatObjectRef(objectRef(object))}: ${textOf(cause)}`);
    throw wrapped('DriftFailed', '', new Error(texts.join('\n')));
  }
  return drift;
}

function overridden({ overrideManagers = [] }: DriftOptions): ManagerMatch[] {
  return overrideManagers.flatMap(overrideManager);
}

/** The objects of records that were looked at before: a record never changes, so they are read once. */
const wanted = new WeakMap<Release, readonly KubeObject[]>();

async function wantedObjects(release: Release, run: Run): Promise<readonly KubeObject[]> {
  const known = wanted.get(release);
  if (known !== undefined) return known;
  const manifest = readManifest(release.manifest, 'release manifest');
  const objects = (await resolveObjects(manifest, 'release manifest', run)).map((object) => withReleaseMetadata(object, run.target));
  wanted.set(release, objects);
  return objects;
}

/** So that the next look costs nothing. */
function watchKind({ apiVersion, kind }: KubeObject, run: Run): void {
  run.target.owned.watch({ apiVersion, kind }, run.signal).catch((error: unknown) => run.trace(`watch ${kind}: ${textOf(error)}`));
}

function isExempt({ labels, annotations }: Parameters<NonNullable<Parameters<typeof findDrift>[0]['exempt']>>[0]): boolean {
  const isDisabled = (value: string | undefined): boolean => value?.toLowerCase() === 'disabled';
  return isDisabled(labels?.[DRIFT_DETECTION]) || isDisabled(annotations?.[DRIFT_DETECTION]);
}

/** The lines of a DriftDetected event. */
export function formatDrift(drift: readonly Drift[]): string {
  return drift
    .map(({ ref, kind, additions, changes, removals }) => {
      const name = formatObjectRef(ref);
      return kind === 'gone' ? `${name} removed` : `${name} changed (${additions} additions, ${changes} changes, ${removals} removals)`;
    })
    .join('\n');
}

/** Puts drift right, by the way the release is applied. */
export async function correctDrift(
  release: Release,
  drift: readonly Drift[],
  context: ActionContext,
  options: DriftOptions = {},
): Promise<DriftCorrection> {
  const run = new Run(context);
  const { client } = run.target;
  const serverSide = release.applyMethod === 'ssa';
  const objects = drift.map(({ payload }) => payload);
  const result = await writeRelease({
    client,
    objects,
    method: serverSide ? 'server' : 'client',
    fieldManager: FIELD_MANAGER,
    force: serverSide,
    // Everything the release wants is written, not only what changed between two revisions.
    previous: new Map(),
    takeover: [...TAKEOVER, ...overridden(options)],
    clock: run.clock,
    signal: run.signal,
  });
  const ignores = drift.some(({ payload, object }) => payload !== object);
  if (!ignores) for (const [key, known] of result.known) run.memory.set(key, known);
  assertNotCanceled(run);
  const failed = new Set(result.failures.map(({ object }) => object));
  const corrected = drift.filter(({ payload }) => !failed.has(payload));
  return {
    changes: corrected.map(({ ref, object, kind }) => ({
      ref,
      apiVersion: object.apiVersion,
      action: kind === 'gone' ? 'created' : 'configured',
    })),
    failures: result.failures.map(({ object, action, cause }) => {
      const name = formatObjectRef(objectRef(object));
      return `${name} ${action === 'create' ? 'creation' : 'patch'} failure: ${textOf(cause)}`;
    }),
  };
}
