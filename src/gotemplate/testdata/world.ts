/*
 * The data and functions that the cases of cases.jsonl were recorded with, by a Go program with the same types. Templates see
 * `.V` (the case's own JSON), `.W` (a struct), `.PW` (a pointer to it) and `.Vals` (a named map).
 */
import {
  anyMapType,
  anySliceType,
  anyType,
  boolType,
  byteSliceType,
  complex128Type,
  durationType,
  durationValue,
  float32Type,
  float64Type,
  formatValue,
  fromYamlValue,
  GoByteSlice,
  GoComplex,
  GoError,
  GoFloat32,
  GoFunc,
  goInt,
  goInt64,
  GoInt,
  goIntOf,
  GoKeyedMap,
  GoMap,
  goMap,
  GoSlice,
  GoStruct,
  goTypeName,
  int64Type,
  intSliceType,
  intType,
  intTypes,
  mapOf,
  namedType,
  pointerTo,
  sprint,
  sprintf,
  stringMapType,
  stringSlice,
  stringSliceType,
  stringType,
  structType,
  bytesToText,
  type GoField,
  type GoMethod,
  type GoType,
  type GoValue,
  type YamlValue,
} from '../../golang/index.ts';
import { FunctionTable, TemplateSet, type TemplateFunction } from '../index.ts';

type Data = Readonly<Record<string, GoValue>>;

function dataOf(value: GoValue): Data {
  return value instanceof GoStruct ? (value.data as Data) : {};
}

function field(name: string, type: GoType): GoField {
  return { name, type, get: (struct) => dataOf(struct)[name] };
}

function method(params: readonly GoType[], result: GoType, call: GoMethod['call'], variadic = false): GoMethod {
  return { params, result, call, variadic };
}

const text = (value: GoValue): string => (typeof value === 'string' ? value : '');

const innerType = structType('main.Inner', {
  fields: [field('V', intType), field('S', stringType), field('hidden', intType)],
  methods: {
    PtrMethod: method([], stringType, (self) => `ptr:${text(dataOf(self)['S'])}`),
    ValMethod: method([intType], stringType, (self, [n]) => `val:${text(dataOf(self)['S'])}:${formatValue(n)}`),
    Many: method([stringType, anyType], stringType, (_, [a, ...b]) => sprint([a, goInt(b.length), [...b]]), true),
    Fails: method([stringType], stringType, (_, [s]) => {
      if (s === '') throw new GoError('inner failed');
      return s;
    }),
  },
});
const innerPointer = pointerTo(innerType);
const stringyType = structType('main.Stringy', {
  fields: [field('N', intType)],
  methods: { String: method([], stringType, (self) => `stringy<${formatValue(dataOf(self)['N'])}>`) },
});
const namesType = namedType('main.Names', stringSliceType, {
  Has: method([stringType], boolType, (self, [wanted]) => self instanceof GoSlice && self.items.includes(wanted)),
});
const filesType = namedType('main.Files', mapOf(stringType, byteSliceType), {
  Get: method([stringType], stringType, (self, [name]) => {
    const file = self instanceof GoMap ? self.get(text(name)) : undefined;
    return file instanceof GoByteSlice ? bytesToText(file.bytes) : '';
  }),
});
const valuesType = namedType('main.Values', anyMapType);
const fnType: GoType = { name: 'func(int, string) string', kind: 'func', named: false };
const fnvType: GoType = { name: 'func(string, ...int) string', kind: 'func', named: false };
const intNamesType = mapOf(intType, stringType);
const anyKeysType = mapOf(anyType, anyType);

