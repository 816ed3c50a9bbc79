import { GoError, goTypeOf, quote, type GoType, type GoValue } from '../../golang/index.ts';
import { callFunction } from '../builtin/call.ts';
import { TemplateError } from '../error.ts';
import { reflectValueType, type TemplateFunction } from '../function.ts';
import type { CommandNode, IdentifierNode, Node, Operand } from '../parse/ast.ts';
import { printNode } from '../parse/print.ts';
import { truth } from '../value.ts';
import { coercion, typedArgument, type Coercion } from './argument.ts';
import type { Compiler, Use } from './compiler.ts';
import { fail, failAt, failure, type Eval, type Frame, type Stage } from './frame.ts';
import { undeclared } from './scope.ts';

/** A call in a template: what is called, where its errors point, what it is given. */
export type Call = {
  readonly identifier: IdentifierNode;
  /** The command, or the identifier itself where it is an argument. */
  readonly node: CommandNode | IdentifierNode;
  readonly args: readonly Operand[];
  /** A value is piped in as the last argument. */
  readonly piped: boolean;
};

/** Compiles the call of a function of the table or a builtin. */
export function compileCall(compiler: Compiler, call: Call): Stage {
  const { identifier, args, piped } = call;
  const use = compiler.use(identifier.name);
  if (use === undefined) return failing(identifier, `${quote(identifier.name)} is not a defined function`);
  const problem = arityProblem(use.name, use.signature, args.length, piped);
  if (problem !== undefined) return failing(identifier, problem);
  if (use.builtin && (use.name === 'and' || use.name === 'or')) return compileShortCircuit(compiler, call, use.name === 'or');
  if (use.builtin && use.name === 'call') return compileCallOfValue(compiler, call);
  const evals = args.map((node, i) => typedArgument(compiler, node, parameterType(use.signature, i)));
  const collect = piped ? collectPiped(evals, coercion(parameterType(use.signature, evals.length))) : collectPlain(evals);
  return compileInvocation(call, use, collect);
}

/** Why a function cannot take that many arguments. */
export function arityProblem(
  name: string,
  fn: Pick<TemplateFunction, 'params' | 'variadic'>,
  given: number,
  piped: boolean,
): string | undefined {
  const total = piped ? given + 1 : given;
  const declared = fn.params.length;
  if (fn.variadic !== true) return total === declared ? undefined : `wrong number of args for ${name}: want ${declared} got ${total}`;
  return total >= declared - 1 ? undefined : `wrong number of args for ${name}: want at least ${declared - 1} got ${given}`;
}

/** The type argument `i` must have. */
export function parameterType(fn: Pick<TemplateFunction, 'params' | 'variadic'>, i: number): GoType {
  return fn.params[i] ?? fn.params.at(-1) ?? reflectValueType;
}

/** Evaluates a call's arguments. They are collected before the call, which keeps its depth on the stack small. */
type Collect = (frame: Frame, dot: GoValue, final: GoValue) => readonly GoValue[];

function compileInvocation({ identifier, node }: Call, { name, index }: Use, collect: Collect): Stage {
  return (frame, dot, final) => {
    // Where no argument moves on from here, errors point at the name.
    frame.node = identifier;
    const args = collect(frame, dot, final);
    const { run, functions } = frame;
    let result: GoValue;
    try {
      result = (functions[index] ?? notLinked).call(args, run);
    } catch (error) {
      throw callFailure(frame, name, node, error);
    }
    run.budget.receive(result);
    return result;
  };
}

const notLinked: TemplateFunction = {
  params: [],
  result: reflectValueType,
  call: () => {
    throw new Error('a function of the template was not linked');
  },
};

function collectPlain(evals: readonly Eval[]): Collect {
  const [first, second, third] = evals;
  if (first === undefined) return () => [];
  if (second === undefined) return (frame, dot) => [first(frame, dot)];
  if (third === undefined) return (frame, dot) => [first(frame, dot), second(frame, dot)];
  return (frame, dot) => {
    const args: GoValue[] = [];
    for (let i = 0; i < evals.length; i++) args.push(evals[i]?.(frame, dot));
    return args;
  };
}

function collectPiped(evals: readonly Eval[], last: Coercion): Collect {
  const [first, second] = evals;
  if (first === undefined) return (frame, _, final) => [last(frame, final)];
  if (second === undefined) return (frame, dot, final) => [first(frame, dot), last(frame, final)];
  return (frame, dot, final) => {
    const args: GoValue[] = [];
    for (let i = 0; i < evals.length; i++) args.push(evals[i]?.(frame, dot));
    args.push(last(frame, final));
    return args;
  };
}

/** The error of a failed call: Go's text around an error of Go's, anything else (a budget, a bug of ours) as it is. */
export function callFailure(frame: Frame, name: string, node: Node, error: unknown): unknown {
  if (!(error instanceof GoError) && !(error instanceof TemplateError)) return error;
  frame.node = node;
  return failure(frame, `error calling ${name}: ${error.message}`, error);
}

/** `and` and `or` evaluate no further than they must and give back the deciding operand itself. */
function compileShortCircuit(compiler: Compiler, { identifier, args, piped }: Call, stopAt: boolean): Stage {
  const evals: Eval[] = [];
  const [head, ...rest] = args;
  if (head !== undefined) evals.push(typedArgument(compiler, head, reflectValueType));
  const maybe = compiler.scope.conditionally(() => {
    for (const node of rest) evals.push(typedArgument(compiler, node, reflectValueType));
  });
  return (frame, dot, final) => {
    frame.node = identifier;
    for (const slot of maybe) frame.slots[slot] = undeclared;
    let value: GoValue;
    for (const argument of evals) {
      value = argument(frame, dot);
      if (truth(value) === stopAt) return value;
    }
    return piped ? final : value;
  };
}

/** The builtin `call`: its first argument is a function value. */
function compileCallOfValue(compiler: Compiler, { identifier, node, args, piped }: Call): Stage {
  const evals = args.map((arg) => typedArgument(compiler, arg, reflectValueType));
  const callee = args[0] === undefined ? undefined : printNode(args[0]);
  return (frame, dot, final) => {
    frame.node = identifier;
    const values = evals.map((argument) => argument(frame, dot));
    if (piped) values.push(final);
    try {
      return callFunction(callee ?? reflectString(final), values, frame.run);
    } catch (error) {
      throw callFailure(frame, 'call', node, error);
    }
  };
}

/** reflect.Value.String: of anything but a string a placeholder with its type. */
function reflectString(value: GoValue): string {
  return typeof value === 'string' ? value : `<${goTypeOf(value)?.name ?? 'invalid'} Value>`;
}

function failing(node: IdentifierNode, problem: string): Stage {
  return (frame) => failAt(frame, node, problem);
}

/** A command that is no function was given arguments. */
export function failNotAFunction(frame: Frame, first: Operand): never {
  return fail(frame, `can't give argument to non-function ${printNode(first)}`);
}
