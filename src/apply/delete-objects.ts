import { objectRef, type KubeObject, type ObjectMeta } from '../manifest/index.ts';
import { isKubeError, targetOf, type DeleteOptions, type KubeClient } from '../kube/index.ts';
import { mapLimited } from './pool.ts';
import type { LiveSource } from './request.ts';
import { batches } from './write-release.ts';

export type DeleteRequest = {
  client: KubeClient;
  /** In the order they are to go; kinds that follow each other go together. */
  objects: readonly KubeObject[];
  propagation: NonNullable<DeleteOptions['propagation']>;
  /** Looks at the live object: false leaves it. Without it nothing is looked at first. */
  mayDelete?: (metadata: Pick<ObjectMeta, 'labels' | 'annotations'>, object: KubeObject) => boolean;
  live?: LiveSource;
  concurrency?: number;
  signal?: AbortSignal;
};

export type DeleteResult = {
  deleted: readonly KubeObject[];
  /** Deleted, but held by finalizers or a grace period: as the server last showed them. */
  going: readonly KubeObject[];
  spared: readonly KubeObject[];
  failures: readonly { object: KubeObject; cause: unknown }[];
};

const DEFAULT_CONCURRENCY = 16;
const ATTEMPTS = 5;

/** Deletes objects, every one tried whatever happens to others; one that is gone already counts as deleted, and so does one of a kind that is gone. */
export async function deleteObjects(request: DeleteRequest): Promise<DeleteResult> {
  const deleted: KubeObject[] = [];
  const going: KubeObject[] = [];
  const spared: KubeObject[] = [];
  const failures: { object: KubeObject; cause: unknown }[] = [];
  for (const batch of batches(request.objects)) {
    await mapLimited(batch, request.concurrency ?? DEFAULT_CONCURRENCY, async (object) => {
      try {
        const outcome = await deleteOne(object, request);
        if (outcome === 'spared') spared.push(object);
        else {
          deleted.push(object);
          if (outcome !== 'gone') going.push(outcome);
        }
      } catch (cause) {
        failures.push({ object, cause });
      }
    });
  }
  const order = new Map(request.objects.map((object, index) => [object, index]));
  failures.sort((x, y) => (order.get(x.object) ?? 0) - (order.get(y.object) ?? 0));
  return { deleted, going, spared, failures };
}

async function deleteOne(object: KubeObject, request: DeleteRequest): Promise<'gone' | 'spared' | KubeObject> {
  const { client, propagation, mayDelete, signal } = request;
  for (let attempt = 1; ; attempt++) {
    const seen = mayDelete === undefined ? undefined : await look(object, request, attempt > 1);
    if (seen === 'absent') return 'gone';
    if (seen !== undefined && mayDelete?.(seen, object) === false) return 'spared';
    try {
      const preconditions = seen?.uid === undefined ? {} : { preconditions: { uid: seen.uid } };
      const answer = await client.delete(targetOf(object), { propagation, ...preconditions, signal });
      return answer?.metadata.deletionTimestamp === undefined ? 'gone' : answer;
    } catch (error) {
      if (isKubeError(error, 'NotFound', 'NoMatch')) return 'gone';
      // Another object of this name took its place since it was looked at.
      if (!isKubeError(error, 'Conflict') || attempt >= ATTEMPTS) throw error;
    }
  }
}

type Seen = Pick<ObjectMeta, 'uid' | 'labels' | 'annotations'>;

/** From a watch when it shows the object; a watch that does not show it proves nothing, for it sees only what carries our labels. */
async function look(object: KubeObject, { client, live, signal }: DeleteRequest, again: boolean): Promise<Seen | 'absent'> {
  const record = again ? undefined : live?.find(objectRef(object), object.apiVersion);
  if (record !== undefined && record !== 'absent')
    return { uid: record.uid, labels: { ...record.labels }, annotations: { ...record.annotations } };
  const { metadata } = (await client.find(targetOf(object), { form: 'metadata', signal })) ?? {};
  return metadata ?? 'absent';
}
