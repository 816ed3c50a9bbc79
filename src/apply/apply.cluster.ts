import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { KubeObject } from '../manifest/index.ts';
import { createKubeClient, loadClusterConfig, nodeHost, type KubeClient, type RequestRecord } from '../kube/index.ts';
import {
  ApplyError,
  EMPTY_INVENTORY,
  OwnedObjects,
  applyObjects,
  formatChanges,
  inventoryObjects,
  pruneObjects,
  staleEntries,
  sweepOwned,
  type ApplyRequest,
  type ApplyResult,
  type Known,
} from './index.ts';

const group = 'kustomize.toolkit.fluxcd.io';
const fieldManager = 'kustomize-controller';
const kubeconfig = process.env['SLUICE_KUBECONFIG'];

describe('apply against a real API server', { skip: kubeconfig === undefined ? 'SLUICE_KUBECONFIG is not set' : false }, () => {
  const requests: RequestRecord[] = [];
  let client: KubeClient;
  let counter = 0;

  before(async () => {
    const config = await loadClusterConfig(nodeHost, { kubeconfig: kubeconfig ?? '' });
    client = createKubeClient(config, { onRequest: (record) => requests.push(record) });
    await client.mapper.all();
  });
  after(() => client.close());

  /** A fresh namespace and owner for one test. */
  async function setting(): Promise<{ namespace: string; request: (objects: KubeObject[], more?: Partial<ApplyRequest>) => ApplyRequest }> {
    const namespace = `apply-${process.pid}-${++counter}`;
    await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    const owner = { group, name: 'app', namespace };
    return { namespace, request: (objects, more = {}) => ({ client, objects, owner, fieldManager, inventory: EMPTY_INVENTORY, ...more }) };
  }

  /** Waits until the cluster's own controllers have done with the Deployment `web`: its revision stands still. */
  async function settled(namespace: string): Promise<void> {
    const target = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', namespace };
    let last = '';
    for (let still = 0; still < 5;) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      const { resourceVersion = '' } = (await client.get(target)).metadata;
      still = resourceVersion === last ? still + 1 : 0;
      last = resourceVersion;
    }
  }

  async function counted<T>(work: () => Promise<T>): Promise<{ value: T; verbs: string[] }> {
    requests.length = 0;
    const value = await work();
    const verbs = requests
      .filter(({ verb }) => verb !== 'discovery' && verb !== 'watch')
      .map(({ verb, resource, dryRun }) => `${dryRun ? 'dry-' : ''}${verb} ${resource}`);
    return { value, verbs };
  }

  const actions = (result: ApplyResult): string[] => result.changes.map(({ ref, action }) => `${ref.kind}/${ref.name} ${action}`);

  it('KB52 KB60 installs four objects with one dry-run and one apply each, then knows them unchanged without a request', async () => {
    const { namespace, request } = await setting();
    const objects = app(namespace);
    const first = await counted(() => applyObjects(request(objects)));
    assert.deepEqual(actions(first.value), [
      'ServiceAccount/web created',
      'ConfigMap/web created',
      'Service/web created',
      'Deployment/web created',
    ]);
    assert.equal(first.verbs.length, 8);
    assert.equal(first.verbs.filter((verb) => verb.startsWith('dry-')).length, 4);
    assert.deepEqual(first.value.inventory.entries[3], { id: `${namespace}_web_apps_Deployment`, v: 'v1' });

    await settled(namespace);
    const owned = new OwnedObjects({ client, group, fieldManager });
    for (const object of objects) await owned.watch(object);
    const again = await counted(() => applyObjects(request(objects, { known: first.value.known, live: owned })));
    assert.deepEqual(again.verbs, []);
    assert.ok(again.value.changes.every(({ action }) => action === 'unchanged'));

    const fresh = await counted(() => applyObjects(request(objects, { live: owned })));
    assert.deepEqual(fresh.verbs.toSorted(), [
      'dry-apply configmaps',
      'dry-apply deployments',
      'dry-apply serviceaccounts',
      'dry-apply services',
    ]);
    assert.ok(fresh.value.changes.every(({ action }) => action === 'unchanged'));

    const changed = app(namespace, { image: 'example.com/web:2' });
    const upgrade = await counted(() =>
      applyObjects(request(changed, { known: fresh.value.known, live: owned, inventory: first.value.inventory })),
    );
    assert.deepEqual(upgrade.verbs, ['apply deployments']);
    assert.equal(formatChanges(upgrade.value.changes), `Deployment/${namespace}/web configured`);
    owned.close();
  });

  it('KB52 reports every failing dry-run at once and writes nothing', async () => {
    const { namespace, request } = await setting();
    const bad = (name: string): KubeObject => ({ ...configMap(namespace, name), data: { port: 80 } });
    const error = await failure(
      applyObjects(request([configMap(namespace, 'good'), bad('bad-one'), bad('bad-two'), { ...configMap('', 'nowhere') }])),
    );
    assert.equal(error.code, 'DryRunFailed');
    assert.equal(error.failures.length, 3);
    assert.match(error.message, /ConfigMap\/.*bad-one dry-run failed: .*expected string/);
    assert.match(error.message, /ConfigMap\/nowhere namespace not specified: the server could not find the requested resource/);
    assert.equal(await client.find({ apiVersion: 'v1', kind: 'ConfigMap', name: 'good', namespace }), undefined);
  });

  it('KB53 finds drift by hash within a watch event, names manager and field, and corrects it', async () => {
    const { namespace, request } = await setting();
    const objects = app(namespace);
    const owned = new OwnedObjects({ client, group, fieldManager });
    const first = await applyObjects(request(objects));
    for (const object of objects) await owned.watch(object);
    const target = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', namespace };
    const drifted = changeOf(owned, first.known, `apps/Deployment/${namespace}/web`);
    await client.patch(target, { type: 'merge', body: { spec: { replicas: 3 } } }, { subresource: 'scale', fieldManager: 'autoscaler' });
    await drifted;
    const fixed = await applyObjects(request(objects, { known: first.known, live: owned }));
    assert.equal(formatChanges(fixed.changes), `Deployment/${namespace}/web configured`);
    assert.deepEqual(fixed.drift, [
      {
        ref: { group: 'apps', kind: 'Deployment', namespace, name: 'web' },
        kind: 'changed',
        managers: ['autoscaler'],
        fields: ['spec.replicas'],
      },
    ]);
    owned.close();
  });

  it('KB56 takes over what kubectl applied, and removes what it added', async () => {
    const { namespace, request } = await setting();
    const object = configMap(namespace, 'taken');
    await client.create(
      {
        ...object,
        data: { k: 'old', extra: 'kubectl' },
        metadata: { ...object.metadata, annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' } },
      },
      { fieldManager: 'kubectl-client-side-apply' },
    );
    const result = await applyObjects(request([object]));
    assert.deepEqual(actions(result), ['ConfigMap/taken configured']);
    const live = await client.get({ apiVersion: 'v1', kind: 'ConfigMap', name: 'taken', namespace });
    assert.deepEqual(live['data'], { k: 'v' });
    assert.equal(live.metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration'], undefined);
    assert.deepEqual(
      live.metadata.managedFields?.map(({ manager, operation }) => `${manager} ${operation}`),
      ['kustomize-controller Apply'],
    );
  });

  it('KB57 leaves excluded objects alone and keeps them in the inventory', async () => {
    const { namespace, request } = await setting();
    const mark = (name: string, key: string, value: string): KubeObject => {
      const object = configMap(namespace, name);
      return { ...object, metadata: { ...object.metadata, annotations: { [`${group}/${key}`]: value } } };
    };
    await client.create({ ...configMap(namespace, 'present'), data: { mine: 'yes' } });
    await client.create({ ...mark('paused', 'reconcile', 'Disabled'), data: { mine: 'yes' } });
    const result = await applyObjects(
      request([
        mark('present', 'ssa', 'IfNotPresent'),
        mark('absent', 'ssa', 'IfNotPresent'),
        configMap(namespace, 'paused'),
        mark('ignored', 'ssa', 'Ignore'),
      ]),
    );
    assert.deepEqual(actions(result), [
      'ConfigMap/absent created',
      'ConfigMap/ignored skipped',
      'ConfigMap/paused skipped',
      'ConfigMap/present skipped',
    ]);
    assert.equal(result.inventory.entries.length, 4);
  });

  it('KB57 ssa=Merge keeps kubectl its fields', async () => {
    const { namespace, request } = await setting();
    const object = configMap(namespace, 'merged');
    await client.create({ ...object, data: { extra: 'kubectl' } }, { fieldManager: 'kubectl-create' });
    const desired = { ...object, metadata: { ...object.metadata, annotations: { [`${group}/ssa`]: 'Merge' } } };
    await applyObjects(request([desired]));
    const live = await client.get({ apiVersion: 'v1', kind: 'ConfigMap', name: 'merged', namespace });
    assert.deepEqual(live['data'], { extra: 'kubectl', k: 'v' });
  });

  it('KB55 recreates on an immutable change only when forced, and never for an object that is simply invalid', async () => {
    const { namespace, request } = await setting();
    const fixed = { ...configMap(namespace, 'fixed'), immutable: true };
    const first = await applyObjects(request([fixed]));
    const changed = { ...fixed, data: { k: 'other' } };
    const error = await failure(applyObjects(request([changed])));
    assert.match(error.message, /dry-run failed \(Invalid\): .*immutable/);
    const forced = await applyObjects(request([changed], { force: true }));
    assert.deepEqual(actions(forced), ['ConfigMap/fixed created']);
    const uid = forced.applied.values().next().value?.metadata.uid;
    assert.notEqual(uid, first.applied.values().next().value?.metadata.uid);

    const deployment = app(namespace)[3];
    assert.ok(deployment);
    await applyObjects(request([deployment]));
    const selector = {
      ...deployment,
      spec: {
        ...spec(deployment),
        selector: { matchLabels: { app: 'x' } },
        template: { metadata: { labels: { app: 'x' } }, spec: podSpec('i') },
      },
    };
    assert.deepEqual(actions(await applyObjects(request([selector], { force: true }))), ['Deployment/web created']);
    const invalid = { ...deployment, spec: { ...spec(deployment), replicas: -1 } };
    await failure(applyObjects(request([invalid], { force: true })));
    assert.ok(await client.find({ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', namespace }));
  });

  it('KB51 applies a definition, waits until it is established, then its custom resources', async () => {
    const { namespace, request } = await setting();
    const kind = `Gadget${process.pid}${counter}`;
    const plural = kind.toLowerCase();
    const definition: KubeObject = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `${plural}.sluice.test` },
      spec: {
        group: 'sluice.test',
        scope: 'Namespaced',
        names: { kind, plural, singular: plural },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: {
              openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } } },
            },
          },
        ],
      },
    };
    const gadget: KubeObject = { apiVersion: 'sluice.test/v1', kind, metadata: { name: 'one', namespace }, spec: { size: 1 } };
    const { value, verbs } = await counted(() => applyObjects(request([gadget, definition])));
    assert.deepEqual(actions(value), [`CustomResourceDefinition/${plural}.sluice.test created`, `${kind}/one created`]);
    assert.ok(verbs.length <= 8, verbs.join(', '));
    await client.delete({ apiVersion: definition.apiVersion, kind: definition.kind, name: definition.metadata.name });
  });

  it('leaves unknown fields of built-in kinds out, with a warning', async () => {
    const { namespace, request } = await setting();
    const deployment = app(namespace)[3];
    assert.ok(deployment);
    const odd = {
      ...deployment,
      spec: {
        ...spec(deployment),
        colour: 'red',
        template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'i', shade: 1 }] } },
      },
    };
    const result = await applyObjects(request([odd]));
    assert.deepEqual(actions(result), ['Deployment/web created']);
    assert.deepEqual(result.warnings.map(({ message }) => message.split(': ')[1] ?? '').toSorted(), [
      'unknown field spec.colour left out',
      'unknown field spec.template.spec.containers[name="web"].shade left out',
    ]);
  });

  it('KB59 lets others manage ignored fields', async () => {
    const { namespace, request } = await setting();
    const objects = app(namespace).slice(3);
    const ignore = [{ paths: ['/spec/replicas'], target: { kind: 'Deployment' } }];
    await applyObjects(request(objects, { ignore }));
    const target = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', namespace };
    await client.patch(target, { type: 'merge', body: { spec: { replicas: 4 } } }, { fieldManager: 'autoscaler' });
    await settled(namespace);
    const idle = await applyObjects(request(objects, { ignore }));
    assert.deepEqual(actions(idle), ['Deployment/web unchanged']);
    const changed = await applyObjects(request(app(namespace, { image: 'example.com/web:3' }).slice(3), { ignore }));
    assert.deepEqual(actions(changed), ['Deployment/web configured']);
    assert.equal(spec(await client.get(target))['replicas'], 4);
  });

  it('KB70 prunes only what is still ours, in the state that was seen', async () => {
    const { namespace, request } = await setting();
    const names = ['gone', 'moved', 'kept', 'absent'];
    const first = await applyObjects(request(names.map((name) => configMap(namespace, name))));
    const at = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', name, namespace });
    await client.patch(at('moved'), { type: 'merge', body: { metadata: { labels: { [`${group}/name`]: 'other' } } } });
    await client.patch(at('kept'), { type: 'merge', body: { metadata: { annotations: { [`${group}/prune`]: 'disabled' } } } });
    await client.delete(at('absent'));
    const objects = staleEntries(first.inventory, EMPTY_INVENTORY);
    const pruned = await pruneObjects({ client, owner: { group, name: 'app', namespace }, objects });
    assert.deepEqual(pruned.changes.map(({ ref, action }) => `${ref.name} ${action}`).toSorted(), [
      'absent deleted',
      'gone deleted',
      'kept skipped',
      'moved skipped',
    ]);
    assert.deepEqual(pruned.failures, []);
    assert.ok(await client.find(at('moved')));
    assert.equal(await client.find(at('gone')), undefined);
  });

  it('finds what a killed process applied without recording it, but not a copy with the same labels', async () => {
    const { namespace, request } = await setting();
    await applyObjects(request([configMap(namespace, 'orphan')]));
    await client.create(
      {
        ...configMap(namespace, 'copy'),
        metadata: { name: 'copy', namespace, labels: { [`${group}/name`]: 'app', [`${group}/namespace`]: namespace } },
      },
      { fieldManager: 'kubectl' },
    );
    const { value, verbs } = await counted(() => sweepOwned(client, { group, fieldManager }));
    assert.deepEqual(
      value.owned.get(`${namespace}/app`)?.map(({ ref }) => ref.name),
      ['orphan'],
    );
    assert.ok(verbs.length < 80);
  });

  it('announces new objects before writing, and gives a failed apply an inventory that loses nothing', async () => {
    const { namespace, request } = await setting();
    const announced: number[] = [];
    const beforeWrite = async (inventory: { entries: readonly unknown[] }): Promise<void> => {
      announced.push(inventory.entries.length);
      assert.equal(await client.find({ apiVersion: 'v1', kind: 'ConfigMap', name: 'a', namespace }), undefined);
    };
    const first = await applyObjects(request([configMap(namespace, 'a'), configMap(namespace, 'b')], { beforeWrite }));
    assert.deepEqual(announced, [2]);
    await applyObjects(request([configMap(namespace, 'a')], { beforeWrite, inventory: first.inventory }));
    assert.deepEqual(announced, [2]);
    const error = await failure(applyObjects(request([{ ...configMap(namespace, 'c'), data: { n: 1 } }], { inventory: first.inventory })));
    assert.deepEqual(
      inventoryObjects(error.partial.inventory).map(({ ref }) => ref.name),
      ['a', 'b'],
    );
  });
});

