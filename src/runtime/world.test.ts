// The parts of the runtime that talk to an API server, against a small one.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { Condition, ResourceMetadata } from '../api/index.ts';
import { createKubeClient, type KubeClient } from '../kube/index.ts';
import { FakeApiServer, type SeenRequest } from '../kube/testing/fake-api-server.ts';
import type { KubeObject } from '../manifest/index.ts';
import { FakeClock, milliseconds, systemClock } from '../std/index.ts';
import {
  configData,
  ConfigReader,
  createMetrics,
  KubeEventRecorder,
  ResourceView,
  silentLogger,
  StatusSession,
  StatusWriter,
  type EventNotice,
  type PostedEvent,
} from './index.ts';

type Status = { conditions?: Condition[]; observedGeneration?: number; note?: string };
type Thing = KubeObject & { metadata: ResourceMetadata; status: Status };

const THING = { apiVersion: 'example.com/v1', kind: 'Thing' };
const server = new FakeApiServer();
server.kinds = [
  ...server.kinds,
  { group: 'example.com', version: 'v1', kind: 'Thing', plural: 'things', namespaced: true },
  { group: '', version: 'v1', kind: 'Secret', plural: 'secrets', namespaced: true },
  { group: '', version: 'v1', kind: 'Event', plural: 'events', namespaced: true },
];
let kube: KubeClient;

before(async () => {
  await server.start();
  kube = createKubeClient({ server: server.url, namespace: 'default', tls: {}, credential: { kind: 'none' } });
  await kube.mapper.all();
});
beforeEach(() => {
  server.seen.length = 0;
});
after(async () => {
  await kube.close();
  await server.stop();
});

const writes = (): SeenRequest[] => server.seen.filter(({ method }) => method !== 'GET');
const create = async (name: string, status: Status = {}, metadata: Partial<ResourceMetadata> = {}): Promise<Thing> =>
  (await kube.create({ ...THING, metadata: { name, namespace: 'ns', generation: 1, ...metadata }, status })) as Thing;
const writer = (observe: (object: KubeObject) => void = () => {}): StatusWriter =>
  new StatusWriter({ kube, kind: THING, fieldManager: 'test', ownedConditions: ['Ready', 'Reconciling'], observe });
const condition = (type: string, status: Condition['status'] = 'True'): Condition => ({
  type,
  status,
  reason: 'R',
  message: 'm',
  lastTransitionTime: '2026-01-01T00:00:00Z',
});
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30));

test('C16: a status write sends only what changed, and nothing when nothing did', async () => {
  const thing = await create('status', { conditions: [condition('Ready')], observedGeneration: 1 });
  server.seen.length = 0;
  assert.equal(await writer().write(thing, { ...thing.status }), true);
  assert.equal(writes().length, 0);
  await writer().write(thing, { ...thing.status, note: 'new' });
  assert.deepEqual(
    writes().map(({ method, path, body }) => [method, path, body]),
    [['PATCH', '/apis/example.com/v1/namespaces/ns/things/status/status', { status: { note: 'new' } }]],
  );
});

test('C16: conditions others put on the object stay, also when they come in between', async () => {
  const thing = await create('foreign', { conditions: [condition('Ready', 'False'), condition('Approved')] });
  const other = [condition('Ready', 'False'), condition('Approved'), condition('Billed')];
  await kube.patchStatus({ ...THING, name: 'foreign', namespace: 'ns' }, { type: 'merge', body: { status: { conditions: other } } });
  await writer().write(thing, { conditions: [condition('Ready', 'True')] });
  const live = (await kube.get({ ...THING, name: 'foreign', namespace: 'ns' })) as Thing;
  assert.deepEqual(
    live.status.conditions?.map(({ type, status }) => `${type}=${status}`),
    ['Ready=True', 'Approved=True', 'Billed=True'],
  );
});

test('a status of an object that is gone is nobody’s business', async () => {
  const thing = await create('gone');
  await kube.delete({ ...THING, name: 'gone', namespace: 'ns' });
  assert.equal(await writer().write(thing, { note: 'late' }), false);
});

test('a finalizer is added beside those others added meanwhile', async () => {
  const thing = await create('final');
  await kube.patch({ ...THING, name: 'final', namespace: 'ns' }, { type: 'merge', body: { metadata: { finalizers: ['other/one'] } } });
  const seen: KubeObject[] = [];
  await writer((object) => seen.push(object)).writeFinalizer(thing.metadata, 'finalizers.fluxcd.io', true);
  assert.deepEqual(seen.at(-1)?.metadata.finalizers, ['other/one', 'finalizers.fluxcd.io']);
  await writer().writeFinalizer(seen.at(-1)?.metadata as ResourceMetadata, 'finalizers.fluxcd.io', false);
  assert.deepEqual((await kube.get({ ...THING, name: 'final', namespace: 'ns' })).metadata.finalizers, ['other/one']);
});

