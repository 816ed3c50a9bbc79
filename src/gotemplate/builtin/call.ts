import {
  anyType,
  assignableTo,
  GoError,
  GoFunc,
  GoInt,
  goIntOf,
  goTypeName,
  goTypeOf,
  isIntKind,
  type GoType,
  type GoValue,
} from '../../golang/index.ts';
import type { Execution, TemplateFunction } from '../function.ts';
import { canBeNil, zeroValue } from '../value.ts';

/** The builtin `call`: calls its first argument, a function value that the template named `callee`. @throws GoError */
export function callFunction(callee: string, values: readonly GoValue[], execution: Execution): GoValue {
  const [fn, ...args] = values;
  if (fn === undefined || fn === null) throw new GoError('call of nil');
  if (!(fn instanceof GoFunc)) throw new GoError(`non-function ${callee} of type ${goTypeName(fn)}`);
  checkCount(callee, fn.fn, args.length);
  const target: TemplateFunction = fn.fn;
  return target.call(
    args.map((arg, i) => prepare(arg, fn.fn.params[i] ?? fn.fn.params.at(-1) ?? anyType, i)),
    execution,
  );
}

function checkCount(callee: string, fn: TemplateFunction, given: number): void {
  const declared = fn.params.length;
  if (fn.variadic === true) {
    if (given < declared - 1) throw new GoError(`wrong number of args for ${callee}: got ${given} want at least ${declared - 1}`);
  } else if (given !== declared) {
    throw new GoError(`wrong number of args for ${callee}: got ${given} want ${declared}`);
  }
}

/** Checks an argument (prepareArg): nil becomes a zero value, integers convert among each other. */
function prepare(value: GoValue, type: GoType, i: number): GoValue {
  const from = goTypeOf(value);
  if (from === undefined) return canBeNil(type) ? zeroValue(type) : refuse(i, `value is nil; should be of type ${type.name}`);
  if (assignableTo(from, type)) return value;
  if (value instanceof GoInt && isIntKind(type.kind)) return goIntOf(type, value.value);
  return refuse(i, `value has type ${from.name}; should be ${type.name}`);
}

function refuse(i: number, problem: string): never {
  throw new GoError(`arg ${i}: ${problem}`, new GoError(problem));
}
