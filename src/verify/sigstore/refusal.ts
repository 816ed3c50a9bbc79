import type { VerificationErrorCode } from '../verdict.ts';

/** Why one signature does not count: what was found and what was wanted. Becomes a Rejection; never leaves the room. */
export class Refusal extends Error {
  override readonly name: string = 'Refusal';
  readonly code: VerificationErrorCode;
  readonly found: string;
  readonly wanted: string;

  constructor(code: VerificationErrorCode, found: string, wanted: string, cause?: unknown) {
    super(`found ${shown(found)}, want ${shown(wanted)}`, { cause });
    this.code = code;
    this.found = shown(found);
    this.wanted = shown(wanted);
  }
}

/** Longest text about a signature, characters: parts of it are the registry's words and end up in conditions and logs. */
const MAX_SHOWN = 1000;

function shown(text: string): string {
  const printable = text.replaceAll(/\p{Cc}/gu, ' ');
  return printable.length > MAX_SHOWN ? `${printable.slice(0, MAX_SHOWN)}…` : printable;
}
