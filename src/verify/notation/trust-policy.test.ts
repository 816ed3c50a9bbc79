import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VerificationError } from '../verdict.ts';
import { MAX_TRUST_POLICY } from './bounds.ts';
import { applicableStatement } from './scope.ts';
import { parseTrustPolicy } from './trust-policy.ts';

const IDENTITY = 'x509.subject: C=US, ST=WA, O=acme';
const statement = (changes: object = {}): Record<string, unknown> => ({
  name: 'one',
  registryScopes: ['*'],
  signatureVerification: { level: 'strict' },
  trustStores: ['ca:acme'],
  trustedIdentities: [IDENTITY],
  ...changes,
});
const policy = (...statements: unknown[]): string => JSON.stringify({ version: '1.0', trustPolicies: statements });

function problemOf(text: string | Uint8Array): string {
  try {
    parseTrustPolicy(text);
  } catch (error) {
    assert.ok(error instanceof VerificationError);
    assert.equal(error.code, 'TrustInvalid');
    return error.message.replace('read trust policy: ', '');
  }
  return 'none';
}

describe('a trust policy (OB15)', () => {
  it('is read', () => {
    const [one] = parseTrustPolicy(policy(statement())).statements;
    assert.deepEqual(one, {
      name: 'one',
      registryScopes: ['*'],
      level: 'strict',
      actions: { integrity: 'enforce', authenticity: 'enforce', authenticTimestamp: 'enforce', expiry: 'enforce', revocation: 'enforce' },
      verifyTimestamp: 'always',
      trustStores: ['ca:acme'],
      trustedIdentities: [IDENTITY],
      trustedNames: [
        new Map([
          ['C', 'US'],
          ['ST', 'WA'],
          ['O', 'acme'],
        ]),
      ],
    });
  });

  it('has field names in any case and ignores unknown ones, as Go reads it', () => {
    const text = policy(statement({ Comment: 1 }))
      .replace('"trustPolicies"', '"TrustPolicies"')
      .replace('"level"', '"Level"');
    assert.equal(parseTrustPolicy(text).statements.length, 1);
  });

  it('overrides the actions of a level', () => {
    const override = { authenticTimestamp: 'log', expiry: 'log', revocation: 'skip' };
    const [one] = parseTrustPolicy(policy(statement({ signatureVerification: { level: 'strict', override } }))).statements;
    assert.deepEqual(one?.actions, { integrity: 'enforce', authenticity: 'enforce', ...override });
  });

  it('ignores stores and identities at level skip, as Flux does', () => {
    const [one] = parseTrustPolicy(policy(statement({ signatureVerification: { level: 'skip' } }))).statements;
    assert.deepEqual([one?.trustStores, one?.trustedIdentities], [[], []]);
  });

  it('keeps identities of other kinds, which only plugins match', () => {
    const [one] = parseTrustPolicy(policy(statement({ trustedIdentities: ['acme.id: 7', IDENTITY] }))).statements;
    assert.equal(one?.trustedNames?.length, 1);
    assert.equal(parseTrustPolicy(policy(statement({ trustedIdentities: ['*'] }))).statements[0]?.trustedNames, undefined);
  });

  const verification = (signatureVerification: object): string => policy(statement({ signatureVerification }));
  const cases: readonly (readonly [string, string | Uint8Array, RegExp])[] = [
    ['not JSON', '{', /^it is not JSON: /],
    ['not UTF-8', Buffer.from([0x22, 0xff, 0x22]), /^it is not JSON: /],
    ['a list', '[]', /^it is not a JSON object$/],
    ['too long', ' '.repeat(MAX_TRUST_POLICY + 1), /^it has more than 1048576 bytes$/],
    ['no version', '{}', /^version is "", want "1\.0"$/],
    ['another version', '{"version":"2.0"}', /^version is "2\.0", want "1\.0"$/],
    ['version 1', '{"version":1}', /^version is not a string$/],
    ['no statements', policy(), /^trustPolicies is empty/],
    ['a statement that is a text', policy('x'), /^trustPolicies\[0\] is not an object$/],
    ['no name', policy(statement({ name: '' })), /^trustPolicies\[0\]\.name is empty/],
    ['a name twice', policy(statement({ registryScopes: ['a.io/b'] }), statement()), /^trustPolicies\[1\]\.name "one" is used twice/],
    ['no level', verification({}), /^statement "one": signatureVerification\.level is "", want strict/],
    ['another level', verification({ level: 'loose' }), /signatureVerification\.level is "loose"/],
    ['a level of the prototype', verification({ level: 'constructor' }), /signatureVerification\.level is "constructor"/],
    ['override of skip', verification({ level: 'skip', override: { expiry: 'log' } }), /override is set, want none at level skip/],
    ['override of integrity', verification({ level: 'strict', override: { integrity: 'log' } }), /override\.integrity is set, but/],
    [
      'override that skips expiry',
      verification({ level: 'strict', override: { expiry: 'skip' } }),
      /override\.expiry is "skip", but only revocation/,
    ],
    ['override of a stranger', verification({ level: 'strict', override: { colour: 'log' } }), /override\.colour is no check/],
    ['override to a stranger', verification({ level: 'strict', override: { expiry: 'warn' } }), /override\.expiry is "warn", want enforce/],
    [
      'verifyTimestamp',
      verification({ level: 'strict', verifyTimestamp: 'never' }),
      /verifyTimestamp is "never", want "always" or "afterCertExpiry"/,
    ],
    ['no stores', policy(statement({ trustStores: [] })), /^statement "one": trustStores is empty/],
    ['a store without type', policy(statement({ trustStores: ['acme'] })), /trustStores has "acme", want ca:NAME/],
    ['a store of another type', policy(statement({ trustStores: ['pgp:acme'] })), /trustStores has "pgp:acme"/],
    ['a store with a path', policy(statement({ trustStores: ['ca:../x'] })), /trustStores has "ca:\.\.\/x"/],
    ['no identities', policy(statement({ trustedIdentities: null })), /trustedIdentities is empty/],
    ['* among others', policy(statement({ trustedIdentities: ['*', IDENTITY] })), /trustedIdentities has "\*" among others/],
    ['an identity without kind', policy(statement({ trustedIdentities: ['acme'] })), /trustedIdentities has "acme", want/],
    ['an incomplete name', policy(statement({ trustedIdentities: ['x509.subject: C=US'] })), /with no ST, O, want a distinguished name/],
    [
      'overlapping names',
      policy(statement({ trustedIdentities: [IDENTITY, `${IDENTITY}, CN=x`] })),
      /which overlaps with "x509\.subject: C=US, ST=WA, O=acme"/,
    ],
    ['an identity that is a number', policy(statement({ trustedIdentities: [7] })), /trustedIdentities\[0\] is not a string/],
    ['no scopes', policy(statement({ registryScopes: [] })), /^statement "one": registryScopes is empty/],
    ['* among scopes', policy(statement({ registryScopes: ['*', 'a.io/b'] })), /registryScopes has "\*" among others/],
    [
      'a scope in two statements',
      policy(statement(), statement({ name: 'two' })),
      /^statement "two": registryScopes has "\*", which is in statement "one" already/,
    ],
    ['a scope twice', policy(statement({ registryScopes: ['a.io/b', 'a.io/b'] })), /which is in statement "one" already/],
  ];
  for (const [what, text, wanted] of cases) it(`is refused: ${what}`, () => assert.match(problemOf(text), wanted));

  for (const scope of [
    'a.io',
    'https://a.io/b',
    'a.io/b*',
    'a.io/B',
    'a.io/b:tag',
    '-a.io/b',
    'a.io/',
    '/b',
    'a.io/b//c',
    `a.io/${'b'.repeat(600)}`,
  ]) {
    it(`has no scope ${scope.slice(0, 40)}`, () =>
      assert.match(problemOf(policy(statement({ registryScopes: [scope] }))), /want "\*" or a repository/));
  }

  it('applies by exact repository before *', () => {
    const exact = statement({ name: 'exact', registryScopes: ['localhost:5000/a/b', 'a.io/x__y/z-1'] });
    const both = parseTrustPolicy(policy(statement(), exact));
    assert.equal(applicableStatement(both, 'localhost:5000/a/b')?.name, 'exact');
    assert.equal(applicableStatement(both, 'localhost:5000/a/b/c')?.name, 'one');
    assert.equal(applicableStatement(parseTrustPolicy(policy(exact)), 'a.io/other'), undefined);
  });
});