const worldFields: readonly (readonly [string, GoType])[] = [
  ['P', innerPointer],
  ['S', innerType],
  ['NilP', innerPointer],
  ['Any', anyType],
  ['M', stringMapType],
  ['MI', mapOf(stringType, intType)],
  ['L', intSliceType],
  ['LS', stringSliceType],
  ['E', anySliceType],
  ['NilM', anyMapType],
  ['NilS', stringSliceType],
  ['F', float64Type],
  ['F32', float32Type],
  ['I8', intTypes.int8],
  ['U', intTypes.uint],
  ['U8', intTypes.uint8],
  ['C', complex128Type],
  ['D', durationType],
  ['Str', stringyType],
  ['N', namesType],
  ['Fl', filesType],
  ['Fn', fnType],
  ['FnV', fnvType],
  ['IM', intNamesType],
  ['AK', anyKeysType],
  ['B', byteSliceType],
  ['Vals', valuesType],
];
const worldType = structType('main.World', { fields: worldFields.map(([name, type]) => field(name, type)) });

function worldData(): Data {
  return {
    P: new GoStruct(innerPointer, { V: goInt(7), S: 'in', hidden: goInt(0) }),
    S: new GoStruct(innerType, { V: goInt(8), S: 'sv', hidden: goInt(0) }),
    NilP: new GoStruct(innerPointer, null),
    Any: null,
    M: new GoMap(
      stringMapType,
      new Map([
        ['a', 'x'],
        ['b', 'y'],
      ]),
    ),
    MI: new GoMap(mapOf(stringType, intType), new Map([['one', goInt(1)]])),
    L: new GoSlice(intSliceType, [goInt(5), goInt(6)]),
    LS: stringSlice(['p', 'q']),
    E: [goInt(1), 'a', null, 2.5],
    NilM: new GoMap(anyMapType, new Map(), true),
    NilS: stringSlice([], true),
    F: 1.5,
    F32: new GoFloat32(0.1),
    I8: goIntOf('int8', -3),
    U: goIntOf('uint', 9),
    U8: goIntOf('uint8', 200),
    C: new GoComplex(1, 2),
    D: durationValue(90_000_000_000n),
    Str: new GoStruct(stringyType, { N: goInt(4) }),
    N: new GoSlice(namesType, ['n1']),
    Fl: new GoMap(filesType, new Map([['f', new GoByteSlice(new TextEncoder().encode('data'))]])),
    Fn: new GoFunc(fnType, { params: [intType, stringType], result: stringType, call: (args) => sprint(args) }),
    FnV: new GoFunc(fnvType, {
      params: [stringType, intType],
      variadic: true,
      result: stringType,
      call: ([s, ...i]) => sprint([s, new GoSlice(intSliceType, i)]),
    }),
    IM: new GoKeyedMap(intNamesType, [
      [goInt(1), 'i1'],
      [goInt(2), 'i2'],
    ]),
    AK: new GoKeyedMap(anyKeysType, [
      [goInt(1), 'one'],
      ['k', 'v'],
    ]),
    B: new GoByteSlice(new TextEncoder().encode('hey')),
    Vals: new GoMap(valuesType, new Map<string, GoValue>([['q', 1]])),
  };
}

/** What `.` is. */
export function world(data: YamlValue): GoMap {
  const fields = worldData();
  return goMap([
    ['V', fromYamlValue(data)],
    ['W', new GoStruct(worldType, fields)],
    ['PW', new GoStruct(pointerTo(worldType), fields)],
    [
      'Vals',
      new GoMap(
        valuesType,
        new Map<string, GoValue>([
          ['a', 1],
          ['m', goMap([['x', null]])],
        ]),
      ),
    ],
  ]);
}

function one(type: GoType, format: string): TemplateFunction {
  return { params: [type], result: stringType, call: ([value]) => sprintf(format, [value]) };
}

function returns(result: GoType, call: () => GoValue): TemplateFunction {
  return { params: [], result, call };
}

function dict(args: readonly GoValue[]): GoValue {
  const map = goMap();
  for (let i = 0; i + 1 < args.length; i += 2) map.set(formatValue(args[i]), args[i + 1]);
  return map;
}

