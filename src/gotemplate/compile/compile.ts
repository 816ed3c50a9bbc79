import { builtins } from '../builtin/builtins.ts';
import type { FunctionTable, TemplateFunction } from '../function.ts';
import type { ListNode } from '../parse/ast.ts';
import { compileList } from './body.ts';
import type { Compiler, Use } from './compiler.ts';
import type { Exec } from './frame.ts';
import { compileOperand, compilePipeline } from './pipeline.ts';
import { Scope } from './scope.ts';

/** A template as closures. It names its functions; {@link link} finds them in a table. */
export type Compiled = { readonly exec: Exec; readonly slots: number; readonly uses: readonly Use[] };

/** Compiles a template's body against the signatures of a table's functions. */
export function compile(root: ListNode, table: FunctionTable): Compiled {
  const scope = new Scope();
  const uses = new Map<string, Use>();
  const compiler: Compiler = {
    scope,
    dotContainer: undefined,
    use: (name) => {
      const known = uses.get(name);
      if (known !== undefined) return known;
      const found = findFunction(table, name);
      if (found === undefined) return undefined;
      const use: Use = { name, index: uses.size, ...found };
      uses.set(name, use);
      return use;
    },
    list: (node) => compileList(compiler, node),
    pipeline: (node, nil) => compilePipeline(compiler, node, nil),
    operand: (node) => compileOperand(compiler, node),
  };
  const exec = compileList(compiler, root);
  return { exec, slots: scope.slots, uses: [...uses.values()] };
}

/** The functions a compiled template uses, from a table; `undefined` when their types differ from what it was compiled for. */
export function link(compiled: Compiled, table: FunctionTable): readonly TemplateFunction[] | undefined {
  const functions: TemplateFunction[] = [];
  for (const use of compiled.uses) {
    const found = findFunction(table, use.name);
    if (found === undefined || found.builtin !== use.builtin || !sameSignature(found.signature, use.signature)) return undefined;
    functions.push(found.signature);
  }
  return functions;
}

/** True when templates may call `name`. */
export function isFunction(table: FunctionTable, name: string): boolean {
  return table.get(name) !== undefined || builtins.has(name);
}

function findFunction(table: FunctionTable, name: string): Pick<Use, 'signature' | 'builtin'> | undefined {
  const own = table.get(name);
  if (own !== undefined) return { signature: own, builtin: false };
  const builtin = builtins.get(name);
  return builtin === undefined ? undefined : { signature: builtin, builtin: true };
}

function sameSignature(a: TemplateFunction, b: TemplateFunction): boolean {
  if (a === b) return true;
  if ((a.variadic === true) !== (b.variadic === true) || a.params.length !== b.params.length) return false;
  return a.params.every((type, i) => type === b.params[i]);
}
