import type { VerificationErrorCode } from '../verdict.ts';

/** One check that did not hold, in the words of a {@link Rejection}: what was found, what was wanted. Stays inside this folder. */
export class CheckFailure extends Error {
  override readonly name: string = 'CheckFailure';
  readonly code: VerificationErrorCode;
  readonly found: string;
  readonly wanted: string;

  constructor(code: VerificationErrorCode, found: string, wanted: string, cause?: unknown) {
    super(`${found}; want ${wanted}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.found = found;
    this.wanted = wanted;
  }
}

/** Ends a check. @throws CheckFailure always */
export function fail(code: VerificationErrorCode, found: string, wanted: string, cause?: unknown): never {
  throw new CheckFailure(code, found, wanted, cause);
}

/** A text from a stranger, quoted and cut for a message. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}

/** A time in a message. */
export function shownTime(milliseconds: number): string {
  return Number.isFinite(milliseconds) && Math.abs(milliseconds) <= 8.64e15
    ? new Date(milliseconds).toISOString().replace('.000Z', 'Z')
    : 'an impossible time';
}
