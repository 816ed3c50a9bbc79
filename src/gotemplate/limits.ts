/** How much one execution may do. A template is untrusted: each of these is a wall, not a hint. */
export type Limits = {
  /** Template calls, loop turns and function calls together. */
  readonly steps: number;
  /** UTF-16 units written by one execution, and in any one string a function returns. */
  readonly output: number;
  /** Nested `template` actions (Go's own bound is 100,000; JavaScript's stack ends much earlier). */
  readonly depth: number;
};

/** Far above what the largest real charts need (kube-prometheus-stack: about 400,000 steps). */
export const defaultLimits: Limits = { steps: 50_000_000, output: 256 * 1024 * 1024, depth: 100_000 };

/** Control structures and parentheses within each other in one text. */
export const maxNesting = 500;
