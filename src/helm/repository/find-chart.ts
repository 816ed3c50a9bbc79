import { parseUrl, quote } from '../../golang/index.ts';
import { digestHex, digestOf, errorMessage, isCodedError } from '../../std/index.ts';
import { helmError } from '../errors.ts';
import { resolveReferenceUrl } from './chart-url.ts';
import { MAX_INDEX_SIZE, readIndex, type ChartVersion } from './index-file.ts';
import { selectVersion } from './select-version.ts';

/** Gets the bytes behind a URL, at most `limit` of them; throws what Helm would say. */
export type FetchBytes = (url: string, limit: number) => Promise<Uint8Array>;

/** Where a chart's package is. */
export type FoundChart = { readonly url: string; readonly chart: ChartVersion; readonly warnings: readonly string[] };

/** What to look for: the name in the index, and a version or range, empty for the newest. */
export type ChartQuery = { readonly repository: string; readonly name: string; readonly version: string };

/**
 * Looks a chart up in a classic chart repository: a folder over HTTP with an index.yaml.
 * @throws CodedError `IndexInvalid`, `ChartNotFound`, `LimitExceeded` with Helm's text
 */
export async function findChart({ repository, name, version }: ChartQuery, fetch: FetchBytes): Promise<FoundChart> {
  refuseOtherSchemes(repository);
  const index = await readable(repository, async () => {
    const bytes = await fetch(resolveReferenceUrl(repository, 'index.yaml'), MAX_INDEX_SIZE);
    return readIndex(bytes, repository);
  });
  const what = `chart ${quote(name)}${version === '' ? '' : ` version ${quote(version)}`}`;
  const selected = selectVersion(index, name, version);
  if (selected === undefined) throw helmError('ChartNotFound', `${what} not found in ${repository} repository`, { subject: name });
  const { chart, warning } = selected;
  const [url] = chart.urls;
  if (url === undefined) throw helmError('IndexInvalid', `${what} has no downloadable URLs`, { subject: name });
  return { url: absolute(repository, url), chart, warnings: [...index.warnings, ...(warning === undefined ? [] : [warning])] };
}

function refuseOtherSchemes(repository: string): void {
  let scheme: string;
  try {
    ({ scheme } = parseUrl(repository));
  } catch (error) {
    throw helmError('IndexInvalid', `invalid chart URL format: ${repository}`, { subject: repository, cause: error });
  }
  if (scheme !== 'http' && scheme !== 'https') {
    throw helmError('IndexInvalid', `could not find protocol handler for: ${scheme}`, { subject: repository });
  }
}

async function readable<T>(repository: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const code = isCodedError(error, 'LimitExceeded') ? 'LimitExceeded' : 'IndexInvalid';
    const message = `looks like ${quote(repository)} is not a valid chart repository or cannot be reached: ${errorMessage(error)}`;
    throw helmError(code, message, { subject: repository, cause: error });
  }
}

function absolute(repository: string, url: string): string {
  try {
    return resolveReferenceUrl(repository, url);
  } catch (error) {
    throw helmError('IndexInvalid', `failed to make chart URL absolute: ${errorMessage(error)}`, { subject: url, cause: error });
  }
}

/**
 * Checks a package against the digest its index names; an index without one says nothing.
 * @throws CodedError `DigestMismatch`, `IndexInvalid`
 */
export function checkPackage(bytes: Uint8Array, { metadata: { name, version }, digest }: ChartVersion): void {
  if (digest === '') return;
  const want = digest.slice(digest.indexOf(':') + 1).toLowerCase();
  const subject = `${name}-${version}`;
  if (!/^[0-9a-f]{64}$/.test(want)) {
    throw helmError('IndexInvalid', `check chart ${quote(subject)}: the index names ${quote(digest)}, which is no SHA-256 digest`, {
      subject,
    });
  }
  const have = digestHex(digestOf(bytes));
  if (have === want) return;
  throw helmError('DigestMismatch', `check chart ${quote(subject)}: the package's digest is ${have}, the repository's index says ${want}`, {
    subject,
    remedy: 'the repository was changed without a new index, or someone changed the package on its way; tell its owner',
  });
}
