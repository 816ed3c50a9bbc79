import { anyType, goInt, goIntOf, GoComplex, GoFloat32, isIntKind, isUnsignedKind, type GoType, type GoValue } from '../../golang/index.ts';
import { reflectValueType } from '../function.ts';
import type { NumberNode } from '../parse/ast.ts';
import { printNode } from '../parse/print.ts';
import { canBeNil, zeroValue } from '../value.ts';
import type { Constant } from './compiler.ts';
import { failAt, type Eval } from './frame.ts';

const maxInt = 9223372036854775807n;

/** A constant where nothing says its type: Go's ideal constants, integers being `int`. */
export function idealConstant(node: Exclude<Constant, { kind: 'nil' }>): Eval {
  if (node.kind !== 'number') return constant(node, node.kind === 'bool' ? node.value : node.text);
  const { complex, float64, int64 } = node;
  if (complex !== undefined) return constant(node, new GoComplex(complex.re, complex.im));
  if (float64 !== undefined && isFloatText(node.text)) return constant(node, float64);
  if (int64 !== undefined && int64 <= maxInt) return constant(node, goInt(int64));
  return failing(node, `${node.text} overflows int`);
}

/** A constant given to a parameter of `type`. */
export function typedConstant(node: Constant, type: GoType): Eval {
  if (node.kind === 'nil') return canBeNil(type) ? constant(node, zeroValue(type)) : failing(node, `cannot assign nil to ${type.name}`);
  if (type === anyType || type === reflectValueType) return idealConstant(node);
  const { kind } = type;
  if (kind === 'bool') return node.kind === 'bool' ? constant(node, node.value) : mismatch(node, 'bool');
  if (kind === 'string') return node.kind === 'string' ? constant(node, node.text) : mismatch(node, 'string');
  if (isIntKind(kind)) return integerConstant(node, type);
  if (kind === 'float64' || kind === 'float32') return floatConstant(node, kind === 'float32');
  if (kind === 'complex128') return complexConstant(node);
  return failing(node, `can't handle ${printNode(node)} for arg of type ${type.name}`);
}

function integerConstant(node: Exclude<Constant, { kind: 'nil' }>, type: GoType): Eval {
  const unsigned = isUnsignedKind(type.kind);
  const value = node.kind !== 'number' ? undefined : unsigned ? node.uint64 : node.int64;
  return value === undefined ? mismatch(node, unsigned ? 'unsigned integer' : 'integer') : constant(node, goIntOf(type, value));
}

function floatConstant(node: Exclude<Constant, { kind: 'nil' }>, single: boolean): Eval {
  const value = node.kind === 'number' ? node.float64 : undefined;
  if (value === undefined) return mismatch(node, 'float');
  return constant(node, single ? new GoFloat32(value) : value);
}

function complexConstant(node: Exclude<Constant, { kind: 'nil' }>): Eval {
  const value = node.kind === 'number' ? node.complex : undefined;
  return value === undefined ? mismatch(node, 'complex') : constant(node, new GoComplex(value.re, value.im));
}

/** Written as a float: not a hexadecimal integer, not a character. */
function isFloatText(text: NumberNode['text']): boolean {
  if (text.startsWith("'")) return false;
  return /^0[xX]./.test(text) ? /[pP]/.test(text) : /[.eEpP]/.test(text);
}

function constant(node: Constant, value: GoValue): Eval {
  return (frame) => {
    frame.node = node;
    return value;
  };
}

function mismatch(node: Constant, expected: string): Eval {
  return failing(node, `expected ${expected}; found ${printNode(node)}`);
}

function failing(node: Constant, problem: string): Eval {
  return (frame) => failAt(frame, node, problem);
}
