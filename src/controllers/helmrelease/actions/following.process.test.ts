import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { OwnedObjects } from '../../../apply/index.ts';
import { clusterConfig, isKubeError, nodeHost, parseKubeconfig, type Informer, type KubeClient } from '../../../kube/index.ts';
import { fastClock } from '../../../kube/testing/fast-clock.ts';
import { startSandbox, type Sandbox } from '../../../sandbox/index.ts';
import { milliseconds } from '../../../std/index.ts';
import { FIELD_MANAGER, OWNER_GROUP } from './action.ts';
import { chartOf, ReleaseWorld } from './testing/release-world.ts';

const WEB = [
  'apiVersion: apps/v1',
  'kind: Deployment',
  'metadata: {name: web}',
  'spec:',
  '  selector: {matchLabels: {app: web}}',
  '  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: "nginx:1"}]}}',
  '',
].join('\n');
const POD = [
  'apiVersion: v1',
  'kind: Pod',
  'metadata: {name: check, annotations: {helm.sh/hook: "post-install,pre-delete"}}',
  'spec: {restartPolicy: Never, containers: [{name: main, image: "test:1"}]}',
  '',
].join('\n');

/** An informer of somebody who may not list or watch. */
function blind(kind: Informer['kind']): Informer {
  return {
    kind,
    synced: false,
    lastError: undefined,
    resourceVersion: '',
    waitSynced: () => new Promise(() => undefined),
    get: () => undefined,
    list: () => [],
    byIndex: () => [],
    subscribe: () => () => undefined,
    release: () => undefined,
  };
}

describe('waiting without the right to watch', () => {
  let sandbox: Sandbox;
  let world: ReleaseWorld;
  before(async () => {
    sandbox = await startSandbox({ podStart: milliseconds(30) });
    const config = await clusterConfig(parseKubeconfig(sandbox.kubeconfig), nodeHost);
    const open = new ReleaseWorld(config, fastClock(50));
    const client: KubeClient = Object.create(open.client, { informer: { value: blind } }) as KubeClient;
    const seeing = new Proxy(open.client, {
      get: (target, name) => {
        if (name === 'informer') return blind;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    const owned = new OwnedObjects({ client, group: OWNER_GROUP, fieldManager: FIELD_MANAGER });
    world = Object.create(open, { client: { value: seeing }, owned: { value: owned } }) as ReleaseWorld;
    await open.client.mapper.all();
  });
  after(() => sandbox.close());

  it('HB54 objects, hooks and deletions are read now and then instead', async () => {
    const release = await world.release();
    const installed = await release.install(chartOf({ 'templates/web.yaml': WEB, 'templates/pod.yaml': POD }));
    assert.equal(installed.kind, 'succeeded', JSON.stringify(release.trace));
    assert.equal((await release.history())[0]?.hooks[0]?.lastRun.phase, 'Succeeded');
    assert.equal((await release.uninstall()).kind, 'succeeded', JSON.stringify(release.trace));
    assert.deepEqual(await release.objects('Deployment.apps/v1'), []);
  });

  it('HB64 a release in a namespace that is being deleted is removed all the same', async () => {
    const release = await world.release();
    await release.install(chartOf({ 'templates/web.yaml': WEB, 'templates/pod.yaml': POD }));
    const { namespace } = release;
    const holder = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'holder', namespace, finalizers: ['example.org/hold'] } };
    await world.client.create(holder);
    await world.client.delete({ apiVersion: 'v1', kind: 'Namespace', name: namespace });
    const create = world.client.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'late', namespace } });
    await assert.rejects(create, (error) => isKubeError(error, 'Forbidden'));
    assert.equal((await release.uninstall()).kind, 'succeeded', JSON.stringify(release.trace));
    const target = { apiVersion: 'v1', kind: 'ConfigMap', name: 'holder', namespace };
    await world.client.patch(target, { type: 'merge', body: { metadata: { finalizers: null } } });
  });
});
