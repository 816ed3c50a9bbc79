import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { berToDer } from './ber.ts';
import { MAX_BER_DEPTH, MAX_DER_ELEMENTS } from './bounds.ts';
import {
  bigInteger,
  booleanValue,
  DerError,
  Fields,
  oid,
  oidText,
  readElement,
  readElements,
  readWhole,
  sequence,
  smallInteger,
  Tag,
  timeValue,
  tlv,
} from './der.ts';
import { integer } from './testing/der-writer.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('DER', () => {
  for (const [what, text] of [
    ['nothing', ''],
    ['no length', '30'],
    ['a truncated value', '3002 01'],
    ['a truncated length', '3082 01'],
    ['an indefinite length', '3080 0000'],
    ['a long form that could be short', '3081 01 00'],
    ['a length with a leading zero', `308200ff${'00'.repeat(255)}`],
    ['a length of five octets', '30850000000001 00'],
    ['a long tag', '1f81 00 00'],
  ] as const) {
    it(`refuses ${what}`, () => assert.throws(() => readElement(hex(text)), DerError));
  }

  it('refuses trailing bytes and other tags', () => {
    assert.throws(() => readWhole(hex('3000 00'), Tag.sequence, 'x'), /trailing bytes/);
    assert.throws(() => readWhole(hex('3100'), Tag.sequence, 'x'), /tag 49/);
  });

  it('refuses more elements than its bound', () => {
    const many = Buffer.concat(Array.from({ length: MAX_DER_ELEMENTS + 1 }, () => hex('0500')));
    assert.throws(() => readElements(many), /more than 1000/);
    assert.equal(readElements(many.subarray(2)).length, MAX_DER_ELEMENTS);
  });

  it('reads object identifiers, and refuses other spellings', () => {
    for (const text of ['1.2.840.113549.1.1.11', '2.5.29.15', '2.999.3', '0.4.0.2023.1.1', '1.3.101.112']) {
      assert.equal(oidText(readElement(text === '2.999.3' ? hex('0603 883703') : oid(text))), text);
    }
    for (const text of ['0600', '0602 8001', '0601 80', '0609 ffffffffffffffff7f'])
      assert.throws(() => oidText(readElement(hex(text))), DerError);
  });

  it('reads integers in their shortest form only', () => {
    assert.equal(smallInteger(readElement(hex('0202 0080'))), 128);
    assert.equal(bigInteger(readElement(hex('0202 ff00'))), -256n);
    for (const text of ['0200', '0202 0001', '0202 ff80']) assert.throws(() => bigInteger(readElement(hex(text))), DerError);
    assert.throws(() => smallInteger(readElement(hex('0201 ff'))), DerError);
    assert.throws(() => bigInteger(readElement(integer(1n << 600n))), DerError);
  });

  it('reads booleans of DER only', () => {
    assert.equal(booleanValue(readElement(hex('0101 ff'))), true);
    assert.throws(() => booleanValue(readElement(hex('0101 01'))), DerError);
  });

  it('reads times, and refuses those that are none', () => {
    const at = (tag: number, text: string): number => timeValue(readElement(tlv(tag, Buffer.from(text))));
    assert.equal(at(Tag.utcTime, '491231235959Z'), Date.parse('2049-12-31T23:59:59Z'));
    assert.equal(at(Tag.utcTime, '500101000000Z'), Date.parse('1950-01-01T00:00:00Z'));
    assert.equal(at(Tag.generalizedTime, '20260601120000.5Z'), Date.parse('2026-06-01T12:00:00.500Z'));
    assert.equal(at(Tag.generalizedTime, '99991231235959Z'), Date.parse('9999-12-31T23:59:59Z'));
    for (const text of ['20260230000000Z', '20260601120000', '20260601120000+0100', '2026060112Z', '20261301000000Z']) {
      assert.throws(() => at(Tag.generalizedTime, text), DerError);
    }
  });

  it('reads fields in order, and refuses missing and surplus ones', () => {
    const fields = new Fields(readElement(sequence(hex('0101ff'), hex('0500'))), 'thing');
    assert.equal(fields.optional(Tag.integer), undefined);
    assert.ok(fields.optional(Tag.boolean));
    assert.throws(() => fields.end(), /more fields/);
    fields.next('nothing', Tag.null);
    fields.end();
    assert.throws(() => fields.any('more'), /thing has no more/);
  });
});

describe('BER', () => {
  it('becomes DER: indefinite and long lengths, strings in pieces', () => {
    assert.equal(berToDer(hex('3080 2480 0402 0102 0481 01 03 0000 0000')).toString('hex'), '30050403010203');
    assert.equal(berToDer(hex('3084 00000003 020105')).toString('hex'), '3003020105');
  });

  for (const [what, text] of [
    ['no end', '3080 0500'],
    ['trailing bytes', '0500 00'],
    ['a primitive of indefinite length', '0480 0000'],
    ['an inner element that is too long', '3003 040201 02'],
    ['a string with a piece that is none', '2403 020101'],
    ['a truncated length', '3084 0000'],
  ] as const) {
    it(`is refused: ${what}`, () => assert.throws(() => berToDer(hex(text)), DerError));
  }

  it('is refused beyond its depth', () => {
    assert.throws(() => berToDer(hex('3080'.repeat(MAX_BER_DEPTH + 2))), /more than 32 levels/);
    assert.throws(() => berToDer(hex('3080'.repeat(100_000))), /more than 32 levels/);
  });
});
