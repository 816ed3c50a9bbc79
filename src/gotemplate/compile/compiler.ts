import type { TemplateFunction } from '../function.ts';
import type { ListNode, Operand, PipeNode } from '../parse/ast.ts';
import type { Eval, Exec } from './frame.ts';
import type { Scope } from './scope.ts';

/** A function as a template uses it: `index` is its place in the frame's functions. */
export type Use = { readonly name: string; readonly index: number; readonly signature: TemplateFunction; readonly builtin: boolean };

/** What the parts of the compiler share; each part compiles one sort of node and hands the others back here. */
export type Compiler = {
  readonly scope: Scope;
  /** Slot of the container that dot is an element of, inside a `range`. */
  dotContainer: number | undefined;
  readonly use: (name: string) => Use | undefined;
  readonly list: (node: ListNode) => Exec;
  readonly pipeline: (node: PipeNode, nil: NilResult) => Eval;
  /** An operand that is not a constant, as a value of whatever type. */
  readonly operand: (node: Exclude<Operand, Constant>) => Eval;
};

/** Whether a pipeline's nil must come out as missing, as in Go (`strict`), or may stay nil where nobody can tell (`loose`). */
export type NilResult = 'strict' | 'loose';

export type Constant = Extract<Operand, { kind: 'bool' | 'nil' | 'number' | 'string' }>;

/** True for operands whose value depends only on the type wanted. */
export function isConstant(node: Operand): node is Constant {
  return node.kind === 'bool' || node.kind === 'nil' || node.kind === 'number' || node.kind === 'string';
}
