import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryTree } from '../manifest/index.ts';
import { isCodedError } from '../std/index.ts';
import { buildFlux, type FluxKustomizationSpec } from './index.ts';

const pod = (name: string, image = 'nginx:1'): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec: {containers: [{name: c, image: "${image}"}]}\n`;

function names(files: Record<string, string>, path = '', spec: FluxKustomizationSpec = {}): string[] {
  return buildFlux(memoryTree(files), path, spec).objects.map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`);
}

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return isCodedError(error) ? error.code : String(error);
  }
  return 'no error';
}

describe('a folder without a kustomization (KB20)', () => {
  it('is all its manifests, recursively, in order', () => {
    assert.deepEqual(names({ 'b.yaml': pod('b'), 'a/x.yml': pod('x'), 'a/notes.txt': 'no yaml: [', 'c.json': '{' }), ['/x', '/b']);
  });

  it('takes folders that have their own kustomization as bases', () => {
    const files = {
      'base/kustomization.yaml': 'resources: [p.yaml]\nnamePrefix: own-\n',
      'base/p.yaml': pod('p'),
      'base/deeper/q.yaml': pod('q'),
      'z.yaml': pod('z'),
    };
    assert.deepEqual(names(files), ['/own-p', '/z']);
  });

  it('fails on a file that is no Kubernetes YAML', () => {
    const build = (): unknown => buildFlux(memoryTree({ 'a.yaml': 'just: text\n' }), '');
    assert.throws(build, /failed to decode Kubernetes YAML from \/a\.yaml: missing Resource metadata/);
  });

  it('may hold nothing', () => {
    assert.deepEqual(names({ 'README.md': '' }), []);
  });

  it('reports what it read', () => {
    assert.deepEqual([...buildFlux(memoryTree({ 'a.yaml': pod('a'), 'other/b.yaml': pod('b') }), 'other').reads], ['other/b.yaml']);
  });
});

describe('the spec of a Kustomization (KB21)', () => {
  const files = {
    'kustomization.yaml':
      'resources: [p.yaml]\nnamespace: own\nnamePrefix: own-\nimages:\n- name: nginx\n  newName: mirror/nginx\n  newTag: "2"\n',
    'p.yaml': pod('p'),
  };

  it('replaces namespace, prefix and suffix', () => {
    assert.deepEqual(names(files), ['own/own-p']);
    assert.deepEqual(names(files, '', { targetNamespace: 'prod', namePrefix: 'a-', nameSuffix: '-z' }), ['prod/a-p-z']);
  });

  it('merges images by name, tag and digest as one', () => {
    const spec = (images: NonNullable<FluxKustomizationSpec['images']>): unknown =>
      buildFlux(memoryTree(files), '', { images }).objects[0]?.['spec'];
    assert.deepEqual(spec([]), { containers: [{ name: 'c', image: 'mirror/nginx:2' }] });
    assert.deepEqual(spec([{ name: 'nginx', digest: 'sha256:abc' }]), { containers: [{ name: 'c', image: 'mirror/nginx@sha256:abc' }] });
    assert.deepEqual(spec([{ name: 'nginx', newName: 'other' }]), { containers: [{ name: 'c', image: 'other:2' }] });
  });

  it('appends patches', () => {
    const patch = 'apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {patched: "true"}}\n';
    const { objects } = buildFlux(memoryTree(files), '', {
      patches: [{ patch }, { patch: '[{"op": "add", "path": "/x", "value": 1}]', target: { kind: 'Pod' } }],
    });
    assert.deepEqual(objects[0]?.metadata.labels, { patched: 'true' });
    assert.equal(objects[0]?.['x'], 1);
  });

  it('reads the file as YAML with text where text is wanted', () => {
    const lenient = { ...files, 'kustomization.yaml': 'resources: [p.yaml]\nunknown: 1\ncommonLabels: {x: y, m: 5}\n' };
    assert.deepEqual(buildFlux(memoryTree(lenient), '').objects[0]?.metadata.labels, { x: 'true', m: '5' });
  });

  it('keeps load order', () => {
    const order = {
      'kustomization.yaml': 'resources: [p.yaml, n.yaml]\n',
      'p.yaml': pod('p'),
      'n.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: {name: n}\n',
    };
    assert.deepEqual(names(order), ['/p', '/n']);
  });
});

