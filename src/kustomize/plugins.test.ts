import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryTree } from '../manifest/index.ts';
import { build, KustomizeError, type BuildOptions, type HelmChartRequest } from './index.ts';

const MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n';

function failure(files: Record<string, string>, options?: BuildOptions): { code: string; message: string } {
  try {
    build(memoryTree(files), '', options);
  } catch (error) {
    if (error instanceof KustomizeError) return { code: error.code, message: error.message };
    throw error;
  }
  return { code: 'none', message: '' };
}

describe('plugins that are programs', () => {
  const config = (annotation: string): string =>
    `apiVersion: ex.io/v1\nkind: Custom\nmetadata:\n  name: x\n  annotations:\n    config.kubernetes.io/function: |\n      ${annotation}\n`;
  const forms = {
    program: config('exec: {path: ./run.sh}'),
    container: config('container: {image: example.com/fn}'),
    starlark: config('starlark: {path: fn.star}'),
    legacy: 'apiVersion: ex.io/v1\nkind: Custom\nmetadata: {name: x}\n',
  };
  for (const [name, text] of Object.entries(forms)) {
    it(`are refused: ${name}`, () => {
      for (const field of ['generators', 'transformers', 'validators']) {
        const files = { 'kustomization.yaml': `resources: [a.yaml]\n${field}: [fn.yaml]\n`, 'a.yaml': MAP, 'fn.yaml': text };
        assert.equal(failure(files).code, 'PluginDenied', field);
      }
    });
  }
});

describe('validators', () => {
  it('may look but not touch', () => {
    const validator =
      'apiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: x}\nprefix: p-\nfieldSpecs: [{path: metadata/name}]\n';
    const files = { 'kustomization.yaml': 'resources: [a.yaml]\nvalidators: [v.yaml]\n', 'a.yaml': MAP, 'v.yaml': validator };
    assert.match(failure(files).message, /^validator shouldn't modify the resource map/);
    assert.equal(failure({ ...files, 'v.yaml': validator.replace('prefix: p-', 'prefix: ""') }).code, 'none');
  });
});

describe('helmCharts', () => {
  const files = {
    'kustomization.yaml':
      'namespace: apps\nnamePrefix: p-\nhelmCharts:\n- name: web\n  releaseName: rel\n  valuesFile: values.yaml\n  additionalValuesFiles: [more.yaml]\n  valuesInline: {replicas: 3, image: {tag: v2}}\n',
    'values.yaml': 'replicas: 1\nimage: {name: app, tag: v1}\n',
    'more.yaml': 'extra: true\n',
    'charts/web/Chart.yaml': 'name: web\nversion: 1.0.0\n',
  };

  it('are refused without an engine', () => {
    assert.equal(failure(files).code, 'HelmDenied');
  });

  it('are rendered by the engine and then kustomized', () => {
    const asked: HelmChartRequest[] = [];
    const inflateHelmChart = (request: HelmChartRequest): string => {
      asked.push(request);
      const { releaseName = '', namespace = '' } = request.chart;
      return `---\n# Source: web\napiVersion: v1\nkind: Service\nmetadata: {name: ${releaseName}, namespace: ${namespace}}\n`;
    };
    const { objects, reads } = build(memoryTree(files), '', { inflateHelmChart });
    assert.deepEqual(
      objects.map(({ metadata }) => metadata),
      [{ name: 'p-rel', namespace: 'apps' }],
    );
    const [{ path, vendored, values } = { path: '', vendored: false, values: [] }] = asked;
    assert.deepEqual({ path, vendored }, { path: 'charts/web', vendored: true });
    assert.deepEqual(values, [{ replicas: 3, image: { name: 'app', tag: 'v2' } }, { extra: true }]);
    assert.deepEqual([...reads].sort(), ['kustomization.yaml', 'more.yaml', 'values.yaml']);
  });

  it('that fail say which chart', () => {
    const inflateHelmChart = (): string => {
      throw new KustomizeError('GeneratorFailed', 'no such template');
    };
    assert.match(failure(files, { inflateHelmChart }).message, /no such template/);
  });
});
