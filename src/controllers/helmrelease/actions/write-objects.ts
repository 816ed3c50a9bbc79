import { deleteObjects, writeRelease, type ManagerMatch, type ReleaseWriteFailure, type ReleaseWriteResult } from '../../../apply/index.ts';
import { sortForUninstall } from '../../../helm/index.ts';
import { isKubeError } from '../../../kube/index.ts';
import { formatObjectRef, objectRef, type KubeObject } from '../../../manifest/index.ts';
import { isCodedError } from '../../../std/index.ts';
import { FIELD_MANAGER } from './action.ts';
import { actionError, textOf } from './errors.ts';
import { fullResourceString, isAnothers, isOurs, isToKeep, keyOf } from './objects.ts';
import { assertNotCanceled, type Run } from './run.ts';

/** Fields that become ours on server-side apply: those of our own client-side applies, and those the Helm CLI wrote of the same release. */
export const TAKEOVER: readonly ManagerMatch[] = [
  { name: FIELD_MANAGER, operation: 'Update', exact: true },
  { name: 'helm', operation: 'Update', exact: true },
  { name: 'helm', operation: 'Apply', exact: true },
];

/** How a release's objects are written. */
export type WriteOptions = { serverSide: boolean; replace: boolean; phase: 'install' | 'update' };

/** What writing came to; `error` when any object failed. */
export type ObjectsWritten = Pick<ReleaseWriteResult, 'applied' | 'created'> & { error: Error | undefined };

/**
 * Writes the objects of a release.
 * @param previous what the release had before, by `objectRefKey`
 */
export async function writeObjects(
  objects: readonly KubeObject[],
  previous: ReadonlyMap<string, readonly KubeObject[]>,
  { serverSide, replace, phase }: WriteOptions,
  run: Run,
): Promise<ObjectsWritten> {
  const { client, owned } = run.target;
  const result = await writeRelease({
    client,
    objects,
    method: serverSide ? 'server' : replace ? 'replace' : 'client',
    fieldManager: FIELD_MANAGER,
    force: serverSide,
    previous,
    takeover: TAKEOVER,
    known: run.memory,
    live: owned,
    clock: run.clock,
    signal: run.signal,
  });
  // What client-side apply writes is not owned, so nothing is known of it without looking.
  for (const key of result.applied.keys()) run.memory.delete(key);
  for (const [key, known] of result.known) run.memory.set(key, known);
  const { applied, created } = result;
  const written = objects.length - result.failures.length;
  run.trace(`wrote ${written - result.unchanged.length} objects, ${created.length} of them new; ${result.unchanged.length} are unchanged`);
  assertNotCanceled(run);
  return { applied, created, error: failureOf(result.failures, phase) };
}

function failureOf(failures: readonly ReleaseWriteFailure[], phase: WriteOptions['phase']): Error | undefined {
  const [first] = failures;
  if (first === undefined) return undefined;
  return actionError('ObjectsFailed', failures.map((failure) => failureText(failure, phase)).join(phase === 'install' ? '\n' : ' && '), {
    subject: formatObjectRef(objectRef(first.object)),
    cause: first.cause,
    retryable: failures.some(({ cause }) => !isCodedError(cause) || cause.retryable),
  });
}

/** Helm's words for a failed write (pkg/kube/client.go). */
function failureText({ object, action, method, cause }: ReleaseWriteFailure, phase: WriteOptions['phase']): string {
  const text = textOf(cause);
  const prefix = phase === 'update' && action === 'create' ? 'failed to create resource: ' : '';
  if (method === 'server') {
    const what = isKubeError(cause, 'Conflict') ? 'conflict occurred while applying object' : 'server-side apply failed for object';
    return `${prefix}${what} ${fullResourceString(object)}: ${text}`;
  }
  if (action === 'create') return `${prefix}${text}`;
  return method === 'replace'
    ? `failed to replace object: ${text}`
    : `cannot patch ${JSON.stringify(object.metadata.name)} with kind ${object.kind}: ${text}`;
}

/**
 * Deletes what the release had and has no more, unless the object says that it stays or another release has taken it over.
 * @param unsure keys of objects that may never have been ours (of attempts that failed): these must carry our metadata
 * @throws CodedError `ObjectsFailed`
 */
export async function deleteStale(stale: readonly KubeObject[], unsure: ReadonlySet<string>, run: Run): Promise<void> {
  if (stale.length === 0) return;
  const { client, owned, name, namespace } = run.target;
  const release = { name, namespace };
  const { deleted, spared, failures } = await deleteObjects({
    client,
    objects: sortForUninstall(stale, ({ kind }) => kind, { webhooksLast: true }),
    propagation: 'Background',
    live: owned,
    mayDelete: (metadata, object) => {
      if (isToKeep(metadata)) return false;
      return unsure.has(keyOf(object)) ? isOurs(metadata, release) : !isAnothers(metadata, release);
    },
    signal: run.signal,
  });
  for (const object of deleted) {
    run.memory.delete(keyOf(object));
    run.trace(`deleted ${formatObjectRef(objectRef(object))}`);
  }
  for (const object of spared) run.trace(`kept ${formatObjectRef(objectRef(object))}`);
  assertNotCanceled(run);
  const [first] = failures;
  if (first === undefined) return;
  const texts = failures.map(({ object: { kind, metadata }, cause }) => {
    return `failed to delete resource namespace=${metadata.namespace ?? ''}, name=${metadata.name}, kind=${kind}: ${textOf(cause)}`;
  });
  throw actionError('ObjectsFailed', texts.join(' && '), { subject: formatObjectRef(objectRef(first.object)), cause: first.cause });
}

/** Deletes what a failed upgrade or rollback created (`cleanupOnFail`). Gives what to add to the error, if anything. */
export async function cleanUp(created: readonly KubeObject[], run: Run): Promise<string | undefined> {
  if (created.length === 0) return undefined;
  run.trace(`cleanup on fail set: deleting ${created.length} resources`);
  const result = await deleteObjects({ client: run.target.client, objects: created, propagation: 'Background', signal: run.signal });
  for (const object of result.deleted) run.memory.delete(keyOf(object));
  if (result.failures.length === 0) return undefined;
  return `unable to cleanup resources: ${result.failures.map(({ cause }) => textOf(cause)).join(', ')}`;
}
