import {
  compareText,
  GoComplex,
  GoError,
  GoFloat32,
  GoInt,
  goKind,
  goTypeName,
  goTypeOf,
  GoMap,
  GoSlice,
  GoStruct,
  isUnsignedKind,
  sprintf,
  type GoType,
  type GoValue,
} from '../../golang/index.ts';
import { isNilPointer } from '../value.ts';

/** The kinds that compare with each other. */
type BasicKind = 'bool' | 'complex' | 'int' | 'uint' | 'float' | 'string';

function basicKind(value: GoValue): BasicKind | undefined {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'number') return 'float';
  if (typeof value === 'boolean') return 'bool';
  if (value instanceof GoInt) return isUnsignedKind(value.type.kind) ? 'uint' : 'int';
  if (value instanceof GoFloat32) return 'float';
  return value instanceof GoComplex ? 'complex' : undefined;
}

/** The builtin `eq`: true when `first` equals one of `others`. @throws GoError */
export function equalsAny(first: GoValue, others: readonly GoValue[]): boolean {
  if (others.length === 0) throw new GoError('missing argument for comparison');
  return others.some((other) => equals(first, other));
}

/** text/template's `==` of two values. @throws GoError for kinds that do not compare. */
export function equals(a: GoValue, b: GoValue): boolean {
  if (typeof a === 'string' && typeof b === 'string') return a === b;
  const kind = basicKind(a);
  const other = basicKind(b);
  if (kind !== other) {
    if (isInteger(kind) && isInteger(other)) return integerOf(a) === integerOf(b);
    if (isNothing(a) || isNothing(b)) return false;
    throw new GoError(`incompatible types for comparison: ${goTypeName(a)} and ${goTypeName(b)}`);
  }
  if (kind === undefined) return equalObjects(a, b);
  if (a instanceof GoComplex && b instanceof GoComplex) return a.re === b.re && a.im === b.im;
  return kind === 'bool' ? a === b : numberOf(a) === numberOf(b);
}

function isNothing(value: GoValue): boolean {
  return value === undefined || value === null;
}

function isInteger(kind: BasicKind | undefined): boolean {
  return kind === 'int' || kind === 'uint';
}

function integerOf(value: GoValue): number | bigint | undefined {
  return value instanceof GoInt ? value.value : undefined;
}

function numberOf(value: GoValue): number | bigint {
  if (typeof value === 'number') return value;
  return value instanceof GoInt || value instanceof GoFloat32 ? value.value : Number.NaN;
}

/** Values that are no numbers, texts or booleans: nil equals nil; pointers and structs compare; slices and maps do not. */
function equalObjects(a: GoValue, b: GoValue): boolean {
  const kind = goKind(a);
  if (kind !== goKind(b) && kind !== 'invalid' && goKind(b) !== 'invalid') {
    throw new GoError(`non-comparable types ${sprintf('%s', [a])}: ${goTypeName(a)}, ${goTypeName(b)}: ${sprintf('%v', [b])}`);
  }
  if (isNil(a) || isNil(b)) return isNil(a) === isNil(b);
  const type = goTypeOf(b);
  if (type === undefined || !isComparable(type)) throw new GoError(`non-comparable type ${sprintf('%s', [b])}: ${goTypeName(b)}`);
  return a instanceof GoStruct && b instanceof GoStruct && a.type === b.type && (a === b || a.data === b.data);
}

function isNil(value: GoValue): boolean {
  if (value === undefined || value === null) return true;
  if (value instanceof GoMap || value instanceof GoSlice) return value.isNil;
  return value instanceof GoStruct && isNilPointer(value);
}

function isComparable(type: GoType): boolean {
  const { kind } = type;
  if (kind === 'struct') return (type.fields ?? []).every((field) => isComparable(field.type));
  return kind !== 'slice' && kind !== 'map' && kind !== 'func';
}

/** The builtin `lt`. @throws GoError */
export function isLess(a: GoValue, b: GoValue): boolean {
  const kind = basicKind(a);
  const other = basicKind(b);
  if (kind === undefined || other === undefined) throw new GoError('invalid type for comparison');
  if (kind !== other && !(isInteger(kind) && isInteger(other))) {
    throw new GoError(`incompatible types for comparison: ${goTypeName(a)} and ${goTypeName(b)}`);
  }
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b) < 0;
  if (kind === 'bool' || kind === 'complex') throw new GoError('invalid type for comparison');
  return numberOf(a) < numberOf(b);
}

/** The builtin `le`. @throws GoError */
export function isLessOrEqual(a: GoValue, b: GoValue): boolean {
  return isLess(a, b) || equals(a, b);
}
