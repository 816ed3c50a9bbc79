import { isPrint, isSpace, quote } from '../../golang/index.ts';
import { errorMessage } from '../../std/index.ts';
import { helmError } from '../errors.ts';
import type { ChartLock, ChartMetadata, Dependency, Maintainer } from './chart.ts';
import { isVersion } from './version-range.ts';
import {
  ANY,
  BOOL,
  listOf,
  structOf,
  TEXT,
  TEXT_MAP,
  TEXTS,
  TIME,
  unmarshalYaml,
  type Decoded,
  type StructShape,
} from './struct-decode.ts';

const DEPENDENCY: StructShape = structOf('v2.Dependency', {
  name: TEXT,
  version: TEXT,
  repository: TEXT,
  condition: TEXT,
  tags: TEXTS,
  enabled: BOOL,
  'import-values': listOf(ANY),
  alias: TEXT,
});

export const METADATA: StructShape = structOf('v2.Metadata', {
  name: TEXT,
  home: TEXT,
  sources: TEXTS,
  version: TEXT,
  description: TEXT,
  keywords: TEXTS,
  maintainers: listOf(structOf('v2.Maintainer', { name: TEXT, email: TEXT, url: TEXT }), '[]*v2.Maintainer'),
  icon: TEXT,
  apiVersion: TEXT,
  condition: TEXT,
  tags: TEXT,
  appVersion: TEXT,
  deprecated: BOOL,
  annotations: TEXT_MAP,
  kubeVersion: TEXT,
  dependencies: listOf(DEPENDENCY, '[]*v2.Dependency'),
  type: TEXT,
});

const LOCK: StructShape = structOf('v2.Lock', { generated: TIME, digest: TEXT, dependencies: listOf(DEPENDENCY, '[]*v2.Dependency') });

/** Takes in a Chart.yaml (or requirements.yaml) over what is already known. @throws CodedError `ChartInvalid` */
export function readMetadata(text: string, file: string, into: ChartMetadata = emptyMetadata()): ChartMetadata {
  return takeMetadata(decode(text, METADATA, file), into);
}

/** Takes in decoded fields of a Chart.yaml. @throws CodedError `ChartInvalid` */
export function takeMetadata(decoded: Decoded, into: ChartMetadata = emptyMetadata()): ChartMetadata {
  const { maintainers, dependencies, annotations, ...plain } = decoded;
  Object.assign(into, withoutNulls(plain));
  if ('maintainers' in decoded) {
    into.maintainers = ((maintainers ?? []) as (Decoded | null)[]).map((each) => present(each, 'maintainers', newMaintainer));
  }
  if ('dependencies' in decoded) {
    into.dependencies = (dependencies as (Decoded | null)[] | undefined)?.map((each) => present(each, 'dependencies', newDependency));
  }
  if ('annotations' in decoded) {
    const more = annotations as Map<string, string> | undefined;
    into.annotations = more === undefined ? undefined : { ...into.annotations, ...Object.fromEntries(more) };
  }
  return into;
}

/** @throws CodedError `ChartInvalid` */
export function readLock(text: string, file: string): ChartLock {
  const { generated, digest, dependencies } = decode(text, LOCK, file);
  return {
    generated: (generated as string | undefined) ?? '0001-01-01T00:00:00Z',
    digest: (digest as string | undefined) ?? '',
    dependencies: ((dependencies as (Decoded | null)[] | undefined) ?? []).map((each) => present(each, 'dependencies', newDependency)),
  };
}

function decode(text: string, shape: StructShape, file: string): Decoded {
  try {
    return unmarshalYaml(text, shape);
  } catch (error) {
    throw helmError('ChartInvalid', `cannot load ${file}: ${errorMessage(error)}`, { subject: file, cause: error });
  }
}

function present<T>(decoded: Decoded | null, what: string, make: (decoded: Decoded) => T): T {
  if (decoded === null) throw invalid(`${what} must not contain empty or null nodes`);
  return make(decoded);
}

/** Lists that were null are empty. */
function withoutNulls(decoded: Decoded): Decoded {
  return Object.fromEntries(Object.entries(decoded).map(([field, value]) => [field, value ?? []]));
}

function newMaintainer(decoded: Decoded): Maintainer {
  return { name: '', email: '', url: '', ...decoded };
}

function newDependency({ 'import-values': importValues, ...plain }: Decoded): Dependency {
  return {
    name: '',
    version: '',
    repository: '',
    condition: '',
    tags: [],
    enabled: false,
    importValues: (importValues as Dependency['importValues'] | undefined) ?? [],
    alias: '',
    ...withoutNulls(plain),
  };
}

function emptyMetadata(): ChartMetadata {
  return {
    name: '',
    home: '',
    sources: [],
    version: '',
    description: '',
    keywords: [],
    maintainers: [],
    icon: '',
    apiVersion: '',
    condition: '',
    tags: '',
    appVersion: '',
    deprecated: false,
    annotations: undefined,
    kubeVersion: '',
    dependencies: undefined,
    type: '',
  };
}

function invalid(message: string): Error {
  return helmError('ChartInvalid', `validation: ${message}`);
}

/** Checks Chart.yaml and cleans its texts of what cannot be printed. @throws CodedError `ChartInvalid` with Helm's text */
export function validateMetadata(metadata: ChartMetadata): void {
  for (const field of ['name', 'description', 'home', 'icon', 'condition', 'tags', 'appVersion', 'kubeVersion'] as const) {
    metadata[field] = sanitize(metadata[field]);
  }
  metadata.sources = metadata.sources.map(sanitize);
  metadata.keywords = metadata.keywords.map(sanitize);
  const { apiVersion, name, version, type } = metadata;
  if (apiVersion === '') throw invalid('chart.metadata.apiVersion is required');
  if (name === '') throw invalid('chart.metadata.name is required');
  if (name === '.' || name === '..') throw invalid(`chart.metadata.name ${quote(name)} is not allowed`);
  if (name.includes('/')) throw invalid(`chart.metadata.name ${quote(name)} is invalid`);
  if (version === '') throw invalid('chart.metadata.version is required');
  if (!isVersion(version)) throw invalid(`chart.metadata.version ${quote(version)} is invalid`);
  if (!['', 'application', 'library'].includes(type)) throw invalid('chart.metadata.type must be application or library');
  for (const maintainer of metadata.maintainers) {
    for (const field of ['name', 'email', 'url'] as const) maintainer[field] = sanitize(maintainer[field]);
  }
  validateDependencies(metadata.dependencies ?? []);
}

function validateDependencies(dependencies: readonly Dependency[]): void {
  const keys = new Set<string>();
  for (const dependency of dependencies) {
    for (const field of ['name', 'version', 'repository', 'condition'] as const) dependency[field] = sanitize(dependency[field]);
    dependency.tags = dependency.tags.map(sanitize);
    const { name, alias } = dependency;
    if (alias !== '' && !/^[a-zA-Z0-9_-]+$/.test(alias)) throw invalid(`dependency ${quote(name)} has disallowed characters in the alias`);
    const key = alias === '' ? name : alias;
    if (keys.has(key)) throw invalid(`more than one dependency with name or alias ${quote(key)}`);
    keys.add(key);
  }
}

/** Every kind of space becomes a blank, what cannot be printed goes. */
function sanitize(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  let out = '';
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    if (isSpace(code)) out += ' ';
    else if (isPrint(code)) out += char;
  }
  return out;
}
