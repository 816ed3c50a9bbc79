import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_IDENTITIES } from './limits.ts';
import { matchIdentity, parseIdentities } from './identity.ts';

const identity = { issuer: 'https://issuer.test', subject: 'https://github.com/org/app/x' };

// issuer, subject, anywhere (Flux), anchored
const CASES: readonly [issuer: string, subject: string, flux: boolean | string, anchored: boolean][] = [
  ['^https://issuer\\.test$', '^https://github\\.com/org/app/.*$', true, true],
  ['https://issuer.test', 'https://github.com/org/app/x', true, true],
  ['issuer', 'org/app', 'issuer,subject', false],
  ['^https://issuer\\.test$', 'https://github.com/org/', 'subject', false],
  ['^https://issuer\\.test$', 'a|https://github.com/org/app/x', true, true],
  ['^https://issuer\\.test$', '(?i)HTTPS://GITHUB\\.COM/ORG/APP/X', true, true],
  ['^https://issuer\\.test$', '^evil$', false, false],
  ['^evil$', '.*', false, false],
  ['.*', '.*', true, true],
];
for (const [issuer, subject, flux, anchored] of CASES) {
  test(`matchOIDCIdentity ${issuer} ${subject}`, () => {
    const match = matchIdentity(parseIdentities([{ issuer, subject }]), identity);
    assert.equal(match === undefined ? false : match.part.join() || true, flux);
    assert.equal(matchIdentity(parseIdentities([{ issuer, subject }], { anchored: true }), identity) !== undefined, anchored);
  });
}

test('one entry must match both: issuer of one and subject of another do not add up', () => {
  const patterns = parseIdentities([
    { issuer: '^https://issuer\\.test$', subject: '^other$' },
    { issuer: '^other$', subject: '^https://github' },
  ]);
  assert.equal(matchIdentity(patterns, identity), undefined);
});

const BAD: readonly [entries: { issuer: string; subject: string }[], text: RegExp][] = [
  [[], /no identity/],
  [[{ issuer: '', subject: '.*' }], /matchOIDCIdentity\[0\]\.issuer: empty/],
  [
    [
      { issuer: '.*', subject: '.*' },
      { issuer: '.*', subject: '(' },
    ],
    /matchOIDCIdentity\[1\]\.subject: error parsing regexp: missing closing/,
  ],
  [[{ issuer: '(?=x)', subject: '.*' }], /error parsing regexp/],
  [Array.from({ length: MAX_IDENTITIES + 1 }, () => ({ issuer: '.*', subject: '.*' })), /more than 64/],
];
for (const [entries, text] of BAD)
  test(`refused: ${text.source}`, () => assert.throws(() => parseIdentities(entries), { code: 'TrustInvalid', message: text }));
