import { checkConstraint, compareVersions, GoRegexp, parseConstraint, parseVersion, type Version } from '../../golang/index.ts';
import { CodedError, errorMessage } from '../../std/index.ts';

/** The versions a tag must have to be taken. */
export type WantedVersion = { range: string; filter: string | undefined; mediaType: string };

const CHART = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';

/**
 * The highest tag within the range (OB10). Of a chart, `_` in a tag stands for `+` (OB11). Tags that are no versions are passed over.
 * @throws CodedError `NoTagMatches`, `SemverInvalid`, `SemverFilterInvalid`
 */
export function selectTag(tags: readonly string[], wanted: WantedVersion): string {
  const filter = parse('SemverFilterInvalid', wanted.filter ?? '', (text) => (text === '' ? undefined : GoRegexp.compile(text)));
  const range = parse('SemverInvalid', wanted.range, parseConstraint);
  const chart = wanted.mediaType === CHART;
  let best: { tag: string; version: Version } | undefined;
  for (const tag of tags) {
    if (filter !== undefined && !filter.test(tag)) continue;
    const version = readVersion(chart ? tag.replaceAll('_', '+') : tag);
    if (version === undefined || !checkConstraint(range, version)) continue;
    if (best === undefined || compareVersions(version, best.version) > 0) best = { tag, version };
  }
  if (best !== undefined) return best.tag;
  const filtered = wanted.filter === undefined ? '' : ` with filter '${wanted.filter}'`;
  throw new CodedError({
    code: 'NoTagMatches',
    message: `no match found for semver: ${wanted.range}${filtered} among ${tags.length} tags`,
  });
}

/** A version needs two dots; a leading `v` and zeros are tolerated. */
function readVersion(text: string): Version | undefined {
  if (text.split('.').length < 3) return undefined;
  try {
    return parseVersion(text);
  } catch {
    // Not a version: tags may be anything.
    return undefined;
  }
}

function parse<T>(code: 'SemverInvalid' | 'SemverFilterInvalid', text: string, read: (text: string) => T): T {
  try {
    return read(text);
  } catch (error) {
    const what = code === 'SemverInvalid' ? 'semver' : 'semverFilter';
    throw new CodedError({ code, message: `${what} '${text}' parse error: ${errorMessage(error)}`, cause: error, retryable: false });
  }
}
