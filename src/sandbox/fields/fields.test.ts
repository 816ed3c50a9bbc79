import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { brotliDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import {
  applyConfiguration,
  EMPTY,
  FieldSet,
  fieldSetFromJson,
  fieldSetOf,
  type FieldType,
  FieldTypes,
  type Json,
  type Managers,
  mergeFields,
  type OpenApiSchema,
  trackUpdate,
} from './index.ts';

const documents = JSON.parse(
  brotliDecompressSync(readFileSync(new URL('../data/openapi-v3.json.br', import.meta.url))).toString(),
) as Record<string, { components?: { schemas?: Record<string, OpenApiSchema> } }>;
const schemas = documents['apis/apps/v1']?.components?.schemas ?? {};
const types = new FieldTypes((name) => schemas[name]);
const deployment = types.named('io.k8s.api.apps.v1.Deployment');

const by = (
  manager: string,
  operation: 'Apply' | 'Update',
): { manager: string; operation: 'Apply' | 'Update'; apiVersion: string; subresource: string } => ({
  manager,
  operation,
  apiVersion: 'apps/v1',
  subresource: '',
});

function apply(live: Json, managers: Managers, manager: string, configuration: Json, force = false): { object: Json; managers: Managers } {
  const done = applyConfiguration({
    type: deployment,
    live,
    managers,
    by: by(manager, 'Apply'),
    now: '2026-01-01T00:00:00Z',
    ignored: EMPTY,
    configuration,
    force,
  });
  if ('conflicts' in done)
    throw new Error(`conflicts: ${done.conflicts.map((it) => `${it.manager.manager}:${it.path.join('/')}`).join(' ')}`);
  return done;
}

const container = (image: string, extra: object = {}): Json => ({ name: 'main', image, ...extra }) as Json;
const manifest = (spec: object, labels?: object): Json =>
  ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'x', ...(labels === undefined ? {} : { labels }) }, spec }) as Json;
const podSpec = (...containers: Json[]): object => ({ template: { spec: { containers } } });
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test('keyed lists merge by key, with the schema default standing in for an omitted one', () => {
  const ports = (...list: object[]): Json => manifest(podSpec(container('a', { ports: list })));
  const first = apply({}, new Map(), 'one', ports({ containerPort: 80, protocol: 'TCP' }));
  const second = apply(
    first.object,
    first.managers,
    'two',
    ports({ containerPort: 80, name: 'http' }, { containerPort: 80, protocol: 'UDP' }),
  );
  const spec = plain(second.object) as { spec: { template: { spec: { containers: { ports: unknown }[] } } } };
  assert.deepEqual(spec.spec.template.spec.containers[0]?.ports, [
    { containerPort: 80, protocol: 'TCP', name: 'http' },
    { containerPort: 80, protocol: 'UDP' },
  ]);
});

test('another manager with another value is a conflict; force takes the field over', () => {
  const first = apply({}, new Map(), 'one', manifest({ replicas: 1, ...podSpec(container('a')) }));
  assert.throws(() => apply(first.object, first.managers, 'two', manifest({ replicas: 2 })), /conflicts: one:f:spec\/f:replicas/);
  const same = apply(first.object, first.managers, 'two', manifest({ replicas: 1 }));
  assert.equal(same.managers.size, 2, 'an equal value is shared, not fought over');
  const taken = apply(first.object, first.managers, 'two', manifest({ replicas: 2 }), true);
  const one = [...taken.managers.values()].find((it) => it.manager === 'one');
  assert.ok(one !== undefined && !one.fields.below('f:spec').members.has('f:replicas'));
});

test('what the applier stops naming goes, unless someone else owns it', () => {
  const first = apply(
    {},
    new Map(),
    'one',
    manifest({ replicas: 3, ...podSpec(container('a'), { name: 'side', image: 'b' } as Json) }, { a: '1', b: '2' }),
  );
  const shared = apply(first.object, first.managers, 'two', manifest({ replicas: 3 }));
  const less = apply(shared.object, shared.managers, 'one', manifest(podSpec(container('a')), { a: '1' }));
  assert.deepEqual(plain(less.object), plain(manifest({ replicas: 3, ...podSpec(container('a')) }, { a: '1' })));
  const gone = apply(less.object, less.managers, 'two', manifest({}));
  assert.deepEqual((plain(gone.object) as { spec: object }).spec, podSpec(container('a')));
});

