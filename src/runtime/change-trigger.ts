import { requestAnnotations, type ResourceMetadata } from '../api/index.ts';
import type { Trigger } from './outcome.ts';

/**
 * What a change of an object asks for (C06): a new or changed spec, a deletion, a request; undefined for a change of its status or
 * other metadata.
 * @param observed status.observedGeneration: an object found at the start that was reconciled before can stand back
 */
export function changeTrigger(
  metadata: ResourceMetadata,
  previous: ResourceMetadata | undefined,
  observed: number | undefined,
): Trigger | undefined {
  const requested = metadata.annotations?.[requestAnnotations.requestedAt];
  if (previous === undefined) return metadata.generation === observed && metadata.deletionTimestamp === undefined ? 'start' : 'changed';
  if (metadata.generation !== previous.generation) return 'changed';
  if (metadata.deletionTimestamp !== previous.deletionTimestamp) return 'changed';
  if (requested !== undefined && requested !== previous.annotations?.[requestAnnotations.requestedAt]) return 'requested';
  return undefined;
}
