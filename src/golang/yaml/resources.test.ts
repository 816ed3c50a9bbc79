import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { nodeField, nodeValue, readResourceNodes, writeNode } from '../index.ts';

const roundTrip = (text: string): string[] => readResourceNodes(text).map(writeNode);

suite('readResourceNodes() and writeNode() as kyaml', () => {
  test('keep comments, styles and quotes', () => {
    const text = `# head
apiVersion: v1 # line
kind: ConfigMap
# before metadata
metadata:
  name: 'a'
  labels: {x: "y"} # flow
data:
  # first
  k: |
    text
  # foot

list:
- a
# between
- b # b
# end
`;
    // The empty line after the foot comment is lost where a block scalar stands before it.
    assert.deepEqual(roundTrip(text), [text.replace('\n\nlist', '\nlist')]);
  });

  test('normalize indentation', () => {
    assert.deepEqual(roundTrip('a:\n    - b:   c\n      d:  [1,   2]\n'), ['a:\n- b: c\n  d: [1, 2]\n']);
  });

  test('split documents, skip empty ones, open a single List', () => {
    assert.deepEqual(roundTrip('a: 1\n---\n# nothing\n--- # c\nb: 2\n'), ['a: 1\n', 'b: 2\n']);
    assert.deepEqual(roundTrip('apiVersion: v1\nkind: List\nitems:\n- a: 1\n- b: 2\n'), ['a: 1\n', 'b: 2\n']);
    assert.throws(() => readResourceNodes('a: 1\n--- b\nc: 2\n'), { code: 'GoError', message: 'invalid document separator: --- b' });
  });

  test('expand anchors and merge keys', () => {
    assert.deepEqual(roundTrip('a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3\ne: *x\n'), [
      'a: {b: 1, c: 2}\nd:\n  c: 3\n  b: 1\ne: {b: 1, c: 2}\n',
    ]);
  });

  test('give the value that goes into the output', () => {
    const [node] = readResourceNodes('a: 2020-01-01\nb: [yes, 0777, 12345678901234567890]\n');
    assert.ok(node?.content[0] !== undefined);
    assert.deepEqual(nodeValue(node), { a: '2020-01-01T00:00:00Z', b: ['yes', 511, 12345678901234567890n] });
    assert.equal(nodeField(node.content[0], 'a')?.value, '2020-01-01');
  });

  test('an alias inside its own anchor is an error, not a crash', () => {
    assert.throws(() => readResourceNodes('a: &a\n  b: *a\n'), { code: 'GoError' });
  });
});
