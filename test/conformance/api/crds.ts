import { apply, type Cases, create, get, jsonPatch, mergePatch, put, quiet, remove, type Step, until } from './case.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const CRD = `${CRDS}/things.{ns}.example.com`;
const THINGS = '/apis/{ns}.example.com/v1/namespaces/{ns}/things';
const THING = `${THINGS}/a`;

const spec = {
  type: 'object',
  properties: {
    size: { type: 'integer', minimum: 1, maximum: 10, default: 3 },
    name: { type: 'string', pattern: '^[a-z]+$', maxLength: 5 },
    mode: { type: 'string', enum: ['on', 'off'] },
    port: { 'x-kubernetes-int-or-string': true },
    when: { type: 'string', format: 'date-time' },
    nested: { type: 'object', properties: { deep: { type: 'string', default: 'x' } } },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set', maxItems: 3 },
    items: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: { type: 'object', required: ['name'], properties: { name: { type: 'string' }, value: { type: 'string' } } },
    },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    fixed: { type: 'string', 'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'fixed is immutable' }] },
    nothing: { type: 'string', nullable: true },
  },
  'x-kubernetes-validations': [{ rule: '!has(self.name) || self.size > 1', message: 'a name needs a size' }],
};

function definition(change: Record<string, unknown> = {}, version: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'things.{ns}.example.com' },
    spec: {
      group: '{ns}.example.com',
      scope: 'Namespaced',
      names: { kind: 'Thing', plural: 'things' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: { status: {}, scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size' } },
          additionalPrinterColumns: [
            { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
            { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
            { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
          ],
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: { spec, status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
            },
          },
          ...version,
        },
      ],
      ...change,
    },
  };
}

function thing(of: Record<string, unknown>, rest: Record<string, unknown> = {}): Record<string, unknown> {
  return { apiVersion: '{ns}.example.com/v1', kind: 'Thing', metadata: { name: 'a' }, spec: of, ...rest };
}

const accepted = 'the initial names have been accepted';
const served = [quiet(create(CRDS, definition())), quiet(until(CRD, accepted)), quiet(until(THINGS, 200))] as const;
const gone = quiet(remove(CRD));

/** The steps on a served kind, which goes in the end. */
function things(...steps: readonly Step[]): readonly Step[] {
  return [...served, ...steps, gone];
}

const invalid: Readonly<Record<string, Record<string, unknown>>> = {
  'too small': { size: 0 },
  'too big': { size: 11 },
  'of another type': { size: 'x' },
  'not matching': { name: 'ABC' },
  'too long': { name: 'abcdefg' },
  'not in the list': { mode: 'maybe' },
  'twice in a set': { tags: ['a', 'a'] },
  'too many': { tags: ['a', 'b', 'c', 'd'] },
  'twice in a map': { items: [{ name: 'a' }, { name: 'a' }] },
  'without a key': { items: [{ value: 'a' }] },
  'of a bad time': { when: 'now' },
  'against a rule': { size: 1, name: 'a' },
  'wrong in several ways': { size: 11, name: 'ABC', mode: 'maybe' },
  'of a bad map value': { labels: { a: 1 } },
  'a float for an integer': { size: 1.5 },
  'a bool for int or string': { port: true },
  'null where it may not be': { mode: null },
};

