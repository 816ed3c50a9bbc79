import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setCondition, summarize, type Condition } from './index.ts';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

function condition(type: string, status: Condition['status'], reason = 'R', message = 'm'): Condition {
  return { type, status, reason, message, lastTransitionTime: '2026-01-01T00:00:00Z', observedGeneration: 1 };
}

test('C16: lastTransitionTime changes only with the status', () => {
  const first = setCondition([], { type: 'Ready', status: 'False', reason: 'A', message: 'a' }, 1, NOW);
  assert.equal(first[0]?.lastTransitionTime, '2026-01-02T03:04:05Z');
  const same = setCondition(first, { type: 'Ready', status: 'False', reason: 'B', message: 'b' }, 2, NOW + 60_000);
  assert.equal(same[0]?.lastTransitionTime, '2026-01-02T03:04:05Z');
  assert.equal(same[0]?.observedGeneration, 2);
  const turned = setCondition(same, { type: 'Ready', status: 'True', reason: 'B', message: 'b' }, 2, NOW + 60_000);
  assert.equal(turned[0]?.lastTransitionTime, '2026-01-02T03:05:05Z');
});

test('C04: messages stay within the limit and conditions are sorted for people', () => {
  let list = setCondition([], { type: 'Healthy', status: 'True', reason: 'A', message: 'x'.repeat(40_000) }, 1, NOW);
  list = setCondition(list, { type: 'Stalled', status: 'True', reason: 'A', message: '' }, 1, NOW);
  list = setCondition(list, { type: 'Ready', status: 'True', reason: 'A', message: '' }, 1, NOW);
  assert.deepEqual(
    list.map((entry) => entry.type),
    ['Ready', 'Stalled', 'Healthy'],
  );
  assert.equal(list[2]?.message.length, 32_768);
});

const NEGATIVE = new Set(['StorageOperationFailed', 'FetchFailed', 'ArtifactOutdated', 'Stalled', 'Reconciling']);
const ORDER = [
  'StorageOperationFailed',
  'FetchFailed',
  'ArtifactOutdated',
  'ArtifactInStorage',
  'SourceVerified',
  'Stalled',
  'Reconciling',
];

const cases: { name: string; conditions: Condition[]; want: string }[] = [
  { name: 'nothing', conditions: [], want: 'none' },
  {
    name: 'a negative one that is true wins',
    conditions: [condition('ArtifactInStorage', 'True'), condition('FetchFailed', 'True', 'F')],
    want: 'False/F',
  },
  {
    name: 'a positive one that is false comes second',
    conditions: [condition('ArtifactInStorage', 'True'), condition('SourceVerified', 'False', 'V')],
    want: 'False/V',
  },
  { name: 'a positive one that is true', conditions: [condition('ArtifactInStorage', 'True', 'S')], want: 'True/S' },
  { name: 'a negative one that is false is good', conditions: [condition('Stalled', 'False', 'N')], want: 'True/N' },
  { name: 'unknown comes last', conditions: [condition('ArtifactInStorage', 'Unknown', 'U')], want: 'Unknown/U' },
  {
    name: 'the first listed speaks for its group',
    conditions: [condition('Reconciling', 'True', 'Late'), condition('FetchFailed', 'True', 'Early')],
    want: 'False/Early',
  },
];
for (const { name, conditions, want } of cases) {
  test(`C15: ${name}`, () => {
    const summary = summarize(conditions, 'Ready', ORDER, NEGATIVE);
    assert.equal(summary === undefined ? 'none' : `${summary.status}/${summary.reason}`, want);
  });
}
