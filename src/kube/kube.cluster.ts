import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { seconds, systemClock } from '../std/index.ts';
import type { KubeObject } from '../manifest/index.ts';
import {
  LeaderElection,
  createKubeClient,
  loadClusterConfig,
  nodeHost,
  type KubeClient,
  type RequestRecord,
  type WatchEvent,
} from './index.ts';

const kubeconfig = process.env['SLUICE_KUBECONFIG'];
const configMaps = { apiVersion: 'v1', kind: 'ConfigMap' };

describe('client against a real API server', { skip: kubeconfig === undefined ? 'SLUICE_KUBECONFIG is not set' : false }, () => {
  const requests: RequestRecord[] = [];
  const namespace = `kube-${process.pid}`;
  let client: KubeClient;

  before(async () => {
    const config = await loadClusterConfig(nodeHost, { kubeconfig: kubeconfig ?? '' });
    client = createKubeClient(config, { onRequest: (record) => requests.push(record) });
    await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  });
  after(async () => {
    await client.delete({ apiVersion: 'v1', kind: 'Namespace', name: namespace });
    await client.close();
  });

  const configMap = (name: string, data: Record<string, string> = {}): KubeObject => ({
    ...configMaps,
    metadata: { name, namespace },
    data,
  });
  const at = (name: string) => ({ ...configMaps, namespace, name });

  it('learns what the server serves in two requests', async () => {
    client.mapper.invalidate();
    requests.length = 0;
    const all = await client.mapper.all();
    assert.equal(requests.length, 2);
    const deployment = all.find(({ group, kind }) => group === 'apps' && kind === 'Deployment');
    assert.deepEqual(deployment?.subresources.toSorted(), ['scale', 'status']);
    assert.ok(deployment?.shortNames.includes('deploy'));
    assert.equal((await client.mapper.preferred('autoscaling', 'HorizontalPodAutoscaler')).version, 'v2');
  });

  it('reads an invalid object’s causes', async () => {
    const error: unknown = await client.create({ ...configMap('Bad_Name') }).catch((caught: unknown) => caught);
    const { code, causes } = error as { code: string; causes: { field: string; reason: string }[] };
    assert.equal(code, 'Invalid');
    assert.deepEqual([causes[0]?.field, causes[0]?.reason], ['metadata.name', 'FieldValueInvalid']);
  });

  it('impersonates with several groups and extra values', async () => {
    const bob = client.impersonate({ user: 'bob', groups: ['a', 'b, c'], extra: { 'example.com/Scope': ['x', 'y'] } });
    const review = await bob.create({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview', metadata: { name: '' } });
    const { username, groups, extra } = JSON.parse(JSON.stringify(review['status'])).userInfo;
    assert.equal(username, 'bob');
    assert.deepEqual(groups, ['a', 'b, c', 'system:authenticated']);
    assert.deepEqual(extra, { 'example.com/scope': ['x', 'y'] });
    await assert.rejects(bob.get(at('x')), { code: 'Forbidden' });
  });

  it('patches in every way, and subresources', async () => {
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const target = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'd' };
    await client.create({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd', namespace },
      spec: { replicas: 0, selector: { matchLabels: { a: 'b' } }, template },
    });
    await client.patch(target, { type: 'json', operations: [{ op: 'add', path: '/metadata/labels', value: { x: 'y' } }] });
    await client.patch(target, { type: 'strategic', body: { spec: { template: { spec: { containers: [{ name: 'c', image: 'j' }] } } } } });
    const scaled = await client.patch(target, { type: 'merge', body: { spec: { replicas: 0 } } }, { subresource: 'scale' });
    assert.equal(scaled.kind, 'Scale');
    await client.patchStatus(target, { type: 'merge', body: { status: { collisionCount: 3 } } });
    const live = JSON.parse(JSON.stringify(await client.get(target)));
    assert.equal(live.metadata.labels.x, 'y');
    assert.equal(live.spec.template.spec.containers[0].image, 'j');
    assert.equal(live.status.collisionCount, 3);
  });

  it('reads pages, metadata alone, and from the server’s cache', async () => {
    await Promise.all(Array.from({ length: 25 }, (_, index) => client.create(configMap(`page-${index}`, { big: 'x'.repeat(1000) }))));
    const list = await client.list(configMaps, { namespace, pageSize: 10, form: 'metadata' });
    assert.ok(list.items.length >= 25);
    assert.ok(list.items.every((object) => object.kind === 'ConfigMap' && object['data'] === undefined));
    assert.equal((await client.get(at('page-1'), { form: 'metadata', resourceVersion: '0' }))['data'], undefined);
  });

  it('streams a collection: what is there, then what changes, as metadata', async () => {
    const controller = new AbortController();
    const seen: WatchEvent[] = [];
    let ended = false;
    for await (const event of client.watch(configMaps, {
      namespace,
      sendInitialEvents: true,
      form: 'metadata',
      signal: controller.signal,
    })) {
      seen.push(event);
      if (event.type === 'bookmark' && event.initialEventsEnd) {
        ended = true;
        void client.create(configMap('streamed'));
      }
      if (event.type === 'added' && event.object.metadata.name === 'streamed') controller.abort();
    }
    assert.ok(ended);
    assert.ok(
      seen.every((event) => event.type === 'bookmark' || (event.object.kind === 'ConfigMap' && event.object['data'] === undefined)),
    );
  });

  it('keeps an informer equal to the collection', async () => {
    const informer = client.informer(configMaps, { namespace, form: 'metadata' });
    await informer.waitSynced();
    const changed = new Promise<void>((resolve) =>
      informer.subscribe({ deleted: ({ metadata }) => metadata.name === 'page-3' && resolve() }),
    );
    await client.delete(at('page-3'));
    await changed;
    assert.equal(informer.get(namespace, 'page-3'), undefined);
    informer.release();
  });

  it('keeps integers beyond 2^53 through a custom resource', async () => {
    const plural = `numbers${process.pid}`;
    const kind = `Number${process.pid}`;
    const schema = { type: 'object', properties: { spec: { type: 'object', properties: { big: { type: 'integer', format: 'int64' } } } } };
    const spec = {
      group: 'sluice.test',
      scope: 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase() },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    };
    await client.create({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `${plural}.sluice.test` },
      spec,
    });
    const object: KubeObject = { apiVersion: 'sluice.test/v1', kind, metadata: { name: 'n', namespace }, spec: { big: 9007199254740993n } };
    for (let attempt = 0; ; attempt++) {
      try {
        await client.apply(object, { fieldManager: 'test' });
        break;
      } catch (error) {
        if (attempt > 50) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    assert.match(JSON.stringify((await client.get({ ...object, name: 'n', namespace }))['spec']), /9007199254740993/);
    await client.delete({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: `${plural}.sluice.test` });
  });

  it('leads by a Lease', async () => {
    const timing = { leaseDuration: seconds(3), renewDeadline: seconds(2), retryPeriod: seconds(0.2) };
    const election = new LeaderElection({
      client,
      namespace,
      name: 'election',
      identity: 'me',
      ...timing,
      releaseOnStop: true,
      clock: systemClock,
      random: Math.random,
    });
    const stop = new AbortController();
    const outcome = await election.run(async (signal) => {
      setTimeout(() => stop.abort(), 500);
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    }, stop.signal);
    assert.equal(outcome, 'stopped');
    const lease = await client.get({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, name: 'election' });
    assert.equal(JSON.parse(JSON.stringify(lease['spec'])).holderIdentity ?? '', '');
  });
});
