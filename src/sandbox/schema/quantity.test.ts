import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalQuantity, quantityValue } from './quantity.ts';

test('quantities take their canonical form', () => {
  const cases: [string, string][] = [
    ['0', '0'],
    ['1', '1'],
    ['1000m', '1'],
    ['0.5', '500m'],
    ['1.5Gi', '1536Mi'],
    ['1024Mi', '1Gi'],
    ['1000', '1k'],
    ['1500', '1500'],
    ['100Mi', '100Mi'],
    ['1e3', '1e3'],
    ['1E6', '1e6'],
    ['12e-3', '12e-3'],
    ['-2000', '-2k'],
    ['.5', '500m'],
    ['1.', '1'],
    ['0.1n', '1n'],
    ['512Ki', '512Ki'],
    ['0.5Ki', '512'],
    ['64Mi', '64Mi'],
  ];
  for (const [text, want] of cases) assert.equal(canonicalQuantity(text), want, text);
  for (const bad of ['', '1x', 'Mi', '1 Gi', '--1', '1e', '1'.repeat(100)])
    assert.throws(() => canonicalQuantity(bad), { code: 'QuantityInvalid' }, bad);
});

test('the canonical form is a fixed point and has the same value', () => {
  const quantity = fc
    .tuple(fc.integer({ min: 1, max: 1e6 }), fc.constantFrom('', 'm', 'k', 'M', 'Ki', 'Mi', 'Gi'))
    .map(([n, suffix]) => `${n}${suffix}`);
  fc.assert(
    fc.property(quantity, (text) => {
      const canonical = canonicalQuantity(text);
      assert.equal(canonicalQuantity(canonical), canonical);
      assert.ok(Math.abs(quantityValue(canonical) - quantityValue(text)) <= quantityValue(text) * 1e-12);
    }),
  );
});
