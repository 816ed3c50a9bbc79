import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestOf } from '../std/index.ts';
import { satisfies, type Party, type SignerPolicy } from './policy.ts';
import type { Identity, Verdict } from './verdict.ts';

const DIGEST = digestOf('artifact');
const key = (name: string): Identity => ({ kind: 'key', name, fingerprint: digestOf(name) });
const person = (subject: string, issuer = 'https://issuer.test'): Identity => ({ kind: 'oidc', issuer, subject });
const certificate = (subject: string, serial = '1'): Identity => ({
  kind: 'x509',
  subject,
  issuer: 'CN=root',
  fingerprint: digestOf(serial),
});
const verdict = (signer: Identity, more: Partial<Verdict> = {}): Verdict => ({
  provider: signer.kind === 'x509' ? 'notation' : 'cosign',
  digest: DIGEST,
  signer,
  format: 'bundle',
  log: [],
  warnings: [],
  ...more,
});
const party = (name: string, ...identities: readonly Identity[]): Party => ({
  name,
  signs: ({ signer }) => identities.some((one) => JSON.stringify(one) === JSON.stringify(signer)),
});
const counted = (verdicts: readonly Verdict[], policy?: SignerPolicy): number | string => {
  const result = satisfies(DIGEST, verdicts, policy);
  return result.satisfied ? result.verdicts.length : `found ${result.found}, want ${result.wanted}`;
};

