import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeSigstore } from '../testing/sigstore.ts';
import { MAX_TRUSTED_ROOT } from './limits.ts';
import { publicGoodRoot } from './public-good.ts';
import { parseTrustedRoot, renewalWarnings } from './trusted-root.ts';

const good = (): Record<string, unknown> => JSON.parse(new FakeSigstore(new Date()).trustedRoot().toString());
const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

test('OB14: a trusted root has authorities and logs', () => {
  const { name, material } = parseTrustedRoot(bytes(good()));
  assert.equal(name, 'trusted_root.json');
  assert.deepEqual(
    [material.certificateAuthorities.length, material.tlogs.length, material.ctlogs.length, material.timestampAuthorities.length],
    [1, 2, 1, 1],
  );
});

test('the public-good root needs no network', () => {
  const { name, material } = publicGoodRoot();
  assert.equal(name, 'public-good');
  assert.ok(material.tlogs.some(({ baseURL }) => baseURL === 'https://rekor.sigstore.dev'));
  assert.ok(material.certificateAuthorities.length > 0 && material.ctlogs.length > 0);
  assert.equal(publicGoodRoot(), publicGoodRoot());
});

test('T3: a root that ends soon, or has ended, is warned of', () => {
  const now = new Date('2026-06-01T00:00:00Z');
  const days = (count: number): Date => new Date(now.getTime() + count * 86_400_000);
  const root = (end: Date | undefined): ReturnType<typeof parseTrustedRoot> => {
    const document = JSON.parse(new FakeSigstore(now).trustedRoot().toString());
    const validFor = { start: days(-100).toISOString(), ...(end === undefined ? {} : { end: end.toISOString() }) };
    for (const authority of document.certificateAuthorities) authority.validFor = validFor;
    for (const { publicKey } of document.tlogs) publicKey.validFor = validFor;
    return parseTrustedRoot(bytes(document), 'root.json');
  };
  assert.deepEqual(renewalWarnings(root(undefined), now), []);
  assert.deepEqual(renewalWarnings(root(days(31)), now), []);
  assert.deepEqual(renewalWarnings(root(days(29)), now), [
    'the last certificate authority of trusted root "root.json" ends at 2026-06-30T00:00:00.000Z: give a newer root',
    'the last transparency log of trusted root "root.json" ends at 2026-06-30T00:00:00.000Z: give a newer root',
  ]);
  assert.match(renewalWarnings(root(days(-1)), now).join(), /ended at 2026-05-31/);
  assert.match(renewalWarnings(root(undefined), days(10 * 366)).join(), /^the last certificate authority .* ended/, 'by its certificates');
  assert.deepEqual(renewalWarnings(publicGoodRoot(), now), []);
});

const BAD: Readonly<Record<string, [Uint8Array, RegExp]>> = {
  'no JSON': [Buffer.from('x'), /invalid JSON/],
  'a list': [Buffer.from('[]'), /want an object/],
  'another media type': [bytes({ ...good(), mediaType: 'application/json' }), /media type "application\/json"/],
  'no authority': [bytes({ ...good(), certificateAuthorities: [] }), /no certificate authority/],
  'no log': [bytes({ ...good(), tlogs: [] }), /no transparency log/],
  'logs without a beginning': [
    bytes({ ...good(), tlogs: [{ baseUrl: 'https://x', publicKey: { rawBytes: 'AAAA' }, logId: { keyId: 'AA==' } }] }),
    /no transparency log/,
  ],
  'a broken key': [
    bytes({
      ...good(),
      tlogs: [
        {
          baseUrl: 'https://x',
          publicKey: { rawBytes: 'AAAA', keyDetails: 'PKIX_ED25519', validFor: { start: '2026-01-01T00:00:00Z' } },
          logId: { keyId: 'AA==' },
        },
      ],
    }),
    /read trusted root "root.json"/,
  ],
  'too many bytes': [new Uint8Array(MAX_TRUSTED_ROOT + 1), /want at most/],
};
for (const [what, [json, text]] of Object.entries(BAD)) {
  test(`a trusted root with ${what} is refused, naming the file`, () => {
    assert.throws(() => parseTrustedRoot(json, 'root.json'), { code: 'TrustInvalid', subject: 'root.json', message: text });
  });
}
