import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type KubeObject, readObjects } from '../manifest/index.ts';
import { comparable, hideSecrets, MASK, portable } from './preview-objects.ts';
import { type Plan, planPreview, type PlanRequest } from './preview-plan.ts';

function repository(name: string, spec: Record<string, unknown> = {}): KubeObject {
  return {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'OCIRepository',
    metadata: { name, namespace: 'flux-system' },
    spec: { interval: '1m', url: `oci://ghcr.io/org/${name}`, ...spec },
  };
}

function kustomization(name: string, source: string, spec: Record<string, unknown> = {}, status?: Record<string, unknown>): KubeObject {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name, namespace: 'flux-system' },
    spec: { interval: '1m', prune: true, sourceRef: { kind: 'OCIRepository', name: source }, ...spec },
    ...(status === undefined ? {} : { status }),
  };
}

const TWO = [repository('infra'), repository('apps'), kustomization('infra', 'infra'), kustomization('apps', 'apps')];

function plan(request: Partial<PlanRequest>): Plan {
  return planPreview({
    snapshot: [],
    given: [],
    source: undefined,
    repository: undefined,
    path: undefined,
    targetNamespace: undefined,
    timeout: '5m',
    registry: '127.0.0.1:5000',
    ...request,
  });
}

function specOf({ objects }: Plan, kind: string, name: string): Record<string, unknown> {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  return (found?.['spec'] ?? {}) as Record<string, unknown>;
}

describe('planPreview', () => {
  it('makes a source and a Kustomization when there are none', () => {
    const made = plan({ path: './app', targetNamespace: 'web' });
    assert.deepEqual([made.push, made.mirrored], [{ registry: '127.0.0.1:5000', path: 'preview', tag: 'latest' }, undefined]);
    const { path, targetNamespace, prune, wait, timeout } = specOf(made, 'Kustomization', 'preview');
    assert.deepEqual([path, targetNamespace, prune, wait, timeout], ['./app', 'web', true, true, '5m']);
  });

  it('runs what builds from the source the target stands in for, and suspends the rest', () => {
    const made = plan({ snapshot: TWO, source: 'apps' });
    assert.deepEqual([made.push.path, made.mirrored], ['org/apps', 'ghcr.io']);
    assert.equal(specOf(made, 'OCIRepository', 'apps')['suspend'], undefined);
    assert.equal(specOf(made, 'Kustomization', 'apps')['suspend'], undefined);
    assert.equal(specOf(made, 'OCIRepository', 'infra')['suspend'], true);
    assert.equal(specOf(made, 'Kustomization', 'infra')['suspend'], true);
  });

  it('finds the source of an artifact by its repository', () => {
    assert.equal(plan({ snapshot: TWO, repository: 'ghcr.io/org/infra' }).push.path, 'org/infra');
  });

  it('refuses to guess', () => {
    assert.throws(() => plan({ snapshot: TWO }), { code: 'UsageInvalid', remedy: /--source: flux-system\/apps, flux-system\/infra/ });
    assert.throws(() => plan({ snapshot: TWO, source: 'other' }), { code: 'UsageInvalid' });
    const git = kustomization('git', 'git', { sourceRef: { kind: 'GitRepository', name: 'git' } });
    assert.throws(() => plan({ snapshot: [git] }), { code: 'UsageInvalid', message: /builds from an OCIRepository/ });
  });

  it('takes out of the source what needs its registry, and of the Kustomization what waits for others', () => {
    const snapshot = [
      repository('apps', { ref: { semver: '1.x' }, secretRef: { name: 'login' }, verify: { provider: 'cosign' }, layerSelector: {} }),
      kustomization('apps', 'apps', { dependsOn: [{ name: 'infra' }, { name: 'more' }], suspend: true }),
      kustomization('more', 'apps'),
    ];
    const made = plan({ snapshot });
    assert.deepEqual(specOf(made, 'OCIRepository', 'apps'), {
      interval: '1m',
      url: 'oci://ghcr.io/org/apps',
      insecure: true,
      ref: { tag: 'latest' },
    });
    const { dependsOn, suspend } = specOf(made, 'Kustomization', 'apps');
    assert.deepEqual([dependsOn, suspend], [[{ name: 'more' }], undefined]);
    assert.equal(made.notes.length, 1);
    assert.deepEqual(made.signed?.source['spec'], snapshot[0]?.['spec'], 'whose signature is wanted is kept');
    assert.equal(plan({ snapshot: TWO, source: 'apps' }).signed, undefined);
    const policy = { apiVersion: 'source.sluice.dev/v1alpha1', kind: 'ClusterVerificationPolicy', metadata: { name: 'all' }, spec: {} };
    const under = plan({ snapshot: [...TWO, policy], source: 'apps' });
    assert.deepEqual(under.signed?.policies, [policy], 'policies are judged before');
    assert.ok(!under.objects.includes(policy));
  });

  it('gives a Kustomization out of a file the inventory the snapshot knows of it', () => {
    const inventory = { entries: [{ id: 'default_web__ConfigMap', v: 'v1' }] };
    const snapshot = [...TWO, kustomization('mine', 'apps', {}, { inventory })];
    const { metadata, ...rest } = kustomization('mine', 'infra', { path: './mine' });
    const made = plan({ snapshot, given: [{ ...rest, metadata: { name: metadata.name } }] });
    assert.equal(made.push.path, 'org/infra');
    const mine = made.objects.filter((object) => object.metadata.name === 'mine');
    assert.deepEqual(
      mine.map(({ status, spec }) => [status, (spec as { path: string }).path]),
      [[{ inventory }, './mine']],
    );
  });
});

