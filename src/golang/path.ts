/*
 * Go's package path (and filepath on Unix, which answers the same): '/'-separated, purely lexical.
 */

/** path.Clean: the shortest equivalent path; `.` for the empty one. */
export function cleanPath(path: string): string {
  if (path === '') return '.';
  const rooted = path.startsWith('/');
  const kept: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') kept.push(part);
    else if (kept.length > 0 && kept.at(-1) !== '..') kept.pop();
    else if (!rooted) kept.push(part);
  }
  const clean = (rooted ? '/' : '') + kept.join('/');
  return clean === '' ? '.' : clean;
}

/** path.Base: the last element; `.` for the empty path, `/` for slashes only. */
export function basePath(path: string): string {
  if (path === '') return '.';
  const trimmed = path.replace(/\/+$/, '');
  if (trimmed === '') return '/';
  return trimmed.slice(trimmed.lastIndexOf('/') + 1);
}

/** path.Dir: everything but the last element, cleaned. */
export function dirPath(path: string): string {
  return cleanPath(path.slice(0, path.lastIndexOf('/') + 1));
}

/** path.Ext: from the last dot of the last element. */
export function extPath(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  return dot < 0 ? '' : name.slice(dot);
}

/** path.IsAbs. */
export function isAbsPath(path: string): boolean {
  return path.startsWith('/');
}

/** path.Join: empty elements are left out; empty when there are no others. */
export function joinPath(...parts: readonly string[]): string {
  const present = parts.filter((part) => part !== '');
  return present.length === 0 ? '' : cleanPath(present.join('/'));
}
