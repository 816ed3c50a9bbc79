import type { GoValue } from '../golang/index.ts';
import { compile, link, type Compiled } from './compile/compile.ts';
import { Frame, type Run, type Running } from './compile/frame.ts';
import type { FunctionTable, TemplateFunction } from './function.ts';
import { isEmptyList, type ListNode } from './parse/ast.ts';

type Linked = { readonly compiled: Compiled; readonly functions: readonly TemplateFunction[] };

/** Tables whose functions have other types need closures of their own; more than a few are not kept. */
const maxVariants = 4;

/** The parsed body of one template, whatever names it goes by. Compiled when first executed. */
export class Body {
  readonly root: ListNode;
  /** The whole text the body was parsed from, for the positions of errors. */
  readonly text: string;
  /** Only white space: does not replace another definition. */
  readonly isEmpty: boolean;
  #variants: readonly Compiled[] = [];

  constructor(root: ListNode, text: string) {
    this.root = root;
    this.text = text;
    this.isEmpty = isEmptyList(root);
  }

  /** A frame in which the body runs as `template`, with `dot` for `$`; `frame.exec(frame, dot)` runs it. */
  frame(run: Run, template: Running, dot: GoValue, depth: number): Frame {
    const { compiled, functions } = this.#linked(run.set.functions);
    run.budget.spend(compiled.slots >>> 4);
    const slots = new Array<GoValue>(compiled.slots).fill(undefined);
    slots[0] = dot;
    return new Frame(run, template, compiled.exec, functions, slots, depth, this.root);
  }

  #linked(table: FunctionTable): Linked {
    return table.linked(this, () => this.#link(table));
  }

  #link(table: FunctionTable): Linked {
    for (const compiled of this.#variants) {
      const functions = link(compiled, table);
      if (functions !== undefined) return { compiled, functions };
    }
    const compiled = compile(this.root, table);
    this.#variants = [compiled, ...this.#variants.slice(0, maxVariants - 1)];
    return { compiled, functions: compiled.uses.map((use) => use.signature) };
  }
}
