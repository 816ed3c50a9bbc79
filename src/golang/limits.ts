/*
 * Budgets of this room: what a template may make one call produce. Crossing one throws a CodedError `BudgetExceeded`.
 * Go has none of them: there a hostile chart takes the process down.
 */

/** Characters of one text that a call may build (printf, repeat, indent, join, regexReplaceAll). */
export const MAX_TEXT: number = 64 * 1024 * 1024;

/** Elements of one list that a call may build (until, seq, splitList). */
export const MAX_LIST = 1_000_000;

/** How deep values may be nested before printing, copying or encoding them is refused. */
export const MAX_VALUE_DEPTH = 1000;

/** Characters of one regular expression or glob. */
export const MAX_PATTERN = 100_000;

/** Characters of a text times instructions of a regular expression matched against it: matching is linear in both. */
export const MAX_REGEXP_WORK = 2_000_000_000;

/** The same for finding all matches, counted as it happens: each may look as far as the end, which can make the whole quadratic. */
export const MAX_REGEXP_SCAN = 500_000_000;

/** Values that printing, encoding, comparing or merging may visit: shared parts make a small value large. */
export const MAX_VISITS = 1_000_000;
