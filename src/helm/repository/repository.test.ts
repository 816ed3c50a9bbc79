import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestOf, errorMessage, isCodedError } from '../../std/index.ts';
import { resolveReferenceUrl } from './chart-url.ts';
import { checkPackage, findChart, type FetchBytes } from './find-chart.ts';
import { MAX_INDEX_SIZE, MAX_INDEX_VERSIONS, readIndex } from './index-file.ts';
import { selectVersion } from './select-version.ts';

const SOURCE = 'http://127.0.0.1/charts';

function index(entries: string, more = ''): Uint8Array {
  return Buffer.from(`apiVersion: v1\nentries:\n  demo:\n${entries}${more}`);
}

function entry(version: string, more = ''): string {
  return `  - {apiVersion: v2, name: demo, version: ${version}, urls: [demo-${version}.tgz]${more}}\n`;
}

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return errorMessage(error);
  }
  return 'no error';
}

describe('readIndex', () => {
  const refusals: readonly [what: string, bytes: Uint8Array, message: string][] = [
    ['nothing', Buffer.from(''), 'empty index.yaml file'],
    ['no apiVersion', Buffer.from('entries: {}\n'), 'no API version specified'],
    ['a page', Buffer.from('<html>hello</html>\n'), unmarshal('json: cannot unmarshal string into Go value of type repo.IndexFile')],
    ['a list', Buffer.from('- a\n'), unmarshal('json: cannot unmarshal array into Go value of type repo.IndexFile')],
    ['broken YAML', Buffer.from('a: b: c\n'), 'error converting YAML to JSON: yaml: mapping values are not allowed in this context'],
    ['an unknown field', index(entry('1.2.3'), 'xyz: 1\nfoo: bar\n'), unmarshal('json: unknown field "foo"')],
    ['an unknown field of a version', index(entry('1.2.3', ', foo: 1')), unmarshal('json: unknown field "foo"')],
    [
      'a field given twice',
      index(entry('1.2.3'), 'apiVersion: v1\n'),
      'error converting YAML to JSON: yaml: unmarshal errors:\n  line 5: key "apiVersion" already set in map',
    ],
    [
      'a list as name',
      index('  - {name: [a], version: 1.2.3, urls: x}\n'),
      unmarshal('json: cannot unmarshal array into Go struct field ChartVersion.entries.Metadata.name of type string'),
    ],
    [
      'text as urls',
      index('  - {name: demo, version: 1.2.3, urls: x}\n'),
      unmarshal('json: cannot unmarshal string into Go struct field ChartVersion.entries.urls of type []string'),
    ],
    [
      'a list within maintainers',
      index('  - {name: demo, maintainers: [{name: []}]}\n'),
      unmarshal('json: cannot unmarshal array into Go struct field Maintainer.entries.Metadata.maintainers.name of type string'),
    ],
    [
      'text as a version',
      Buffer.from('apiVersion: v1\nentries:\n  demo: [x]\n'),
      unmarshal('json: cannot unmarshal string into Go struct field IndexFile.entries of type repo.ChartVersion'),
    ],
    [
      'a map as versions',
      Buffer.from('apiVersion: v1\nentries:\n  demo: {a: b}\n'),
      unmarshal('json: cannot unmarshal object into Go struct field IndexFile.entries of type repo.ChartVersions'),
    ],
    [
      'a date as time',
      index(entry('1.2.3', ', created: 2020-01-01')),
      unmarshal('parsing time "2020-01-01" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T"'),
    ],
    ['a number as time', index(entry('1.2.3', ', created: 5')), unmarshal('Time.UnmarshalJSON: input is not a JSON string')],
    [
      'JSON with a number as version',
      Buffer.from('{"apiVersion": "v1", "entries": {"demo": [{"name": "demo", "version": 1}]}}'),
      'json: cannot unmarshal number into Go struct field ChartVersion.entries.Metadata.version of type string',
    ],
    ['a JSON list', Buffer.from('[1]'), 'json: cannot unmarshal array into Go value of type repo.IndexFile'],
  ];
  for (const [what, bytes, message] of refusals) {
    it(`refuses ${what} in Helm’s words`, () => {
      assert.equal(
        messageOf(() => readIndex(bytes, SOURCE)),
        message,
      );
    });
  }

  function unmarshal(message: string): string {
    return `error unmarshaling JSON: while decoding JSON: ${message}`;
  }

  it('sorts the versions, newest first', () => {
    const { charts } = readIndex(index(entry('1.2.3') + entry('1.10.0') + entry('2.0.0-rc.1') + entry('0.9.0')), SOURCE);
    assert.deepEqual(
      charts.get('demo')?.map(({ metadata }) => metadata.version),
      ['2.0.0-rc.1', '1.10.0', '1.2.3', '0.9.0'],
    );
  });

  it('leaves out what makes no chart, and says so', () => {
    const { charts, warnings } = readIndex(
      index(
        `${entry('abc')}  -\n${entry('1.2.3')}  - {version: 1.0.0}\n  - {name: demo, version: 3.0.0, type: bogus}\n` +
          '  - {name: demo, version: 4.0.0, dependencies: [{name: a}, {name: a}]}\n  - {name: demo, version: 5.0.0, dependencies: [null]}\n',
      ),
      SOURCE,
    );
    assert.deepEqual(
      charts.get('demo')?.map(({ metadata }) => metadata.version),
      ['4.0.0', '1.2.3'],
    );
    const skipped = `skipping loading invalid entry for chart "demo"`;
    assert.deepEqual(warnings, [
      `${skipped} "5.0.0" from ${SOURCE}: validation: dependencies must not contain empty or null nodes`,
      `${skipped} "3.0.0" from ${SOURCE}: validation: chart.metadata.type must be application or library`,
      `${skipped} "1.0.0" from ${SOURCE}: validation: chart.metadata.name is required`,
      `${skipped} from ${SOURCE}: empty entry`,
      `${skipped} "abc" from ${SOURCE}: validation: chart.metadata.version "abc" is invalid`,
    ]);
  });

  it('reads JSON, where unknown fields do not matter', () => {
    const json = {
      apiVersion: 'v1',
      foo: 1,
      entries: { demo: [{ name: 'demo', version: '1.2.3', urls: ['x.tgz'], digest: 'd', nope: 1 }] },
    };
    const [version] = readIndex(Buffer.from(JSON.stringify(json)), SOURCE).charts.get('demo') ?? [];
    assert.deepEqual([version?.metadata.version, version?.urls, version?.digest], ['1.2.3', ['x.tgz'], 'd']);
  });

  it('takes ChartMuseum’s and old fields', () => {
    const bytes = index(
      entry('1.2.3', ', removed: true, engine: gotpl, tillerVersion: "2", checksum: x, url: y'),
      'serverInfo: {a: {b: 1}}\n',
    );
    assert.equal(readIndex(bytes, SOURCE).charts.get('demo')?.length, 1);
  });

  it('has bounds', () => {
    const limit = { code: 'LimitExceeded' };
    assert.throws(() => readIndex(Buffer.alloc(MAX_INDEX_SIZE + 1, 0x20), SOURCE), limit);
    const many = `{"apiVersion":"v1","entries":{"demo":[${'null,'.repeat(MAX_INDEX_VERSIONS)}null]}}`;
    assert.throws(() => readIndex(Buffer.from(many), SOURCE), limit);
    const deep = Buffer.from(`serverInfo: ${'{a: '.repeat(150)}1${'}'.repeat(150)}`);
    assert.throws(() => readIndex(deep, SOURCE), /depth|nest/);
    const bomb = Buffer.from(
      `apiVersion: v1\na: &a [${'x,'.repeat(200)}]\nb: &b [${'*a,'.repeat(200)}]\nc: &c [${'*b,'.repeat(200)}]\nd: [${'*c,'.repeat(200)}]\n`,
    );
    const start = performance.now();
    assert.throws(() => readIndex(bomb, SOURCE), { code: 'IndexInvalid' });
    assert.ok(performance.now() - start < 2000);
  });
});

