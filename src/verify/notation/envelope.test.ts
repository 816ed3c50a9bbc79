import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decode, encode, Tag } from 'cbor2';
import { MAX_CHAIN } from './bounds.ts';
import { verifyCose } from './cose.ts';
import type { Envelope } from './envelope.ts';
import { CheckFailure } from './failure.ts';
import { verifyJws } from './jws.ts';
import { issue, keyPair, PRESENT } from './testing/authority.ts';
import { ROOT, SIGNER, SUBJECT } from './testing/scene.ts';
import { signEnvelope, type SignRequest } from './testing/signer.ts';

const P = 'io.cncf.notary.';
const LATER = new Date(PRESENT.getTime() + 3_600_000);
const SIGNED = { subject: SUBJECT, chain: [SIGNER, ROOT] } as const satisfies SignRequest;

function problemOf(work: () => Envelope): string {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof CheckFailure, String(error));
    return `${error.code}: ${error.found}`;
  }
  return 'none';
}

/** Headers by format: the label of `crit`, how a time is written. */
const FORMATS = {
  JWS: { verify: verifyJws, crit: 'crit', cty: 'cty', alg: 'alg' },
  COSE: { verify: verifyCose, crit: '2', cty: '3', alg: '1' },
} as const;

for (const format of ['JWS', 'COSE'] as const) {
  const { verify, crit, cty, alg } = FORMATS[format];
  const problem = (changes: Partial<SignRequest>): string =>
    problemOf(() => verify(signEnvelope(format, { ...SIGNED, ...changes }).envelope));

  describe(`a ${format} envelope`, () => {
    it('is opened', () => {
      const envelope = verify(signEnvelope(format, { ...SIGNED, expiry: LATER }).envelope);
      assert.equal(envelope.format, format);
      assert.equal(envelope.scheme, 'notary.x509');
      assert.equal(envelope.signingTime, PRESENT.getTime());
      assert.equal(envelope.expiry, LATER.getTime());
      assert.deepEqual(
        envelope.chain.map(({ subject }) => subject.text),
        ['CN=signer,O=Test,ST=B,C=RO', 'CN=root,O=Test,ST=B,C=RO'],
      );
      assert.deepEqual(JSON.parse(envelope.payload.toString()), {
        targetArtifact: { mediaType: SUBJECT.mediaType, digest: SUBJECT.digest, size: SUBJECT.size },
      });
      assert.equal(envelope.timestampToken, undefined);
    });

    for (const kind of ['P-256', 'P-384', 'P-521', 'RSA 2048'] as const) {
      it(`is opened with a key ${kind}`, () => {
        assert.equal(problem({ chain: [issue({ key: keyPair(kind) }, ROOT), ROOT] }), 'none');
      });
    }

    it('of a signing authority is opened', () => {
      const envelope = verify(signEnvelope(format, { ...SIGNED, scheme: 'notary.x509.signingAuthority' }).envelope);
      assert.deepEqual([envelope.scheme, envelope.signingTime], ['notary.x509.signingAuthority', PRESENT.getTime()]);
    });

    it('may have protected headers that are not critical', () => assert.equal(problem({ headers: { 'com.example.note': 'x' } }), 'none'));

    const scheme = `${P}signingScheme`;
    const cases: readonly (readonly [string, Partial<SignRequest>, RegExp])[] = [
      ['another payload type', { headers: { [cty]: 'text/plain' } }, /payload type "text\/plain"/],
      ['no payload type', { headers: { [cty]: undefined } }, /payload type missing/],
      ['another scheme', { scheme: 'notary.pgp' }, /signing scheme "notary.pgp"/],
      ['no scheme', { headers: { [scheme]: undefined } }, /signing scheme missing/],
      ['no critical headers', { headers: { [crit]: undefined } }, /no critical headers/],
      ['empty critical headers', { headers: { [crit]: [] } }, /no critical headers/],
      ['a scheme that is not critical', { headers: { [crit]: ['a'], a: 1 } }, /header "io\.cncf\.notary\.signingScheme" is not critical/],
      ['an expiry that is not critical', { expiry: LATER, headers: { [crit]: [scheme] } }, /expiry" is not critical/],
      [
        'an unknown critical header',
        { headers: { [crit]: [scheme, 'com.example.must'], 'com.example.must': 1 } },
        /critical header "com\.example\.must"/,
      ],
      ['a critical header that is absent', { headers: { [crit]: [scheme, `${P}expiry`] } }, /critical header "io\.cncf\.notary\.expiry"/],
      ['a critical header twice', { headers: { [crit]: [scheme, scheme] } }, /twice/],
      ['a critical number', { headers: { [crit]: [scheme, 7], 7: 1 } }, /critical header 7/],
      [
        'a plugin',
        { headers: { [crit]: [scheme, `${P}verificationPlugin`], [`${P}verificationPlugin`]: 'acme' } },
        /asks for a verification plugin/,
      ],
      ['a plugin version', { headers: { [`${P}verificationPluginMinVersion`]: '1.0.0' } }, /asks for a verification plugin/],
      ['no signing time', { headers: { [`${P}signingTime`]: undefined } }, /no header io\.cncf\.notary\.signingTime/],
      ['a signing time that is a text', { headers: { [`${P}signingTime`]: 'yesterday' } }, /signingTime is no time/],
      ['a signing time that is a number', { headers: { [`${P}signingTime`]: 1_780_000_000 } }, /signingTime is no time/],
      [
        'the time of the other scheme',
        { headers: { [`${P}authenticSigningTime`]: PRESENT } },
        /header io\.cncf\.notary\.authenticSigningTime under scheme/,
      ],
      ['expiry at signing', { expiry: PRESENT }, /expiry 2026-06-01T12:00:00Z/],
      ['another algorithm', { headers: { [alg]: format === 'JWS' ? 'ES384' : -35 } }, /algorithm "ES384" with a key EC 256/],
      [
        'an unknown algorithm',
        { headers: { [alg]: format === 'JWS' ? 'none' : -47 } },
        format === 'JWS' ? /algorithm "none" with a key/ : /signature algorithm missing/,
      ],
      ['no algorithm', { headers: { [alg]: undefined } }, /signature algorithm missing/],
      ['no certificates', { certificates: [] }, /no certificate chain/],
      [
        "another signer's certificate",
        { certificates: [issue({ key: keyPair('P-256', 'other') }, ROOT).certificate, ROOT.certificate] },
        /does not match payload/,
      ],
      ['a broken chain', { certificates: [SIGNER.certificate] }, /the chain up|alone, issued by/],
    ];
    for (const [what, changes, wanted] of cases) {
      it(`is refused: ${what}`, () => {
        assert.match(problem(changes), /^SignatureInvalid: /);
        assert.match(problem(changes), wanted);
      });
    }

    it('is refused with a longer chain than its bound', () => {
      const certificates = Array.from({ length: MAX_CHAIN + 1 }, () => ROOT.certificate);
      assert.match(problem({ certificates }), /^LimitExceeded: a chain of 11/);
    });

    it('is refused when it is cut anywhere', () => {
      const { envelope } = signEnvelope(format, SIGNED);
      for (let length = 0; length < envelope.length; length += 7)
        assert.notEqual(
          problemOf(() => verify(envelope.subarray(0, length))),
          'none',
        );
    });
  });
}

describe('a JWS envelope in JSON', () => {
  const envelope: Record<string, unknown> = JSON.parse(Buffer.from(signEnvelope('JWS', SIGNED).envelope).toString());
  const problem = (value: unknown): string =>
    problemOf(() => verifyJws(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))));
  const text = (name: string): string => String(envelope[name]);
  const header = Object(envelope['header']) as Record<string, unknown>;

  for (const [what, value, wanted] of [
    ['not JSON', '{', /JWS envelope is not JSON/],
    ['not an object', '[]', /JWS envelope is not an object/],
    ['null', 'null', /JWS envelope is not an object/],
    ['the compact form', `${text('protected')}.${text('payload')}.${text('signature')}`, /is not JSON/],
    [
      'the general form',
      { payload: text('payload'), signatures: [{ protected: text('protected'), header, signature: text('signature') }] },
      /no "protected"/,
    ],
    ['no signature', { ...envelope, signature: undefined }, /no "signature"/],
    ['no header', { ...envelope, header: undefined }, /no unprotected header/],
    ['a chain that is no list', { ...envelope, header: { x5c: 'x' } }, /no certificate chain/],
    ['a certificate that is no text', { ...envelope, header: { x5c: [7] } }, /x5c is not base64/],
    ['a certificate that is none', { ...envelope, header: { x5c: ['AAAA'] } }, /malformed certificate chain/],
    ['base64 with padding', { ...envelope, signature: `${text('signature')}=` }, /signature is not base64url/],
    [
      'base64 in lines',
      { ...envelope, payload: `${text('payload').slice(0, 8)}\n${text('payload').slice(8)}` },
      /does not match|is not base64url/,
    ],
    ['another payload', { ...envelope, payload: Buffer.from('{}').toString('base64url') }, /does not match payload/],
    [
      'a token that is no base64',
      { ...envelope, header: { ...header, [`${P}timestampSignature`]: '!' } },
      /timestampSignature is not base64/,
    ],
  ] as const) {
    it(`is refused: ${what}`, () => assert.match(problem(value), wanted));
  }

  it('is refused with an unencoded payload (RFC 7797)', () => {
    assert.match(
      problemOf(() => verifyJws(signEnvelope('JWS', { ...SIGNED, headers: { b64: false } }).envelope)),
      /header "b64"/,
    );
  });

  it('is refused with a DER signature', () => {
    const { envelope: bytes } = signEnvelope('JWS', SIGNED);
    const raw = verifyJws(bytes).signature;
    assert.equal(raw.length, 64);
    assert.match(
      problem({ ...envelope, signature: Buffer.concat([raw, Buffer.alloc(6)]).toString('base64url') }),
      /does not match payload/,
    );
  });
});

