import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryTree } from '../manifest/index.ts';
import { build, buildFlux, KustomizeError, type BuildOptions } from './index.ts';

const map = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`;

function codeOf(files: Record<string, string>, options: BuildOptions = {}, path = ''): string {
  try {
    build(memoryTree(files), path, options);
  } catch (error) {
    if (error instanceof KustomizeError) return error.code;
    throw error;
  }
  return 'none';
}

/** Runs within some seconds, on a busy machine too. */
function quickly(work: () => void): void {
  const start = performance.now();
  work();
  const took = performance.now() - start;
  assert.ok(took < 5000, `took ${took} ms`);
}

describe('hostile YAML', () => {
  const nine = (name: string, below: string): string => `${name}: &${name} [${Array.from({ length: 9 }, () => `*${below}`).join(', ')}]\n`;
  const bomb = `a: &a [x, x, x, x, x, x, x, x, x]\n${[...'bcdefghijk'].map((letter, i) => nine(letter, 'abcdefghijk'.charAt(i))).join('')}`;

  it('that multiplies by aliases is refused, wherever it is', () => {
    quickly(() => {
      assert.notEqual(codeOf({ 'kustomization.yaml': 'resources: [a.yaml]\n', 'a.yaml': map('a') + bomb }), 'none');
      assert.notEqual(codeOf({ 'kustomization.yaml': `resources: []\n${bomb}` }), 'none');
      assert.notEqual(
        codeOf({ 'kustomization.yaml': 'resources: [a.yaml]\npatches: [{path: p.yaml}]\n', 'a.yaml': map('a'), 'p.yaml': map('a') + bomb }),
        'none',
      );
      assert.throws(() => buildFlux(memoryTree({ 'a.yaml': map('a') + bomb }), ''), KustomizeError);
    });
  });

  it('that is nested deeply is refused', () => {
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
    const json = `{"op": "add", "path": "/x", "value": ${deep}}`;
    quickly(() => {
      assert.notEqual(codeOf({ 'kustomization.yaml': 'resources: [a.yaml]\n', 'a.yaml': `${map('a')}x: ${deep}\n` }), 'none');
      assert.notEqual(codeOf({ 'kustomization.yaml': `resources: ${deep}\n` }), 'none');
      assert.notEqual(
        codeOf({
          'kustomization.yaml': 'resources: [a.yaml]\npatches: [{target: {kind: ConfigMap}, path: p.json}]\n',
          'a.yaml': map('a'),
          'p.json': `[${json}]`,
        }),
        'none',
      );
    });
  });

  it('that grows with each patch is refused before it fills the memory', () => {
    const copies = Array.from({ length: 60 }, (_, i) => `{"op": "copy", "from": "/data", "path": "/data/k${i}"}`).join(',');
    const files = {
      'kustomization.yaml': 'resources: [a.yaml]\npatches: [{target: {kind: ConfigMap}, path: p.json}]\n',
      'a.yaml': `${map('a')}data: {x: {y: z}}\n`,
      'p.json': `[${copies}]`,
    };
    quickly(() => assert.equal(codeOf(files), 'LimitExceeded'));
  });

  it('that nests deeper with each patch is refused', () => {
    const deep = `${'['.repeat(300)}1${']'.repeat(300)}`;
    const path = (levels: number): string => `/data${'/0'.repeat(levels)}`;
    const operations = Array.from({ length: 60 }, (_, i) => `{"op": "replace", "path": "${path(i * 300)}", "value": ${deep}}`).join(',');
    const files = {
      'kustomization.yaml': 'resources: [a.yaml]\npatches: [{target: {kind: ConfigMap}, path: p.json}]\n',
      'a.yaml': map('a'),
      'p.json': `[${operations}]`,
    };
    quickly(() => assert.notEqual(codeOf(files), 'none'));
  });

  it('that is not text is refused', () => {
    const tree = memoryTree({ 'kustomization.yaml': 'resources: [a.yaml]\n', 'a.yaml': new Uint8Array([0xff, 0xfe, 0x00, 0x80, 0xc3]) });
    assert.throws(() => build(tree, ''), KustomizeError);
  });
});

describe('changes that multiply', () => {
  const files = (kustomization: string): Record<string, string> => ({
    'kustomization.yaml': `resources: [a.yaml]\n${kustomization}`,
    'a.yaml': Array.from({ length: 2000 }, (_, i) => `${map(`a${i}`)}data: {k: v}\n`).join('---\n'),
  });
  const long = 'x'.repeat(1_000_000);

  it('have a budget: labels, prefixes, patches', () => {
    quickly(() => {
      assert.equal(
        codeOf(files(`commonAnnotations: {${Array.from({ length: 30 }, (_, i) => `k${i}: ${long}`).join(', ')}}\n`)),
        'LimitExceeded',
      );
      assert.equal(codeOf(files(`namePrefix: ${long.repeat(2)}\n`)), 'LimitExceeded');
      const list = `[${'1,'.repeat(30_000)}1]`;
      assert.equal(
        codeOf(files(`patches: [{target: {kind: ConfigMap}, patch: "{kind: X, metadata: {name: x}, data: {l: ${list}}}"}]\n`)),
        'LimitExceeded',
      );
      assert.equal(
        codeOf(files(`patches: [{target: {kind: ConfigMap}, patch: '[{"op": "add", "path": "/data/l", "value": ${list}}]'}]\n`)),
        'LimitExceeded',
      );
    });
  });

  it('have a budget: replacements', () => {
    const double =
      '{source: {kind: ConfigMap, name: a1, fieldPath: data}, targets: [{select: {name: a1}, fieldPaths: [data.FIELD], options: {create: true}}]}';
    const replacements = Array.from({ length: 60 }, (_, i) => double.replace('FIELD', `f${i}`)).join(', ');
    quickly(() => assert.equal(codeOf(files(`replacements: [${replacements}]\n`)), 'LimitExceeded'));
  });

  it('have a budget: vars', () => {
    const many = {
      'kustomization.yaml':
        'resources: [a.yaml]\nvars: [{name: V, objref: {apiVersion: v1, kind: ConfigMap, name: m}, fieldref: {fieldpath: data.v}}]\n',
      'a.yaml': `${map('m')}data: {v: ${long}}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, args: ["${'$(V)'.repeat(100_000)}"]}]}\n`,
    };
    quickly(() => assert.equal(codeOf(many), 'LimitExceeded'));
    quickly(() => assert.equal(codeOf({ ...many, 'a.yaml': many['a.yaml'].replace(/\$\(V\)/g, '$(V') }), 'none'));
  });
});

describe('hostile patterns', () => {
  const files = (kustomization: string): Record<string, string> => ({
    'kustomization.yaml': `resources: [a.yaml]\n${kustomization}`,
    'a.yaml': `apiVersion: v1\nkind: Pod\nmetadata: {name: ${'a'.repeat(200)}}\nspec: {containers: [{name: c, image: "${'a'.repeat(5000)}!"}]}\n`,
  });

  it('of images and targets take linear time', () => {
    quickly(() => {
      assert.equal(codeOf(files('images: [{name: "(a+)+(a|a)*", newTag: x}]\n')), 'none');
      assert.equal(codeOf(files('patches: [{target: {name: "(a*)*b"}, patch: "[]"}]\n')), 'none');
    });
  });

  it('that are none are an error', () => {
    assert.equal(
      codeOf(files('patches: [{target: {name: "("}, patch: "[{\\"op\\": \\"remove\\", \\"path\\": \\"/x\\"}]"}]\n')),
      'TransformFailed',
    );
  });
});

describe('many', () => {
  it('components are fine, ten thousand of them', () => {
    const files: Record<string, string> = {
      'kustomization.yaml': `resources: [a.yaml]\ncomponents:\n${Array.from({ length: 10_000 }, (_, i) => `- c/${i}\n`).join('')}`,
      'a.yaml': map('a'),
    };
    for (let i = 0; i < 10_000; i++) files[`c/${i}/kustomization.yaml`] = 'kind: Component\nlabels: [{pairs: {a: b}}]\n';
    const { objects } = build(memoryTree(files), '');
    assert.deepEqual(objects[0]?.metadata.labels, { a: 'b' });
    assert.equal(codeOf(files, { limits: { maxKustomizations: 5000 } }), 'LimitExceeded');
  });

  it('bases in bases end at a depth', () => {
    const files: Record<string, string> = { 'b/500/kustomization.yaml': 'resources: [a.yaml]\n', 'b/500/a.yaml': map('a') };
    for (let i = 0; i < 500; i++) files[`b/${i}/kustomization.yaml`] = `resources: [../${i + 1}]\n`;
    assert.equal(codeOf(files, {}, 'b/0'), 'LimitExceeded');
    assert.equal(codeOf(files, {}, 'b/450'), 'none');
  });

  it('bases that fan out end at a number', () => {
    const files: Record<string, string> = {};
    for (let i = 0; i < 40; i++) {
      const next = Array.from({ length: 8 }, (_, k) => `../../${i + 1}/${k}`).join(', ');
      for (let k = 0; k < 8; k++) files[`${i}/${k}/kustomization.yaml`] = `resources: [${next}]\n`;
    }
    for (let k = 0; k < 8; k++) files[`40/${k}/kustomization.yaml`] = 'resources: []\nnamePrefix: x\n';
    quickly(() => assert.equal(codeOf(files, { limits: { maxKustomizations: 2000 } }, '0/0'), 'LimitExceeded'));
  });

  it('resources and bytes have budgets', () => {
    const files = {
      'kustomization.yaml': 'resources: [a.yaml]\n',
      'a.yaml': Array.from({ length: 200 }, (_, i) => map(`a${i}`)).join('---\n'),
    };
    assert.equal(codeOf(files, { limits: { maxResources: 100 } }), 'LimitExceeded');
    assert.equal(codeOf(files, { limits: { maxBytes: 1000 } }), 'LimitExceeded');
    assert.equal(codeOf(files), 'none');
  });

  it('values in one document have a budget', () => {
    const files = { 'kustomization.yaml': 'resources: [a.yaml]\n', 'a.yaml': `${map('a')}data: [${'1,'.repeat(2000)}1]\n` };
    assert.equal(codeOf(files, { limits: { maxValues: 1000 } }), 'LimitExceeded');
  });
});

describe('names that mean something to JavaScript', () => {
  it('are names like others', () => {
    const text =
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: constructor, labels: {__proto__: x, toString: y}}\ndata: {__proto__: "1", hasOwnProperty: "2"}\n';
    const files = {
      'kustomization.yaml':
        'resources: [a.yaml]\nnamePrefix: p-\nlabels: [{pairs: {__proto__: z}}]\npatches: [{patch: "{apiVersion: v1, kind: ConfigMap, metadata: {name: constructor}, data: {__proto__: new}}"}]\n',
      'a.yaml': text,
    };
    assert.equal(
      build(memoryTree(files), '').text(),
      'apiVersion: v1\ndata:\n  __proto__: new\n  hasOwnProperty: "2"\nkind: ConfigMap\nmetadata:\n  labels:\n    __proto__: z\n    toString: "y"\n  name: p-constructor\n',
    );
    assert.equal(({} as Record<string, unknown>)['x'], undefined);
  });
});
