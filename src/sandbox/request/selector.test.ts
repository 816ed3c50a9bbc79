import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { KubeObject } from '../../manifest/index.ts';
import { parseFieldSelector } from './field-selector.ts';
import { labelSelectorMatches, parseLabelSelector } from './selector.ts';

const pod: KubeObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'x', namespace: 'a', labels: { app: 'web', tier: '', n: '5' } },
  status: { phase: 'Running' },
};

test('label selectors', () => {
  const yes = [
    '',
    'app=web',
    'app==web',
    'app!=db',
    'other!=x',
    'app in (db, web)',
    'app notin (db)',
    'other notin (x)',
    'app',
    '!other',
    'n>4',
    'n<6',
    'tier=',
    'app=web,tier,!other',
  ];
  const no = ['app=db', 'app!=web', 'app in (db)', 'app notin (web)', 'other', '!app', 'n>5', 'other=', 'app=web,other'];
  for (const text of yes) assert.ok(parseLabelSelector(text)(pod), text);
  for (const text of no) assert.ok(!parseLabelSelector(text)(pod), text);
  for (const text of ['app in web', '=x', 'a b', '!']) assert.throws(() => parseLabelSelector(text), { name: 'CodedError' }, text);
});

test('field selectors know the fields of each kind', () => {
  assert.ok(parseFieldSelector('metadata.name=x,status.phase!=Pending', '/pods')(pod));
  assert.ok(!parseFieldSelector('metadata.namespace=b', '/pods')(pod));
  assert.throws(() => parseFieldSelector('spec.foo=1', '/pods'), { message: 'field label not supported: spec.foo' });
});

test('LabelSelector values', () => {
  assert.ok(labelSelectorMatches({ matchLabels: { a: '1' }, matchExpressions: [{ key: 'b', operator: 'DoesNotExist' }] }, { a: '1' }));
  assert.ok(!labelSelectorMatches({ matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['1'] }] }, { a: '1' }));
  assert.ok(labelSelectorMatches({}, undefined));
});

test('any text is a selector or a 400', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        parseLabelSelector(text)(pod);
        parseFieldSelector(text, '/pods')(pod);
      } catch (error) {
        assert.equal((error as { status?: { code: number } }).status?.code, 400);
      }
    }),
  );
});
