import { quote, textByteLength, type GoValue } from '../../golang/index.ts';
import type { Budget } from '../budget.ts';
import { TemplateError, type TemplateFrame } from '../error.ts';
import type { Execution, TemplateFunction } from '../function.ts';
import type { Node } from '../parse/ast.ts';
import { printNode } from '../parse/print.ts';
import type { TemplateSet } from '../template-set.ts';

/** One execution of a template and of all it calls by `template`: the text written so far and what it may still spend. */
export class Run implements Execution {
  readonly set: TemplateSet;
  readonly budget: Budget;
  out = '';
  /** Where the last `template` action was entered: what is blamed when the stack ends. */
  deepest: Frame | undefined;
  /** Executions around this one. */
  readonly depth: number;

  constructor(set: TemplateSet, budget: Budget) {
    this.set = set;
    this.budget = budget;
    this.depth = budget.enter();
  }
}

/** What a frame needs to know of its template to say where an error is. */
export type Running = { readonly name: string; readonly source: string; readonly text: string };

/** One call of one template. */
export class Frame {
  readonly run: Run;
  readonly template: Running;
  /** The template's closures: called with the frame itself, so that a call adds no more to the stack than it must. */
  readonly exec: Exec;
  /** The functions the template uses, by the compiler's index. */
  readonly functions: readonly TemplateFunction[];
  /** Slots of variables; slot 0 is `$`. */
  readonly slots: GoValue[];
  /** Nested `template` actions. */
  readonly depth: number;
  /** The node errors point at: the last one evaluated, as in Go. */
  node: Node;

  constructor(
    run: Run,
    template: Running,
    exec: Exec,
    functions: readonly TemplateFunction[],
    slots: GoValue[],
    depth: number,
    node: Node,
  ) {
    this.run = run;
    this.template = template;
    this.exec = exec;
    this.functions = functions;
    this.slots = slots;
    this.depth = depth;
    this.node = node;
  }
}

/** An expression: evaluated in a frame with a value of dot. */
export type Eval = (frame: Frame, dot: GoValue) => GoValue;
/** A command of a pipeline: `final` is the value piped into it. One into which nothing is piped is an Eval. */
export type Stage = (frame: Frame, dot: GoValue, final?: GoValue) => GoValue;
/** Part of a body: writes, and says whether a loop is to be left or continued. */
export type Exec = (frame: Frame, dot: GoValue) => Signal;
/** 0: go on; 1: break; 2: continue. */
export type Signal = 0 | 1 | 2;

/** Fails at the node the frame stands on. */
export function fail(frame: Frame, problem: string, cause?: unknown): never {
  throw failure(frame, problem, cause);
}

/** Fails at `node`. */
export function failAt(frame: Frame, node: Node, problem: string, cause?: unknown): never {
  frame.node = node;
  throw failure(frame, problem, cause);
}

/** The error of a frame, with Go's text. */
export function failure(frame: Frame, problem: string, cause?: unknown): TemplateError {
  const at = frameOf(frame, problem);
  return new TemplateError({
    code: 'TemplateExecution',
    message: `template: ${at.source}:${at.line}:${at.column}: executing ${quote(at.template)} at <${at.node}>: ${problem}`,
    frame: at,
    ...(cause === undefined ? {} : { cause }),
  });
}

function frameOf(frame: Frame, problem: string): TemplateFrame {
  const { name, source, text } = frame.template;
  const before = text.slice(0, frame.node.pos);
  const lineStart = before.lastIndexOf('\n') + 1;
  let line = 1;
  for (let at = before.indexOf('\n'); at >= 0; at = before.indexOf('\n', at + 1)) line++;
  return { source, line, column: textByteLength(before.slice(lineStart)), template: name, node: printNode(frame.node), problem };
}