describe('selectVersion', () => {
  const read = readIndex(index(entry('1.2.3') + entry('1.10.0') + entry('2.0.0-rc.1') + entry('0.9.0')), SOURCE);
  const cases: readonly [asked: string, version: string | undefined, warned?: boolean][] = [
    ['', '1.10.0'],
    ['1.2.3', '1.2.3'],
    ['2.0.0-rc.1', '2.0.0-rc.1'],
    ['v1.2.3', '1.2.3', true],
    ['1.2', '1.2.3', true],
    ['1', '1.10.0', true],
    ['^1.2.0', '1.10.0'],
    ['~1.2', '1.2.3'],
    ['1.x', '1.10.0'],
    ['<1', '0.9.0'],
    ['>0.0.0-0', '2.0.0-rc.1'],
    ['0.9 - 1.3', '1.2.3'],
    ['9.9.9', undefined],
    ['latest', undefined],
    ['>=', undefined],
  ];
  for (const [asked, version, warned = false] of cases) {
    it(`picks ${version ?? 'none'} for ${JSON.stringify(asked)}`, () => {
      const selected = selectVersion(read, 'demo', asked);
      assert.equal(selected?.chart.metadata.version, version);
      assert.equal(selected?.warning !== undefined, warned);
    });
  }

  it('knows no chart of another name', () => assert.equal(selectVersion(read, 'constructor', ''), undefined));
});