describe('components of the spec (KB22)', () => {
  const files = {
    'app/kustomization.yaml': 'resources: [p.yaml]\n',
    'app/p.yaml': pod('p'),
    'comp/kustomization.yaml': 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnameSuffix: -c\n',
  };

  it('are local and relative, and may be missing only if that is ignored', () => {
    assert.deepEqual(names(files, 'app', { components: ['../comp'] }), ['/p-c']);
    assert.equal(
      codeOf(() => names(files, 'app', { components: ['https://example.com/x'] })),
      'PathDenied',
    );
    assert.equal(
      codeOf(() => names(files, 'app', { components: ['../none'] })),
      'FileMissing',
    );
    assert.deepEqual(names(files, 'app', { components: ['../none', '../comp'], ignoreMissingComponents: true }), ['/p-c']);
  });
});

describe('what a build may read (KB23)', () => {
  it('is all of the artifact, and nothing else', () => {
    const files = { 'app/kustomization.yaml': 'resources: [../shared/p.yaml]\n', 'shared/p.yaml': pod('p') };
    assert.deepEqual(names(files, 'app'), ['/p']);
    assert.equal(
      codeOf(() => names({ 'kustomization.yaml': 'resources: [../../etc/passwd]\n' })),
      'PathDenied',
    );
    assert.equal(
      codeOf(() => names({ 'kustomization.yaml': 'resources: [https://example.com/p.yaml]\n' })),
      'RemoteDenied',
    );
    assert.equal(
      codeOf(() => names({ 'kustomization.yaml': 'helmCharts: [{name: c}]\n' })),
      'HelmDenied',
    );
    assert.equal(
      codeOf(() => names({}, '../x')),
      'PathDenied',
    );
  });
});

describe('what is applied (KB24)', () => {
  it('has lists expanded, kustomize kinds and what is no object left out', () => {
    const files = {
      'kustomization.yaml': 'resources: [all.yaml]\n',
      'all.yaml': [
        'apiVersion: v1\nkind: PodList\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: one}}\n',
        'apiVersion: ex.io/v1\nkind: Bag\nmetadata: {name: bag}\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: two}}\n',
        'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nmetadata: {name: k}\n',
        'kind: NoVersion\nmetadata: {name: v}\n',
      ].join('---\n'),
    };
    assert.deepEqual(names(files).sort(), ['/one', '/two']);
  });
});

describe('a schema of the kustomization', () => {
  it("adds to Kubernetes' own, and is gone after the build", () => {
    const daemonSet = `apiVersion: apps/v1
kind: DaemonSet
metadata: {name: d}
spec: {template: {spec: {containers: [{name: c, image: app}]}}}
`;
    const patch =
      'apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: d}\nspec: {template: {spec: {containers: [{name: c, tty: true}]}}}\n';
    const files = {
      'kustomization.yaml': 'resources: [d.yaml]\nopenapi: {path: own.json}\n',
      'd.yaml': daemonSet,
      'own.json': '{"definitions": {}}',
    };
    const merged = { template: { spec: { containers: [{ image: 'app', name: 'c', tty: true }] } } };
    const spec = (input: Record<string, string>): unknown =>
      buildFlux(memoryTree(input), '', { patches: [{ patch }] }).objects[0]?.['spec'];
    assert.deepEqual(spec(files), merged);
    assert.deepEqual(spec({ ...files, 'kustomization.yaml': 'resources: [d.yaml]\n' }), merged);
  });
});

describe('files that are ignored', () => {
  it('are left out of a generated kustomization and of the lists of one that is there', () => {
    const ignore = (path: string): boolean => path.startsWith('skip');
    const generated = { 'a.yaml': pod('a'), 'skip.yaml': 'no yaml: [', 'skipped/b.yaml': pod('b') };
    const built = (files: Record<string, string>): string[] =>
      buildFlux(memoryTree(files), '', {}, { ignore }).objects.map(({ metadata }) => metadata.name);
    assert.deepEqual(built(generated), ['a']);
    assert.deepEqual(built({ ...generated, 'kustomization.yaml': 'resources: [a.yaml, skip.yaml, skipped/b.yaml]\n' }), ['a']);
  });
});
