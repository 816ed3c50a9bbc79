// spec.verify with real controllers on a real API server: cosign keys and notation, over artifacts that the real programs signed.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { corpus, loadLayout } from './harness.ts';
import { condition, Lab, OCI, until } from './kustomization-lab.ts';

const layouts = corpus('artifacts');
const PODINFO = 'stefanprodan/manifests/podinfo';

describe('signatures', { skip: layouts === undefined ? 'the corpus is not here' : false, timeout: 300_000 }, () => {
  let lab: Lab;
  const trust = (name: string): string => readFileSync(join(layouts ?? '', 'trust', name), 'utf8');
  const secret = (name: string, stringData: Record<string, string>, labels: Record<string, string> = {}): Promise<unknown> =>
    lab.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name, labels }, stringData });
  const source = (name: string, tag: string, provider: string, secretName: string): Promise<unknown> =>
    lab.source(name, PODINFO, { ref: { tag }, verify: { provider, secretRef: { name: secretName } } });

  before(async () => {
    lab = await Lab.open('signatures');
    await loadLayout(join(layouts ?? '', 'layouts', PODINFO), lab.registry.host, PODINFO);
    await secret('cosign', { 'cosign.pub': trust('cosign.pub') });
    await secret('other', { 'other.pub': trust('other.pub') }, { 'reconcile.fluxcd.io/watch': 'Enabled' });
    await secret('notation', { 'trustpolicy.json': trust('trustpolicy.json'), 'ca.crt': trust('notation-release-root.crt') });
  });
  after(async () => await lab.close());

  test('OB13 OB14: a signature by a key of the Secret', async () => {
    await source('signed', '6.13.0', 'cosign', 'cosign');
    const verified = condition(await lab.ready(OCI, 'signed'), 'SourceVerified');
    assert.deepEqual([verified?.status, verified?.reason], ['True', 'Succeeded']);
    assert.match(verified?.message ?? '', /^verified signature of revision 6\.13\.0@sha256:[0-9a-f]{64} by key "cosign\.pub"/);
    await lab.source('signed', PODINFO, { ref: { tag: '6.13.0' } });
    await lab.waitStatus(OCI, 'signed', 'unverified', (status) => condition(status, 'SourceVerified') === undefined);
  });

  test('OB13 OB14 C13: another key is refused until the Secret has the right one; nothing is fetched before', async () => {
    lab.forget();
    await source('stranger', '6.13.0', 'cosign', 'other');
    const refused = await lab.notReady(OCI, 'stranger', 'VerificationError');
    assert.equal(condition(refused, 'SourceVerified')?.status, 'False');
    assert.match(condition(refused, 'Ready')?.message ?? '', /found a signature by another key.* want one by "other\.pub"/);
    assert.equal(refused.artifact, undefined);
    const told = async (): Promise<boolean> =>
      lab.posted.some(({ reason, severity }) => reason === 'VerificationError' && severity === 'error');
    await until('the event', told);
    await secret('other', { 'other.pub': trust('cosign.pub') }, { 'reconcile.fluxcd.io/watch': 'Enabled' });
    await lab.ready(OCI, 'stranger');
  });

  test('OB14: a signature copied from another digest is refused', async () => {
    lab.forget();
    await source('evil', '6.13.1-evil', 'cosign', 'cosign');
    const refused = await lab.notReady(OCI, 'evil', 'VerificationError');
    assert.match(condition(refused, 'Ready')?.message ?? '', /found a signature of other content/);
    assert.equal(refused.artifact, undefined);
  });

  test('OB15: a notation signature by the trust policy, and one by a stranger', async () => {
    await source('notation', '6.14.0', 'notation', 'notation');
    assert.match(condition(await lab.ready(OCI, 'notation'), 'SourceVerified')?.message ?? '', /by certificate "CN=release\.sluice\.test/);
    await source('untrusted', '6.9.4', 'notation', 'notation');
    const refused = await lab.notReady(OCI, 'untrusted', 'VerificationError');
    assert.match(condition(refused, 'Ready')?.message ?? '', /^failed to verify the signature using provider 'notation'/);
  });
});
