import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { goMap, mapFromYaml, toYamlValue, type YamlObject, type YamlValue } from '../../golang/index.ts';
import { memoryTree } from '../../manifest/index.ts';
import { coalesceChartValues, loadChart, mergeUserValues, readValuesDocuments, setJsonValue, setValue } from '../index.ts';

function set(expression: string, base: YamlObject = {}): YamlValue {
  const into = mapFromYaml(base);
  setValue(expression, into);
  return toYamlValue(into, { integers: 'bigint' });
}

describe('--set', () => {
  const cases: [string, YamlValue][] = [
    ['a=1,b=x', { a: 1n, b: 'x' }],
    ['a.b.c=true', { a: { b: { c: true } } }],
    ['a={1,x,null}', { a: [1n, 'x', null] }],
    ['a[1].b=x', { a: [null, { b: 'x' }] }],
    ['a\\.b=c\\,d', { 'a.b': 'c,d' }],
    ['a=007,b=0,c=1.5', { a: '007', b: 0n, c: '1.5' }],
    ['__proto__.x=1', Object.defineProperty({}, '__proto__', { value: { x: 1n }, enumerable: true, writable: true, configurable: true })],
  ];
  for (const [expression, want] of cases) it(expression, () => assert.deepEqual(set(expression), want));

  it('fails in Helm’s words', () => {
    assert.throws(() => set('a'), { message: 'key "a" has no value', code: 'ValuesInvalid' });
    assert.throws(() => set('a[70000]=1'), { message: 'index of 70000 is greater than maximum supported index of 65536' });
    assert.throws(() => set(`${'a.'.repeat(31)}a=1`), {
      message: 'value name nested level is greater than maximum supported nested level of 30',
    });
    assert.throws(() => set('a.b=1', { a: 's' }), {
      message: 'unable to parse key: interface conversion: interface {} is string, not map[string]interface {}',
    });
  });

  it('reads JSON values one after the other', () => {
    const into = goMap();
    setJsonValue('a={"x":[1,2]},b="s,t",c=null', into);
    assert.deepEqual(toYamlValue(into), { a: { x: [1, 2] }, b: 's,t', c: null });
  });
});

describe('values files', () => {
  it('merge the documents of a file, and the files', () => {
    const values = mergeUserValues({
      files: [
        { name: 'a.yaml', text: 'a: {x: 1, w: 2}\n---\na: {w: 3}\n' },
        { name: 'b.yaml', text: 'a: {z: 4}\n' },
      ],
      set: ['a.x=5'],
      setString: ['s=1'],
      setFile: ['f=name'],
      setLiteral: ['l=a,b=c'],
      readFile: (name) => `<${name}>`,
    });
    assert.deepEqual(toYamlValue(values), { a: { x: 5, w: 3, z: 4 }, s: '1', f: '<name>', l: 'a,b=c' });
  });

  it('take only comments behind a separator', () => {
    assert.equal(readValuesDocuments('a: 1\n--- # next\nb: 2').size, 2);
    assert.throws(() => readValuesDocuments('a: 1\n--- b: 2'), {
      message: 'error reading yaml document: invalid Yaml document separator: b: 2',
    });
  });
});

describe('coalesced values', () => {
  const chart = loadChart(
    memoryTree({
      'Chart.yaml': 'apiVersion: v2\nname: top\nversion: 1.0.0\n',
      'values.yaml': 'a: 1\nempty: null\nt: {x: 1, u: null}\nsub: {b: fromTop}\nglobal: {g: {k: 1}}\n',
      'charts/sub/Chart.yaml': 'apiVersion: v2\nname: sub\nversion: 1.0.0\n',
      'charts/sub/values.yaml': 'b: own\nc: own\nglobal: {g: {l: 2}}\n',
    }),
  );
  const coalesced = (values: YamlObject, profile?: '3.x'): YamlValue =>
    toYamlValue(coalesceChartValues(chart, mapFromYaml(values), profile));

  it('give subcharts their part and the globals', () => {
    assert.deepEqual(coalesced({}), {
      a: 1,
      t: { x: 1 },
      global: { g: { k: 1 } },
      sub: { b: 'fromTop', c: 'own', global: { g: { k: 1, l: 2 } } },
    });
  });

  it('let the user’s null remove a default, but keep one for a key without default', () => {
    const values = coalesced({ a: null, other: null, sub: { c: null } }) as YamlObject;
    assert.equal(Object.hasOwn(values, 'a'), false);
    assert.equal(values['other'], null);
    assert.deepEqual(values['sub'], { b: 'fromTop', global: { g: { k: 1, l: 2 } } });
  });

  it('keep null defaults in Helm 3', () => {
    const values = coalesced({}, '3.x') as YamlObject;
    assert.equal(values['empty'], null);
    assert.deepEqual(values['t'], { x: 1, u: null });
  });

  it('refuse a subchart whose values are no table', () => {
    assert.throws(() => coalesced({ sub: [1] }), { code: 'ValuesConflict', message: 'type mismatch on sub: [%!t(float64=1)]' });
  });

  it('leave the loaded chart alone', () => {
    coalesced({ t: { y: 1 } });
    assert.deepEqual(toYamlValue(chart.values), {
      a: 1,
      empty: null,
      t: { x: 1, u: null },
      sub: { b: 'fromTop' },
      global: { g: { k: 1 } },
    });
  });
});
