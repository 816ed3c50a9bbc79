import { bytesToText, compareVersions, parseVersion, quote, type YamlLimits } from '../../golang/index.ts';
import { errorMessage } from '../../std/index.ts';
import type { ChartMetadata } from '../chart/chart.ts';
import { METADATA, takeMetadata, validateMetadata } from '../chart/metadata.ts';
import {
  ANY,
  BOOL,
  listOf,
  structOf,
  TEXT,
  TEXT_MAP,
  TEXTS,
  TIME,
  unmarshalJson,
  unmarshalYaml,
  type Decoded,
  type Shape,
} from '../chart/struct-decode.ts';
import { helmError } from '../errors.ts';

/** Bytes of an index.yaml. */
export const MAX_INDEX_SIZE: number = 50 * 1024 * 1024;
/** Versions of all charts of an index. */
export const MAX_INDEX_VERSIONS = 500_000;
/** Values of an index, and how deep they nest. */
const YAML_LIMITS: Partial<YamlLimits> = { maxLength: MAX_INDEX_SIZE, maxValues: 10_000_000, maxDepth: 100 };

/** One version of a chart in a repository. */
export type ChartVersion = {
  readonly metadata: Readonly<ChartMetadata>;
  /** Where its package is; may be relative to the repository. */
  readonly urls: readonly string[];
  /** SHA-256 of the package in hex, perhaps after `sha256:`; empty when the index names none. */
  readonly digest: string;
  /** RFC 3339; empty when the index names none. */
  readonly created: string;
};

export type RepositoryIndex = {
  /** Versions by chart, the newest first. */
  readonly charts: ReadonlyMap<string, readonly ChartVersion[]>;
  /** Entries that were left out, in Helm's words. */
  readonly warnings: readonly string[];
};

const VERSION: Shape = {
  ...structOf('repo.ChartVersion', {
    urls: TEXTS,
    created: TIME,
    removed: BOOL,
    digest: TEXT,
    // Fields of Helm 2, which mean nothing any more.
    checksum: TEXT,
    engine: TEXT,
    tillerVersion: TEXT,
    url: TEXT,
  }),
  embedded: { name: 'Metadata', fields: METADATA.fields },
};

const INDEX = structOf('repo.IndexFile', {
  serverInfo: { kind: 'map', type: 'map[string]interface {}', of: ANY },
  apiVersion: TEXT,
  generated: TIME,
  entries: { kind: 'map', type: 'map[string]repo.ChartVersions', of: listOf(VERSION, 'repo.ChartVersions') },
  publicKeys: TEXTS,
  annotations: TEXT_MAP,
});

/**
 * Reads the index.yaml (or JSON) of a chart repository as Helm does: strictly, leaving out entries that make no chart, each with a warning.
 * @param source where it came from, for the warnings
 * @throws CodedError `IndexInvalid`, `LimitExceeded`
 */
export function readIndex(bytes: Uint8Array, source: string): RepositoryIndex {
  if (bytes.length > MAX_INDEX_SIZE) throw tooLarge(source, `${MAX_INDEX_SIZE} bytes`);
  if (bytes.length === 0) throw invalid('empty index.yaml file', source);
  const { apiVersion, entries } = decode(bytes, source);
  const charts = new Map<string, ChartVersion[]>();
  const warnings: string[] = [];
  let count = 0;
  for (const [name, listed] of (entries ?? new Map()) as Map<string, (Decoded | null)[] | string>) {
    // What is null comes as an empty text.
    const versions = typeof listed === 'string' ? [] : listed;
    count += versions.length;
    if (count > MAX_INDEX_VERSIONS) throw tooLarge(source, `${MAX_INDEX_VERSIONS} versions`);
    charts.set(name, readVersions(name, versions, source, warnings));
  }
  if (((apiVersion as string | undefined) ?? '') === '') throw invalid('no API version specified', source);
  return { charts, warnings };
}

function decode(bytes: Uint8Array, source: string): Decoded {
  const text = bytesToText(bytes);
  try {
    return isJson(text) ? unmarshalJson(text, INDEX) : unmarshalYaml(text, INDEX, { strict: true, limits: YAML_LIMITS });
  } catch (error) {
    throw invalid(errorMessage(error), source, error);
  }
}

function isJson(text: string): boolean {
  if (!/^[\s]*[[{"]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    // Then it is YAML, or its reader says what is wrong.
    return false;
  }
}

function readVersions(name: string, listed: readonly (Decoded | null)[], source: string, warnings: string[]): ChartVersion[] {
  const versions: ChartVersion[] = [];
  // From the last to the first, so that warnings come in Helm's order.
  for (const decoded of listed.toReversed()) {
    const skipped = (version: string, why: string): number =>
      warnings.push(`skipping loading invalid entry for chart ${quote(name)}${version} from ${source}: ${why}`);
    if (decoded === null) {
      skipped('', 'empty entry');
      continue;
    }
    try {
      versions.push(readVersion(decoded));
    } catch (error) {
      skipped(` ${quote((decoded['version'] as string | undefined) ?? '')}`, errorMessage(error));
    }
  }
  return newestFirst(versions.reverse());
}

function readVersion(decoded: Decoded): ChartVersion {
  const { urls, created, digest } = decoded;
  const metadata = takeMetadata(Object.fromEntries(Object.entries(decoded).filter(([field]) => Object.hasOwn(METADATA.fields, field))));
  if (metadata.apiVersion === '') metadata.apiVersion = 'v1';
  try {
    validateMetadata(metadata);
  } catch (error) {
    // Some repositories drop the aliases that tell dependencies apart.
    if (!errorMessage(error).startsWith('validation: more than one dependency with name or alias')) throw error;
  }
  return {
    metadata,
    urls: (urls as string[] | undefined) ?? [],
    digest: (digest as string | undefined) ?? '',
    created: (created as string | undefined) ?? '',
  };
}

function newestFirst(versions: ChartVersion[]): ChartVersion[] {
  return versions
    .map((chart) => ({ chart, version: parseVersion(chart.metadata.version) }))
    .sort((a, b) => compareVersions(b.version, a.version))
    .map(({ chart }) => chart);
}

function invalid(message: string, source: string, cause?: unknown): Error {
  return helmError('IndexInvalid', message, { subject: source, ...(cause === undefined ? {} : { cause }) });
}

function tooLarge(source: string, limit: string): Error {
  return helmError('LimitExceeded', `read the index of ${source}: more than ${limit}`, { subject: source });
}
