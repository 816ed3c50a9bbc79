import { formatValue, GoFunc, GoInt, GoStruct, pointerTo, quote, type GoType, type GoValue } from '../../golang/index.ts';
import { maxTemplateDepth } from '../limits.ts';
import type { ActionNode, BodyNode, BranchNode, ListNode, TemplateNode } from '../parse/ast.ts';
import { printNode } from '../parse/print.ts';
import { isNilPointer, truth } from '../value.ts';
import type { Compiler } from './compiler.ts';
import { failAt, type Exec, type Frame } from './frame.ts';
import { costOf } from './cost.ts';
import { compileRange } from './range.ts';

/** Compiles a list: its texts and actions in turn. Everything in it runs at most once, so its cost is known before. */
export function compileList(compiler: Compiler, list: ListNode): Exec {
  const items = list.nodes.map((node) => (node.kind === 'text' ? node.text : compileNode(compiler, node)));
  const cost = list.nodes.reduce((sum, node) => sum + costOf(node), 1);
  return (frame, dot) => {
    const { run } = frame;
    run.budget.spend(cost);
    run.budget.checkOutput(run.out.length);
    for (let i = 0; i < items.length; i++) {
      const item = items[i] ?? '';
      if (typeof item === 'string') run.out += item;
      else {
        const signal = item(frame, dot);
        if (signal !== 0) return signal;
      }
    }
    return 0;
  };
}

function compileNode(compiler: Compiler, node: Exclude<BodyNode, { kind: 'text' }>): Exec {
  switch (node.kind) {
    case 'action':
      return compileAction(compiler, node);
    case 'break':
      return () => 1;
    case 'continue':
      return () => 2;
    case 'template':
      return compileTemplate(compiler, node);
    case 'range':
      return compileRange(compiler, node);
    case 'if':
    case 'with':
      return compileBranch(compiler, node);
  }
}

function compileAction(compiler: Compiler, node: ActionNode): Exec {
  const pipe = compiler.pipeline(node.pipe, 'loose');
  if (node.pipe.declarations.length > 0) {
    return (frame, dot) => {
      pipe(frame, dot);
      return 0;
    };
  }
  // What a function returns has no address, what a field holds may have one.
  const addressable = node.pipe.commands.at(-1)?.args[0].kind !== 'identifier';
  return (frame, dot) => {
    const value = pipe(frame, dot);
    frame.run.out += typeof value === 'string' ? value : printable(frame, node, value, addressable);
    return 0;
  };
}

/** The text an action writes for a value. */
function printable(frame: Frame, node: ActionNode, value: GoValue, addressable: boolean): string {
  if (value === undefined || value === null) return '<no value>';
  if (value instanceof GoInt && value.type.methods === undefined) return String(value.value);
  if (value instanceof GoFunc) failAt(frame, node, `can't print ${printNode(node)} of type ${value.type.name}`);
  return formatValue(value instanceof GoStruct ? bestToPrint(value, addressable) : value);
}

/** What a pointer points at, unless only the pointer knows how to print; the other way round for a struct that has an address. */
function bestToPrint(value: GoStruct, addressable: boolean): GoValue {
  const { type } = value;
  if (type.kind === 'ptr') {
    if (type.elem === undefined || printsItself(type)) return value;
    return isNilPointer(value) ? null : new GoStruct(type.elem, value.data);
  }
  const pointer = addressable && !printsItself(type) ? pointerTo(type) : type;
  return pointer !== type && printsItself(pointer) ? new GoStruct(pointer, value.data) : value;
}

function printsItself({ methods }: GoType): boolean {
  return methods !== undefined && (methods.has('String') || methods.has('Error'));
}

function compileBranch(compiler: Compiler, node: BranchNode): Exec {
  const { scope } = compiler;
  const before = scope.mark();
  const pipe = compiler.pipeline(node.pipe, node.kind === 'if' ? 'loose' : 'strict');
  const body = scope.mark();
  const outer = compiler.dotContainer;
  if (node.kind === 'with') compiler.dotContainer = undefined;
  const list = compiler.list(node.list);
  compiler.dotContainer = outer;
  // What the first list declares is gone in the second.
  scope.pop(body);
  const otherwise = node.elseList === undefined ? nothing : compiler.list(node.elseList);
  scope.pop(before);
  if (node.kind === 'if') return (frame, dot) => (truth(pipe(frame, dot)) ? list(frame, dot) : otherwise(frame, dot));
  return (frame, dot) => {
    const value = pipe(frame, dot);
    return truth(value) ? list(frame, value) : otherwise(frame, dot);
  };
}

const nothing: Exec = () => 0;

function compileTemplate(compiler: Compiler, node: TemplateNode): Exec {
  const pipe = node.pipe === undefined ? undefined : compiler.pipeline(node.pipe, 'strict');
  return (frame, dot) => {
    const { run } = frame;
    frame.node = node;
    const template = run.set.lookup(node.name);
    if (template === undefined) failAt(frame, node, `template ${quote(node.name)} not defined`);
    if (frame.depth >= maxTemplateDepth) failAt(frame, node, `exceeded maximum template depth (${maxTemplateDepth})`);
    const value = pipe?.(frame, dot);
    frame.node = node;
    run.deepest = frame;
    const inner = template.body.frame(run, template, value, frame.depth + 1);
    inner.exec(inner, value);
    return 0;
  };
}
