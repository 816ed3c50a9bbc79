import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { memoryTree } from '../../manifest/index.ts';
import { isCodedError } from '../../std/index.ts';
import { loadChart, packageChart, render, type Chart } from '../index.ts';
import { MAX_FILE_SIZE } from './archive.ts';
import { writeTar } from './tar-write.ts';

const CHART = 'apiVersion: v2\nname: demo\nversion: 1.2.3\n';

function tree(files: Record<string, string | Uint8Array>): Chart {
  return loadChart(memoryTree({ 'Chart.yaml': CHART, ...files }));
}

function archive(files: Record<string, string>): Uint8Array {
  return gzipSync(
    writeTar(
      Object.entries(files).map(([name, text]) => ({ name, data: Buffer.from(text) })),
      0,
    ),
  );
}

function fails(run: () => unknown, code: string, message: RegExp | string): void {
  assert.throws(run, (error: Error) => {
    assert.ok(isCodedError(error, code), `${String(error)} has not code ${code}`);
    if (typeof message === 'string') assert.equal(error.message, message);
    else assert.match(error.message, message);
    return true;
  });
}

describe('loadChart of a folder', () => {
  it('sorts files into templates, values, schema and the rest', () => {
    const chart = tree({
      'values.yaml': 'a: 1',
      'templates/a.yaml': 'x',
      'crds/c.yaml': 'y',
      'README.md': 'z',
      'values.schema.json': '{}',
    });
    assert.deepEqual(
      chart.templates.map(({ name }) => name),
      ['templates/a.yaml'],
    );
    assert.deepEqual(
      chart.files.map(({ name }) => name),
      ['README.md', 'crds/c.yaml'],
    );
    assert.equal(chart.values.get('a'), 1);
    assert.equal(chart.schema?.text, '{}');
  });

  it('writes numbers as text the way Go does: a hash that looks like a float becomes one', () => {
    const appVersion = (text: string): string =>
      loadChart(memoryTree({ 'Chart.yaml': `${CHART}appVersion: ${text}\n` })).metadata.appVersion;
    assert.equal(appVersion('72445e2'), '7.2445e+06');
    assert.equal(appVersion('7244500'), '7244500');
    assert.equal(appVersion('1e3'), '1000');
    assert.equal(appVersion('1.10'), '1.1');
    assert.equal(appVersion('"72445e2"'), '72445e2');
    assert.equal(appVersion('12345678901234567890'), '12345678901234567890');
  });

  it('takes times in Chart.lock as RFC 3339 only', () => {
    const message =
      'cannot load Chart.lock: error unmarshaling JSON: while decoding JSON: ' +
      'parsing time "2020-01-01" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T"';
    fails(() => tree({ 'Chart.lock': 'generated: "2020-01-01"\n' }), 'ChartInvalid', message);
  });

  it('strips a byte order mark and obeys .helmignore', () => {
    const chart = tree({
      'values.yaml': '\ufeffa: 1',
      '.helmignore': '\ufeff# no notes\nsecret*\n*.bak\n',
      'secret.txt': '1',
      'x.bak': '2',
      'keep.txt': '3',
    });
    assert.deepEqual(
      chart.files.map(({ name }) => name),
      ['.helmignore', 'keep.txt'],
    );
    assert.equal(chart.values.get('a'), 1);
  });

  it('reads dependencies of a v1 chart from requirements.yaml', () => {
    const chart = loadChart(
      memoryTree({ 'Chart.yaml': 'name: old\nversion: "1"\n', 'requirements.yaml': 'dependencies:\n- name: sub\n  version: 1.x\n' }),
    );
    assert.equal(chart.metadata.apiVersion, 'v1');
    assert.equal(chart.metadata.dependencies?.[0]?.name, 'sub');
  });

  it('loads charts under charts/, folders and packages, but not those with a _ or .', () => {
    const packed = packageChart(loadChart(memoryTree({ 'Chart.yaml': 'apiVersion: v2\nname: packed\nversion: 1.0.0\n' }))).bytes;
    const chart = tree({
      'charts/a/Chart.yaml': 'apiVersion: v2\nname: a\nversion: 1.0.0\n',
      'charts/p.tgz': packed,
      'charts/_off/Chart.yaml': 'x',
    });
    assert.deepEqual(
      chart.dependencies.map(({ metadata }) => metadata.name),
      ['a', 'packed'],
    );
  });

  it('keeps __proto__ and constructor as plain keys', () => {
    const chart = tree({
      'values.yaml': '__proto__: {polluted: 1}\nconstructor: x\n',
      'templates/NOTES.txt': '{{ .Values.__proto__.polluted }}{{ .Values.constructor }}',
    });
    assert.equal(render(chart, { release: { name: 'r', namespace: 'n' } }).notes, '1x');
    assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
  });

  it('says in Helm’s words what is wrong', () => {
    fails(() => loadChart(memoryTree({})), 'ChartInvalid', 'Chart.yaml file is missing');
    fails(
      () => loadChart(memoryTree({ 'Chart.yaml': 'apiVersion: v2\nname: x' })),
      'ChartInvalid',
      'validation: chart.metadata.version is required',
    );
    fails(
      () => loadChart(memoryTree({ 'Chart.yaml': 'apiVersion: v2\nname: ../x\nversion: 1.0.0' })),
      'ChartInvalid',
      'validation: chart.metadata.name "../x" is invalid',
    );
    fails(
      () => loadChart(memoryTree({ 'Chart.yaml': 'name: [a]' })),
      'ChartInvalid',
      'cannot load Chart.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go struct field Metadata.name of type string',
    );
    fails(
      () => tree({ 'values.yaml': '- a' }),
      'ChartInvalid',
      /^cannot load values.yaml: cannot unmarshal yaml document: .* of type map\[string\]interface \{\}$/,
    );
    fails(() => tree({ '.helmignore': '**/x' }), 'ChartInvalid', 'double-star (**) syntax is not supported');
  });

  it('reads numbers where text is wanted as sigs.k8s.io/yaml does', () => {
    const { metadata } = loadChart(
      memoryTree({ 'Chart.yaml': 'apiVersion: v2\nname: n\nversion: 1.0\nappVersion: 1.50\nannotations: {a: 1, b: true}\n' }),
    );
    assert.equal(metadata.version, '1');
    assert.equal(metadata.appVersion, '1.5');
    assert.deepEqual(metadata.annotations, { a: '1', b: 'true' });
  });

  it('refuses a file above its bound', () => {
    fails(
      () => tree({ 'big.bin': new Uint8Array(MAX_FILE_SIZE + 1) }),
      'LimitExceeded',
      `chart file "big.bin" is larger than the maximum file size ${MAX_FILE_SIZE}`,
    );
  });
});

