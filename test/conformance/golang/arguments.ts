import {
  durationType,
  GoByteSlice,
  GoComplex,
  GoFloat32,
  goInt,
  goIntOf,
  GoKeyedMap,
  goMap,
  GoSlice,
  GoStruct,
  intSliceType,
  intType,
  mapOf,
  pointerTo,
  stringSlice,
  stringType,
  structType,
  type GoValue,
} from '../../../src/golang/index.ts';

const errorString = pointerTo(
  structType('errors.errorString', {
    fields: [{ name: 's', type: stringType, get: (struct) => String(struct.data) }],
    methods: { Error: { params: [], result: stringType, call: (self) => (self instanceof GoStruct ? String(self.data) : '') } },
  }),
);

const byText: Readonly<Record<string, () => GoValue>> = {
  nil: () => null,
  true: () => true,
  false: () => false,
  '[]byte(ab)': () => new GoByteSlice(new TextEncoder().encode('ab')),
  '[]any{1,"a",nil,2.5}': () => [goInt(1), 'a', null, 2.5],
  '[]any{}': () => [],
  '[]string{a,b}': () => stringSlice(['a', 'b']),
  '[]int{1,2}': () => new GoSlice(intSliceType, [goInt(1), goInt(2)]),
  'map[string]any{b:1,a:x}': () =>
    goMap([
      ['b', goInt(1)],
      ['a', 'x'],
    ]),
  'map[string]any{}': () => goMap(),
  'map[string]any{n:map{l:[]any{true}}}': () => goMap([['n', goMap([['l', [true]]])]]),
  'map[int]string{2:b,1:a}': () =>
    new GoKeyedMap(mapOf(intType, stringType), [
      [goInt(1), 'a'],
      [goInt(2), 'b'],
    ]),
  'time.Duration(90s)': () => goIntOf(durationType, 90_000_000_000),
  'error(boom)': () => new GoStruct(errorString, 'boom'),
  'complex128(1+2i)': () => new GoComplex(1, 2),
  "rune('x')": () => goIntOf('int32', 120),
};

/** The value that a fact describes: `int64(5)`, `string(a\n)`, `[]string{a,b}`. */
export function argument(description: string): GoValue {
  const known = Object.hasOwn(byText, description) ? byText[description] : undefined;
  if (known !== undefined) return known();
  const match = /^(\w+)\((.*)\)$/s.exec(description);
  if (match === null) throw new TypeError(`no value for ${description}`);
  const [, type = '', body = ''] = match;
  if (type === 'string') return unescape(body);
  if (type === 'float64') return Number(body.replace('Inf', 'Infinity'));
  if (type === 'float32') return new GoFloat32(Number(body));
  return goIntOf(type as 'int', BigInt(body));
}

function unescape(body: string): string {
  return body.replaceAll(/\\(n|\\|x[0-9a-f]{2})/g, (_, escape: string) => {
    if (escape === 'n') return '\n';
    if (escape === '\\') return '\\';
    const code = Number.parseInt(escape.slice(1), 16);
    return String.fromCharCode(code < 0x80 ? code : 0xdc00 + code);
  });
}
