/** A tar header block as read: numbers decoded, extended headers not yet applied. */
export type TarHeader = { name: string; mode: number; size: number; type: string };

export const BLOCK = 512;

/** True when a block is all zero: the end of an archive. */
export function isZeroBlock(bytes: Uint8Array, at: number): boolean {
  for (let i = at; i < at + BLOCK; i++) if (bytes[i] !== 0) return false;
  return true;
}

/** Why a block is not a tar header. */
export type HeaderFault = 'checksum' | 'number';

/** Reads the header block at `at` (POSIX ustar, GNU and old V7 alike). The checksum must hold. */
export function readHeader(bytes: Uint8Array, at: number): TarHeader | HeaderFault {
  const stored = readNumber(bytes, at + 148, 8);
  if (stored === undefined || (stored !== checksum(bytes, at, false) && stored !== checksum(bytes, at, true))) return 'checksum';
  const mode = readNumber(bytes, at + 100, 8);
  const size = readNumber(bytes, at + 124, 12);
  if (mode === undefined || size === undefined || size < 0) return 'number';
  const type = String.fromCharCode(bytes[at + 156] ?? 0);
  // "ustar\0" has a path prefix; GNU's "ustar  \0" uses that space otherwise.
  const prefixed = readText(bytes, at + 257, 6) === 'ustar' && bytes[at + 262] === 0;
  const prefix = prefixed ? readText(bytes, at + 345, 155) : '';
  const name = readText(bytes, at, 100);
  return { name: prefix === '' ? name : `${prefix}/${name}`, mode, size, type: type === '\0' ? '0' : type };
}

/** The sum of a header's bytes, its checksum field counted as blanks; some old writers summed signed bytes. */
function checksum(bytes: Uint8Array, at: number, signed: boolean): number {
  let sum = 8 * 0x20;
  for (let i = at; i < at + BLOCK; i++) sum += signed ? ((bytes[i] ?? 0) << 24) >> 24 : (bytes[i] ?? 0);
  for (let i = at + 148; i < at + 156; i++) sum -= signed ? ((bytes[i] ?? 0) << 24) >> 24 : (bytes[i] ?? 0);
  return sum;
}

/** Text up to the first NUL. */
export function readText(bytes: Uint8Array, at: number, length: number): string {
  let end = at;
  while (end < at + length && bytes[end] !== 0) end++;
  return Buffer.from(bytes.buffer, bytes.byteOffset + at, end - at).toString('utf8');
}

/** An octal field, or GNU's base-256 form; undefined when it is neither. */
function readNumber(bytes: Uint8Array, at: number, length: number): number | undefined {
  const first = bytes[at] ?? 0;
  if ((first & 0x80) !== 0) {
    if ((first & 0x40) !== 0) return undefined;
    let value = first & 0x3f;
    for (let i = 1; i < length; i++) {
      value = value * 256 + (bytes[at + i] ?? 0);
      if (value > Number.MAX_SAFE_INTEGER) return undefined;
    }
    return value;
  }
  const text = readText(bytes, at, length).trim();
  if (text === '') return 0;
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : undefined;
}
