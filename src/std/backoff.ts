import { type Duration, milliseconds } from './duration.ts';

/** Exponential back-off: the n-th failure (from 0) waits `base * factor^n`, at most `max`, with `jitter` (0..1) of it random. */
export type Backoff = { base: Duration; max: Duration; factor: number; jitter: number };

/**
 * The wait after failure number `failures` (0 for the first).
 * @param random a number in [0, 1), injected so that tests repeat
 */
export function backoffDelay(backoff: Backoff, failures: number, random: () => number): Duration {
  const exact = Math.min(backoff.max, backoff.base * backoff.factor ** Math.min(failures, 64));
  return milliseconds(exact * (1 - backoff.jitter * random()));
}

/** `delay` moved by up to ± `fraction` of itself (Flux's interval jitter, C11). */
export function jitter(delay: Duration, fraction: number, random: () => number): Duration {
  return milliseconds(delay * (1 + fraction * (2 * random() - 1)));
}
