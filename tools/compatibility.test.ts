import assert from 'node:assert/strict';
import { test } from 'node:test';
import { passedIn, proofsIn, unproven } from './compatibility.ts';

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

test('an ID is proven where its tests passed and none failed', () => {
  const result = { file: 'a.test.ts', passed: true };
  const passed = passedIn([
    { ...result, place: 'unit', title: 'OB05 OB08: one' },
    { ...result, place: 'unit', title: 'OB08: another', passed: false },
    { ...result, place: 'unit', title: 'OB08: and one more' },
    { ...result, place: 'server', title: 'OB05–OB06: a range' },
    { ...result, place: 'server', title: 'no behaviour' },
  ]);
  assert.deepEqual(passed, { OB05: ['unit', 'server'], OB06: ['server'] });
  assert.deepEqual(unproven({ OB05: ['unit'], OB06: ['sandbox', 'server'], OB08: ['unit'] }, passed), ['OB06 in sandbox', 'OB08 in unit']);
});
