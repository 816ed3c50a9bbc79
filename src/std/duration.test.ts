import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatDuration, milliseconds, parseDuration } from './duration.ts';

test("parseDuration() reads Go's forms", () => {
  const cases: [string, number][] = [
    ['0', 0],
    ['5s', 5000],
    ['1h15m30.918s', 4_530_918],
    ['1.5h', 5_400_000],
    ['-2m', -120_000],
    ['300ms', 300],
    ['.5s', 500],
    ['1us', 0.001],
    ['10ns', 0.00001],
  ];
  for (const [text, want] of cases) assert.ok(Math.abs(parseDuration(text) - want) < 1e-9, text);
});

test("parseDuration() refuses with Go's words", () => {
  assert.throws(() => parseDuration(''), { code: 'DurationInvalid', message: 'time: invalid duration ""' });
  assert.throws(() => parseDuration('5'), { message: 'time: missing unit in duration "5"' });
  assert.throws(() => parseDuration('5d'), { message: 'time: unknown unit "d" in duration "5d"' });
  assert.throws(() => parseDuration('9999999h'), { message: 'time: invalid duration "9999999h"' });
});

test("formatDuration() writes Go's Duration.String", () => {
  const cases: [number, string][] = [
    [0, '0s'],
    [1500, '1.5s'],
    [60_000, '1m0s'],
    [3_600_000, '1h0m0s'],
    [5_400_000, '1h30m0s'],
    [250, '250ms'],
    [0.0015, '1.5µs'],
    [-1000, '-1s'],
    [90_061_001, '25h1m1.001s'],
  ];
  for (const [ms, want] of cases) assert.equal(formatDuration(milliseconds(ms)), want);
});

test('a formatted duration parses to itself', () => {
  fc.assert(fc.property(fc.integer({ min: -1e10, max: 1e10 }), (ms) => parseDuration(formatDuration(milliseconds(ms))) === ms));
});
