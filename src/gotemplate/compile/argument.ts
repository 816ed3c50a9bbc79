import { anyType, assignableTo, GoMap, GoSlice, GoStruct, goTypeOf, type GoType, type GoValue } from '../../golang/index.ts';
import { reflectValueType } from '../function.ts';
import type { Operand } from '../parse/ast.ts';
import { canBeNil, isNilPointer, zeroValue } from '../value.ts';
import { isConstant, type Compiler } from './compiler.ts';
import { typedConstant } from './constant.ts';
import { fail, type Eval, type Frame } from './frame.ts';

/** Checks a value against a parameter's type and converts it, or fails in the frame. */
export type Coercion = (frame: Frame, value: GoValue) => GoValue;

/** Compiles an operand given to a parameter of `type`. */
export function typedArgument(compiler: Compiler, node: Operand, type: GoType): Eval {
  if (isConstant(node)) return typedConstant(node, type);
  const value = compiler.operand(node);
  if (type === reflectValueType) return value;
  if (type === anyType) return (frame, dot) => value(frame, dot) ?? null;
  if (type.kind === 'string') {
    return (frame, dot) => {
      const text = value(frame, dot);
      return typeof text === 'string' ? text : coerce(frame, text, type);
    };
  }
  return (frame, dot) => coerce(frame, value(frame, dot), type);
}

/** What a value piped into a parameter of `type` goes through. */
export function coercion(type: GoType): Coercion {
  if (type === reflectValueType) return (_, value) => value;
  if (type === anyType) return (_, value) => value ?? null;
  return (frame, value) => coerce(frame, value, type);
}

/** An argument of a function known only at run time (a method): one Eval for every type it may be wanted in. */
export function dynamicArgument(compiler: Compiler, node: Operand): (type: GoType) => Eval {
  if (!isConstant(node)) {
    const value = compiler.operand(node);
    return (type) => (frame, dot) => coerce(frame, value(frame, dot), type);
  }
  const known = new Map<GoType, Eval>();
  return (type) => {
    const made = known.get(type) ?? typedConstant(node, type);
    known.set(type, made);
    return made;
  };
}

/** text/template's validateType: assignable as it is, or after one dereference; nil becomes the zero value of types that have nil. */
export function coerce(frame: Frame, value: GoValue, type: GoType): GoValue {
  if (type === reflectValueType) return value;
  if (value === undefined) return canBeNil(type) ? zeroValue(type) : fail(frame, `invalid value; expected ${type.name}`);
  if (type === anyType) return value;
  const from = goTypeOf(value) ?? anyType;
  if (from === type) return value;
  if (value !== null && assignableTo(from, type)) return assigned(value, type);
  if (from.kind === 'ptr' && from.elem !== undefined && assignableTo(from.elem, type) && value instanceof GoStruct) {
    if (isNilPointer(value)) fail(frame, `dereference of nil pointer of type ${type.name}`);
    return new GoStruct(from.elem, value.data);
  }
  return fail(frame, `wrong type for value; expected ${type.name}; got ${from.name}`);
}

/** The value as the function sees it after assignment to its parameter: of the parameter's type, sharing the same storage. */
function assigned(value: GoValue, type: GoType): GoValue {
  if (type.kind === 'interface') return value;
  if (value instanceof GoMap) return value.as(type);
  if (value instanceof GoSlice) return new GoSlice(type, value.items, value.isNil);
  if (Array.isArray(value)) return new GoSlice(type, value);
  return value;
}
