import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { bytesToText, compareText, isValidText, joinText, runes, sliceBytes, textByteLength, textToBytes, toValidText } from './text.ts';

const anyBytes = fc.uint8Array({ maxLength: 40 });

suite('Go strings', () => {
  test('any bytes survive becoming text', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const text = bytesToText(bytes);
        assert.deepEqual(Uint8Array.from(textToBytes(text)), bytes);
        assert.equal(textByteLength(text), bytes.length);
        assert.equal(isValidText(text), Buffer.from(bytes).equals(Buffer.from(Buffer.from(bytes).toString('utf8'))));
      }),
    );
  });

  test('concatenation and slices are those of the bytes', () => {
    fc.assert(
      fc.property(anyBytes, fc.nat(40), (bytes, at) => {
        const cut = Math.min(at, bytes.length);
        const text = bytesToText(bytes);
        const front = sliceBytes(text, 0, cut);
        assert.deepEqual(Uint8Array.from(textToBytes(front)), bytes.subarray(0, cut));
        assert.equal(joinText(front + sliceBytes(text, cut, bytes.length)), text);
      }),
    );
  });

  test('order is that of the bytes', () => {
    fc.assert(
      fc.property(anyBytes, anyBytes, (a, b) => {
        assert.equal(Math.sign(compareText(bytesToText(a), bytesToText(b))), Buffer.compare(a, b));
      }),
    );
    assert.ok(compareText('\u{1f600}', '\uffff') > 0);
  });

  test('an invalid byte is one rune, U+FFFD', () => {
    const text = bytesToText(Uint8Array.of(0x61, 0xff, 0xc3, 0xe2, 0x82));
    assert.deepEqual(runes(text), ['a', '\ufffd', '\ufffd', '\ufffd', '\ufffd']);
    assert.equal(toValidText(text), 'a\ufffd\ufffd\ufffd\ufffd');
    assert.deepEqual([...bytesToText(Uint8Array.of(0xed, 0xa0, 0x80))].length, 3, 'a surrogate in UTF-8 is three bad bytes');
  });
});
