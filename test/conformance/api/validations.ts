import { apply, type Cases, create, jsonPatch, mergePatch, quiet } from './case.ts';
import {
  CRDS,
  CRD,
  WIDGETS,
  WIDGET,
  version,
  definition,
  object,
  widget,
  of,
  ofVersions,
  dry,
  refused,
  rule,
  int,
  text,
} from './definition-steps.ts';

/** What kinds of CRDs refuse, and which definitions are refused. */
export const validationCases: Cases = {
  'cel: a rule with a message': of(
    object({ a: int, b: int }, rule({ rule: 'self.a <= self.b', message: 'a is more than b' })),
    dry({ a: 2, b: 1 }),
    dry({ a: 1, b: 1 }),
  ),
  'cel: a rule without a message': of(object({ a: int }, rule({ rule: 'self.a < 10' })), dry({ a: 20 })),
  'cel: a message expression': of(
    object(
      { a: int, note: { type: 'string', maxLength: 10 } },
      rule({ rule: 'self.a < 10', messageExpression: '"too much: " + self.note', message: 'not used' }),
    ),
    dry({ a: 20, note: 'n' }),
  ),
  'cel: a path and a reason': of(
    object(
      { a: int, b: object({ c: int }) },
      rule(
        { rule: 'self.a < 10', fieldPath: '.a', reason: 'FieldValueForbidden', message: 'too much' },
        { rule: 'self.b.c > 1', fieldPath: '.b.c', reason: 'FieldValueRequired', message: 'more' },
      ),
    ),
    dry({ a: 20, b: { c: 1 } }),
  ),
  'cel: on a scalar': of(object({ a: { type: 'string', ...rule({ rule: "self.startsWith('x')", message: 'no x' }) } }), dry({ a: 'yz' })),
  'cel: on a list and its items': of(
    object({
      list: {
        type: 'array',
        maxItems: 5,
        items: { type: 'integer', ...rule({ rule: 'self > 0', message: 'not positive' }) },
        ...rule({ rule: 'self.size() < 3', message: 'too many' }),
      },
    }),
    dry({ list: [1, -2, 3] }),
  ),
  'cel: on a map': of(
    object({
      map: {
        type: 'object',
        maxProperties: 5,
        additionalProperties: { type: 'string', ...rule({ rule: 'self != "x"' }) },
        ...rule({ rule: 'self.all(k, k != "bad")', message: 'a bad key' }),
      },
    }),
    dry({ map: { bad: 'x' } }),
  ),
  'cel: transitions': of(
    object({ a: { type: 'integer', ...rule({ rule: 'self >= oldSelf', message: 'only upwards' }) } }),
    create(WIDGETS, widget({ a: 5 })),
    mergePatch(WIDGET, { spec: { a: 6 } }),
    mergePatch(WIDGET, { spec: { a: 4 } }),
    apply(WIDGET, 'one', widget({ a: 3 }), 'force=true'),
    jsonPatch(WIDGET, [{ op: 'remove', path: '/spec/a' }]),
  ),
  'cel: transitions of keyed items': of(
    object({
      list: {
        type: 'array',
        maxItems: 5,
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['k'],
        items: object({ k: text, v: { type: 'string', ...rule({ rule: 'self == oldSelf', message: 'stays' }) } }, { required: ['k'] }),
      },
    }),
    quiet(create(WIDGETS, widget({ list: [{ k: 'a', v: '1' }] }))),
    mergePatch(WIDGET, {
      spec: {
        list: [
          { k: 'b', v: '2' },
          { k: 'a', v: '3' },
        ],
      },
    }),
  ),
  'cel: an optional old self': of(
    object({ a: text }, rule({ rule: 'oldSelf.hasValue() || self.a == "first"', optionalOldSelf: true, message: 'begins with first' })),
    create(WIDGETS, widget({ a: 'second' })),
    quiet(create(WIDGETS, widget({ a: 'first' }))),
    mergePatch(WIDGET, { spec: { a: 'second' } }),
  ),
  'cel: two rules break': of(
    object({ a: int }, rule({ rule: 'self.a > 1', message: 'one' }, { rule: 'self.a > 2', message: 'two' })),
    dry({ a: 0 }),
  ),
  'cel: an error in a rule': of(
    object({ a: { type: 'array', maxItems: 3, items: int } }, rule({ rule: 'self.a[0] > 1', message: 'first' })),
    dry({ a: [] }),
  ),
  'cel: a rule of the whole object': ofVersions(
    [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: object(
            { spec: object({ a: text }) },
            rule({ rule: "self.metadata.name.startsWith('w')", message: 'its name begins with w' }),
          ),
        },
      },
    ],
    dry({ a: '1' }),
  ),
  'cel: ratcheting': of(
    object({ a: { type: 'string', maxLength: 20 }, b: text }),
    quiet(create(WIDGETS, widget({ a: 'a long text', b: '1' }))),
    quiet(mergePatch(CRD, { spec: { versions: [version('v1', object({ a: { type: 'string', maxLength: 3 }, b: text }))] } })),
    { ...quiet(dry({ a: 'a long text' })), until: 422 },
    mergePatch(WIDGET, { spec: { b: '2' } }),
    mergePatch(WIDGET, { spec: { a: 'another text' } }),
  ),
  'schema: required, below': of(
    object({ a: object({ b: text, c: text }, { required: ['b', 'c'] }) }, { required: ['a'] }),
    dry({}),
    dry({ a: {} }),
    create(`${WIDGETS}?dryRun=All`, { apiVersion: '{ns}.example.com/v1', kind: 'Widget', metadata: { name: 'a' } }),
  ),
  'schema: numbers': of(
    object({
      min: { type: 'integer', minimum: 1, exclusiveMinimum: true },
      max: { type: 'number', maximum: 1.5 },
      of: { type: 'integer', multipleOf: 5 },
      big: { type: 'integer', format: 'int32' },
    }),
    dry({ min: 1 }),
    dry({ max: 2 }),
    dry({ of: 7 }),
    dry({ big: 3000000000 }),
  ),
  'schema: formats': of(
    object(
      Object.fromEntries(
        ['date', 'date-time', 'duration', 'ipv4', 'ipv6', 'cidr', 'uri', 'email', 'hostname', 'uuid', 'byte'].map((format) => [
          format,
          { type: 'string', format },
        ]),
      ),
    ),
    ...['date', 'date-time', 'duration', 'ipv4', 'ipv6', 'cidr', 'uri', 'email', 'hostname', 'uuid', 'byte'].map((format) =>
      dry({ [format]: '-not %% one-' }),
    ),
    dry({
      date: '2020-01-01',
      'date-time': '2020-01-01T00:00:00Z',
      duration: '1h5m',
      ipv4: '10.0.0.1',
      ipv6: '::1',
      cidr: '10.0.0.0/8',
      uri: 'https://example.com',
      email: 'a@b.c',
      hostname: 'a.b',
      byte: 'YQ==',
    }),
  ),
  'schema: combinations': of(
    object({
      any: { type: 'string', anyOf: [{ pattern: '^a' }, { pattern: '^b' }] },
      one: { type: 'integer', oneOf: [{ minimum: 5 }, { maximum: 10 }] },
      not: { type: 'string', not: { enum: ['x'] } },
      all: { type: 'string', allOf: [{ minLength: 3 }, { maxLength: 5 }] },
    }),
    dry({ any: 'c' }),
    dry({ one: 7 }),
    dry({ not: 'x' }),
    dry({ all: 'ab' }),
  ),
  'schema: one of several objects': of(
    object({ a: text, b: text }, { oneOf: [{ required: ['a'] }, { required: ['b'] }] }),
    dry({}),
    dry({ a: '1', b: '2' }),
    dry({ a: '1' }),
  ),
  'schema: sizes': of(
    object({
      list: { type: 'array', minItems: 2, items: text },
      map: { type: 'object', minProperties: 1, maxProperties: 2, additionalProperties: text },
      text: { type: 'string', minLength: 2 },
    }),
    dry({ list: ['a'] }),
    dry({ map: {} }),
    dry({ map: { a: '1', b: '2', c: '3' } }),
    dry({ text: 'x' }),
  ),
  'schema: an enum of numbers': of(object({ a: { type: 'integer', enum: [1, 2, 3] } }), dry({ a: 4 })),
  'schema: types': of(
    object({ s: text, i: int, n: { type: 'number' }, b: { type: 'boolean' }, l: { type: 'array', items: text }, o: object({ x: text }) }),
    dry({ s: 1, i: '1', n: 'x', b: 'true', l: {}, o: [] }),
  ),
  'refused: a field without a type': refused(object({ a: {} })),
  'refused: items without a type': refused(object({ a: { type: 'array', items: {} } })),
  'refused: a list without items': refused(object({ a: { type: 'array' } })),
  'refused: an unknown type': refused(object({ a: { type: 'thing' } })),
  'refused: keys that are not there': refused(
    object({ a: { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['x'], items: object({ b: text }) } }),
  ),
  'refused: a keyed list without keys': refused(
    object({ a: { type: 'array', 'x-kubernetes-list-type': 'map', items: object({ b: text }) } }),
  ),
  'refused: keys without a default': refused(
    object({ a: { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['b'], items: object({ b: text }) } }),
  ),
  'refused: an unknown list type': refused(object({ a: { type: 'array', 'x-kubernetes-list-type': 'bag', items: text } })),
  'refused: a default of the wrong type': refused(object({ a: { type: 'integer', default: 'x' } })),
  'refused: a bad pattern': refused(object({ a: { type: 'string', pattern: '(' } })),
  'refused: a type below anyOf': refused(object({ a: { type: 'string', anyOf: [{ type: 'string' }] } })),
  'refused: unique items': refused(object({ a: { type: 'array', uniqueItems: true, items: text } })),
  'refused: both kinds of properties': refused(object({ a: { type: 'object', properties: { b: text }, additionalProperties: text } })),
  'refused: a rule that cannot be read': refused(object({ a: text }, rule({ rule: 'self.a ==' }))),
  'refused: a rule about what is not there': refused(object({ a: text }, rule({ rule: 'self.b == 1' }))),
  'refused: a rule that is no bool': refused(object({ a: text }, rule({ rule: 'self.a' }))),
  'refused: a bad column': refused(object({}), {
    additionalPrinterColumns: [
      { name: 'A', type: 'thing', jsonPath: '.x' },
      { name: '', type: 'string', jsonPath: '' },
    ],
  }),
  'refused: a bad scale': refused(object({}), { subresources: { scale: { specReplicasPath: 'spec.x', statusReplicasPath: '' } } }),
  'refused: two storage versions': [
    create(`${CRDS}?dryRun=All`, definition([version('v1', object({})), version('v2', object({}), { storage: true })])),
  ],
  'refused: a version twice': [
    create(`${CRDS}?dryRun=All`, definition([version('v1', object({})), version('v1', object({}), { storage: false })])),
  ],
  'refused: a bad version name': [create(`${CRDS}?dryRun=All`, definition([version('V_1', object({}), { storage: true })]))],
  'refused: no versions': [create(`${CRDS}?dryRun=All`, definition([]))],
  'refused: a bad group': [
    create(`${CRDS}?dryRun=All`, { ...definition([version('v1', object({}))], { group: 'nodots' }), metadata: { name: 'widgets.nodots' } }),
  ],
  'refused: a group of Kubernetes': [
    create(`${CRDS}?dryRun=All`, {
      ...definition([version('v1', object({}))], { group: 'x.k8s.io' }),
      metadata: { name: 'widgets.x.k8s.io' },
    }),
  ],
  'refused: bad names': [
    create(
      `${CRDS}?dryRun=All`,
      definition([version('v1', object({}))], { names: { kind: 'bad kind', plural: 'widgets', listKind: 'Widget', shortNames: ['B_'] } }),
    ),
  ],
  'refused: a conversion without a webhook': [
    create(`${CRDS}?dryRun=All`, definition([version('v1', object({}))], { conversion: { strategy: 'Webhook' } })),
  ],
  'refused: metadata with rules': [
    create(
      `${CRDS}?dryRun=All`,
      definition([
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: object({ metadata: object({ labels: { type: 'object' } }) }) },
        },
      ]),
    ),
  ],
};
