import { apply, type Cases, create, get, jsonPatch, mergePatch, put, quiet, remove, until } from './case.ts';
import {
  CRDS,
  CRD,
  WIDGETS,
  WIDGET,
  accepted,
  version,
  definition,
  object,
  widget,
  of,
  ofVersions,
  dry,
  int,
  text,
} from './definition-steps.ts';

/** Kinds of CRDs: how they are served. */
export const definitionCases: Cases = {
  'crd: what is not declared goes': of(
    object({ a: text, list: { type: 'array', items: object({ b: text }) } }),
    create(WIDGETS, widget({ a: '1', x: 1, list: [{ b: '1', y: 2 }] }, { junk: {} })),
  ),
  'crd: what is not declared stays below': of(
    object({ free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { known: object({ a: text }) } } }),
    create(WIDGETS, widget({ free: { x: { y: 1 }, known: { a: '1', b: 2 } } })),
  ),
  'crd: an embedded object': of(
    object({ template: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true } }),
    create(WIDGETS, widget({ template: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x', junk: 1 }, spec: { a: 1 } } })),
    dry({ template: { kind: 'Pod' } }),
  ),
  'crd: defaults below': of(
    object({
      a: {
        type: 'object',
        default: {},
        properties: { b: { type: 'integer', default: 5 }, c: object({ d: { type: 'string', default: 'x' } }) },
      },
      list: { type: 'array', items: object({ e: { type: 'boolean', default: true } }) },
      map: { type: 'object', additionalProperties: object({ f: { type: 'string', default: 'y' } }) },
    }),
    create(WIDGETS, widget({ list: [{}, { e: false }], map: { k: {} } })),
    get(WIDGET),
  ),
  'crd: a default for null': of(
    object({ a: { type: 'string', default: 'x' }, b: { type: 'string', default: 'x', nullable: true } }),
    create(WIDGETS, widget({ a: null, b: null })),
  ),
  'crd: an integer or a string': of(
    object({
      a: { 'x-kubernetes-int-or-string': true },
      b: { anyOf: [{ type: 'integer' }, { type: 'string' }], 'x-kubernetes-int-or-string': true, pattern: '^[0-9]+%?$' },
    }),
    create(WIDGETS, widget({ a: '5%', b: 3 })),
    dry({ a: 1.5 }),
    dry({ b: 'x' }),
    dry({ a: [] }),
  ),
  'crd: several versions': ofVersions(
    [
      version('v1', object({ a: text })),
      version('v1beta1', object({ a: text, b: text })),
      version('v1alpha1', object({}), { served: false }),
    ],
    quiet(create(WIDGETS, widget({ a: '1' }))),
    get('/apis/{ns}.example.com/v1beta1/namespaces/{ns}/widgets/a'),
    get('/apis/{ns}.example.com/v1alpha1/namespaces/{ns}/widgets/a'),
    get('/apis/{ns}.example.com'),
    apply('/apis/{ns}.example.com/v1beta1/namespaces/{ns}/widgets/a', 'one', {
      apiVersion: '{ns}.example.com/v1beta1',
      kind: 'Widget',
      metadata: { name: 'a' },
      spec: { b: '2' },
    }),
    get(WIDGET),
  ),
  'crd: deprecated version': ofVersions(
    [
      version('v1', object({ a: text })),
      version('v1beta1', object({ a: text }), { deprecated: true }),
      version('v1beta2', object({ a: text }), { deprecated: true, deprecationWarning: 'use v1' }),
    ],
    create('/apis/{ns}.example.com/v1beta1/namespaces/{ns}/widgets', {
      apiVersion: '{ns}.example.com/v1beta1',
      kind: 'Widget',
      metadata: { name: 'a' },
    }),
    get('/apis/{ns}.example.com/v1beta2/namespaces/{ns}/widgets/a'),
  ),
  'crd: without a status endpoint': of(
    object({ a: text }),
    create(WIDGETS, widget({}, { status: { x: 1 } })),
    mergePatch(WIDGET, { status: { y: 2 } }),
    get(`${WIDGET}/status`),
    get(`${WIDGET}/scale`),
  ),
  'crd: with a status endpoint': ofVersions(
    [version('v1', object({ a: text }), { subresources: { status: {} } })],
    create(WIDGETS, widget({ a: '1' }, { status: { x: 1 } })),
    mergePatch(`${WIDGET}/status`, { metadata: { labels: { l: 'm' } }, spec: { a: '2' }, status: { x: 2 } }),
    mergePatch(WIDGET, { spec: { a: '3' }, status: { x: 4 } }),
  ),
  'crd: scales with a selector': ofVersions(
    [
      version('v1', object({ size: int }), {
        subresources: {
          status: {},
          scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size', labelSelectorPath: '.status.selector' },
        },
      }),
    ],
    quiet(create(WIDGETS, widget({}))),
    get(`${WIDGET}/scale`),
    quiet(mergePatch(WIDGET, { spec: { size: 2 } })),
    quiet(mergePatch(`${WIDGET}/status`, { status: { size: 1, selector: 'app=a' } })),
    get(`${WIDGET}/scale`),
    put(`${WIDGET}/scale`, {
      apiVersion: 'autoscaling/v1',
      kind: 'Scale',
      metadata: { name: 'a', namespace: '{ns}' },
      spec: { replicas: 4 },
    }),
    mergePatch(`${WIDGET}/scale`, { spec: { replicas: -1 } }),
    get(WIDGET),
  ),
  'crd: columns': ofVersions(
    [
      version(
        'v1',
        object({
          a: text,
          n: int,
          list: { type: 'array', items: text },
          f: { type: 'number' },
          b: { type: 'boolean' },
          when: { type: 'string', format: 'date-time' },
        }),
        {
          additionalPrinterColumns: [
            { name: 'A', type: 'string', jsonPath: '.spec.a', description: 'the a' },
            { name: 'N', type: 'integer', jsonPath: '.spec.n', priority: 1 },
            { name: 'First', type: 'string', jsonPath: '.spec.list[0]' },
            { name: 'All', type: 'string', jsonPath: '.spec.list[*]' },
            { name: 'F', type: 'number', jsonPath: '.spec.f' },
            { name: 'B', type: 'boolean', jsonPath: '.spec.b' },
            { name: 'When', type: 'date', jsonPath: '.spec.when' },
            { name: 'Label', type: 'string', jsonPath: '.metadata.labels.app' },
            { name: 'Whole', type: 'string', jsonPath: '.spec.list' },
          ],
        },
      ),
    ],
    quiet(create(WIDGETS, widget({ a: 'x', n: 5, list: ['p', 'q'], f: 1.5, b: true }, { metadata: { name: 'a', labels: { app: 'l' } } }))),
    quiet(create(WIDGETS, widget({}, { metadata: { name: 'b' } }))),
    get(`${WIDGETS}?includeObject=None`, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }),
  ),
  'crd: selectable fields': ofVersions(
    [version('v1', object({ color: text }), { selectableFields: [{ jsonPath: '.spec.color' }] })],
    quiet(create(WIDGETS, widget({ color: 'red' }))),
    get(`${WIDGETS}?fieldSelector=spec.color=red`),
    get(`${WIDGETS}?fieldSelector=spec.color=blue`),
    get(`${WIDGETS}?fieldSelector=spec.size=1`),
  ),
  'crd: atomic, set and keyed lists': of(
    object({
      atomic: { type: 'array', items: text },
      set: { type: 'array', 'x-kubernetes-list-type': 'set', items: text },
      keyed: {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['k', 'p'],
        items: object(
          {
            k: text,
            p: { type: 'integer', default: 1 },
            v: text,
            below: {
              type: 'array',
              'x-kubernetes-list-type': 'map',
              'x-kubernetes-list-map-keys': ['n'],
              items: object({ n: text, v: text }, { required: ['n'] }),
            },
          },
          { required: ['k'] },
        ),
      },
      atomicMap: { type: 'object', 'x-kubernetes-map-type': 'atomic', additionalProperties: text },
      map: { type: 'object', additionalProperties: text },
    }),
    apply(
      WIDGET,
      'one',
      widget({
        atomic: ['a', 'b'],
        set: ['a', 'b'],
        keyed: [{ k: 'x', v: '1', below: [{ n: 'q', v: '1' }] }],
        atomicMap: { a: '1' },
        map: { a: '1' },
      }),
    ),
    apply(
      WIDGET,
      'two',
      widget({
        set: ['c'],
        keyed: [
          { k: 'x', p: 2, v: '2' },
          { k: 'x', below: [{ n: 'r', v: '2' }] },
        ],
        map: { b: '2' },
      }),
    ),
    apply(WIDGET, 'two', widget({ atomic: ['c'], keyed: [{ k: 'x', v: '3' }], atomicMap: { b: '2' } })),
    apply(WIDGET, 'one', widget({ set: ['b'], keyed: [] })),
    apply(WIDGET, 'two', widget({})),
  ),
  'crd: no strategic patch': of(object({}), quiet(create(WIDGETS, widget({}))), {
    method: 'PATCH',
    path: WIDGET,
    body: {},
    headers: { 'content-type': 'application/strategic-merge-patch+json' },
  }),
  'crd: json patches': of(
    object({ list: { type: 'array', items: text } }),
    quiet(create(WIDGETS, widget({ list: ['a'] }))),
    jsonPatch(WIDGET, [{ op: 'test', path: '/spec/list/0', value: 'b' }]),
    jsonPatch(WIDGET, [{ op: 'add', path: '/spec/list/-', value: 1 }]),
    jsonPatch(WIDGET, [{ op: 'replace', path: '/spec/list', value: 'x' }]),
  ),
  'crd: unknown fields': of(
    object({ a: text }),
    create(WIDGETS, widget({ a: '1', b: 2 }, { c: 3 })),
    create(`${WIDGETS}?fieldValidation=Strict`, widget({ a: '1', b: 2 }, { metadata: { name: 'b', x: 1 } })),
    create(`${WIDGETS}?fieldValidation=Ignore`, widget({ b: 2 }, { metadata: { name: 'b' } })),
    mergePatch(WIDGET, { spec: { z: 1 } }),
    { ...mergePatch(WIDGET, { spec: { z: 1 } }), path: `${WIDGET}?fieldValidation=Strict` },
  ),
  'crd: bad bodies': of(
    object({}),
    create(WIDGETS, { apiVersion: '{ns}.example.com/v1', kind: 'Gadget', metadata: { name: 'a' } }),
    create(WIDGETS, { apiVersion: 'v1', kind: 'Widget', metadata: { name: 'a' } }),
    create(WIDGETS, { metadata: { name: 'a' } }),
    create(WIDGETS, { ...widget({}), metadata: 'x' }),
    create(WIDGETS, { ...widget({}), metadata: { name: 'a', labels: { a: 1 } } }),
    create(WIDGETS, widget([])),
    create(WIDGETS, widget('x')),
  ),
  'crd: cluster-scoped': [
    quiet(create(CRDS, definition([version('v1', object({}))], { scope: 'Cluster' }))),
    quiet(until(CRD, accepted)),
    quiet(until('/apis/{ns}.example.com/v1/widgets', 200)),
    create('/apis/{ns}.example.com/v1/widgets', widget({})),
    create('/apis/{ns}.example.com/v1/widgets', widget({}, { metadata: { name: 'b', namespace: 'x' } })),
    get(`${WIDGETS}`),
    quiet(remove(CRD)),
  ],
  'crd: names and conditions': [
    quiet(
      create(
        CRDS,
        definition([version('v1', object({}))], { names: { kind: 'Widget', plural: 'widgets', shortNames: ['wg'], categories: ['all'] } }),
      ),
    ),
    until(CRD, accepted),
    quiet(until('/apis/{ns}.example.com/v1', 200)),
    get('/apis/{ns}.example.com/v1'),
    quiet(remove(CRD)),
  ],
  'crd: versions that cannot go': of(
    object({ a: text }),
    mergePatch(CRD, { spec: { versions: [version('v2', object({}), { storage: true })] } }),
  ),
  'crd: scope that cannot change': of(
    object({ a: text }),
    mergePatch(CRD, { spec: { scope: 'Cluster' } }),
    mergePatch(CRD, { spec: { group: 'x.example.com' } }),
  ),
};
