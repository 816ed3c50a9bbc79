import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { memoryTree } from '../../manifest/index.ts';
import {
  decodeRelease,
  encodeRelease,
  loadChart,
  manifestText,
  recordChart,
  releaseHooks,
  releaseObject,
  releaseObjectName,
  releaseOf,
  render,
  type Release,
} from '../index.ts';
import { renderName, validateReleaseName } from './name.ts';

const chart = loadChart(
  memoryTree({
    'Chart.yaml': 'apiVersion: v2\nname: demo\nversion: 1.0.0\nkeywords: [a]\n',
    'values.yaml': 'a: 1\n',
    'templates/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n',
    'templates/h.yaml':
      'apiVersion: v1\nkind: Pod\nmetadata: {name: h, annotations: {helm.sh/hook: "pre-install,test", helm.sh/hook-weight: "3"}}\n',
  }),
);

function release(): Release {
  const rendered = render(chart, { release: { name: 'r', namespace: 'n' } });
  return {
    name: 'r',
    namespace: 'n',
    version: 2,
    status: 'deployed',
    description: 'Upgrade complete',
    firstDeployed: '2026-01-01T00:00:00Z',
    lastDeployed: '2026-01-02T00:00:00.5Z',
    notes: 'hi',
    config: { big: 9007199254740993n, b: [1.5, null] },
    chart: recordChart(rendered.chart),
    manifest: manifestText(rendered.manifests),
    hooks: releaseHooks(rendered.hooks),
    applyMethod: 'ssa',
    labels: { team: 'x' },
  };
}

describe('a stored release', () => {
  it('has the JSON Helm writes', () => {
    const json = JSON.parse(gunzipSync(Buffer.from(encodeRelease(release()), 'base64')).toString()) as Record<string, never>;
    assert.deepEqual(Object.keys(json).sort(), [
      'apply_method',
      'chart',
      'config',
      'hooks',
      'info',
      'manifest',
      'name',
      'namespace',
      'version',
    ]);
    assert.deepEqual(json['info'], {
      deleted: '',
      description: 'Upgrade complete',
      first_deployed: '2026-01-01T00:00:00Z',
      last_deployed: '2026-01-02T00:00:00.5Z',
      notes: 'hi',
      status: 'deployed',
    });
    assert.deepEqual(json['chart'], {
      files: null,
      lock: null,
      metadata: { apiVersion: 'v2', keywords: ['a'], name: 'demo', version: '1.0.0' },
      schema: null,
      schemamodtime: '0001-01-01T00:00:00Z',
      templates: chart.templates.map(({ name, data }) => ({ name, data: Buffer.from(data).toString('base64') })),
      values: { a: 1 },
    });
    assert.deepEqual(json['hooks'], [
      {
        events: ['pre-install', 'test'],
        kind: 'Pod',
        last_run: { phase: '' },
        manifest: chart.templates[1]?.text,
        name: 'h',
        path: 'demo/templates/h.yaml',
        weight: 3,
      },
    ]);
  });

  for (const driver of ['Secret', 'ConfigMap'] as const) {
    it(`comes back from a ${driver}`, () => {
      const stored = releaseObject(release(), driver, { modifiedAt: 1767312000 });
      assert.equal(stored.metadata.name, 'sh.helm.release.v1.r.v2');
      assert.deepEqual(stored.metadata.labels, {
        modifiedAt: '1767312000',
        team: 'x',
        name: 'r',
        owner: 'helm',
        status: 'deployed',
        version: '2',
      });
      assert.equal(stored['type'], driver === 'Secret' ? 'helm.sh/release.v1' : undefined);
      assert.deepEqual(encodeRelease(releaseOf(stored)), encodeRelease(release()));
      assert.deepEqual(releaseOf(stored).labels, { team: 'x' });
    });
  }

  it('of Helm 3 is read: empty times, no apply method, no compression', () => {
    const json = {
      name: 'r',
      info: { first_deployed: '2020-01-01T00:00:00Z', deleted: '', status: 'superseded' },
      version: 1,
      namespace: 'n',
      hooks: [{ name: 'h', last_run: { started_at: '', phase: 'Succeeded' } }],
    };
    for (const bytes of [Buffer.from(JSON.stringify(json)), gzipSync(JSON.stringify(json))]) {
      const read = decodeRelease(bytes.toString('base64'));
      assert.equal(read.deleted, undefined);
      assert.equal(read.applyMethod, undefined);
      assert.equal(read.status, 'superseded');
      assert.deepEqual(read.hooks[0]?.lastRun, { phase: 'Succeeded' });
    }
  });

  it('that is broken is refused', () => {
    assert.throws(() => decodeRelease(Buffer.from('[]').toString('base64')), { code: 'ReleaseInvalid' });
    assert.throws(() => decodeRelease(gzipSync('{').toString('base64')), { code: 'ReleaseInvalid' });
    assert.throws(() => releaseOf({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x' } }), {
      message: 'read release: no release in Secret x',
    });
  });
});

describe('release names', () => {
  it('are those of Helm', () => {
    assert.equal(releaseObjectName('a', 3), 'sh.helm.release.v1.a.v3');
    validateReleaseName('a.b-c');
    assert.throws(() => validateReleaseName('A'), { code: 'ReleaseNameInvalid' });
    assert.throws(() => validateReleaseName('a'.repeat(54)), { code: 'ReleaseNameInvalid' });
    assert.equal(renderName('{{ "ABC" | lower }}-x'), 'abc-x');
  });
});
