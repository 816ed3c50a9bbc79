import { createReadStream } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isCodedError } from '../std/index.ts';
import type { Handler } from './listen.ts';

/** Longest path served, characters. */
const PATH_LIMIT = 2048;
/** Entries of a folder that are listed. */
const LISTING_LIMIT = 10_000;

/**
 * Serves the files below `root`, read-only: GET and HEAD, ranges, folders as a list of links (reference: HTTP endpoints). A path cannot
 * leave the root, neither by `..` nor through a symbolic link.
 */
export function artifactFiles(root: string): Handler {
  return async (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return plain(response, 405, 'method not allowed', { allow: 'GET, HEAD' });
    const path = cleanPath(request.url ?? '/');
    if (path === undefined) return plain(response, 404, 'not found');
    const file = await resolveFile(root, path);
    if (file === undefined) return plain(response, 404, 'not found');
    if (file.directory) return listFolder(response, file.path, request.method === 'HEAD');
    const etag = `"${file.mtime.toString(36)}-${file.size.toString(36)}"`;
    if (request.headers['if-none-match'] === etag) {
      response.writeHead(304, { etag }).end();
      return;
    }
    const range = parseRange(request.headers.range, file.size);
    if (range === 'unsatisfiable') return plain(response, 416, 'range not satisfiable', { 'content-range': `bytes */${file.size}` });
    const { start, end } = range ?? { start: 0, end: file.size - 1 };
    response.writeHead(range === undefined ? 200 : 206, {
      'content-type': file.path.endsWith('.tar.gz') || file.path.endsWith('.tgz') ? 'application/gzip' : 'application/octet-stream',
      'content-length': end - start + 1,
      'last-modified': new Date(file.mtime).toUTCString(),
      'accept-ranges': 'bytes',
      etag,
      ...(range === undefined ? {} : { 'content-range': `bytes ${start}-${end}/${file.size}` }),
    });
    if (request.method === 'HEAD' || file.size === 0) {
      response.end();
      return;
    }
    await pipeline(createReadStream(file.path, { start, end }), response);
  };
}

function plain(response: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers }).end(`${text}\n`);
}

/** The path of a request as folder and file names; undefined when it has any that could lead elsewhere. */
export function cleanPath(url: string): string | undefined {
  const raw = url.split(/[?#]/)[0] ?? '';
  if (raw.length > PATH_LIMIT || !raw.startsWith('/')) return undefined;
  let path: string;
  try {
    path = decodeURIComponent(raw);
  } catch {
    return undefined;
  }
  if (/[\0\\]/.test(path)) return undefined;
  const names = path.split('/').filter((name) => name !== '');
  return names.some((name) => name === '..' || name === '.') ? undefined : names.join('/');
}

type Found = { path: string; directory: boolean; size: number; mtime: number };

async function resolveFile(root: string, path: string): Promise<Found | undefined> {
  try {
    const base = await realpath(root);
    const real = await realpath(join(base, path));
    if (real !== base && !real.startsWith(base + sep)) return undefined;
    const info = await stat(real);
    if (!info.isFile() && !info.isDirectory()) return undefined;
    return { path: real, directory: info.isDirectory(), size: info.size, mtime: Math.floor(info.mtimeMs) };
  } catch (error) {
    if (isCodedError(error)) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP' || code === 'ENAMETOOLONG') return undefined;
    throw error;
  }
}

async function listFolder(response: ServerResponse, path: string, headOnly: boolean): Promise<void> {
  const entries = (await readdir(path, { withFileTypes: true })).slice(0, LISTING_LIMIT);
  const lines = entries.map((entry) => {
    const name = entry.isDirectory() ? `${entry.name}/` : entry.name;
    return `<a href="${encodeURIComponent(entry.name)}${entry.isDirectory() ? '/' : ''}">${escapeHtml(name)}</a>`;
  });
  const body = `<!doctype html>\n<pre>\n${lines.join('\n')}\n</pre>\n`;
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-length': Buffer.byteLength(body) });
  response.end(headOnly ? undefined : body);
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** One byte range; undefined when none (or a form we do not serve, which HTTP lets us ignore) was asked for. */
export function parseRange(header: string | undefined, size: number): { start: number; end: number } | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (match === null || (match[1] === '' && match[2] === '')) return undefined;
  const [, from = '', to = ''] = match;
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  return start > end || start >= size ? 'unsatisfiable' : { start, end };
}
