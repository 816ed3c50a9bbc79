/** A regular file of a tar archive. */
export type TarEntry = { name: string; size: number; data: Uint8Array };

const BLOCK = 512;
/** Entries one archive may have, directories and links included. */
export const MAX_TAR_ENTRIES = 100_000;

/**
 * The regular files of a tar archive (USTAR, PAX and GNU long names), in order. Strict: a bad checksum, a cut entry or a number out of
 * range is an error. Links, devices and directories are passed over, as nothing in a chart may be one.
 * @throws Error with the text Go's archive/tar gives
 */
export function* readTar(archive: Uint8Array): Generator<TarEntry> {
  let at = 0;
  let longName: string | undefined;
  let pax: ReadonlyMap<string, string> = new Map();
  for (let entries = 0; at + BLOCK <= archive.length; entries++) {
    if (entries > MAX_TAR_ENTRIES) throw new Error(`archive/tar: more than ${MAX_TAR_ENTRIES} entries`);
    const header = archive.subarray(at, at + BLOCK);
    at += BLOCK;
    if (header.every((byte) => byte === 0)) return;
    if (!checksumMatches(header)) throw new Error('archive/tar: invalid tar header');
    const type = String.fromCharCode(header[156] ?? 0);
    const size = pax.has('size') && isRegular(type) ? Number(pax.get('size')) : number(header, 124, 12);
    if (!Number.isSafeInteger(size) || size < 0) throw new Error('archive/tar: invalid tar header');
    if (at + size > archive.length) throw new Error('unexpected EOF');
    const data = archive.subarray(at, at + size);
    at += Math.ceil(size / BLOCK) * BLOCK;
    if (type === 'x') pax = paxRecords(data);
    else if (type === 'L') longName = text(data, 0, data.length);
    else if (type !== 'K' && type !== 'g') {
      const name = pax.get('path') ?? longName ?? headerName(header);
      if (isRegular(type) && !name.endsWith('/')) yield { name, size, data };
      longName = undefined;
      pax = new Map();
    }
  }
  if (at === 0) throw new Error('unexpected EOF');
}

function isRegular(type: string): boolean {
  return type === '0' || type === '\0' || type === '7';
}

function checksumMatches(header: Uint8Array): boolean {
  let unsigned = 0;
  let signed = 0;
  for (let i = 0; i < BLOCK; i++) {
    const byte = i >= 148 && i < 156 ? 0x20 : (header[i] ?? 0);
    unsigned += byte;
    signed += byte < 128 ? byte : byte - 256;
  }
  const stored = number(header, 148, 8);
  return stored === unsigned || stored === signed;
}

/** An octal number, or base 256 when the first bit is set. */
function number(header: Uint8Array, from: number, length: number): number {
  const first = header[from] ?? 0;
  if ((first & 0x80) !== 0) {
    let value = first & 0x7f;
    for (let i = from + 1; i < from + length; i++) value = value * 256 + (header[i] ?? 0);
    return value;
  }
  const digits = text(header, from, length).trim();
  if (digits === '') return 0;
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}

function text(bytes: Uint8Array, from: number, length: number): string {
  const field = bytes.subarray(from, from + length);
  const end = field.indexOf(0);
  return Buffer.from(end < 0 ? field : field.subarray(0, end)).toString();
}

function headerName(header: Uint8Array): string {
  const name = text(header, 0, 100);
  const ustar = text(header, 257, 6) === 'ustar';
  const prefix = ustar ? text(header, 345, 155) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** Records `length key=value\n` (POSIX pax). */
function paxRecords(data: Uint8Array): ReadonlyMap<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < data.length;) {
    const space = data.indexOf(0x20, at);
    const length = space < 0 ? Number.NaN : Number(text(data, at, space - at));
    if (!Number.isSafeInteger(length) || length <= space - at || at + length > data.length)
      throw new Error('archive/tar: invalid tar header');
    const record = Buffer.from(data.subarray(space + 1, at + length - 1)).toString();
    const equals = record.indexOf('=');
    if (equals <= 0) throw new Error('archive/tar: invalid tar header');
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return records;
}