export const crdCases: Cases = {
  'definition is established': [quiet(create(CRDS, definition())), until(CRD, accepted), gone],
  'definition with a wrong name': [create(CRDS, { ...definition(), metadata: { name: 'wrong' } })],
  'definition without a schema': [create(CRDS, definition({}, { schema: undefined }))],
  'definition that is not structural': [
    create(CRDS, definition({}, { schema: { openAPIV3Schema: { type: 'object', properties: { spec: { properties: { a: {} } } } } } })),
  ],
  'definition without storage': [create(CRDS, definition({}, { storage: false }))],
  'definition with a bad scope': [create(CRDS, definition({ scope: 'Everywhere' }))],
  'custom object': things(create(THINGS, thing({})), get(THING), get(THINGS)),
  'custom object is pruned': things(create(THINGS, thing({ size: 2, junk: 1, nested: { more: 1 }, free: { kept: 1 } }, { extra: 1 }))),
  'custom object has defaults below': things(create(THINGS, thing({ nested: {} }))),
  'custom object, strict': things(create(`${THINGS}?fieldValidation=Strict`, thing({ junk: 1, nested: { more: 1 } }))),
  'custom object keeps null': things(create(THINGS, thing({ nothing: null }))),
  'custom object without its status': things(
    create(THINGS, thing({}, { status: { a: 1 } })),
    put(`${THING}/status`, thing({ size: 9 }, { metadata: { name: 'a', resourceVersion: '{rv:3}' }, status: { b: 2 } })),
    mergePatch(THING, { status: { c: 3 } }),
    get(`${THING}/status`),
  ),
  'custom object counts generations': things(
    quiet(create(THINGS, thing({}))),
    mergePatch(THING, { metadata: { labels: { a: 'b' } } }),
    mergePatch(THING, { spec: { size: 4 } }),
    mergePatch(`${THING}/status`, { status: { a: 1 } }),
  ),
  'custom object scales': things(
    quiet(create(THINGS, thing({}))),
    get(`${THING}/scale`),
    mergePatch(`${THING}/scale`, { spec: { replicas: 7 } }),
    get(THING),
  ),
  'custom object in a table': things(
    quiet(create(THINGS, thing({}))),
    quiet(mergePatch(`${THING}/status`, { status: { conditions: [{ type: 'Ready', status: 'True' }] } })),
    get(THINGS, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' }),
  ),
  'custom object without a revision': things(quiet(create(THINGS, thing({}))), put(THING, thing({ size: 2 }))),
  'custom object that may not change': things(quiet(create(THINGS, thing({ fixed: 'a' }))), mergePatch(THING, { spec: { fixed: 'b' } })),
  'custom object patched': things(
    quiet(create(THINGS, thing({ tags: ['a'] }))),
    jsonPatch(THING, [{ op: 'add', path: '/spec/tags/-', value: 'b' }]),
    { method: 'PATCH', path: THING, body: {}, headers: { 'content-type': 'application/strategic-merge-patch+json' } },
  ),
  'custom object applied': things(
    apply(THING, 'one', thing({ tags: ['a'], items: [{ name: 'x', value: '1' }] })),
    apply(THING, 'two', thing({ tags: ['b'], items: [{ name: 'y' }, { name: 'x', value: '2' }] })),
    apply(THING, 'two', thing({ tags: ['b'], items: [{ name: 'y' }] })),
    apply(THING, 'one', thing({})),
  ),
  'custom object applied with an unknown field': things(apply(THING, 'one', thing({ junk: 1 }))),
  'custom object applied with a wrong type': things(apply(THING, 'one', thing({ size: 'x' }))),
  'custom object applied to its status': things(
    quiet(apply(THING, 'one', thing({ size: 2 }))),
    apply(`${THING}/status`, 'two', { apiVersion: '{ns}.example.com/v1', kind: 'Thing', metadata: { name: 'a' }, status: { a: 1 } }),
    apply(THING, 'one', thing({ size: 4 })),
  ),
  'custom kind in discovery': things(get('/apis/{ns}.example.com'), get('/apis/{ns}.example.com/v1')),
  'custom kind goes with its objects': [
    ...served,
    quiet(create(THINGS, thing({}))),
    quiet(remove(CRD)),
    until(CRD, 404),
    { ...until(THINGS, 404) },
  ],
  ...Object.fromEntries(
    Object.entries(invalid).map(([name, of]) => [`custom object ${name}`, things(create(`${THINGS}?dryRun=All`, thing(of)))]),
  ),
};
