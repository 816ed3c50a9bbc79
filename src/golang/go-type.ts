import type { GoFunction, GoStruct, GoValue } from './value.ts';

/** reflect.Kind by name. */
export type GoKind =
  | 'bool'
  | IntKind
  | 'float32'
  | 'float64'
  | 'complex128'
  | 'string'
  | 'slice'
  | 'map'
  | 'struct'
  | 'ptr'
  | 'interface'
  | 'func';

/** The integer kinds. `byte` and `rune` are `uint8` and `int32`, as in Go. */
export type IntKind = 'int' | 'int8' | 'int16' | 'int32' | 'int64' | 'uint' | 'uint8' | 'uint16' | 'uint32' | 'uint64' | 'uintptr';

/** A field of a struct type, in declaration order; unexported ones are printed by fmt but invisible to templates. */
export type GoField = {
  readonly name: string;
  readonly type: GoType;
  /** Reads the field of one value of the struct. */
  readonly get: (struct: GoStruct) => GoValue;
};

/** A method: a function whose first argument is the receiver (not listed in `params`). */
export type GoMethod = Omit<GoFunction, 'call'> & {
  readonly call: (receiver: GoValue, args: readonly GoValue[]) => GoValue;
};

/** A Go type as reflect sees it. Types are interned: equal types are the same object. */
export type GoType = {
  /** The `%T` text: `map[string]interface {}`, `common.Values`, `*semver.Version`. */
  readonly name: string;
  readonly kind: GoKind;
  /** Declared with a name of its own (assignability differs from literal types). */
  readonly named: boolean;
  /** Element of a slice, map or pointer. */
  readonly elem?: GoType;
  /** Key of a map. */
  readonly key?: GoType;
  readonly fields?: readonly GoField[];
  readonly methods?: ReadonlyMap<string, GoMethod>;
  /** What encoding/json writes instead of the fields: the result of MarshalJSON or MarshalText as a Go value. */
  readonly marshal?: (struct: GoStruct) => GoValue;
};

const interned = new Map<string, GoType>();

function intern(type: GoType): GoType {
  const known = interned.get(type.name);
  if (known !== undefined) return known;
  interned.set(type.name, type);
  return type;
}

function basic(kind: GoKind): GoType {
  return intern({ name: kind, kind, named: true });
}

export const boolType: GoType = basic('bool');
export const stringType: GoType = basic('string');
export const float64Type: GoType = basic('float64');
export const float32Type: GoType = basic('float32');
export const complex128Type: GoType = basic('complex128');
/** `interface {}`. */
export const anyType: GoType = intern({ name: 'interface {}', kind: 'interface', named: false });
export const errorType: GoType = intern({ name: 'error', kind: 'interface', named: true });

/** The types of the integer kinds. */
export const intTypes: Readonly<Record<IntKind, GoType>> = {
  int: basic('int'),
  int8: basic('int8'),
  int16: basic('int16'),
  int32: basic('int32'),
  int64: basic('int64'),
  uint: basic('uint'),
  uint8: basic('uint8'),
  uint16: basic('uint16'),
  uint32: basic('uint32'),
  uint64: basic('uint64'),
  uintptr: basic('uintptr'),
};
export const intType: GoType = intTypes.int;
export const int64Type: GoType = intTypes.int64;

/** `[]elem`. */
export function sliceOf(elem: GoType): GoType {
  return intern({ name: `[]${elem.name}`, kind: 'slice', named: false, elem });
}

/** `map[key]elem`. */
export function mapOf(key: GoType, elem: GoType): GoType {
  return intern({ name: `map[${key.name}]${elem.name}`, kind: 'map', named: false, key, elem });
}

/** `*elem`, with the methods of `elem` and those that need its address. */
export function pointerTo(elem: GoType, pointerMethods: Readonly<Record<string, GoMethod>> = {}): GoType {
  const { marshal } = elem;
  const methods = new Map([...(elem.methods ?? []), ...Object.entries(pointerMethods)]);
  return intern({
    name: `*${elem.name}`,
    kind: 'ptr',
    named: false,
    elem,
    ...(methods.size === 0 ? {} : { methods }),
    ...(marshal === undefined ? {} : { marshal }),
  });
}

/** A declared type over `underlying`, such as `common.Values` over `map[string]interface {}`. */
export function namedType(name: string, underlying: GoType, methods?: Readonly<Record<string, GoMethod>>): GoType {
  return intern({ ...underlying, name, named: true, ...(methods === undefined ? {} : { methods: new Map(Object.entries(methods)) }) });
}

export type StructMembers = {
  fields: readonly GoField[];
  methods?: Readonly<Record<string, GoMethod>>;
  marshal?: (struct: GoStruct) => GoValue;
};

/** A declared struct type. */
export function structType(name: string, { fields, methods, marshal }: StructMembers): GoType {
  return intern({
    name,
    kind: 'struct',
    named: true,
    fields,
    ...(methods === undefined ? {} : { methods: new Map(Object.entries(methods)) }),
    ...(marshal === undefined ? {} : { marshal }),
  });
}

export const anySliceType: GoType = sliceOf(anyType);
export const stringSliceType: GoType = sliceOf(stringType);
export const intSliceType: GoType = sliceOf(intType);
/** `[]uint8`, that is `[]byte`. */
export const byteSliceType: GoType = sliceOf(intTypes.uint8);
/** `map[string]interface {}`. */
export const anyMapType: GoType = mapOf(stringType, anyType);
export const stringMapType: GoType = mapOf(stringType, stringType);

/** True for every integer kind. */
export function isIntKind(kind: GoKind): kind is IntKind {
  return kind in intTypes;
}

/** True for the unsigned integer kinds. */
export function isUnsignedKind(kind: GoKind): boolean {
  return kind.startsWith('uint');
}

/** True when a value of type `from` may be given where `to` is wanted without a conversion (reflect's AssignableTo). */
export function assignableTo(from: GoType, to: GoType): boolean {
  if (from === to) return true;
  if (to.kind === 'interface') return to === anyType || implementsInterface(from, to);
  if (from.named && to.named) return false;
  return sameUnderlying(from, to);
}

function implementsInterface(from: GoType, to: GoType): boolean {
  return to === errorType ? from.methods?.has('Error') === true : from.name === to.name;
}

function sameUnderlying(a: GoType, b: GoType): boolean {
  if (a.kind !== b.kind) return false;
  switch (a.kind) {
    case 'map':
      return a.key === b.key && a.elem === b.elem;
    case 'slice':
    case 'ptr':
      return a.elem === b.elem;
    case 'struct':
      return a.fields === b.fields;
    default:
      return true;
  }
}
