import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryTree } from '../manifest/index.ts';
import { build, type Build, type BuildOptions } from './index.ts';

function kustomize(files: Record<string, string>, path = '', options: BuildOptions = {}): Build {
  return build(memoryTree(files), path, options);
}

const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
      - name: app
        image: nginx:1.25
        ports:
        - containerPort: 8080
        envFrom:
        - configMapRef:
            name: settings
`;

const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  level: info\n';

describe('build', () => {
  it('prints resources sorted, without comments and anchors, one document each', () => {
    const files = {
      'kustomization.yaml': 'resources:\n- all.yaml\n',
      'all.yaml':
        '# top\nkind: Foo\napiVersion: ex.io/v1\nmetadata: {name: b}\nspec: &s {z: 1, a: 012}\nagain: *s\n---\n# nothing\n---\nkind: Namespace\napiVersion: v1\nmetadata: {name: ns}\n',
    };
    assert.equal(
      kustomize(files).text(),
      'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ns\n---\nagain:\n  a: 10\n  z: 1\napiVersion: ex.io/v1\nkind: Foo\nmetadata:\n  name: b\nspec:\n  a: 10\n  z: 1\n',
    );
  });

  it('renames, and fixes the references to what it renamed', () => {
    const { objects } = kustomize(
      {
        'base/kustomization.yaml': 'resources: [web.yaml]\nconfigMapGenerator:\n- name: settings\n  literals: [level=info]\n',
        'base/web.yaml': DEPLOYMENT,
        'prod/kustomization.yaml': 'resources: [../base]\nnamePrefix: prod-\nnamespace: shop\n',
      },
      'prod',
    );
    const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`);
    assert.deepEqual(names, ['ConfigMap shop/prod-settings-k4b9tgf9m9', 'Deployment shop/prod-web']);
    assert.match(JSON.stringify(objects[1]), /"configMapRef":\{"name":"prod-settings-k4b9tgf9m9"\}/);
  });

  it('adds one and the same label to all places, so that a patch of one changes all', () => {
    const { objects } = kustomize(
      {
        'base/kustomization.yaml': 'resources: [web.yaml]\ncommonLabels: {team: red}\n',
        'base/web.yaml': DEPLOYMENT,
        'kustomization.yaml':
          'resources: [base]\npatches:\n- patch: |\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: web, labels: {team: blue}}\n',
      },
      '',
    );
    assert.equal(JSON.stringify(objects).match(/"team":"blue"/g)?.length, 3);
  });

  it('says which files it read', () => {
    const files = {
      'kustomization.yaml': 'resources: [a.yaml]\npatches:\n- path: p.yaml\n',
      'a.yaml': CONFIG_MAP,
      'p.yaml': CONFIG_MAP,
      'unused.yaml': '',
    };
    assert.deepEqual([...kustomize(files).reads].sort(), ['a.yaml', 'kustomization.yaml', 'p.yaml']);
  });

  it('warns about deprecated fields', () => {
    const { diagnostics } = kustomize({ 'kustomization.yaml': 'resources: [a.yaml]\ncommonLabels: {a: b}\n', 'a.yaml': CONFIG_MAP });
    assert.deepEqual(diagnostics, [
      {
        severity: 'warning',
        code: 'DeprecatedField',
        message:
          "# Warning: 'commonLabels' is deprecated. Please use 'labels' instead. Run 'kustomize edit fix' to update your Kustomization automatically.",
        file: 'kustomization.yaml',
      },
    ]);
  });

  it('keeps load order when asked to', () => {
    const files = { 'kustomization.yaml': 'resources: [web.yaml, a.yaml]\n', 'web.yaml': DEPLOYMENT, 'a.yaml': CONFIG_MAP };
    assert.deepEqual(
      kustomize(files, '', { reorder: 'none' }).objects.map(({ kind }) => kind),
      ['Deployment', 'ConfigMap'],
    );
    assert.deepEqual(
      kustomize(files).objects.map(({ kind }) => kind),
      ['ConfigMap', 'Deployment'],
    );
  });

  it('leaves resources marked as local out', () => {
    const local = CONFIG_MAP.replace(
      '  name: settings\n',
      '  name: settings\n  annotations: {config.kubernetes.io/local-config: "true"}\n',
    );
    assert.deepEqual(kustomize({ 'kustomization.yaml': 'resources: [a.yaml]\n', 'a.yaml': local }).objects, []);
  });

  it('is a fixed point: building its own output gives it again', () => {
    const files = {
      'kustomization.yaml':
        'resources: [web.yaml, odd.yaml]\nnamePrefix: p-\nimages:\n- name: nginx\n  newTag: "1.26"\nlabels:\n- pairs: {a: "1"}\nsecretGenerator:\n- name: s\n  literals: [k=v]\n',
      'web.yaml': DEPLOYMENT,
      'odd.yaml':
        'apiVersion: ex.io/v1\nkind: Odd\nmetadata: {name: odd, annotations: {n: "1.50", t: "yes"}}\nspec: {a: 1.50, b: "012", c: ~, d: |\n  x\n   y\n, e: 2020-01-01, f: "1e3", g: [[], {}], "y": n}\n'.replace(
          '|\n  x\n   y\n,',
          '"x\\n y\\n",',
        ),
    };
    const once = kustomize(files).text();
    assert.equal(kustomize({ 'kustomization.yaml': 'resources: [all.yaml]\n', 'all.yaml': once }).text(), once);
  });
});

describe('a kustomization file', () => {
  const failure = (text: string): string => {
    try {
      kustomize({ 'kustomization.yaml': text });
    } catch (error) {
      return (error as Error).message;
    }
    return 'no error';
  };

  it('is decoded strictly, with the errors of encoding/json', () => {
    assert.equal(failure('resource: []\n'), 'invalid Kustomization: json: unknown field "resource"');
    assert.equal(
      failure('labels:\n- pairs: {x: y}\n'),
      'invalid Kustomization: json: cannot unmarshal bool into Go struct field Label.labels.pairs of type string',
    );
    assert.equal(
      failure('resources: a\n'),
      'invalid Kustomization: json: cannot unmarshal string into Go struct field Kustomization.resources of type []string',
    );
    assert.equal(
      failure('replicas:\n- name: a\n  count: 1.5\n'),
      'invalid Kustomization: json: cannot unmarshal number 1.5 into Go struct field Replica.replicas.count of type int64',
    );
  });

  it('may not be empty, nor of another kind', () => {
    assert.equal(failure(''), 'kustomization.yaml is empty');
    assert.equal(
      failure('kind: Other\nresources: []\n'),
      'Failed to read kustomization file under /:\nkind should be Kustomization or Component',
    );
  });

  it('may be written with other letter cases', () => {
    assert.deepEqual(
      kustomize({ 'kustomization.yaml': 'Resources: [a.yaml]\nNAMEPREFIX: x-\n', 'a.yaml': CONFIG_MAP }).objects[0]?.metadata.name,
      'x-settings',
    );
  });
});