describe('objects of a snapshot', () => {
  const [secret] = readObjects(`
apiVersion: v1
kind: Secret
metadata:
  name: s
  namespace: apps
  uid: u
  resourceVersion: '7'
  ownerReferences: []
  annotations: {kubectl.kubernetes.io/last-applied-configuration: '{"data":{"a":"QQ=="}}', keep: me}
data: {a: QQ==}
`);
  assert.ok(secret !== undefined);

  it('hold nothing of the server and no value of a Secret, not even in an annotation', () => {
    assert.deepEqual(portable(secret, { managers: true, secrets: false }), {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's', namespace: 'apps', annotations: { keep: 'me' } },
      data: { a: MASK },
    });
  });

  it('keep what verifies signatures, which is no secret', () => {
    const pem = (...labels: string[]): string =>
      Buffer.from(labels.map((label) => `-----BEGIN ${label}-----\nQUJD\n-----END ${label}-----\n`).join('')).toString('base64');
    const data = {
      'cosign.pub': pem('PUBLIC KEY'),
      'ca.crt': pem('CERTIFICATE', 'CERTIFICATE'),
      'trustpolicy.json': Buffer.from('{}').toString('base64'),
      'cosign.key': pem('ENCRYPTED SIGSTORE PRIVATE KEY'),
      'tls.key': pem('PRIVATE KEY'),
      'both.pem': pem('CERTIFICATE', 'PRIVATE KEY'),
      'password.pub': Buffer.from('hunter2').toString('base64'),
    };
    const kept = portable({ ...secret, data }, { managers: false, secrets: false })['data'];
    const hidden = { 'cosign.key': MASK, 'tls.key': MASK, 'both.pem': MASK, 'password.pub': MASK };
    assert.deepEqual(kept, { ...data, ...hidden });
  });

  it('count a masked value as equal and tell changed ones apart without showing them', () => {
    const values = (data: Record<string, string>): KubeObject => comparable({ ...secret, data });
    const seen = hideSecrets(values({ a: MASK, b: 'Qg==', c: 'Qw==' }), values({ a: 'QQ==', b: 'QQ==', c: 'Qw==' }));
    assert.deepEqual(seen.before?.['data'], { a: '***', b: '*** (before)', c: '***' });
    assert.deepEqual(seen.after?.['data'], { a: '***', b: '*** (after)', c: '***' });
  });
});
