// What an OCIRepository does on a real API server with our own registry: references, layers, ignores, faults, storage.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { condition, configMap, KS, Lab, OCI, until } from './kustomization-lab.ts';

describe('OCIRepositories', { timeout: 300_000 }, () => {
  let lab: Lab;
  before(async () => {
    lab = await Lab.open('sources');
  });
  after(async () => await lab.close());

  test('OB09 OB10 OB12: tag, digest and semver, digest first', async () => {
    const one = await lab.push('refs', { 'a.yaml': configMap('a', { v: '1' }) }, '1.0.0');
    const two = await lab.push('refs', { 'a.yaml': configMap('a', { v: '2' }) }, '1.2.0');
    await lab.push('refs', { 'a.yaml': configMap('a', { v: '3' }) }, '2.0.0');
    const digest = one.slice(one.indexOf('@') + 1);
    await lab.source('refs', 'refs', { ref: { tag: '1.0.0' } });
    assert.equal((await lab.ready(OCI, 'refs', one)).artifact?.revision, one);
    await lab.source('refs', 'refs', { ref: { tag: '1.0.0', semver: '1.x' } });
    await lab.ready(OCI, 'refs', two);
    await lab.source('refs', 'refs', { ref: { tag: '1.0.0', semver: '1.x', semverFilter: '\\.0\\.0$' } });
    await lab.ready(OCI, 'refs', one);
    await lab.source('refs', 'refs', { ref: { tag: '2.0.0', semver: '1.x', digest } });
    await lab.ready(OCI, 'refs', digest);
    await lab.source('refs', 'refs', { ref: { semver: '>=9' } });
    const failed = await lab.notReady(OCI, 'refs', 'ReadOperationFailed');
    assert.match(condition(failed, 'FetchFailed')?.message ?? '', /no match found for semver: >=9/);
    assert.equal(failed.artifact?.revision, digest, 'the last good artifact stays');
    assert.equal(condition(failed, 'Reconciling')?.reason, 'ProgressingWithRetry');
    await lab.remove(OCI, 'refs');
  });

  test('OB16 OB22: spec.ignore is part of what is stored, and a new generation without effect pulls nothing', async () => {
    await lab.push('ignores', { 'keep.yaml': configMap('keep'), 'drop.yaml': configMap('drop') });
    await lab.source('ignores', 'ignores');
    const all = await lab.ready(OCI, 'ignores');
    await lab.source('ignores', 'ignores', { ignore: 'drop.yaml' });
    const less = await lab.waitStatus(OCI, 'ignores', 'ignored', (status) => status.artifact?.digest !== all.artifact?.digest);
    assert.equal((less as { observedIgnore?: string }).observedIgnore, 'drop.yaml');
    lab.forget();
    await lab.source('ignores', 'ignores', { ignore: 'drop.yaml', interval: '7m' });
    await lab.waitStatus(OCI, 'ignores', 'observed', (status) => status.observedGeneration === 3);
    assert.deepEqual(
      lab.registryRequests.map(({ method }) => method).filter((method) => method !== 'HEAD'),
      [],
    );
    await lab.remove(OCI, 'ignores');
  });

  test('OB18 OB20: a layer is copied as it is; one that is not there is named with those that are', async () => {
    await lab.push('layers', { 'a.yaml': configMap('a') });
    const mediaType = 'application/vnd.cncf.flux.content.v1.tar+gzip';
    await lab.source('layers', 'layers', { layerSelector: { mediaType, operation: 'copy' } });
    const copied = await lab.ready(OCI, 'layers');
    assert.deepEqual((copied as { observedLayerSelector?: unknown }).observedLayerSelector, { mediaType, operation: 'copy' });
    await lab.source('layers', 'layers', { layerSelector: { mediaType: 'text/plain' } });
    const failed = await lab.notReady(OCI, 'layers', 'OCIArtifactLayerOperationFailed');
    assert.match(condition(failed, 'Ready')?.message ?? '', /failed to find layer with media type 'text\/plain'/);
    await lab.remove(OCI, 'layers');
  });

  test('OB04: a URL that is no repository stalls', async () => {
    await lab.apply({ ...OCI, metadata: { name: 'bad-url' }, spec: { interval: '1m', url: `oci://${lab.registry.host}/app:latest` } });
    const stalled = await lab.notReady(OCI, 'bad-url', 'URLInvalid');
    assert.equal(condition(stalled, 'Stalled')?.status, 'True');
    assert.equal(stalled.observedGeneration, 1);
    await lab.remove(OCI, 'bad-url');
  });

  test('OB05: a missing secret is AuthenticationFailed and mended by its arrival', async () => {
    await lab.push('secretive', { 'a.yaml': configMap('a') });
    await lab.source('secretive', 'secretive', { secretRef: { name: 'login' } });
    const failed = await lab.notReady(OCI, 'secretive', 'AuthenticationFailed');
    assert.match(condition(failed, 'FetchFailed')?.message ?? '', /failed to get credential: get Secret "sources\/login": not found/);
    await lab.apply({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'login' },
      type: 'kubernetes.io/dockerconfigjson',
      stringData: { '.dockerconfigjson': '{"auths":{}}' },
    });
    await lab.ready(OCI, 'secretive');
    await lab.remove(OCI, 'secretive');
  });

  test('OB13: a source that must be verified and is not signed is not fetched; without spec.verify it is', async () => {
    await lab.push('signed', { 'a.yaml': configMap('a') });
    lab.forget();
    await lab.source('signed', 'signed', { verify: { provider: 'cosign' } });
    const refused = await lab.notReady(OCI, 'signed', 'VerificationError');
    assert.equal(condition(refused, 'SourceVerified')?.status, 'False');
    assert.equal(refused.artifact, undefined);
    assert.deepEqual(
      lab.registryRequests.filter(({ url }) => url.includes('/blobs/')),
      [],
    );
    await lab.source('signed', 'signed');
    const plain = await lab.ready(OCI, 'signed');
    assert.equal(condition(plain, 'SourceVerified'), undefined);
    await lab.remove(OCI, 'signed');
  });

  test('C07 C10: suspended, it takes note of requests and does nothing', async () => {
    const revision = await lab.push('paused', { 'a.yaml': configMap('a') });
    await lab.source('paused', 'paused');
    await lab.ready(OCI, 'paused', revision);
    await lab.patch(OCI, 'paused', { spec: { suspend: true } });
    await lab.push('paused', { 'a.yaml': configMap('a', { v: '2' }) });
    const value = await lab.request(OCI, 'paused');
    const status = await lab.waitStatus(OCI, 'paused', 'noted', ({ lastHandledReconcileAt }) => lastHandledReconcileAt === value);
    assert.equal(status.artifact?.revision, revision);
    await lab.remove(OCI, 'paused');
  });

  test('one tag followed by many: one look tells all of them', async (t) => {
    await lab.push('shared', { 'a.yaml': configMap('a') });
    const names = Array.from({ length: 10 }, (_, i) => `shared-${i}`);
    await Promise.all(names.map((name) => lab.source(name, 'shared')));
    for (const name of names) await lab.ready(OCI, name);
    const revision = await lab.push('shared', { 'a.yaml': configMap('a', { v: '2' }) });
    await lab.settled();
    lab.forget();
    await lab.request(OCI, 'shared-0');
    for (const name of names) await lab.ready(OCI, name, revision);
    const methods = lab.registryRequests.map(
      ({ method, url }) => `${method} ${url.replace(/.*\/v2\/shared\//, '').replace(/sha256:\w+/, 'digest')}`,
    );
    t.diagnostic(methods.join(', '));
    assert.ok(methods.length <= 4, methods.join(', '));
    for (const name of names) await lab.remove(OCI, name);
  });

  test('OB02: what disappeared from the store is fetched again, and those who build from it go on', async () => {
    const revision = await lab.push('lost', { 'a.yaml': configMap('lost') });
    await lab.source('lost', 'lost');
    await lab.kustomization('lost');
    await lab.ready(KS, 'lost', revision);
    const published = await lab.status(OCI, 'lost');
    await lab.stop();
    lab.emptyStore();
    await lab.start();
    await lab.waitStatus(OCI, 'lost', 'stored again', () => lab.hasStored(published.artifact?.path ?? ''));
    await lab.request(KS, 'lost');
    await lab.ready(KS, 'lost', revision);
    await lab.remove(KS, 'lost');
    await lab.remove(OCI, 'lost');
    await until('its files are gone', async () => !lab.hasStored(published.artifact?.path ?? ''));
  });
});
