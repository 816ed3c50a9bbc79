import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseExpression } from './index.ts';

const o = { n: 3, f: 1.5, str: 's', nul: null, list: [1, 2], conditions: [{ type: 'Ready', status: 'True' }], constructor: 'mine' };

/** Expressions in Flux's environment and what cel-go gives for them. */
const VALUES: [string, unknown][] = [
  ['o.n == 3', true],
  ['o.n + 1 == 4', true],
  ['o.n == 3.0', true],
  ['o.f > 1', true],
  ['1 < 1.5', true],
  ['o.list[0] == 1 && 2 in o.list', true],
  ['o.conditions.filter(e, e.type == "Ready").all(e, (e.status == "True") || (e.x))', true],
  ['o.conditions.exists(e, e.type == "Ready" && e.status == "True")', true],
  ['o.list.map(i, i * 2) == [2, 4]', true],
  ['o.list.map(i, i > 1, i * 2) == [4]', true],
  ['o.list.exists_one(i, i == 2)', true],
  ['has(o.nul) && !has(o.gone)', true],
  ['o.nul == null', true],
  ['o.?gone.?deep.orValue("x")', 'x'],
  ['o[?"n"].value() == 3', true],
  ['o.?n.optMap(v, v + 1).orValue(0) == 4', true],
  ['o.?gone.optMap(v, v + 1).orValue(0) == 0', true],
  ['o.?n.optFlatMap(v, optional.of(v)).hasValue()', true],
  ['true || o.gone', true],
  ['o.constructor', 'mine'],
  ['"abc".charAt(1)', 'b'],
  ['"aXaXa".replace("a", "b", 2)', 'bXbXa'],
  ['"aXa".replace("a", "$&")', '$&X$&'],
  ['"añc".reverse()', 'cña'],
  ['"%s has %d of %.2f%% %x %b".format(["a", 1, 2.5, 255, 5])', 'a has 1 of 2.50% ff 101'],
  ['strings.quote("a\\"b\\n")', '"a\\"b\\n"'],
  ['"A-b".lowerAscii() + "c".upperAscii() + " d ".trim()', 'a-bCd'],
  ['"a,b,c".split(",", 2).join("+")', 'a+b,c'],
  ['sets.contains([1, 2], [1]) && !sets.contains([1], [2])', true],
  ['sets.equivalent([1, 1], [1.0]) && sets.intersects([1], [1, 2])', true],
  ['base64.encode(b"hello")', 'aGVsbG8='],
  ['string(base64.decode("aGVsbG8="))', 'hello'],
  ['"v1.2".matches("^v[0-9]+") && matches("ABC", "(?i)abc") && !"x".matches("^y")', true],
  ['timestamp("2024-01-01T00:00:00Z") + duration("1h") < timestamp("2025-01-01T00:00:00Z")', true],
];

describe('CEL expressions', () => {
  for (const [source, want] of VALUES) it(source, () => assert.equal(parseExpression(source).evaluate({ o }), want));

  it('are refused when they do not parse, are too long, or use what Flux does not have', () => {
    for (const source of ['', '1 +', 'a.b(', 'cel.bind(x, 1, x)', `"${'x'.repeat(20_000)}"`, `${'('.repeat(200)}1${')'.repeat(200)}`]) {
      assert.throws(() => parseExpression(source), { code: 'InvalidCELExpression' }, source.slice(0, 40));
    }
  });

  it('fail in words that name the expression', () => {
    assert.throws(() => parseExpression('o.gone == 1').evaluate({ o }), {
      code: 'CELEvaluationFailed',
      message: /failed to evaluate the CEL expression 'o.gone == 1': .*gone/,
    });
    assert.throws(() => parseExpression('gone == 1').evaluate({ o }), { code: 'CELEvaluationFailed' });
    assert.throws(() => parseExpression('o.n').evaluateBoolean({ o }), { code: 'CELEvaluationFailed', message: /want a bool/ });
  });

  it('take a variable for itself, not for the type of its name', () => {
    assert.equal(parseExpression('type == "Opaque"').evaluate({ type: 'Opaque' }), true);
    assert.equal(parseExpression('type(o) == map').evaluate({ o }), true);
  });

  it('keep integers beyond 2^53', () => {
    assert.equal(parseExpression('big + 1').evaluate({ big: 9007199254740993n }), 9007199254740994n);
  });

  it('are not begun when nested comprehensions over much data would take long', () => {
    const items = Array.from({ length: 5000 }, (_, index) => index);
    assert.equal(parseExpression('items.all(a, a >= 0)').evaluate({ items }), true);
    assert.throws(() => parseExpression('items.all(a, items.all(b, a + b >= 0))').evaluate({ items }), { code: 'LimitExceeded' });
    assert.throws(() => parseExpression('"text".split("").all(a, t.split("").all(b, true))').evaluate({ t: 'x'.repeat(50_000) }), {
      code: 'LimitExceeded',
    });
  });

  it('match patterns in linear time', () => {
    const started = performance.now();
    assert.equal(parseExpression('s.matches("(a+)+$")').evaluate({ s: `${'a'.repeat(5000)}!` }), false);
    assert.ok(performance.now() - started < 1000);
  });

  it('refuse values nested without end', () => {
    let deep: unknown = 1;
    for (let i = 0; i < 300; i++) deep = [deep];
    assert.throws(() => parseExpression('deep').evaluate({ deep }), { code: 'CELEvaluationFailed', message: /deeper than 200 levels/ });
  });
});