test('atomic lists and maps are owned and replaced as a whole', () => {
  const selector = (matchLabels: object): Json => manifest({ selector: { matchLabels } });
  const first = apply({}, new Map(), 'one', selector({ a: '1' }));
  const set = [...first.managers.values()][0]?.fields.toJson();
  assert.deepEqual(set, { 'f:spec': { 'f:selector': {} } });
  assert.deepEqual(plain(mergeFields(deployment, selector({ a: '1' }), selector({ b: '2' }))), plain(selector({ b: '2' })));
});

test('an update owns what it changed and takes it from others', () => {
  const first = apply({}, new Map(), 'one', manifest({ replicas: 1, ...podSpec(container('a')) }));
  const object = plain(manifest({ replicas: 5, ...podSpec(container('a')) })) as Json;
  const updated = trackUpdate({
    type: deployment,
    live: first.object,
    object,
    managers: first.managers,
    by: by('kubectl-scale', 'Update'),
    now: '2026-01-01T00:00:01Z',
    ignored: EMPTY,
  });
  const of = (name: string): unknown => [...updated.managers.values()].find((it) => it.manager === name)?.fields.toJson();
  assert.deepEqual(of('kubectl-scale'), { 'f:spec': { 'f:replicas': {} } });
  assert.ok(!JSON.stringify(of('one')).includes('f:replicas'));
});

test('live items keep their place among those the applied order names', () => {
  const names = (...list: string[]): Json => manifest(podSpec(...list.map((name): Json => ({ name, image: 'x' }))));
  const merged = plain(mergeFields(deployment, names('a', 'x', 'b', 'c'), names('c', 'b', 'd'))) as {
    spec: { template: { spec: { containers: { name: string }[] } } };
  };
  assert.deepEqual(
    merged.spec.template.spec.containers.map((it) => it.name),
    ['a', 'x', 'c', 'b', 'd'],
  );
});

const element = fc.oneof(
  fc.string({ minLength: 1 }).map((name) => `f:${name}`),
  fc.integer({ min: 0, max: 9 }).map((i) => `i:${i}`),
  fc.string().map((value) => `v:${JSON.stringify(value)}`),
);
const anySet = fc.array(fc.array(element, { minLength: 1, maxLength: 4 }), { maxLength: 12 }).map((paths) => {
  const set = new FieldSet();
  for (const path of paths) set.insert(path);
  return set;
});

test('sets obey the laws of sets and survive their JSON form', () => {
  fc.assert(
    fc.property(anySet, anySet, (a, b) => {
      assert.ok(fieldSetFromJson(a.toJson())?.equals(a));
      assert.ok(a.union(b).difference(b).union(a.intersection(b)).equals(a));
      assert.ok(a.difference(b).intersection(b).isEmpty);
      assert.ok(a.union(b).equals(b.union(a)));
    }),
  );
});

test('applying the same configuration twice changes nothing', () => {
  const any: FieldType = { kind: 'any' };
  const tree = fc.letrec<{ node: Json }>((tie) => ({
    node: fc.oneof({ maxDepth: 4 }, fc.integer(), fc.string(), fc.array(fc.integer()), fc.dictionary(fc.string(), tie('node'))),
  })).node;
  fc.assert(
    fc.property(fc.dictionary(fc.string(), tree), (configuration) => {
      const write = { type: any, by: by('one', 'Apply'), now: 't', ignored: EMPTY, configuration: configuration as Json, force: false };
      const first = applyConfiguration({ ...write, live: {}, managers: new Map() });
      assert.ok(!('conflicts' in first));
      const second = applyConfiguration({ ...write, live: first.object, managers: first.managers });
      assert.ok(!('conflicts' in second));
      assert.deepEqual(plain(second.object), plain(first.object));
      assert.ok(fieldSetOf(any, first.object) instanceof FieldSet);
    }),
  );
});

test('a hostile fieldsV1 is refused, not followed', () => {
  let deep: Record<string, unknown> = {};
  for (let i = 0; i < 5000; i++) deep = { 'f:a': deep };
  assert.equal(fieldSetFromJson(deep), undefined);
  for (const bad of [{ spec: {} }, { 'k:[1]': {} }, { 'k:{': {} }, { 'i:x': {} }, [], 'x']) assert.equal(fieldSetFromJson(bad), undefined);
  assert.ok(fieldSetFromJson({ 'f:__proto__': { 'f:x': {} } }) !== undefined);
});
