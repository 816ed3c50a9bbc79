/*
 * Budgets of this room: what a template may make one call produce. Crossing one throws a CodedError `BudgetExceeded`.
 * Go has none of them: there a hostile chart takes the process down.
 */

/** Characters of one text that a call may build (printf, repeat, indent, join, regexReplaceAll). */
export const MAX_TEXT: number = 64 * 1024 * 1024;

/** Elements of one list that a call may build (until, seq, splitList). */
export const MAX_LIST = 4_000_000;

/** How deep values may be nested before printing, copying or encoding them is refused. */
export const MAX_VALUE_DEPTH = 1000;

/** Characters of one regular expression, and how often a compiled one may be stepped before it is refused (re2js is linear in both). */
export const MAX_PATTERN = 100_000;