describe('a policy of k of n', () => {
  it('wants one signer unless told otherwise', () => {
    assert.equal(counted([verdict(key('a'))]), 1);
    assert.equal(counted([]), 'found no signer that counts, want 1 distinct signer');
  });

  it('counts signers of both providers', () => {
    assert.equal(counted([verdict(key('a')), verdict(person('b')), verdict(certificate('CN=c'))], { threshold: 3 }), 3);
  });

  it('counts signers, not signatures', () => {
    assert.equal(
      counted([verdict(key('a')), verdict(key('a'), { format: 'signature tag' })], { threshold: 2 }),
      'found 1 distinct signer (key "a"), want 2 distinct signers',
    );
    // The same key under two names, an identity twice, a renewed certificate.
    assert.match(
      String(counted([verdict(key('a')), verdict({ kind: 'key', name: 'b', fingerprint: digestOf('a') })], { threshold: 2 })),
      /^found 1 /,
    );
    assert.match(
      String(counted([verdict(person('a')), verdict(person('a'))], { threshold: 2 })),
      /^found 1 distinct signer \("a" of "https:\/\/issuer\.test"\)/,
    );
    assert.match(
      String(counted([verdict(certificate('CN=a', '1')), verdict(certificate('CN=a', '2'))], { threshold: 2 })),
      /^found 1 distinct signer \(certificate "CN=a"\)/,
    );
  });

  it('tells identities of two issuers apart, however they are spelled', () => {
    assert.equal(counted([verdict(person('a', 'https://one.test')), verdict(person('a', 'https://two.test'))], { threshold: 2 }), 2);
    assert.equal(counted([verdict(person('b', 'a ')), verdict(person(' b', 'a'))], { threshold: 2 }), 2);
  });

  it('does not count verdicts about something else', () => {
    assert.match(String(counted([verdict(key('a'), { digest: digestOf('other') })])), /^found no signer/);
  });

  it('counts each party once, and nobody for two', () => {
    const [alice, phone, bob] = [key('alice'), key('phone'), key('bob')];
    const parties = [party('alice', alice, phone), party('bob', bob)];
    assert.match(String(counted([verdict(alice), verdict(phone)], { threshold: 2, parties })), /^found 1 .*, want 2 of "alice", "bob"$/);
    assert.equal(counted([verdict(alice), verdict(phone), verdict(bob)], { threshold: 2, parties }), 2);
    assert.match(String(counted([verdict(key('mallory'))], { parties })), /^found no signer that counts/);
    const both = [party('release', alice), party('security', alice)];
    assert.match(String(counted([verdict(alice)], { threshold: 2, parties: both })), /^found 1 /);
  });

  it('finds the assignment that satisfies it, in any order', () => {
    const [alice, bob, carol] = [key('alice'), key('bob'), key('carol')];
    const parties = [party('any', alice, bob, carol), party('ab', alice, bob), party('a', alice)];
    const signers = [alice, bob, carol];
    for (const order of [
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ]) {
      const verdicts = order.map((index) => verdict(signers[index] ?? alice));
      for (const list of [parties, parties.toReversed()]) assert.equal(counted(verdicts, { threshold: 3, parties: list }), 3);
    }
  });

  it('asks every verdict of a signer before it says that a party has none', () => {
    // The same key twice, and only the second verdict is under the trust of the party (such as a log of its own).
    const [plain, logged] = [verdict(key('a')), verdict(key('a'), { format: 'signature tag' })];
    const parties: Party[] = [{ name: 'logged', signs: (one) => one === logged }];
    assert.equal(counted([plain, logged], { parties }), 1);
    assert.match(String(counted([plain], { parties })), /^found no signer/);
    const attested = verdict(key('a'), { attestation: { predicateType: 't', predicate: 2 } });
    const attestation = { predicateType: 't', accepts: (predicate: unknown, one: Verdict): boolean => predicate === 2 && one === attested };
    assert.equal(counted([verdict(key('a'), { attestation: { predicateType: 't', predicate: 1 } }), attested], { attestation }), 1);
  });

  it('counts as many as any assignment could: a brute force over small cases agrees', () => {
    let seed = 7;
    const random = (below: number): number => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % below;
    for (let round = 0; round < 300; round++) {
      const identities = Array.from({ length: 1 + random(5) }, (_, at) => key(`k${at}`));
      const parties = Array.from({ length: 1 + random(4) }, (_, at) => party(`p${at}`, ...identities.filter(() => random(2) === 0)));
      const verdicts = identities.flatMap((one) => Array.from({ length: random(3) }, () => verdict(one)));
      const signed = identities.filter((one) => verdicts.some(({ signer }) => signer === one));
      const most = (left: readonly Party[], free: readonly Identity[]): number => {
        const [first, ...others] = left;
        if (first === undefined) return 0;
        const theirs = free
          .filter((one) => first.signs(verdict(one)))
          .map(
            (one) =>
              1 +
              most(
                others,
                free.filter((other) => other !== one),
              ),
          );
        return Math.max(most(others, free), ...theirs);
      };
      const best = most(parties, signed);
      const isSatisfied = (threshold: number): boolean => satisfies(DIGEST, verdicts, { threshold, parties }).satisfied;
      for (let threshold = 1; threshold <= parties.length; threshold++) assert.equal(isSatisfied(threshold), threshold <= best);
    }
  });

  it('can ask for attestations', () => {
    const provenance = 'https://slsa.dev/provenance/v1';
    const attested = (builder: string, type = provenance): Verdict =>
      verdict(key(builder), { attestation: { predicateType: type, predicate: { builder } } });
    const attestation = {
      predicateType: provenance,
      accepts: (predicate: unknown): boolean => JSON.stringify(predicate) === '{"builder":"good"}',
    };
    assert.equal(counted([attested('good')], { attestation }), 1);
    assert.equal(counted([attested('any')], { attestation: { predicateType: provenance } }), 1);
    for (const other of [attested('bad'), attested('good', 'https://spdx.dev/Document'), verdict(key('good'))]) {
      assert.equal(
        counted([other], { attestation }),
        `found no signer that counts, want 1 distinct signer with an attestation "${provenance}" that is accepted`,
      );
    }
  });

  it('refuses thresholds that mean nothing', () => {
    for (const threshold of [0, -1, 1.5, Number.NaN, Infinity]) assert.throws(() => satisfies(DIGEST, [], { threshold }), RangeError);
    assert.throws(() => satisfies(DIGEST, [], { threshold: 2, parties: [party('a')] }), RangeError);
  });
});
