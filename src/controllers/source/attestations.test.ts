import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { digestOf } from '../../std/index.ts';
import type { Subject, Verdict } from '../../verify/index.ts';
import { parseExpression } from '../../cel/index.ts';
import { MAX_EXPRESSION_TIME, readProvenance, refuseAttestation, type ExpressionBudget } from './attestations.ts';

const SLSA_1 = 'https://slsa.dev/provenance/v1';
const SLSA_02 = 'https://slsa.dev/provenance/v0.2';
const digest = digestOf('artifact');
const subject: Subject = { digest, mediaType: 'm', size: 1, repository: 'registry.test/app' };
const signer = { kind: 'oidc', issuer: 'https://issuer.test', subject: 'https://github.com/org/app/release.yaml' } as const;
const verdict = (predicateType: string, predicate: unknown): Verdict => ({
  provider: 'cosign',
  digest,
  signer,
  format: 'bundle',
  log: [],
  attestation: { predicateType, predicate },
  warnings: [],
});
const budget = (): ExpressionBudget => ({ left: MAX_EXPRESSION_TIME, now: () => performance.now() });
const refusal = (one: Verdict, ...expressions: readonly string[]): string | undefined =>
  refuseAttestation({ predicateType: SLSA_1, expressions: expressions.map(parseExpression), threshold: 1 }, one, subject, budget());

describe('SLSA provenance', () => {
  for (const [name, type, predicate, expected] of [
    [
      'v1 of GitHub',
      SLSA_1,
      {
        buildDefinition: {
          externalParameters: { workflow: { repository: 'https://github.com/org/app', ref: 'refs/heads/main' } },
          resolvedDependencies: [{ uri: 'git+https://github.com/org/app@refs/heads/main' }, { name: 'no uri' }],
        },
        runDetails: { builder: { id: 'https://github.com/org/builder' } },
      },
      {
        builder: 'https://github.com/org/builder',
        sources: ['https://github.com/org/app', 'git+https://github.com/org/app@refs/heads/main'],
      },
    ],
    [
      'v0.2',
      SLSA_02,
      {
        builder: { id: 'b' },
        invocation: { configSource: { uri: 'git+https://a' } },
        materials: [{ uri: 'git+https://a' }, { uri: 'pkg:b' }],
      },
      { builder: 'b', sources: ['git+https://a', 'pkg:b'] },
    ],
    ['v0.1', 'https://slsa.dev/provenance/v0.1', { builder: { id: 'b' }, materials: [{ uri: 'a' }] }, { builder: 'b', sources: ['a'] }],
    ['another type', 'https://spdx.dev/Document', { builder: { id: 'b' }, materials: [{ uri: 'a' }] }, { builder: '', sources: [] }],
    ['nothing', SLSA_1, null, { builder: '', sources: [] }],
    ['a list', SLSA_1, [], { builder: '', sources: [] }],
    ['other types of fields', SLSA_1, { runDetails: { builder: { id: 7 } }, materials: { uri: 'a' } }, { builder: '', sources: [] }],
    ['names of JavaScript', SLSA_1, { runDetails: 'constructor', materials: [{ __proto__: { uri: 'a' } }] }, { builder: '', sources: [] }],
  ] as const)
    test(`${name}: builder and sources`, () => assert.deepEqual(readProvenance(type, predicate), expected));
});

describe('expressions over attestations', () => {
  const good = verdict(SLSA_1, { runDetails: { builder: { id: 'b' } }, count: 3 });

  test('see the predicate, who built and who signed, and the digest', () => {
    assert.equal(
      refusal(
        good,
        'predicate.count == 3 && predicateType.endsWith("/v1")',
        'builder == "b" && sources.size() == 0',
        'signer.issuer == "https://issuer.test" && signer.subject.startsWith("https://github.com/org/") && signer.key == ""',
        `digest == "${digest}" && repository == "registry.test/app"`,
      ),
      undefined,
    );
    assert.equal(refusal(good), undefined, 'no expression, nothing to ask');
  });

  test('all must be true: the first that is not is told', () => {
    assert.equal(refusal(good, 'true', 'builder == "c"', '1 / 0 == 1'), `'builder == "c"' is false`);
  });

  test('one that fails refuses and says so: a missing field, a type, a cost', () => {
    assert.match(refusal(good, 'predicate.absent == 1') ?? '', /^failed to evaluate the CEL expression 'predicate\.absent == 1': /);
    assert.match(refusal(good, '"yes"') ?? '', /want a bool/);
    const wide = verdict(SLSA_1, { list: Array.from({ length: 5000 }, (_, at) => at) });
    const nested = 'predicate.list.all(a, predicate.list.all(b, a + b >= 0))';
    assert.match(refusal(wide, nested) ?? '', /cost too much/);
    assert.throws(() => parseExpression('a ='), { code: 'InvalidCELExpression' });
  });

  test('the time of all expressions together is bounded', () => {
    const spent: ExpressionBudget = { left: 0, now: () => 0 };
    const expressions = [parseExpression('true')];
    assert.equal(
      refuseAttestation({ predicateType: SLSA_1, expressions, threshold: 1 }, good, subject, spent),
      'expressions take longer than 2 s',
    );
    let time = 0;
    const slow: ExpressionBudget = { left: 10, now: () => (time += 6) };
    assert.equal(refuseAttestation({ predicateType: SLSA_1, expressions, threshold: 1 }, good, subject, slow), undefined);
    assert.equal(slow.left, 4);
  });
});
