import { formatObjectRef, type ObjectRef } from '../manifest/index.ts';

/** What happened to one object (KB60). */
export type Action = 'created' | 'configured' | 'unchanged' | 'deleted' | 'skipped' | 'unknown';

export type Change = {
  ref: ObjectRef;
  /** API version it was applied at. */
  apiVersion: string;
  action: Action;
};

/** The result of a plan, an apply or a prune, in the order things were done. */
export type ChangeSet = readonly Change[];

/** True when the change did something to the cluster. */
export function hasChanged({ action }: Change): boolean {
  return action === 'created' || action === 'configured' || action === 'deleted';
}

/** `Kind/namespace/name action`, as Flux writes a change. */
export function formatChange(change: Change): string {
  return `${formatObjectRef(change.ref)} ${change.action}`;
}

/** The lines of a Flux apply event: what changed, one a line. */
export function formatChanges(changes: ChangeSet): string {
  return changes.filter(hasChanged).map(formatChange).join('\n');
}
