import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { isCodedError } from '../std/index.ts';
import { readObjects, splitDocuments, writeObjects } from './index.ts';

const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n';

suite('readObjects()', () => {
  test('reads every document and skips empty ones', () => {
    const objects = readObjects(`# head\n---\n${CONFIG_MAP}--- # second\n${CONFIG_MAP.replace('name: a', 'name: b')}---\n\n---\n`);
    assert.deepEqual(
      objects.map((object) => object.metadata.name),
      ['a', 'b'],
    );
  });

  test('expands lists, also inside lists, and keeps the order', () => {
    const item = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' } };
    const inner = { apiVersion: 'v1', kind: 'SecretList', items: [item] };
    const text = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [inner, { ...item, metadata: { name: 't' } }] });
    assert.deepEqual(
      readObjects(text).map((object) => object.metadata.name),
      ['s', 't'],
    );
  });

  test('reads JSON objects that follow one another', () => {
    const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' } };
    assert.equal(readObjects(`${JSON.stringify(object)}\n${JSON.stringify(object, null, 2)}`).length, 2);
  });

  test('reads YAML 1.1 as Kubernetes does: yes is true, a number may be octal', () => {
    const [object] = readObjects(`${CONFIG_MAP}data:\n  yes: no\n  mode: 0644\n`);
    assert.deepEqual(object?.['data'], { true: false, mode: 420 });
  });

  test('keeps the digits of large integers where asked', () => {
    const [object] = readObjects(`${CONFIG_MAP}size: 9223372036854775807\n`, '', { numbers: 'exact' });
    assert.equal(object?.['size'], 9223372036854775807n);
  });

  test('leaves out kustomization files (Flux ssa.ReadObjects)', () => {
    assert.deepEqual(readObjects('apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: []\n'), []);
  });

  test('names file and line of what does not parse', () => {
    assert.throws(
      () => readObjects(`${CONFIG_MAP}---\na: b: c\n`, 'app.yaml'),
      (error) =>
        isCodedError(error, 'ManifestSyntax') &&
        error.message === 'read app.yaml:6: mapping values are not allowed in this context' &&
        !error.retryable,
    );
  });

  test('names what an object misses', () => {
    assert.throws(
      () => readObjects(`${CONFIG_MAP}---\n# the second\napiVersion: v1\nkind: Pod\nmetadata: {}\n`, 'app.yaml'),
      (error) =>
        isCodedError(error, 'ManifestIncomplete') &&
        error.message === 'read object "Pod" at app.yaml:7: metadata.name must be a text that is not empty',
    );
    assert.throws(() => readObjects('- a\n', 'x.yaml'), {
      code: 'ManifestNotAnObject',
      message: /x\.yaml:1: want a Kubernetes object, have a list/,
    });
    const list = { apiVersion: 'v1', kind: 'List', items: ['x'] };
    assert.throws(() => readObjects(JSON.stringify(list)), { code: 'ManifestNotAnObject', message: /manifest:1 \(items\[0\]\)/ });
  });

  test('refuses text behind a separator', () => {
    assert.throws(() => readObjects(`${CONFIG_MAP}---apiVersion: v1\n`, 'x.yaml'), {
      code: 'ManifestSyntax',
      message: 'read x.yaml:5: invalid Yaml document separator: apiVersion: v1',
    });
  });

  test('throws nothing but CodedErrors, whatever the text', () => {
    for (const text of ['{', '{"a":', '\u0000', '\ud800', '[[[[', '--- |\n a\n', '{} x', '{}{}{', 'a: *b', '%TAG', '\ufeff{}']) {
      try {
        readObjects(text);
      } catch (error) {
        assert.ok(isCodedError(error), String(error));
      }
    }
  });
});

suite('splitDocuments()', () => {
  test('cuts inside whatever stands at the start of a line, and ends every line', () => {
    assert.deepEqual(splitDocuments('a: 1\r\n---\r\nb: |\n  x\n--- # c\nc: 2'), [
      { text: 'a: 1\n', line: 1 },
      { text: 'b: |\n  x\n', line: 3 },
      { text: 'c: 2\n', line: 6 },
    ]);
  });
});

suite('writeObjects()', () => {
  test('writes documents that readObjects reads back', () => {
    const objects = readObjects(`${CONFIG_MAP}data:\n  b: "yes"\n  a: |\n    x\n---\n${CONFIG_MAP}`);
    const text = writeObjects(objects);
    assert.equal(text, `apiVersion: v1\ndata:\n  a: |\n    x\n  b: "yes"\nkind: ConfigMap\nmetadata:\n  name: a\n---\n${CONFIG_MAP}`);
    assert.deepEqual(readObjects(text), objects);
  });

  test('leaves out fields that are undefined', () => {
    const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: undefined };
    assert.equal(writeObjects([object]), 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n');
  });
});