test('a session writes once when it ends in time, and shows progress when it does not', async () => {
  const clock = new FakeClock();
  const open = async (name: string, isBusy = false): Promise<StatusSession<Status>> => {
    const object = await create(name);
    server.seen.length = 0;
    return new StatusSession<Status>({
      writer: writer(),
      object,
      clock,
      isBusy: () => isBusy,
      onError: (error) => assert.fail(String(error)),
    });
  };
  const quick = await open('quick');
  quick.conditions.mark('Reconciling', 'True', 'Progressing', 'at work');
  clock.advance(milliseconds(499));
  quick.conditions.remove('Reconciling');
  quick.draft.note = 'done';
  await quick.finish();
  assert.deepEqual(
    writes().map(({ body }) => body),
    [{ status: { note: 'done', conditions: [] } }],
  );

  const slow = await open('slow');
  slow.conditions.mark('Reconciling', 'True', 'Progressing', 'at work');
  clock.advance(milliseconds(500));
  await settle();
  assert.equal(writes().length, 1);
  slow.conditions.remove('Reconciling');
  await slow.finish();
  clock.advance(milliseconds(60_000));
  await settle();
  assert.equal(writes().length, 2);

  const busy = await open('busy', true);
  busy.draft.note = 'at work';
  clock.advance(milliseconds(500));
  await settle();
  assert.equal(writes().length, 0, 'while much waits, progress is shown later');
  clock.advance(milliseconds(29_000));
  await settle();
  assert.equal(writes().length, 0);
  clock.advance(milliseconds(6000));
  await settle();
  assert.equal(writes().length, 1, 'but not never');
  await busy.abandon();
});

test('C16: a status that went and came back between two writes has not changed', async () => {
  const object = await create('flip', { conditions: [condition('Ready')] });
  const session = new StatusSession<Status>({
    writer: writer(),
    object,
    clock: systemClock,
    onError: (error) => assert.fail(String(error)),
  });
  server.seen.length = 0;
  session.conditions.mark('Ready', 'Unknown', 'Progressing', 'at work');
  session.conditions.mark('Ready', 'True', 'Succeeded', 'm');
  assert.equal(session.conditions.find('Ready')?.lastTransitionTime, '2026-01-01T00:00:00Z');
  await session.abandon();
});

test('a view shows our own write before the watch does, and never goes back', async () => {
  const view = new ResourceView<Thing>(kube.informer(THING, { namespace: 'ns' }), (object) => object as Thing);
  await view.waitSynced(AbortSignal.timeout(5000));
  const told: string[] = [];
  view.subscribe({
    changed: ({ metadata, status }, previous) =>
      void (metadata.name === 'view' && told.push(`${previous?.status.note ?? '-'}→${status.note ?? '-'}`)),
    deleted: ({ metadata }) => told.push(`${metadata.name} gone`),
  });
  const thing = await create('view');
  view.observe(thing);
  const first = view.get({ namespace: 'ns', name: 'view' });
  assert.equal(first?.metadata.resourceVersion, thing.metadata.resourceVersion);
  await writer((object) => view.observe(object)).write(thing, { note: 'written' });
  assert.equal(view.get({ namespace: 'ns', name: 'view' })?.status.note, 'written');
  view.observe(thing);
  assert.equal(view.get({ namespace: 'ns', name: 'view' })?.status.note, 'written', 'an older answer that arrives late');
  await settle();
  assert.deepEqual(told, ['-→-', '-→written'], 'each state is told once');
  await kube.delete({ ...THING, name: 'view', namespace: 'ns' });
  await settle();
  view.observe(thing);
  assert.equal(view.get({ namespace: 'ns', name: 'view' }), undefined, 'what is deleted does not come back');
  assert.equal(told.at(-1), 'view gone');
  view.close();
});

const NOTICES: EventNotice[] = [
  { type: 'Normal', reason: 'ReconciliationSucceeded', message: 'ConfigMap/ns/a created', metadata: { revision: 'v1' } },
  {
    type: 'Normal',
    reason: 'ReconciliationSucceeded',
    message: 'Reconciliation finished',
    metadata: { revision: 'v1', commit_status: 'update' },
  },
  { type: 'Trace', reason: 'ArtifactUpToDate', message: 'nothing new' },
];