describe('a COSE envelope in CBOR', () => {
  const { envelope } = signEnvelope('COSE', SIGNED);
  const message = decode<Tag>(new Uint8Array(envelope), { preferMap: true });
  const parts = message.contents as [Uint8Array, Map<unknown, unknown>, Uint8Array, Uint8Array];
  const problem = (bytes: Uint8Array): string => problemOf(() => verifyCose(bytes));
  const rewritten = (...changed: readonly unknown[]): Uint8Array => encode(new Tag(18, changed));
  const [protectedBytes, unprotected, payload, signature] = parts;

  for (const [what, bytes, wanted] of [
    ['not CBOR', Buffer.from('ff', 'hex'), /malformed COSE envelope/],
    ['no tag', encode(parts), /no tag 18/],
    ['another tag', encode(new Tag(98, parts)), /no tag 18/],
    ['three parts', rewritten(protectedBytes, unprotected, payload), /no list of four/],
    ['a detached payload', rewritten(protectedBytes, unprotected, null, signature), /detached payload/],
    ['no signature', rewritten(protectedBytes, unprotected, payload, new Uint8Array(0)), /no signature/],
    ['protected headers that are no map', rewritten(encode([1]), unprotected, payload, signature), /protected header is no map/],
    ['unprotected headers that are no map', rewritten(protectedBytes, [], payload, signature), /malformed headers/],
    ['another payload', rewritten(protectedBytes, unprotected, new Uint8Array([1]), signature), /does not match payload/],
    [
      'a header both protected and not',
      rewritten(protectedBytes, new Map([...unprotected, [3, 'x']]), payload, signature),
      /each header once|both protected/,
    ],
    [
      'critical headers that are not protected',
      rewritten(protectedBytes, new Map<unknown, unknown>([...unprotected, [2, ['x']]]), payload, signature),
      /both protected/,
    ],
    ['a chain that is no list', rewritten(protectedBytes, new Map([[33, new Uint8Array(1)]]), payload, signature), /no certificate chain/],
    ['a certificate that is no byte string', rewritten(protectedBytes, new Map([[33, ['x']]]), payload, signature), /no byte string/],
    [
      'a token that is no byte string',
      rewritten(protectedBytes, new Map<unknown, unknown>([...unprotected, [`${P}timestampSignature`, 'x']]), payload, signature),
      /timestampSignature is no byte string/,
    ],
    ['trailing bytes', Buffer.concat([envelope, Buffer.from([0])]), /malformed COSE envelope/],
    ['a stream', Buffer.from('d29f40a04040ff', 'hex'), /malformed COSE envelope/],
    ['a longer length than needed', Buffer.from('d2980440a04040', 'hex'), /malformed COSE envelope/],
    ['a duplicate label', Buffer.from('d28440a218210118210240 40'.replaceAll(' ', ''), 'hex'), /malformed COSE envelope/],
    ['depth', Buffer.concat([Buffer.from([0xd2]), Buffer.alloc(100_000, 0x81), Buffer.from([0])]), /malformed COSE envelope/],
    ['a length beyond the end', Buffer.from('d29b7fffffffffffffff', 'hex'), /malformed COSE envelope/],
  ] as const) {
    it(`is refused: ${what}`, () => assert.match(problem(bytes), wanted));
  }

  it('is refused with a time under another tag', () => {
    const headers = { [`${P}signingTime`]: new Tag(0, '2026-06-01T12:00:00Z') };
    assert.match(
      problemOf(() => verifyCose(signEnvelope('COSE', { ...SIGNED, headers }).envelope)),
      /signingTime is no time/,
    );
  });
});