/** The functions beside the builtins. */
export const worldFunctions: FunctionTable = FunctionTable.of([
  ['fInt', one(intType, 'int %d')],
  ['fI8', one(intTypes.int8, 'int8 %d')],
  ['fI64', { params: [int64Type], result: int64Type, call: ([i]) => goInt64(i instanceof GoInt ? i.value : 0) }],
  ['fUint', one(intTypes.uint, 'uint %d')],
  ['fF64', one(float64Type, 'f64 %v')],
  ['fF32', one(float32Type, 'f32 %v')],
  ['fBool', one(boolType, 'bool %v')],
  ['fStr', one(stringType, 'str %s')],
  ['fAny', { params: [anyType], result: anyType, call: ([value]) => value }],
  ['fType', { params: [anyType], result: stringType, call: ([value]) => `${goTypeName(value)}|${formatValue(value)}` }],
  ['fList', one(anySliceType, 'list %v')],
  ['fStrs', one(stringSliceType, 'strs %v')],
  ['fMap', { params: [anyMapType], result: stringType, call: ([map]) => `map ${goTypeName(map)} ${formatValue(map)}` }],
  ['fVarInt', { params: [intType], variadic: true, result: stringType, call: (args) => sprint([goInt(args.length), new GoSlice(intSliceType, args)]) }],
  ['fVarAny', { params: [stringType, anyType], variadic: true, result: stringType, call: ([a, ...v]) => sprint([a, goInt(v.length), v]) }],
  ['fTwo', { params: [stringType, intType], result: stringType, call: (args) => sprintf('%s/%d', args) }],
  [
    'fErr',
    {
      params: [stringType],
      result: stringType,
      call: ([s]) => {
        throw new GoError(`boom ${text(s)}`);
      },
    },
  ],
  [
    'fPanic',
    {
      params: [stringType],
      result: stringType,
      call: ([s]) => {
        throw new GoError(`panicked ${text(s)}`);
      },
    },
  ],
  ['fDur', one(durationType, '%v')],
  ['fPtr', { params: [innerPointer], result: stringType, call: ([p]) => String(p instanceof GoStruct && p.data === null) }],
  ['fStruct', { params: [innerType], result: stringType, call: ([s]) => dataOf(s)['S'] }],
  ['fNilMap', returns(anyMapType, () => new GoMap(anyMapType, new Map(), true))],
  ['fNilAny', returns(anyType, () => null)],
  ['fInts', returns(intSliceType, () => new GoSlice(intSliceType, [goInt(3), goInt(1), goInt(2)]))],
  ['fCplx', one(complex128Type, '%v')],
  ['fIdent', returns(anyMapType, () => goMap([['a', goMap([['b', goInt(1)]])]]))],
  [
    'fFail0',
    returns(stringType, () => {
      throw new GoError('zero failed');
    }),
  ],
  ['list', { params: [anyType], variadic: true, result: anySliceType, call: (args) => [...args] }],
  ['dict', { params: [anyType], variadic: true, result: anyMapType, call: dict }],
  [
    'set',
    {
      params: [anyMapType, stringType, anyType],
      result: anyMapType,
      call: ([map, key, value]) => {
        if (map instanceof GoMap) map.set(text(key), value);
        return map;
      },
    },
  ],
  ['include', { params: [stringType, anyType], result: stringType, call: ([name, data], { set, budget }) => set.execute(text(name), data, budget) }],
  ['tpl', { params: [stringType, anyType], result: stringType, call: ([source, data], { set, budget }) => tpl(text(source), data, set.clone(), budget) }],
]);

function tpl(source: string, data: GoValue, set: TemplateSet, budget: Parameters<TemplateSet['execute']>[2]): string {
  try {
    return set.executeTemplate(set.parse('root', source), data, budget);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'TemplateSyntax') {
      throw new GoError(`cannot parse template ${sprintf('%q', [source])}: ${error.message}`, error);
    }
    throw error;
  }
}

