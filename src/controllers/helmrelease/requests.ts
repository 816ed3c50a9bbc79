import { requestAnnotations, type HelmRelease, type HelmReleaseStatus } from '../../api/index.ts';

/** What the annotations of a HelmRelease ask for that was not done yet (C08). */
export type Requests = { force: boolean; reset: boolean };

/** Reads the request annotations: each acts once, and only together with a new `requestedAt` of the same value. */
export function readRequests({ metadata, status }: HelmRelease): Requests {
  const { annotations = {} } = metadata;
  const requestedAt = annotations[requestAnnotations.requestedAt];
  const isNew = requestedAt !== undefined && requestedAt !== status.lastHandledReconcileAt;
  const asks = (annotation: string, handled: string | undefined): boolean =>
    isNew && annotations[annotation] === requestedAt && handled !== requestedAt;
  return {
    force: asks(requestAnnotations.forceAt, status.lastHandledForceAt),
    reset: asks(requestAnnotations.resetAt, status.lastHandledResetAt),
  };
}

/** Notes in the status that the annotations were seen (C07, C08). */
export function noteRequests({ metadata }: HelmRelease, draft: HelmReleaseStatus): void {
  const { annotations = {} } = metadata;
  const [requestedAt, forceAt, resetAt] = [
    annotations[requestAnnotations.requestedAt],
    annotations[requestAnnotations.forceAt],
    annotations[requestAnnotations.resetAt],
  ];
  if (requestedAt !== undefined) draft.lastHandledReconcileAt = requestedAt;
  if (forceAt !== undefined) draft.lastHandledForceAt = forceAt;
  if (resetAt !== undefined) draft.lastHandledResetAt = resetAt;
}
