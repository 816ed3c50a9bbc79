import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mapFromYaml, type YamlObject } from '../../golang/index.ts';
import { validateAgainstSchema } from './validator.ts';

function check(schema: unknown, values: YamlObject): string | undefined {
  return validateAgainstSchema(mapFromYaml(values), typeof schema === 'string' ? schema : JSON.stringify(schema));
}

const DRAFT_7 = 'http://json-schema.org/draft-07/schema#';

describe('values.schema.json', () => {
  const cases: [name: string, schema: unknown, values: YamlObject, want: string | undefined][] = [
    ['accepts', { type: 'object' }, {}, undefined],
    ['type', { properties: { a: { type: ['string', 'null'] } } }, { a: 5 }, "- at '/a': got number, want null or string\n"],
    ['required', { required: ['a', 'b'] }, {}, "- at '': missing properties 'a', 'b'\n"],
    ['groups thousands', { properties: { a: { maximum: 65535 } } }, { a: 70000 }, "- at '/a': maximum: got 70,000, want 65,535\n"],
    ['shows large numbers as powers', { properties: { a: { maximum: 3 } } }, { a: 1e6 }, "- at '/a': maximum: got 1×10⁰⁶, want 3\n"],
    ['multipleOf in decimals', { properties: { a: { multipleOf: 0.1 } } }, { a: 0.3 }, undefined],
    [
      'nests oneOf',
      {
        properties: { a: { oneOf: [{ type: 'string' }, { $ref: '#/$defs/q' }] } },
        $defs: { q: { required: ['x'], additionalProperties: false } },
      },
      { a: { z: 1 } },
      "- at '/a': 'oneOf' failed, none matched\n  - at '/a': got object, want string\n  - at '/a': validation failed\n" +
        "    - at '/a': missing property 'x'\n    - at '/a': additional properties 'z' not allowed\n",
    ],
    ['format only up to draft 7', { properties: { a: { format: 'ipv4' } } }, { a: 'x' }, undefined],
    [
      'format of draft 7',
      { $schema: DRAFT_7, properties: { a: { format: 'ipv4' } } },
      { a: 'x' },
      "- at '/a': 'x' is not valid ipv4: expected four decimals\n",
    ],
    ['unevaluatedProperties', { if: { required: ['a'] }, unevaluatedProperties: false }, { a: 1 }, "- at '/a': false schema\n"],
    ['urn', { $ref: 'urn:example:anything' }, {}, undefined],
  ];
  for (const [name, schema, values, want] of cases) it(name, () => assert.equal(check(schema, values), want));

  it('of a property named __proto__ looks at that property', () => {
    const schema = '{"properties":{"__proto__":{"type":"string"},"constructor":{"type":"string"}}}';
    assert.equal(check(schema, {}), undefined);
    assert.equal(check(schema, { constructor: 1 }), "- at '/constructor': got number, want string\n");
  });

  it('that is wrong itself is refused as santhosh-tekuri/jsonschema does', () => {
    assert.throws(() => check({ type: 'foo' }, {}), {
      code: 'SchemaInvalid',
      message:
        /^"file:\/\/\/values.schema.json#" is not valid against metaschema: jsonschema validation failed with 'https:\/\/json-schema.org\/draft\/2020-12\/schema#'\n- at '': 'allOf' failed\n/,
    });
    assert.throws(() => check({ $ref: '#/definitions/x' }, {}), {
      message: 'json-pointer in "file:///values.schema.json#/definitions/x" not found',
    });
    assert.throws(() => check('{"a":', {}), { message: 'unexpected EOF' });
  });

  it('never fetches what it refers to', () => {
    assert.throws(() => check({ $ref: 'https://example.com/schema.json' }, {}), { code: 'SchemaReferenceRefused' });
    assert.throws(() => check({ $ref: 'file:///etc/passwd' }, {}), { code: 'SchemaReferenceRefused' });
    const loaded = validateAgainstSchema(mapFromYaml({ a: 1 }), '{"$ref":"https://example.com/schema.json"}', () => false);
    assert.equal(loaded, "- at '': false schema\n");
  });

  it('is bounded in depth, steps and cycles', () => {
    assert.throws(() => check(`${'{"not":'.repeat(1000)}{}${'}'.repeat(1000)}`, {}), { code: 'LimitExceeded' });
    assert.match(check({ $ref: '#' }, {}) ?? '', /causing reference cycle/);
    const doubling: Record<string, unknown> = { s0: {} };
    for (let i = 1; i < 40; i++) doubling[`s${i}`] = { allOf: [{ $ref: `#/$defs/s${i - 1}` }, { $ref: `#/$defs/s${i - 1}` }] };
    assert.throws(() => check({ $ref: '#/$defs/s39', $defs: doubling }, {}), { code: 'BudgetExceeded' });
  });

  it('matches patterns in linear time', () => {
    const start = performance.now();
    check({ properties: { a: { pattern: '^(a+)+$' } } }, { a: `${'a'.repeat(5000)}b` });
    assert.ok(performance.now() - start < 2000);
  });
});
