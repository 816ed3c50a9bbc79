import assert from 'node:assert/strict';
import { test } from 'node:test';
import { selectTag } from './select-tag.ts';

const TAGS = ['latest', 'v1', '1.2', '6.1.6', 'v6.2.0', '6.3.0-rc.1', '6.3.5', '7.0.0', '2025.02.03', '1.0.0_build.2', 'nonsense'];
const CHART = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';

const cases: { name: string; range: string; filter?: string; mediaType?: string; want: string | RegExp }[] = [
  { name: 'the highest in the range', range: '6.x', want: '6.3.5' },
  { name: 'a v stays', range: '~6.2.0', want: 'v6.2.0' },
  { name: 'pre-releases only when the range has one', range: '>=6.2.1 <6.3.1', want: /no match found for semver/ },
  { name: 'pre-releases when the range has one', range: '>=6.2.1-0 <6.3.1', want: '6.3.0-rc.1' },
  { name: 'leading zeros', range: '>=2000.0.0', want: '2025.02.03' },
  { name: 'tags need two dots', range: '1.2', want: /no match/ },
  { name: 'a filter looks first', range: '>=6.0.0 <7.0.0', filter: '\\.6$', want: '6.1.6' },
  { name: 'a filter is not anchored', range: '>=6.0.0-0 <7.0.0', filter: 'rc', want: '6.3.0-rc.1' },
  { name: 'OB11: _ is + in a chart', range: '1.0.x', mediaType: CHART, want: '1.0.0_build.2' },
  { name: 'OB11: and nowhere else', range: '1.0.x', want: /no match/ },
  { name: 'no match says how many were looked at', range: '9.x', want: /no match found for semver: 9\.x among 11 tags/ },
  { name: 'a range that does not parse', range: 'newest', want: /semver 'newest' parse error: improper constraint/ },
  { name: 'a filter that does not parse', range: '*', filter: '(', want: /semverFilter '\(' parse error: error parsing regexp/ },
];
for (const { name, range, filter, mediaType = '', want } of cases) {
  test(`OB10: ${name}`, () => {
    const select = (): string => selectTag(TAGS, { range, filter, mediaType });
    if (typeof want === 'string') assert.equal(select(), want);
    else assert.throws(select, { message: want });
  });
}

test('OB10: a hostile filter costs linear time', () => {
  const started = performance.now();
  assert.throws(() => selectTag([`${'a'.repeat(30_000)}!`], { range: '*', filter: '(a+)+$', mediaType: '' }));
  assert.ok(performance.now() - started < 1000);
});
