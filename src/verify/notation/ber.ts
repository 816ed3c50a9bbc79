import { MAX_BER_DEPTH } from './bounds.ts';
import { DerError, Tag, tlv } from './der.ts';

/*
 * Timestamp authorities may answer in BER (RFC 5652 §2): lengths that are indefinite or longer than needed, octet strings in pieces.
 * Rewritten as DER once, everything after reads only that. What is signed inside is DER already (RFC 5652 §5.4).
 */

/** Rewrites one BER element as DER. @throws DerError */
export function berToDer(bytes: Uint8Array): Buffer {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { der, end } = rewrite(buffer, 0, 0);
  if (end !== buffer.length) throw new DerError('trailing bytes');
  return der;
}

const CONSTRUCTED = 0x20;
const CONSTRUCTED_OCTETS = Tag.octetString | CONSTRUCTED;

function rewrite(buffer: Buffer, at: number, depth: number): { der: Buffer; end: number } {
  if (depth > MAX_BER_DEPTH) throw new DerError(`more than ${MAX_BER_DEPTH} levels`);
  const tag = buffer[at];
  if (tag === undefined || (tag & 0x1f) === 0x1f) throw new DerError('truncated element or long tag');
  const { length, start } = readLength(buffer, at + 1);
  if ((tag & CONSTRUCTED) === 0) {
    if (length === undefined) throw new DerError('primitive element of indefinite length');
    return { der: tlv(tag, slice(buffer, start, start + length)), end: start + length };
  }
  const parts: Buffer[] = [];
  let next = start;
  const last = length === undefined ? undefined : start + length;
  while (last === undefined ? !isEndOfContents(buffer, next) : next < last) {
    const part = rewrite(buffer, next, depth + 1);
    parts.push(part.der);
    next = part.end;
  }
  if (last !== undefined && next !== last) throw new DerError('element is longer than what it is in');
  const end = last ?? next + 2;
  return tag === CONSTRUCTED_OCTETS ? { der: tlv(Tag.octetString, ...parts.map(octets)), end } : { der: tlv(tag, ...parts), end };
}

/** The contents of a piece of an octet string, which is DER by now. */
function octets(piece: Buffer): Buffer {
  if (piece[0] !== Tag.octetString) throw new DerError('octet string has a piece that is none');
  return piece.subarray((piece[1] ?? 0) < 0x80 ? 2 : 2 + ((piece[1] ?? 0) & 0x7f));
}

function isEndOfContents(buffer: Buffer, at: number): boolean {
  const [first, second] = slice(buffer, at, at + 2);
  return first === 0 && second === 0;
}

function readLength(buffer: Buffer, at: number): { length: number | undefined; start: number } {
  const [first = 0] = slice(buffer, at, at + 1);
  if (first < 0x80) return { length: first, start: at + 1 };
  const count = first & 0x7f;
  if (count === 0) return { length: undefined, start: at + 1 };
  if (count > 6) throw new DerError('bad length');
  return { length: slice(buffer, at + 1, at + 1 + count).readUIntBE(0, count), start: at + 1 + count };
}

function slice(buffer: Buffer, from: number, to: number): Buffer {
  if (to > buffer.length) throw new DerError('truncated element');
  return buffer.subarray(from, to);
}
