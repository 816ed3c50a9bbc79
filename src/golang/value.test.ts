import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  anyMapType,
  assignableTo,
  fromYamlValue,
  GoByteSlice,
  GoError,
  GoInt,
  goInt,
  goInt64,
  goIntOf,
  goKind,
  GoMap,
  goMap,
  GoSlice,
  goTypeName,
  mapFromYaml,
  namedType,
  sliceOf,
  stringMapType,
  stringSlice,
  stringType,
  toYamlValue,
  type YamlObject,
} from './index.ts';

const valuesType = namedType('test.Values', anyMapType);

suite('Go values', () => {
  test('types have the names that %T prints', () => {
    const cases: [Parameters<typeof goTypeName>[0], string, string][] = [
      [null, '<nil>', 'invalid'],
      [undefined, '<nil>', 'invalid'],
      [true, 'bool', 'bool'],
      [1, 'float64', 'float64'],
      ['', 'string', 'string'],
      [goInt(1), 'int', 'int'],
      [goInt64(1), 'int64', 'int64'],
      [goIntOf('uint8', 300), 'uint8', 'uint8'],
      [[], '[]interface {}', 'slice'],
      [stringSlice([]), '[]string', 'slice'],
      [new GoByteSlice(new Uint8Array()), '[]uint8', 'slice'],
      [goMap(), 'map[string]interface {}', 'map'],
      [new GoMap(stringMapType), 'map[string]string', 'map'],
      [new GoMap(valuesType), 'test.Values', 'map'],
    ];
    for (const [value, name, kind] of cases) {
      assert.equal(goTypeName(value), name);
      assert.equal(goKind(value), kind);
    }
    assert.equal(sliceOf(stringType), sliceOf(stringType), 'types are interned');
  });

  test('integers wrap to their width and small ones are shared', () => {
    assert.equal(goIntOf('uint8', 300).value, 44);
    assert.equal(goIntOf('int8', 200).value, -56);
    assert.equal(goIntOf('int64', 1n << 63n).value, -(1n << 63n));
    assert.equal(goIntOf('uint64', -1).value, (1n << 64n) - 1n);
    assert.equal(goInt(5), goInt(5));
    assert.deepEqual(goInt(5), goInt(5n));
    assert.equal(typeof goInt64(9007199254740993n).value, 'bigint');
    assert.equal(typeof goInt64(9007199254740991n).value, 'number');
  });

  test('a named map is assignable to its literal type and back, not to another named one', () => {
    assert.ok(assignableTo(valuesType, anyMapType));
    assert.ok(assignableTo(anyMapType, valuesType));
    assert.ok(!assignableTo(valuesType, namedType('test.Other', anyMapType)));
    assert.ok(!assignableTo(stringMapType, anyMapType));
  });

  test('maps are shared, sorted by bytes, and safe for any key', () => {
    const map = new GoMap(valuesType);
    const seen = map.as(anyMapType);
    for (const key of ['b', '__proto__', 'é', 'a', 'constructor', '\u{1f600}', '\uffff']) map.set(key, key);
    assert.deepEqual(seen.sortedKeys(), ['__proto__', 'a', 'b', 'constructor', 'é', '\uffff', '\u{1f600}']);
    seen.delete('b');
    seen.set('aa', null);
    assert.deepEqual(map.sortedKeys().slice(0, 4), ['__proto__', 'a', 'aa', 'constructor']);
    assert.equal(map.get('nope'), undefined);
    assert.equal(map.get('aa'), null);
    assert.throws(() => new GoMap(anyMapType, new Map(), true).set('a', 1), { message: 'assignment to entry in nil map' });
  });

  test('decoded YAML becomes Go values and comes back the same', () => {
    const plain: YamlObject = JSON.parse('{"__proto__":{"x":1},"l":[1,"a",null,true,{"k":2.5}],"e":{}}');
    const map = mapFromYaml(plain, valuesType);
    assert.equal(goTypeName(map), 'test.Values');
    assert.equal(goTypeName(map.get('__proto__')), 'map[string]interface {}');
    assert.deepEqual(toYamlValue(map), plain);
    assert.ok(Object.hasOwn(toYamlValue(map) as object, '__proto__'));
    assert.ok(fromYamlValue(12345678901234567890n) instanceof GoInt);
  });

  test('what encoding/json cannot write is an error with its text', () => {
    assert.throws(() => toYamlValue([Number.NaN]), { message: 'json: unsupported value: NaN' });
    const cycle = goMap();
    cycle.set('self', cycle);
    assert.throws(
      () => toYamlValue(cycle),
      (error) => error instanceof GoError && /encountered a cycle via map/.test(error.message),
    );
    assert.deepEqual(toYamlValue(new GoSlice(sliceOf(stringType), [], true)), null);
    assert.deepEqual(toYamlValue(goInt(3), { integers: 'bigint' }), 3n);
  });
});