describe('resolveReferenceUrl', () => {
  const cases: readonly [base: string, reference: string, url: string][] = [
    ['http://h/charts', 'index.yaml', 'http://h/charts/index.yaml'],
    ['http://h/charts/', 'a/b-1.0.0+x.tgz', 'http://h/charts/a/b-1.0.0+x.tgz'],
    ['http://h', 'b.tgz', 'http://h/b.tgz'],
    ['http://h/a/b', '../c.tgz', 'http://h/a/c.tgz'],
    ['http://h/a', '../../../c.tgz', 'http://h/c.tgz'],
    ['http://h/a', '/c.tgz', 'http://h/c.tgz'],
    ['http://h/a', '//other/c.tgz', 'http://other/c.tgz'],
    ['http://h/a?token=x', 'c.tgz', 'http://h/a/c.tgz?token=x'],
    ['http://h/a?token=x', 'c.tgz?y=1', 'http://h/a/c.tgz?token=x'],
    ['http://h/a%2Fb', 'c%20d.tgz', 'http://h/a%2Fb/c%20d.tgz'],
    ['http://u:p@h/a', 'c.tgz', 'http://u:p@h/a/c.tgz'],
    ['http://h/a', 'https://x/y.tgz', 'https://x/y.tgz'],
    ['http://h/a', 'oci://x/y:1', 'oci://x/y:1'],
    ['http://h/a', './', 'http://h/a/'],
  ];
  for (const [base, reference, url] of cases) {
    it(`${base} and ${reference}`, () => assert.equal(resolveReferenceUrl(base, reference), url));
  }
});

describe('findChart', () => {
  const serve =
    (bytes: Uint8Array): FetchBytes =>
    (url) => {
      assert.equal(url, `${SOURCE}/index.yaml`);
      return Promise.resolve(bytes);
    };
  const query = { repository: SOURCE, name: 'demo', version: '' };

  it('finds the package', async () => {
    const found = await findChart(query, serve(index(entry('1.2.3'))));
    assert.equal(found.url, `${SOURCE}/demo-1.2.3.tgz`);
  });

  const failures: readonly [what: string, bytes: Uint8Array, version: string, message: string][] = [
    ['no such version', index(entry('1.2.3')), '9', `chart "demo" version "9" not found in ${SOURCE} repository`],
    ['only pre-releases', index(entry('1.0.0-a')), '', `chart "demo" not found in ${SOURCE} repository`],
    ['no URL', index('  - {name: demo, version: 1.2.3}\n'), '', 'chart "demo" has no downloadable URLs'],
    [
      'a broken URL',
      index('  - {name: demo, version: 1.2.3, urls: ["%zz"]}\n'),
      '',
      'failed to make chart URL absolute: failed to parse %zz as URL: parse "%zz": invalid URL escape "%zz"',
    ],
    ['no index', Buffer.from(''), '', `looks like "${SOURCE}" is not a valid chart repository or cannot be reached: empty index.yaml file`],
  ];
  for (const [what, bytes, version, message] of failures) {
    it(`fails for ${what} in Helm’s words`, async () => {
      await assert.rejects(findChart({ ...query, version }, serve(bytes)), { message });
    });
  }

  it('takes http and https only', async () => {
    const fetch = serve(index(entry('1.2.3')));
    await assert.rejects(findChart({ ...query, repository: 'ftp://x' }, fetch), { message: 'could not find protocol handler for: ftp' });
    await assert.rejects(findChart({ ...query, repository: 'http://[x' }, fetch), { message: 'invalid chart URL format: http://[x' });
  });

  it('checks the package against the index', async () => {
    const bytes = Buffer.from('package');
    const of = async (digest: string): Promise<void> => {
      const { chart } = await findChart(query, serve(index(entry('1.2.3', `, digest: "${digest}"`))));
      checkPackage(bytes, chart);
    };
    await of('');
    await of(digestOf(bytes));
    await of(digestOf(bytes).slice('sha256:'.length));
    await assert.rejects(of('0'.repeat(64)), (error) => isCodedError(error, 'DigestMismatch'));
    await assert.rejects(of('abc'), (error) => isCodedError(error, 'IndexInvalid'));
  });
});
