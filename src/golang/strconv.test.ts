import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import {
  atoi,
  canBackquote,
  isGraphic,
  isPrint,
  isSpace,
  lowerRune,
  parseBool,
  parseFloat64,
  parseInteger,
  parseUnsigned,
  quote,
  quoteRune,
  scanFloat,
  scanInt,
  titleRune,
  toLowerText,
  toUpperText,
  unquote,
  unquoteChar,
  upperRune,
} from './index.ts';

suite('strconv', () => {
  test('integers: bases, prefixes, underscores, limits', () => {
    assert.equal(parseInteger('0x1F', 0), 31n);
    assert.equal(parseInteger('-0b101', 0), -5n);
    assert.equal(parseInteger('012', 0), 10n);
    assert.equal(parseInteger('1_000', 0), 1000n);
    assert.deepEqual(scanInt('9223372036854775808'), { value: (1n << 63n) - 1n, problem: 'value out of range' });
    for (const [call, message] of [
      [() => atoi('1.5'), 'strconv.Atoi: parsing "1.5": invalid syntax'],
      [() => parseInteger('08', 0), 'strconv.ParseInt: parsing "08": invalid syntax'],
      [() => parseInteger('1__0', 0), 'strconv.ParseInt: parsing "1__0": invalid syntax'],
      [() => parseInteger('_1', 0), 'strconv.ParseInt: parsing "_1": invalid syntax'],
      [() => parseUnsigned('-1'), 'strconv.ParseUint: parsing "-1": invalid syntax'],
      [() => parseUnsigned('18446744073709551616'), 'strconv.ParseUint: parsing "18446744073709551616": value out of range'],
      [() => parseBool('yes'), 'strconv.ParseBool: parsing "yes": invalid syntax'],
      [() => parseFloat64('1e999'), 'strconv.ParseFloat: parsing "1e999": value out of range'],
      [() => parseFloat64('0x1F'), 'strconv.ParseFloat: parsing "0x1F": invalid syntax'],
    ] as const) {
      assert.throws(call, { message });
    }
  });

  test('floats: names, underscores, hexadecimal', () => {
    assert.equal(parseFloat64('-Inf'), -Infinity);
    assert.ok(Number.isNaN(parseFloat64('nAn')));
    assert.equal(parseFloat64('1_0.5e1_0'), 105e9);
    assert.equal(parseFloat64('0x1.8p1'), 3);
    assert.equal(parseFloat64('0x1p-1074'), 5e-324);
    assert.equal(parseFloat64('0x0.8p-1074'), 0);
    assert.equal(parseFloat64('0x1.fffffffffffff8p0'), 2);
    assert.equal(scanFloat('+nan').problem, 'invalid syntax');
  });

  test('quoting follows Unicode 15 and keeps bytes outside UTF-8', () => {
    assert.equal(quote('a"\\\n\u0007\u007f\u00a0\u2028é👍\udcff'), String.raw`"a\"\\\n\a\x7f\u00a0\u2028é👍\xff"`);
    assert.equal(quote('é👍', 'ascii'), String.raw`"\u00e9\U0001f44d"`);
    assert.equal(quote('\u00a0\u3000', 'graphic'), '"\u00a0\u3000"');
    assert.equal(quoteRune(0x27), String.raw`'\''`);
    assert.equal(quoteRune(-1), "'\ufffd'");
    // Assigned in Unicode 16: not printable for Go.
    assert.ok(!isPrint(0x10d40));
    assert.ok(isGraphic(0x3000) && !isPrint(0x3000));
    assert.ok(canBackquote('a\tb') && !canBackquote('a\nb') && !canBackquote('`') && !canBackquote('\ufeff'));
  });

  test('unquoting undoes quoting', () => {
    const bytes: fc.Arbitrary<string> = fc.oneof(
      fc.string({ unit: 'binary' }).map((text) => text.toWellFormed()),
      fc.constant('\udcff\udc80'),
    );
    fc.assert(
      fc.property(bytes, (text) => {
        assert.equal(unquote(quote(text)), text);
        assert.equal(unquote(quote(text, 'ascii')), text);
      }),
    );
    assert.equal(unquote('`a\r\n\\`'), 'a\n\\');
    assert.equal(unquote(String.raw`"\xc3\xa9"`), 'é');
    assert.equal(unquote(String.raw`'\''`), "'");
    assert.equal(unquoteChar(String.raw`'\U0001F600'`), 0x1f600);
    for (const bad of ['', '"', '"a', "'ab'", String.raw`"\q"`, String.raw`"\400"`, String.raw`"\ud800"`, '"a\nb"', 'a']) {
      assert.throws(() => unquote(bad), { message: 'invalid syntax' }, bad);
    }
  });

  test('case mapping is one rune to one rune', () => {
    assert.equal(toUpperText('straße ŉ ǆ ᾳ'), 'STRAßE ŉ Ǆ ᾼ');
    assert.equal(toLowerText('İΣ'), 'iσ');
    assert.equal(upperRune(0x1f80), 0x1f88);
    assert.equal(titleRune(0x1c6), 0x1c5);
    assert.equal(titleRune(0x10d0), 0x10d0);
    assert.equal(lowerRune(0x130), 0x69);
    assert.ok(isSpace(0x85) && isSpace(0xa0) && !isSpace(0xfeff));
    assert.equal(toUpperText('a\udcffb'), 'A\ufffdB');
  });
});
