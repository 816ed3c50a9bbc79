import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Tag, oid, readWhole, sequence, tlv } from './der.ts';
import { isSubsetName, parseIdentityName, readName } from './distinguished-name.ts';
import { name, setOf } from './testing/der-writer.ts';

const read = (der: Buffer): ReturnType<typeof readName> => readName(readWhole(der, Tag.sequence, 'name'));
const parsed = (text: string): unknown => {
  const result = parseIdentityName(text);
  return 'problem' in result ? result.problem : Object.fromEntries(result);
};

describe('a name in a certificate', () => {
  it('is written as RFC 4514 does, last RDN first', () => {
    assert.equal(read(name('C=RO,ST=B,O=Sluice Test,CN=a b')).text, 'CN=a b,O=Sluice Test,ST=B,C=RO');
  });

  it('has its special characters escaped, and they are undone when a policy names it', () => {
    const value = ' #a,b+c"d\\e<f>g;h ';
    const der = sequence(
      setOf(sequence(oid('2.5.4.6'), tlv(Tag.printableString, Buffer.from('RO')))),
      setOf(sequence(oid('2.5.4.8'), tlv(Tag.utf8String, Buffer.from('B')))),
      setOf(sequence(oid('2.5.4.10'), tlv(Tag.utf8String, Buffer.from(value)))),
    );
    const { text, attributes } = read(der);
    assert.equal(text, 'O=\\ #a\\,b\\+c\\"d\\\\e\\<f\\>g\\;h\\ ,ST=B,C=RO');
    const policy = parseIdentityName(text);
    assert.ok(!('problem' in policy) && attributes !== undefined);
    assert.equal(policy.get('O'), value);
    assert.ok(isSubsetName(policy, attributes));
  });

  it('has no attributes to match when one occurs twice or an RDN has several', () => {
    assert.equal(read(name('C=RO,OU=a,OU=b')).attributes, undefined);
    const several = sequence(
      setOf(
        sequence(oid('2.5.4.3'), tlv(Tag.utf8String, Buffer.from('a'))),
        sequence(oid('2.5.4.11'), tlv(Tag.utf8String, Buffer.from('b'))),
      ),
    );
    assert.equal(read(several).attributes, undefined);
    assert.equal(read(several).text, 'CN=a+OU=b');
  });

  it('shows attributes without a name by their identifier, and BMP strings as text', () => {
    const der = sequence(setOf(sequence(oid('1.2.840.113549.1.9.1'), tlv(Tag.ia5String, Buffer.from('a@b.c')))));
    assert.equal(read(der).text, '1.2.840.113549.1.9.1=a@b.c');
    const bmp = sequence(setOf(sequence(oid('2.5.4.3'), tlv(Tag.bmpString, Buffer.from('€', 'utf16le').swap16()))));
    assert.equal(read(bmp).text, 'CN=€');
  });
});

describe('a distinguished name in a trust policy', () => {
  it('is read with separators, spaces and escapes of RFC 4514; S is ST', () => {
    assert.deepEqual(parsed(' C=US, S=WA;O=wabbit\\, Inc. \\ , CN=\\c3\\a9'), { C: 'US', ST: 'WA', O: 'wabbit, Inc.  ', CN: 'é' });
    assert.deepEqual(parsed('C=US,ST=WA,O=a=b'), { C: 'US', ST: 'WA', O: 'a=b' });
  });

  for (const [text, problem] of [
    ['C=US,ST=WA', 'no O'],
    ['', 'no C, ST, O'],
    ['C=US,ST=WA,O=', 'no O'],
    ['C=US,ST=WA,S=WA,O=x', 'the attribute "ST" twice'],
    ['C=US,ST=WA,O=x+OU=y', 'an RDN of several attributes ("+")'],
    ['C=US,ST=WA,O=#0401', 'a value written as "=#…", which trust policies do not support'],
    ['C=US,ST=WA,O=x,', '"", which is not NAME=VALUE'],
    ['C=US,ST=WA,x', '"x", which is not NAME=VALUE'],
    ['C=US,ST=WA,O=\\ff', 'the value "\\\\ff", whose escapes are not UTF-8'],
    ['c=US,ST=WA,O=x', 'no C'],
  ] as const) {
    it(`is refused: ${JSON.stringify(text)}`, () => assert.equal(parsed(text), problem));
  }

  it('is no slower for hostile escapes', () => {
    const started = performance.now();
    parsed(`C=US,ST=WA,O=${'\\ '.repeat(100_000)}`);
    parsed(`C=US,ST=WA,O=${' '.repeat(100_000)}x`);
    assert.ok(performance.now() - started < 1000);
  });
});
