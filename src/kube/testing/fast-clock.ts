import type { Clock, Instant } from '../../std/index.ts';

/** A clock on which everything happens `factor` times sooner, so that real back-offs fit into a test. */
export function fastClock(factor: number): Clock {
  const start = Date.now();
  return {
    now: () => (start + (Date.now() - start) * factor) as Instant,
    after: (delay, callback) => {
      const timer = setTimeout(callback, delay / factor);
      return () => clearTimeout(timer);
    },
  };
}
