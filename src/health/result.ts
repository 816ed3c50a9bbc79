import type { Instant } from '../std/index.ts';

/** kstatus' words for the health of one object. `NotFound`: it is not in the cluster. `Unknown`: its fields make no sense. */
export type HealthStatus = 'Current' | 'InProgress' | 'Failed' | 'Terminating' | 'NotFound' | 'Unknown';

export type HealthResult = { status: HealthStatus; message: string };

export type ComputeOptions = {
  /** The time to judge by: an unscheduled Pod is given 15 seconds. */
  now: Instant;
};
