import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { compareUtf8 } from '../std/index.ts';
import { type ArchiveTree, walkArchive } from './archive-tree.ts';
import { BLOCK } from './tar-header.ts';

/** Which permission bits an archive records: those of the tree (A05), or Flux's fixed ones for stored artifacts (OB21). */
export type ArchiveModes = 'kept' | 'stored';

const gzipAsync = promisify(gzip);
const STORED = { file: 0o600, executable: 0o700, folder: 0o750 };

/**
 * Writes a tree as tar, byte for byte as Flux's archivers do (Go archive/tar): lexical walk with the root entry `.`, owner 0 and no
 * names, all times zero, USTAR headers where they suffice, PAX records where not.
 */
export function writeTar(tree: ArchiveTree, modes: ArchiveModes): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (const { path, kind } of walkArchive(tree)) {
    const own = tree.mode(path) ?? (kind === 'file' ? 0o644 : 0o755);
    const mode = modes === 'kept' ? own : storedMode(own, kind);
    const bytes = kind === 'file' ? (tree.read(path) ?? new Uint8Array()) : new Uint8Array();
    blocks.push(...headerBlocks(path === '' ? '.' : path, mode, bytes.length, kind === 'file' ? '0' : '5'));
    if (bytes.length > 0) blocks.push(bytes, padding(bytes.length));
  }
  blocks.push(new Uint8Array(2 * BLOCK));
  return Buffer.concat(blocks);
}

function storedMode(own: number, kind: 'file' | 'directory'): number {
  if (kind === 'directory') return STORED.folder;
  return (own & 0o111) === 0 ? STORED.file : STORED.executable;
}

/** Compresses with gzip at its default level. The header names no time and no system, so equal input gives equal bytes. */
export async function compress(bytes: Uint8Array): Promise<Uint8Array> {
  const compressed = await gzipAsync(bytes);
  compressed.writeUInt32LE(0, 4);
  compressed[9] = 255;
  return compressed;
}

/** {@link writeTar}, compressed. */
export function writeArchive(tree: ArchiveTree, modes: ArchiveModes): Promise<Uint8Array> {
  return compress(writeTar(tree, modes));
}

function padding(size: number): Uint8Array {
  return new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK);
}

function headerBlocks(name: string, mode: number, size: number, type: '0' | '5'): Uint8Array[] {
  const ascii = /^[\x01-\x7f]*$/.test(name);
  const bigSize = size >= 8 ** 11;
  if (ascii && !bigSize) {
    if (name.length <= 100) return [header({ name, prefix: '', mode, size, type })];
    const split = splitUstarPath(name);
    if (split !== undefined) return [header({ ...split, mode, size, type })];
  }
  const records: [string, string][] = [];
  if (!ascii || name.length > 100) records.push(['path', name]);
  if (bigSize) records.push(['size', String(size)]);
  records.sort(([a], [b]) => compareUtf8(a, b));
  const data = Buffer.concat(records.map(([key, value]) => paxRecord(key, value)));
  const extended = header(
    { name: toAscii(paxName(name)).slice(0, 100).replace(/\/+$/, ''), prefix: '', mode: 0, size: data.length, type: 'x' },
    true,
  );
  return [extended, data, padding(data.length), header({ name: cutName(toAscii(name)), prefix: '', mode, size: bigSize ? 0 : size, type })];
}

/** USTAR's split of a long name at a slash: at most 155 bytes before, 100 after. */
function splitUstarPath(name: string): { prefix: string; name: string } | undefined {
  if (name.length <= 100) return undefined;
  let length = name.length;
  if (length > 156) length = 156;
  else if (name.endsWith('/')) length--;
  const slash = name.slice(0, length).lastIndexOf('/');
  const rest = name.length - slash - 1;
  if (slash <= 0 || rest > 100 || rest === 0 || slash > 155) return undefined;
  return { prefix: name.slice(0, slash), name: name.slice(slash + 1) };
}

/** `dir/PaxHeaders.0/base`, the name Go gives an extended header. */
function paxName(name: string): string {
  const slash = name.lastIndexOf('/');
  const parent = slash < 0 ? '' : `${name.slice(0, slash)}/`;
  return `${parent}PaxHeaders.0/${name.slice(slash + 1)}`;
}

/** A name that does not fit is cut, never right after a slash: some readers would take the file for a folder. */
function cutName(name: string): string {
  const cut = name.slice(0, 100);
  return name.length > 100 && cut.endsWith('/') ? cut.replace(/\/+$/, '') : cut;
}

function toAscii(text: string): string {
  return text.replace(/[^\x01-\x7f]/gu, '');
}

function paxRecord(key: string, value: string): Uint8Array {
  const rest = Buffer.byteLength(key) + Buffer.byteLength(value) + 3;
  let size = rest + String(rest).length;
  if (rest + String(size).length !== size) size = rest + String(size).length;
  return Buffer.from(`${size} ${key}=${value}\n`);
}

type HeaderFields = { name: string; prefix: string; mode: number; size: number; type: string };

/** The fields every header of ours has alike: owner 0, time 0, ustar; `bare` ones (of PAX records) leave the device numbers empty. */
function template(bare: boolean): Buffer {
  const block = Buffer.alloc(BLOCK);
  for (const at of bare ? [108, 116] : [108, 116, 329, 337]) block.write('0000000', at, 'latin1');
  block.write('00000000000', 136, 'latin1');
  block.write('ustar\u000000', 257, 'latin1');
  block.fill(0x20, 148, 156);
  return block;
}

const FULL = template(false);
const BARE = template(true);

function header(fields: HeaderFields, bare = false): Uint8Array {
  const block = Buffer.from(bare ? BARE : FULL);
  block.write(fields.name, 0, 'latin1');
  block.write(fields.mode.toString(8).padStart(7, '0'), 100, 'latin1');
  block.write(fields.size.toString(8).padStart(11, '0'), 124, 'latin1');
  block.write(fields.type, 156, 'latin1');
  if (fields.prefix !== '') block.write(fields.prefix, 345, 'latin1');
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += block[i] ?? 0;
  block.write(`${sum.toString(8).padStart(6, '0')}\u0000 `, 148, 'latin1');
  return block;
}
