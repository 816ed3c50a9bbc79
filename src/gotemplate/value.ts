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
  isIntKind,
  type GoType,
  type GoValue,
} from '../golang/index.ts';
import { reflectValueType } from './function.ts';

/** What `if`, `with`, `and`, `or` and `not` see in a value: false for zeros, nil and the empty, true for every struct. */
export function truth(value: GoValue): boolean {
  switch (typeof value) {
    case 'string':
      return value !== '';
    case 'boolean':
      return value;
    case 'number':
      return value !== 0;
    case 'undefined':
      return false;
    default:
      return value !== null && objectTruth(value);
  }
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
  switch (type.kind) {
    case 'interface':
    case 'map':
    case 'slice':
    case 'ptr':
    case 'func':
      return true;
    default:
      return type === reflectValueType;
  }
}

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
    default:
      return isIntKind(type.kind) ? goIntOf(type, 0) : null;
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
