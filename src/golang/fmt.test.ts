import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { isCodedError } from '../std/index.ts';
import {
  durationValue,
  formatFloat,
  formatG,
  formatValue,
  fromYamlValue,
  goInt,
  goIntOf,
  GoMap,
  goMap,
  GoSlice,
  parseVersion,
  scanFloat,
  sliceOf,
  sprint,
  sprintf,
  sprintln,
  stringMapType,
  stringSlice,
  stringType,
  versionValue,
  type GoValue,
} from './index.ts';

suite('fmt', () => {
  test('verbs, flags and the forms for wrong ones', () => {
    const cases: [string, GoValue[], string][] = [
      ['%s-%d', ['a', goInt(5)], 'a-5'],
      ['%d', [8080], '%!d(float64=8080)'],
      ['%s', [null], '%!s(<nil>)'],
      ['%s %s', ['a'], 'a %!s(MISSING)'],
      ['x', [goInt(2)], 'x%!(EXTRA int=2)'],
      ['%!', [], '%!!(MISSING)'],
      ['%', [], '%!(NOVERB)'],
      ['%[2]s %[1]s', ['a', 'b'], 'b a'],
      ['%*d|%-*d|', [goInt(5), goInt(1), goInt(4), goInt(2)], '    1|2   |'],
      [
        '%05d %+d %x %#x %o %b %c %q %U',
        [goInt(-42), goInt(1), goInt(255), goInt(255), goInt(8), goInt(5), goInt(128512), goInt(120), goInt(233)],
        "-0042 +1 ff 0xff 10 101 😀 'x' U+00E9",
      ],
      ['%.2f %8.3f| %e %g', [1.005, Math.PI, 1e6, 1e21], '1.00    3.142| 1.000000e+06 1e+21'],
      ['%q %+q %#q', ['é"\n', 'é', 'raw'], '"é\\"\\n" "\\u00e9" `raw`'],
      ['%x % X', ['hé', 'ab'], '68c3a9 61 62'],
      ['%5.2s|%-5s|', ['日本語', 'é'], '   日本|é    |'],
      [
        '%v %+v %T',
        [
          goMap([
            ['b', goInt(1)],
            ['a', 'x'],
          ]),
          [null, 1.5],
          new GoMap(stringMapType),
        ],
        'map[a:x b:1] [<nil> 1.5] map[string]string',
      ],
      [
        '%#v %#v',
        [goMap([['a', [goInt(1), null]]]), stringSlice(['a'])],
        'map[string]interface {}{"a":[]interface {}{1, interface {}(nil)}} []string{"a"}',
      ],
      ['%#v', [new GoSlice(sliceOf(stringType), [], true)], '[]string(nil)'],
      ['%d', [[goInt(1), 'a', 2.5]], '[1 %!d(string=a) %!d(float64=2.5)]'],
      ['%v %d', [durationValue(90_000_000_000n), durationValue(90_000_000_000n)], '1m30s 90000000000'],
      ['%s %v', [versionValue(parseVersion('v1.2')), versionValue(parseVersion('v1.2'))], '1.2.0 1.2.0'],
      ['%t %v', [true, false], 'true false'],
      ['%d', [goIntOf('uint64', -1)], '18446744073709551615'],
    ];
    for (const [format, args, want] of cases) assert.equal(sprintf(format, args), want, format);
  });

  test('print puts spaces between operands that are no strings, println everywhere', () => {
    assert.equal(sprint(['a', goInt(1), goInt(2), 'b', 'c', 3.5]), 'a1 2b c3.5'.replace('b c', 'bc'));
    assert.equal(sprintln(['a', goInt(1), null]), 'a 1 <nil>\n');
  });

  test('%v of a float64 is what strconv prints with the fewest digits', () => {
    for (const [value, want] of [
      [999999, '999999'],
      [1000000, '1e+06'],
      [1234567.5, '1.2345675e+06'],
      [0.00001, '1e-05'],
      [0.0001, '0.0001'],
      [-0, '-0'],
      [12345678901234567000, '1.2345678901234567e+19'],
    ] as const) {
      assert.equal(formatValue(value), want);
    }
  });

  test('a float printed with the fewest digits reads back', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        for (const format of ['g', 'e', 'f', 'x', 'b'] as const) {
          if (format === 'b') continue;
          assert.ok(Object.is(scanFloat(formatFloat(value, format, -1)).value, value), `${format} ${value}`);
        }
        assert.equal(formatG(value), formatFloat(value, 'g', -1));
      }),
    );
  });

  test('a fixed number of digits rounds the exact value, halves to even', () => {
    assert.deepEqual(
      [0.5, 1.5, 2.5, 0.125, 2.675].map((value) => formatFloat(value, 'f', value < 0.5 ? 2 : value > 2.6 ? 2 : 0)),
      ['0', '2', '2', '0.12', '2.67'],
    );
    fc.assert(
      fc.property(fc.double({ min: -1e15, max: 1e15, noNaN: true }), fc.nat(17), (value, digits) => {
        const text = formatFloat(value, 'f', digits);
        assert.ok(Math.abs(Number(text) - value) <= 0.5 * 10 ** -digits + Math.abs(value) * 2 ** -52);
      }),
    );
  });

  test('any format with any values prints something and never fails', () => {
    const value = fc.jsonValue().map((plain) => fromYamlValue(plain as never));
    fc.assert(
      fc.property(fc.string(), fc.array(value, { maxLength: 4 }), (format, args) => {
        assert.equal(typeof sprintf(`%${format}`, args), 'string');
      }),
    );
  });

  test('hostile formats are refused by budget', () => {
    assert.throws(
      () => sprintf('%1000000d'.repeat(1000), new Array<GoValue>(1000).fill(goInt(1))),
      (error) => isCodedError(error, 'BudgetExceeded'),
    );
    assert.throws(
      () => sprintf('%s'.repeat(1000), new Array<GoValue>(1000).fill('x'.repeat(1_000_000))),
      (error) => isCodedError(error, 'BudgetExceeded'),
    );
    const cycle = goMap();
    cycle.set('self', [cycle]);
    assert.throws(
      () => formatValue(cycle),
      (error) => isCodedError(error, 'BudgetExceeded'),
    );
    // Twenty lists, each holding the one before twice.
    let doubled: GoValue = ['x'.repeat(100)];
    for (let i = 0; i < 30; i++) doubled = [doubled, doubled];
    assert.throws(
      () => formatValue(doubled),
      (error) => isCodedError(error, 'BudgetExceeded'),
    );
  });
});
