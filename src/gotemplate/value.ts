import {
  anyType,
  GoByteSlice,
  GoComplex,
  GoFloat32,
  GoFunc,
  GoInt,
  goIntOf,
  GoKeyedMap,
  GoMap,
  GoSlice,
  GoStruct,
  type GoType,
  type GoValue,
} from '../golang/index.ts';
import { reflectValueType } from './function.ts';

/** What `if`, `with`, `and`, `or` and `not` see in a value: false for zeros, nil and the empty, true for every struct. */
export function truth(value: GoValue): boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string') return value !== '';
  if (value === undefined || value === null) return false;
  return typeof value === 'number' ? value !== 0 : objectTruth(value);
}

function objectTruth(value: Exclude<GoValue, null | undefined | string | number | boolean>): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof GoMap) return value.size > 0;
  if (value instanceof GoInt || value instanceof GoFloat32) return value.value !== 0;
  if (value instanceof GoSlice) return value.items.length > 0;
  if (value instanceof GoByteSlice) return value.bytes.length > 0;
  if (value instanceof GoKeyedMap) return value.pairs.length > 0;
  if (value instanceof GoComplex) return value.re !== 0 || value.im !== 0;
  return value instanceof GoFunc || !isNilPointer(value);
}

/** A pointer to nothing: its struct has no data. */
export function isNilPointer(value: GoStruct): boolean {
  return value.type.kind === 'ptr' && (value.data === null || value.data === undefined);
}

/** True for types that nil can be given to (a reflect.Value can be the zero one). */
export function canBeNil(type: GoType): boolean {
  return nilKinds.has(type.kind) || type === reflectValueType;
}

const nilKinds: ReadonlySet<GoType['kind']> = new Set<GoType['kind']>(['interface', 'map', 'slice', 'ptr', 'func']);

/** reflect.Zero: the value a missing key of a map has, or nil has for a parameter. */
export function zeroValue(type: GoType): GoValue {
  switch (type.kind) {
    case 'interface':
    case 'func':
      return null;
    case 'map':
      return type.key?.kind === 'string' ? new GoMap(type, new Map(), true) : new GoKeyedMap(type, []);
    case 'slice':
      return type.elem?.kind === 'uint8' ? new GoByteSlice(new Uint8Array(), type) : new GoSlice(type, [], true);
    case 'ptr':
      return new GoStruct(type, null);
    case 'struct':
      return type === reflectValueType ? undefined : new GoStruct(type, null);
    case 'string':
      return '';
    case 'bool':
      return false;
    case 'float64':
      return 0;
    case 'float32':
      return new GoFloat32(0);
    case 'complex128':
      return new GoComplex(0, 0);
    case 'int':
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64':
    case 'uint':
    case 'uint8':
    case 'uint16':
    case 'uint32':
    case 'uint64':
    case 'uintptr':
      return goIntOf(type, 0);
  }
}

/** The type reflect sees for what a container holds: of an element, a field or a method's result. */
export function heldType(container: GoValue, name: string | undefined): GoType | undefined {
  if (Array.isArray(container)) return anyType;
  if (container instanceof GoMap || container instanceof GoSlice || container instanceof GoKeyedMap) {
    return memberType(container.type, name) ?? container.type.elem;
  }
  if (container instanceof GoStruct) return memberType(container.structType, name) ?? memberType(container.type, name);
  return undefined;
}

function memberType(type: GoType, name: string | undefined): GoType | undefined {
  if (name === undefined) return undefined;
  return type.methods?.get(name)?.result ?? type.fields?.find((field) => field.name === name)?.type;
}
