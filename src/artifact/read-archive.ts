import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { type ArchiveTree, ArchiveTreeBuilder } from './archive-tree.ts';
import { type ArtifactError, artifactError } from './errors.ts';
import { type ArchiveLimits, defaultArchiveLimits } from './limits.ts';
import { BLOCK, isZeroBlock, readHeader, type TarHeader } from './tar-header.ts';

/** How to read an archive. */
export type ReadArchiveOptions = {
  /** What is read, for errors: `layer "sha256:…"`. */
  subject: string;
  /** Links are skipped when a layer is stored (OB19), an error when an artifact is built from (KB07). */
  links: 'skip' | 'reject';
  /** Whether `A` and `a` may both be there; no for trees that will be written to a disk that cannot tell them apart. Default allow. */
  caseCollisions?: 'allow' | 'reject';
  /** `any` takes Zstandard and plain tar as well, as layers of images may be. Default gzip. */
  compression?: 'gzip' | 'any';
  limits?: Partial<ArchiveLimits>;
};

const gunzipAsync = promisify(zlib.gunzip);
// Older versions of Node.js, which may use this as a library, have no zstd.
const unzstdAsync = typeof zlib.zstdDecompress === 'function' ? promisify(zlib.zstdDecompress) : undefined;

/** True when the bytes begin as gzip does. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** True when the bytes begin as Zstandard does (RFC 8878). */
function isZstd(bytes: Uint8Array): boolean {
  return bytes[0] === 0x28 && bytes[1] === 0xb5 && bytes[2] === 0x2f && bytes[3] === 0xfd;
}

/** True when the bytes begin as a tar with a POSIX header does. */
function isTar(bytes: Uint8Array): boolean {
  return bytes.length >= BLOCK && Buffer.from(bytes.buffer, bytes.byteOffset + 257, 5).toString('latin1') === 'ustar';
}

/** True when the bytes look like something {@link readArchive} unpacks. */
export function isArchive(bytes: Uint8Array): boolean {
  return isGzip(bytes) || isZstd(bytes) || isTar(bytes);
}

/**
 * Unpacks a compressed tar into memory. Nothing is written anywhere; paths that are absolute, leave the root or contain a backslash
 * are refused (OB19), and every bound of {@link ArchiveLimits} holds while unpacking.
 * @throws ArtifactError
 */
export async function readArchive(bytes: Uint8Array, options: ReadArchiveOptions): Promise<ArchiveTree> {
  const limits = { ...defaultArchiveLimits, ...options.limits };
  const tar = await inflate(bytes, limits, options.subject, options.compression === 'any');
  return readTar(tar, options);
}

async function inflate(bytes: Uint8Array, limits: ArchiveLimits, subject: string, any: boolean): Promise<Uint8Array> {
  if (bytes.length > limits.compressedBytes) throw exceeded(subject, 'compressed bytes', limits.compressedBytes);
  if (any && isTar(bytes)) return bytes;
  const unpack = isGzip(bytes) ? gunzipAsync : any && isZstd(bytes) ? unzstdAsync : undefined;
  if (unpack === undefined)
    throw artifactError(
      'ArchiveInvalid',
      `unpack ${subject}: requires gzip-compressed body: ${bytes.length === 0 ? 'it is empty' : 'invalid header'}`,
      { subject },
    );
  const byRatio = Math.max(limits.ratioFloor, bytes.length * limits.ratio);
  try {
    return await unpack(bytes, { maxOutputLength: Math.min(limits.bytes, byRatio) });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') {
      throw byRatio < limits.bytes
        ? exceeded(subject, 'unpacked bytes per compressed byte', limits.ratio)
        : exceeded(subject, 'unpacked bytes', limits.bytes);
    }
    const cause = error instanceof Error ? error.message : String(error);
    throw artifactError('ArchiveInvalid', `unpack ${subject}: broken ${isGzip(bytes) ? 'gzip' : 'zstd'} stream: ${cause}`, {
      subject,
      cause: error,
    });
  }
}

function exceeded(subject: string, what: string, limit: number): ArtifactError {
  return artifactError('LimitExceeded', `unpack ${subject}: more than ${limit} ${what}`, { subject });
}

