const BLOCK = 512;

export type TarFile = { readonly name: string; readonly data: Uint8Array };

/** A tar archive (USTAR, PAX records for long names) of regular files, mode 0644. The same files give the same bytes. */
export function writeTar(files: Iterable<TarFile>, modified: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { name, data } of files) {
    const split = splitName(name);
    if (split === undefined) {
      const record = paxRecord('path', name);
      parts.push(header({ name: `PaxHeaders.0/${asciiTail(name)}`, prefix: '', size: record.length, type: 'x', modified }), padded(record));
    }
    const { name: short, prefix } = split ?? { name: asciiTail(name), prefix: '' };
    parts.push(header({ name: short, prefix, size: data.length, type: '0', modified }), padded(data));
  }
  parts.push(new Uint8Array(2 * BLOCK));
  return Buffer.concat(parts);
}

type Header = { name: string; prefix: string; size: number; type: string; modified: number };

function header({ name, prefix, size, type, modified }: Header): Uint8Array {
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0, 100);
  const octal = (value: number, at: number, length: number): void =>
    void block.write(value.toString(8).padStart(length - 1, '0'), at, length - 1, 'latin1');
  octal(0o644, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(modified, 136, 12);
  block.fill(0x20, 148, 156);
  block.write(type, 156);
  block.write('ustar\0' + '00', 257, 'latin1');
  block.write(prefix, 345, 155);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** Name and prefix of a USTAR header; undefined when the path fits neither. */
function splitName(path: string): { name: string; prefix: string } | undefined {
  const ascii = /^[\x20-\x7e]*$/.test(path);
  if (ascii && path.length <= 100) return { name: path, prefix: '' };
  if (!ascii) return undefined;
  for (let slash = path.lastIndexOf('/', 155); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
    if (path.length - slash - 1 <= 100) return { name: path.slice(slash + 1), prefix: path.slice(0, slash) };
  }
  return undefined;
}

/** Something printable that fits into a header beside the PAX record with the real name. */
function asciiTail(path: string): string {
  return path.replace(/[^\x20-\x7e]/g, '_').slice(-80);
}

function paxRecord(key: string, value: string): Uint8Array {
  const body = ` ${key}=${value}\n`;
  const size = Buffer.byteLength(body);
  let length = size + String(size).length;
  length = size + String(length).length;
  return Buffer.from(`${length}${body}`);
}

function padded(data: Uint8Array): Uint8Array {
  const rest = data.length % BLOCK;
  return rest === 0 ? data : Buffer.concat([data, new Uint8Array(BLOCK - rest)]);
}