async function failure(work: Promise<unknown>): Promise<ApplyError> {
  const error = await work.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  assert.ok(error instanceof ApplyError, `want an ApplyError, have ${String(error)}`);
  return error;
}

/** Resolves when a watch shows the object with another drift hash than the one remembered. */
function changeOf(owned: OwnedObjects, known: ReadonlyMap<string, Known>, key: string): Promise<void> {
  return new Promise((resolve) => {
    const stop = owned.subscribe(({ ref, record }) => {
      if (`${ref.group}/${ref.kind}/${ref.namespace}/${ref.name}` !== key || record?.driftHash === known.get(key)?.driftHash) return;
      stop();
      resolve();
    });
  });
}

function spec(object: KubeObject): Record<string, unknown> {
  return { ...(object['spec'] as Record<string, unknown>) };
}

function configMap(namespace: string, name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...(namespace === '' ? {} : { namespace }) }, data: { k: 'v' } };
}

function podSpec(image: string): Record<string, unknown> {
  return { containers: [{ name: 'web', image, ports: [{ containerPort: 8080 }] }] };
}

function app(namespace: string, { image = 'example.com/web:1' } = {}): KubeObject[] {
  const metadata = { name: 'web', namespace };
  const template = { metadata: { labels: { app: 'web' } }, spec: podSpec(image) };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { key: 'value' } },
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] } },
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { replicas: 1, selector: { matchLabels: { app: 'web' } }, template } },
  ];
}