describe('loadChart of a package', () => {
  it('gives the chart that was packed', () => {
    const chart = tree({
      'values.yaml': 'a: 1\n',
      'templates/a.yaml': 'x: 1\n',
      'charts/sub/Chart.yaml': 'apiVersion: v2\nname: sub\nversion: 1.0.0\n',
    });
    const packed = packageChart(chart, { version: '2.0.0' });
    assert.equal(packed.fileName, 'demo-2.0.0.tgz');
    const again = loadChart(packed.bytes);
    assert.equal(again.metadata.version, '2.0.0');
    assert.deepEqual(
      again.raw.map(({ name }) => name),
      ['Chart.yaml', 'values.yaml', 'templates/a.yaml', 'charts/sub/Chart.yaml'],
    );
    assert.deepEqual(packageChart(again).bytes, packageChart(again).bytes);
  });

  it('is loaded once for the same bytes', () => {
    const { bytes } = packageChart(tree({}));
    assert.equal(loadChart(bytes), loadChart(Uint8Array.from(bytes)));
  });

  it('takes long names', () => {
    const name = `templates/${'d/'.repeat(60)}${'n'.repeat(120)}é.yaml`;
    assert.equal(loadChart(packageChart(tree({ [name]: 'x' })).bytes).templates[0]?.name, name);
  });

  it('refuses names that lead out of the chart', () => {
    const chart = { 'demo/Chart.yaml': CHART };
    fails(
      () => loadChart(archive({ ...chart, 'demo/../../etc/passwd': 'x' })),
      'ArchiveInvalid',
      'chart illegally references parent directory',
    );
    fails(() => loadChart(archive({ ...chart, 'demo//etc/passwd': 'x' })), 'ArchiveInvalid', 'chart illegally contains absolute paths');
    fails(
      () => loadChart(archive({ ...chart, outside: 'x' })),
      'ArchiveInvalid',
      'chart illegally contains content outside the base directory: "outside"',
    );
    fails(() => loadChart(archive({ ...chart, 'demo/c:/x': 'x' })), 'ArchiveInvalid', 'chart contains illegally named files');
    fails(() => loadChart(archive({ 'Chart.yaml': CHART })), 'ArchiveInvalid', /outside the base directory/);
  });

  it('refuses what is no archive, a cut one and a bomb', () => {
    fails(() => loadChart(Buffer.from('hello')), 'ArchiveInvalid', 'gzip: invalid header');
    const { bytes } = packageChart(tree({ 'a.txt': 'x'.repeat(5000) }));
    fails(() => loadChart(bytes.subarray(0, bytes.length - 20)), 'ArchiveInvalid', 'unexpected EOF');
    const bomb = Buffer.concat(new Array<Buffer>(11).fill(gzipSync(Buffer.alloc(16 * 1024 * 1024))));
    fails(() => loadChart(bomb), 'LimitExceeded', /larger than the maximum size/);
    fails(() => loadChart(gzipSync(Buffer.from('not a tar'.repeat(200)))), 'ArchiveInvalid', 'archive/tar: invalid tar header');
  });
});
