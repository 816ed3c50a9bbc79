import assert from 'node:assert/strict';
import { test } from 'node:test';
import { proofsIn } from './compatibility.ts';

test('tests are found by the IDs in their titles, and in the rows they are made from', () => {
  const text = [
    "test('OB05 OB08: a missing secret is said', () => {});",
    'for (const { name } of cases) it(`KB43: ${name}`, run);',
    "const cases = [{ name: 'C15: precedence', want: 1 }, { name: 'no id' }];",
    "test('KB43–KB45: expressions', () => {});",
    "describe('archives', () => { it.skip('writes (OB21)', f); });",
    "assert.match(text, /OB99/); const other = 'OB98';",
  ].join('\n');
  assert.deepEqual(
    proofsIn('a.test.ts', text).map(({ ids, title }) => [ids.join(), title]),
    [
      ['OB05,OB08', 'a missing secret is said'],
      ['KB43', 'cases of a table'],
      ['C15', 'precedence'],
      ['KB43,KB44,KB45', 'expressions'],
      ['OB21', 'writes'],
    ],
  );
});
