import type { Kustomization } from '../../api/index.ts';
import { milliseconds, parseDuration, seconds, type Duration } from '../../std/index.ts';

/** `spec.interval`. */
export function interval(object: Kustomization): Duration {
  return parseDuration(object.spec.interval);
}

/** When to try again after a failure: `spec.retryInterval`, else the interval (KB10). */
export function retryInterval(object: Kustomization): Duration {
  return object.spec.retryInterval === undefined ? interval(object) : parseDuration(object.spec.retryInterval);
}

const FLOOR: Duration = seconds(30);

/** The time applying and becoming healthy may take: `spec.timeout`, else 30 s less than the interval, at least 30 s. */
export function timeout(object: Kustomization): Duration {
  const given = object.spec.timeout === undefined ? milliseconds(interval(object) - seconds(30)) : parseDuration(object.spec.timeout);
  return given < FLOOR ? FLOOR : given;
}