/** Reads an uncompressed tar; the files share the given bytes, which must not change after. @throws ArtifactError */
export function readTar(bytes: Uint8Array, options: ReadArchiveOptions): ArchiveTree {
  return new TarReader(bytes, options).read();
}

type Extended = { path?: string; size?: number };

class TarReader {
  readonly #bytes: Uint8Array;
  readonly #options: ReadArchiveOptions;
  readonly #limits: ArchiveLimits;
  readonly #builder = new ArchiveTreeBuilder();
  readonly #folded = new Map<string, string>();
  #entries = 0;

  constructor(bytes: Uint8Array, options: ReadArchiveOptions) {
    this.#bytes = bytes;
    this.#options = options;
    this.#limits = { ...defaultArchiveLimits, ...options.limits };
  }

  read(): ArchiveTree {
    if (this.#bytes.length > this.#limits.bytes) throw exceeded(this.#options.subject, 'unpacked bytes', this.#limits.bytes);
    let at = 0;
    let next: Extended = {};
    while (at < this.#bytes.length) {
      if (at + BLOCK > this.#bytes.length) throw this.#invalid('the last header is cut off');
      if (isZeroBlock(this.#bytes, at)) {
        this.#checkEnd(at);
        break;
      }
      if (++this.#entries > this.#limits.entries) throw exceeded(this.#options.subject, 'entries', this.#limits.entries);
      const header = this.#header(at);
      const size = isExtension(header.type) ? header.size : (next.size ?? header.size);
      const start = at + BLOCK;
      if (start + size > this.#bytes.length) throw this.#invalid(`entry ${JSON.stringify(header.name)} is cut off`);
      const content = this.#bytes.subarray(start, start + size);
      if (isExtension(header.type)) next = { ...next, ...this.#extension(header, content) };
      else {
        this.#entry(header, next, content);
        next = {};
      }
      at = start + Math.ceil(size / BLOCK) * BLOCK;
    }
    return this.#builder.build();
  }

  #header(at: number): TarHeader {
    const header = readHeader(this.#bytes, at);
    if (header === 'checksum') throw this.#invalid('tar error: invalid tar header');
    if (header === 'number') throw this.#invalid('tar error: a header has a field that is not a number');
    return header;
  }

  /** After the end there is padding; anything else would be seen by some readers and not by others. */
  #checkEnd(at: number): void {
    for (let i = at; i < this.#bytes.length; i++)
      if (this.#bytes[i] !== 0) throw this.#invalid('there is data after the end of the archive');
  }

  #extension(header: TarHeader, content: Uint8Array): Extended {
    if (header.type === 'g') return {};
    if (content.length > this.#limits.headerBytes)
      throw exceeded(this.#options.subject, 'bytes in an extended header', this.#limits.headerBytes);
    if (header.type === 'K') return {};
    if (header.type === 'L') return { path: Buffer.from(content).toString('utf8').replace(/\0.*$/s, '') };
    return this.#paxRecords(content);
  }

  /** PAX records: `<length> <key>=<value>\n`, the length counting itself. */
  #paxRecords(content: Uint8Array): Extended {
    const found: Extended = {};
    for (let at = 0; at < content.length;) {
      const space = content.indexOf(0x20, at);
      const digits = space < 0 ? '' : Buffer.from(content.subarray(at, space)).toString('latin1');
      const length = Number(digits);
      if (!/^\d{1,10}$/.test(digits) || length <= digits.length + 2 || at + length > content.length || content[at + length - 1] !== 0x0a) {
        throw this.#invalid('tar error: broken extended header');
      }
      const record = Buffer.from(content.subarray(space + 1, at + length - 1)).toString('utf8');
      const equals = record.indexOf('=');
      const key = record.slice(0, Math.max(0, equals));
      const value = record.slice(equals + 1);
      if (key.startsWith('GNU.sparse'))
        throw artifactError('EntryUnsupported', `unpack ${this.#options.subject}: sparse files are not supported`, {
          subject: this.#options.subject,
        });
      if (key === 'path') found.path = value;
      if (key === 'size') {
        if (!/^\d{1,15}$/.test(value)) throw this.#invalid('tar error: broken size in an extended header');
        found.size = Number(value);
      }
      at += length;
    }
    return found;
  }

  #entry(header: TarHeader, extended: Extended, content: Uint8Array): void {
    const name = extended.path ?? header.name;
    const path = this.#path(name);
    // Old archives mark a folder only by the slash at its end.
    const isFolder = header.type === '5' || ((header.type === '0' || header.type === '7') && name.endsWith('/'));
    if (header.type === '1' || header.type === '2') {
      if (this.#options.links === 'skip') return;
      const kind = header.type === '2' ? 'a symlink' : 'a hard link';
      throw artifactError(
        'LinkRefused',
        `unpack ${this.#options.subject}: tar file entry ${JSON.stringify(name)} is ${kind}, which is not allowed in this context`,
        { subject: name },
      );
    }
    if (!isFolder && header.type !== '0' && header.type !== '7') {
      throw artifactError(
        'EntryUnsupported',
        `unpack ${this.#options.subject}: tar file entry ${JSON.stringify(name)} contained unsupported file type ${JSON.stringify(header.type)}`,
        { subject: name },
      );
    }
    if (path === '' && !isFolder) throw this.#refused(name, 'has no name');
    const blocked = this.#builder.blockedBy(path) ?? (isFolder && this.#builder.file(path) !== undefined ? path : undefined);
    if (blocked !== undefined) throw this.#ambiguous(name, `${JSON.stringify(blocked)} is a file already`);
    if (!isFolder && this.#builder.hasFolder(path)) throw this.#ambiguous(name, 'is a folder already');
    this.#checkCase(path);
    if (isFolder) this.#builder.addFolder(path, header.mode & 0o777);
    else this.#addFile(path, content, header.mode & 0o777);
  }

  #addFile(path: string, content: Uint8Array, mode: number): void {
    const earlier = this.#builder.file(path);
    if (earlier !== undefined && Buffer.compare(earlier.bytes, content) !== 0)
      throw this.#ambiguous(path, 'is there twice with different content');
    this.#builder.addFile(path, content, mode);
  }

  /** The clean path of an entry. */
  #path(name: string): string {
    if (name === '' || name.startsWith('/') || name.includes('\\') || name.includes('\0'))
      throw this.#refused(name, 'is empty, absolute or has a backslash');
    if (Buffer.byteLength(name) > this.#limits.pathBytes) throw exceeded(this.#options.subject, 'bytes in a path', this.#limits.pathBytes);
    const segments = name.split('/').filter((segment) => segment !== '' && segment !== '.');
    if (segments.includes('..')) throw this.#refused(name, 'leaves the archive');
    if (segments.length > this.#limits.depth) throw exceeded(this.#options.subject, 'folders above a file', this.#limits.depth);
    return segments.join('/');
  }

  /** Remembers each name in folded form, parents included: a disk that ignores case would mix them up. */
  #checkCase(path: string): void {
    if (this.#options.caseCollisions !== 'reject') return;
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
      const part = path.slice(0, end);
      const folded = part.normalize('NFC').toLowerCase();
      const known = this.#folded.get(folded);
      if (known === part) return;
      if (known !== undefined) throw this.#ambiguous(part, `differs only by case from ${JSON.stringify(known)}`);
      this.#folded.set(folded, part);
    }
  }

  #invalid(cause: string): ArtifactError {
    return artifactError('ArchiveInvalid', `unpack ${this.#options.subject}: ${cause}`, { subject: this.#options.subject });
  }

  #refused(name: string, cause: string): ArtifactError {
    const shown = name.slice(0, 300);
    return artifactError(
      'PathRefused',
      `unpack ${this.#options.subject}: tar contained invalid name error ${JSON.stringify(shown)}: it ${cause}`,
      { subject: shown },
    );
  }

  #ambiguous(name: string, cause: string): ArtifactError {
    return artifactError('EntryAmbiguous', `unpack ${this.#options.subject}: tar file entry ${JSON.stringify(name)}: ${cause}`, {
      subject: name,
    });
  }
}

function isExtension(type: string): boolean {
  return type === 'x' || type === 'g' || type === 'L' || type === 'K';
}
