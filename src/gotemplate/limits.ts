/** How much one execution may do. A template is untrusted: each of these is a wall, not a hint. */
export type Limits = {
  /** Operands, fields and texts evaluated, and a share of what functions return. */
  readonly steps: number;
  /** UTF-16 units written by one execution, and in any one string a function returns. */
  readonly output: number;
  /** Executions within each other (`include` and `tpl` are functions that execute). JavaScript's stack may end earlier. */
  readonly depth: number;
};

/** Far above what the largest real charts need (kube-prometheus-stack: 69,000 steps). */
export const defaultLimits: Limits = { steps: 50_000_000, output: 128 * 1024 * 1024, depth: 10_000 };

/** Control structures and parentheses within each other in one text (Go: 10,000 parentheses, any number of control structures). */
export const maxNesting = 500;

/** `template` actions within each other, as Go bounds them. JavaScript's stack ends earlier; the error is the same. */
export const maxTemplateDepth = 100_000;
