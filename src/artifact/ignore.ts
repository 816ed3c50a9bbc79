import type { FileTree } from '../manifest/index.ts';
import { artifactError } from './errors.ts';
import { compileGlob, type SegmentGlob } from './glob.ts';

/** Decides whether a path of an artifact is left out. */
export type Ignore = (path: string, isFolder: boolean) => boolean;

/** One line of an ignore file, scoped to the folder it was read from. */
export type IgnorePattern = {
  domain: readonly string[];
  matches: (path: readonly string[], isFolder: boolean) => boolean;
  inclusion: boolean;
};

/** Patterns used at once; each file is compared with each of them. */
const MAX_PATTERNS = 2000;
/** Go's line scanner gives up on a longer line, silently, with all that follows. */
const MAX_LINE = 64 * 1024;
const MAX_FOLDER_DEPTH = 100;

/** Flux's ignore sets (OB22). */
export const ignoreSets = {
  vcs: ['.git/', '.gitignore', '.gitmodules', '.gitattributes'],
  extensions: ['*.jpg', '*.jpeg', '*.gif', '*.png', '*.wmv', '*.flv', '*.tar.gz', '*.zip'],
  ci: [
    '.github/',
    '.circleci/',
    '.travis.yml',
    '.gitlab-ci.yml',
    'appveyor.yml',
    '.drone.yml',
    'cloudbuild.yaml',
    'codeship-services.yml',
    'codeship-steps.yml',
  ],
  extra: ['**/.goreleaser.yml', '**/.sops.yaml', '**/.flux.yaml'],
} as const;

/** What the CLI leaves out of a push unless told otherwise (A06). */
export const defaultPushIgnore: readonly string[] = [...ignoreSets.vcs, ...ignoreSets.extensions];

/**
 * Parses one gitignore line the way Flux does (fluxcd/pkg sourceignore, after go-git): `!` includes again, a trailing `/` means folders
 * only, a pattern with a `/` is matched from the folder of its file, one without at any depth, `**` spans folders.
 */
export function parseIgnorePattern(line: string, domain: readonly string[] = []): IgnorePattern {
  const inclusion = line.startsWith('!');
  let text = inclusion ? line.slice(1) : line;
  if (!text.endsWith('\\ ')) text = text.replace(/ +$/, '');
  const folderOnly = text.endsWith('/');
  if (folderOnly) text = text.slice(0, -1);
  const segments = text.split('/');
  const matches = segments.length > 1 ? pathMatcher(segments, folderOnly) : nameMatcher(segments[0] ?? '', folderOnly);
  return { domain, matches, inclusion };
}

/** A pattern without a slash: some segment of the path matches; the last one only as a folder when the pattern says so. */
function nameMatcher(pattern: string, folderOnly: boolean): IgnorePattern['matches'] {
  const glob = compileGlob(pattern);
  if (glob === undefined) return () => false;
  return (path, isFolder) => {
    const index = path.findIndex(glob);
    return index >= 0 && !(folderOnly && !isFolder && index === path.length - 1);
  };
}

type Segment = { kind: 'empty' } | { kind: 'anyDepth' } | { kind: 'never' } | { kind: 'glob'; glob: SegmentGlob | undefined };

function toSegment(text: string): Segment {
  if (text === '') return { kind: 'empty' };
  if (text === '**') return { kind: 'anyDepth' };
  return text.includes('**') ? { kind: 'never' } : { kind: 'glob', glob: compileGlob(text) };
}

/** A pattern with slashes, matched from its domain; what lies below a match is matched too. */
function pathMatcher(texts: readonly string[], folderOnly: boolean): IgnorePattern['matches'] {
  const segments = texts.map(toSegment);
  return (path, isFolder) => {
    let at = 0;
    let matched = false;
    let anyDepth = false;
    for (const [index, segment] of segments.entries()) {
      if (segment.kind === 'empty') {
        anyDepth = false;
        continue;
      }
      if (segment.kind === 'anyDepth') {
        if (index === segments.length - 1) break;
        anyDepth = true;
        continue;
      }
      if (segment.kind === 'never' || segment.glob === undefined || at >= path.length) return false;
      const glob = segment.glob;
      if (!anyDepth) {
        if (!glob(path[at++] ?? '')) return false;
        matched = true;
        continue;
      }
      anyDepth = false;
      while (at < path.length) {
        if (glob(path[at++] ?? '')) {
          matched = true;
          break;
        }
        if (at === path.length) matched = false;
      }
    }
    return matched && !(folderOnly && !isFolder && at === path.length);
  };
}

/** The patterns of an ignore file's text: one a line, `#` comments and blank lines left out. */
export function parseIgnoreText(text: string, domain: readonly string[] = []): IgnorePattern[] {
  const patterns: IgnorePattern[] = [];
  for (const raw of text.split('\n')) {
    if (raw.length > MAX_LINE) break;
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line.startsWith('#') || line.trim() === '') continue;
    if (patterns.length >= MAX_PATTERNS) throw tooMany();
    patterns.push(parseIgnorePattern(line, domain));
  }
  return patterns;
}

function tooMany(): Error {
  return artifactError('LimitExceeded', `read ignore patterns: more than ${MAX_PATTERNS} patterns`, { subject: '.sourceignore' });
}

/** The patterns of every `.sourceignore` in a tree, outer folders first (OB22). */
export function treeIgnorePatterns(tree: FileTree): IgnorePattern[] {
  const patterns: IgnorePattern[] = [];
  const visit = (folder: string, domain: readonly string[]): void => {
    const bytes = tree.read(folder === '' ? '.sourceignore' : `${folder}/.sourceignore`);
    if (bytes !== undefined) patterns.push(...parseIgnoreText(Buffer.from(bytes).toString('utf8'), domain));
    if (patterns.length > MAX_PATTERNS) throw tooMany();
    if (domain.length >= MAX_FOLDER_DEPTH) return;
    for (const entry of tree.list(folder)) {
      if (entry.kind === 'directory' && entry.name !== '.git')
        visit(folder === '' ? entry.name : `${folder}/${entry.name}`, [...domain, entry.name]);
    }
  };
  visit('', []);
  return patterns;
}

/** The last pattern that has an opinion decides. */
export function compileIgnore(patterns: readonly IgnorePattern[]): Ignore {
  const reversed = patterns.toReversed();
  return (path, isFolder) => {
    const segments = path.split('/');
    for (const { domain, matches, inclusion } of reversed) {
      if (segments.length <= domain.length || domain.some((segment, index) => segments[index] !== segment)) continue;
      if (matches(domain.length === 0 ? segments : segments.slice(domain.length), isFolder)) return !inclusion;
    }
    return false;
  };
}

/**
 * What a stored artifact leaves out (OB22): version control always; then the tree's `.sourceignore` files and `spec.ignore`, or, when there
 * is no pattern in either, Flux's default sets.
 * @param specIgnore `spec.ignore`, appended last
 */
export function sourceIgnore(tree: FileTree, specIgnore: string | undefined): Ignore {
  const own = [...treeIgnorePatterns(tree), ...(specIgnore === undefined ? [] : parseIgnoreText(specIgnore))];
  const vcs = ignoreSets.vcs.map((line) => parseIgnorePattern(line));
  if (own.length > 0) return compileIgnore([...vcs, ...own]);
  const defaults = [...ignoreSets.extensions, ...ignoreSets.ci, ...ignoreSets.extra].map((line) => parseIgnorePattern(line));
  return compileIgnore([...vcs, ...defaults]);
}