test('E01 E02 E04: notices of one reason share a Kubernetes event and are posted one by one; Trace is not posted', async () => {
  const posted: PostedEvent[] = [];
  const metrics = createMetrics({ processMetrics: false });
  const recorder = new KubeEventRecorder({
    kube,
    sink: { post: async (event) => void posted.push(event) },
    controller: 'kustomize-controller',
    instance: 'host',
    clock: new FakeClock(),
    log: silentLogger,
    metrics,
  });
  const annotations = { 'event.toolkit.fluxcd.io/commit': 'abc', other: 'x' };
  const involved = {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'app', namespace: 'ns', uid: 'u', resourceVersion: '7', generation: 1, annotations },
  };
  recorder.record(involved, NOTICES);
  await recorder.flush();
  const events = writes().map(
    ({ body }) => body as { reason: string; message: string; type: string; metadata: { annotations: Record<string, string> } },
  );
  assert.deepEqual(
    events.map(({ type, reason, message }) => [type, reason, message]),
    [
      ['Normal', 'ReconciliationSucceeded', 'ConfigMap/ns/a created\nReconciliation finished'],
      ['Normal', 'ArtifactUpToDate', 'nothing new'],
    ],
  );
  assert.deepEqual(
    posted.map(({ message, severity }) => `${severity} ${message}`),
    ['info ConfigMap/ns/a created', 'info Reconciliation finished'],
  );
  assert.deepEqual(posted[1], {
    involvedObject: {
      kind: 'Kustomization',
      namespace: 'ns',
      name: 'app',
      uid: 'u',
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      resourceVersion: '7',
    },
    severity: 'info',
    timestamp: '2026-01-01T00:00:00.000Z',
    message: 'Reconciliation finished',
    reason: 'ReconciliationSucceeded',
    metadata: {
      'event.toolkit.fluxcd.io/commit': 'abc',
      'kustomize.toolkit.fluxcd.io/revision': 'v1',
      'kustomize.toolkit.fluxcd.io/commit_status': 'update',
    },
    reportingController: 'kustomize-controller',
    reportingInstance: 'host',
  });
  server.seen.length = 0;
  recorder.record(involved, [NOTICES[2] as EventNotice]);
  await recorder.flush();
  assert.deepEqual(
    writes().map(({ method, body }) => [method, (body as { count: number }).count]),
    [['PATCH', 2]],
    'the same again is counted',
  );
});

test('an event that cannot be delivered is dropped, and an endless stream of them is bounded', async () => {
  const metrics = createMetrics({ processMetrics: false });
  const recorder = new KubeEventRecorder({
    kube,
    sink: { post: () => Promise.reject(new Error('refused')) },
    controller: 'c',
    instance: 'h',
    clock: new FakeClock(),
    log: silentLogger,
    metrics,
  });
  const involved = {
    apiVersion: 'example.com/v1',
    kind: 'Thing',
    metadata: { name: 'app', namespace: 'ns', uid: 'u2', resourceVersion: '7', generation: 1 },
  };
  for (let i = 0; i < 6000; i++) recorder.record(involved, [{ type: 'Normal', reason: 'R', message: `m${i}`, quiet: true }]);
  await recorder.flush();
  assert.match((await metrics.expose()).body, /sluice_events_dropped_total [1-9]/);
});

test('events go out one at a time while there is more urgent work, and several at a time once there is none', async () => {
  let isBusy = true;
  let running = 0;
  const most = { busy: 0, quiet: 0 };
  const recorder = new KubeEventRecorder({
    kube,
    sink: {
      post: async () => {
        const now = isBusy ? 'busy' : 'quiet';
        most[now] = Math.max(most[now], ++running);
        await new Promise((resolve) => setImmediate(resolve));
        running--;
      },
    },
    controller: 'c',
    instance: 'h',
    clock: new FakeClock(),
    log: silentLogger,
    metrics: createMetrics({ processMetrics: false }),
    isBusy: () => isBusy,
  });
  const metadata = { name: 'app', namespace: 'ns', uid: 'u3', resourceVersion: '7', generation: 1 };
  const involved = { apiVersion: 'example.com/v1', kind: 'Thing', metadata };
  const record = (count: number): void => {
    for (let i = 0; i < count; i++) recorder.record(involved, [{ type: 'Normal', reason: 'R', message: `m${i}`, quiet: true }]);
  };
  record(20);
  while (most.busy === 0) await new Promise((resolve) => setImmediate(resolve));
  isBusy = false;
  await recorder.flush();
  assert.deepEqual(most, { busy: 1, quiet: 4 });
  isBusy = true;
  record(3000);
  await recorder.flush();
  assert.equal(most.busy, 4, 'too many have gathered');
});

test('those who ask for the same Secret at the same time share one request', async () => {
  await kube.create({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'ns' }, type: 'Opaque', data: { a: 'aGk=' } });
  const clock = new FakeClock();
  const reader = new ConfigReader(kube, clock);
  server.seen.length = 0;
  const answers = await Promise.all(Array.from({ length: 50 }, () => reader.data('Secret', 'ns', 's')));
  assert.equal(server.seen.length, 1);
  assert.equal(Buffer.from(answers[0]?.data['a'] ?? '').toString(), 'hi');
  clock.advance(milliseconds(2000));
  await reader.find('Secret', 'ns', 's');
  assert.equal(server.seen.length, 2, 'but not for long');
  await assert.rejects(reader.data('Secret', 'ns', 'none'), { code: 'ConfigNotFound', message: 'get Secret "ns/none": not found' });
});

test('ConfigMaps hold text and bytes', () => {
  const { data } = configData({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'c' },
    data: { a: 'ä' },
    binaryData: { b: 'AAE=' },
  });
  assert.deepEqual([Buffer.from(data['a'] ?? '').toString(), [...(data['b'] ?? [])]], ['ä', [0, 1]]);
});
