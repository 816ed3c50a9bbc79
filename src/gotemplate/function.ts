import { anyType, structType, type GoFunction, type GoType, type GoValue } from '../golang/index.ts';
import type { Budget } from './budget.ts';
import type { TemplateSet } from './template-set.ts';

/** The execution a function is called from: pass it on when the function runs templates itself (`include`, `tpl`). */
export type Execution = {
  /** The set whose template is running (inside `tpl` that is the clone). */
  readonly set: TemplateSet;
  /** What is left of the limits, shared by everything the execution runs. */
  readonly budget: Budget;
};

/**
 * A function templates can call: what reflect would see of it, and the work. `call` receives arguments that were checked against
 * `params` and converted to them; a nil or missing value for an `interface {}` parameter is `null`. An error result or a panic is a
 * thrown {@link GoError} with Go's text: the template then fails with `error calling NAME: TEXT`. Every GoFunction is one.
 */
export type TemplateFunction = Omit<GoFunction, 'call'> & {
  readonly call: (args: readonly GoValue[], execution: Execution) => GoValue;
};

/** The parameter and result type of functions that look at the value itself, missing ones (`undefined`) included. */
export const reflectValueType: GoType = structType('reflect.Value', { fields: [] });

/** Functions by name. Build it once and share it: templates are linked to a table only once. */
export class FunctionTable {
  readonly #functions: ReadonlyMap<string, TemplateFunction>;
  readonly #below: FunctionTable | undefined;
  readonly #links = new WeakMap<object, unknown>();

  private constructor(functions: ReadonlyMap<string, TemplateFunction>, below: FunctionTable | undefined) {
    this.#functions = functions;
    this.#below = below;
  }

  /** A table of these functions; later entries win. Text/template's builtins need no entry; an entry of the same name overrides one. */
  static of(functions: Iterable<readonly [string, TemplateFunction]> = []): FunctionTable {
    return new FunctionTable(new Map(functions), undefined);
  }

  /** This table with functions added or replaced. Cheap: the table itself is not copied. */
  with(functions: Iterable<readonly [string, TemplateFunction]>): FunctionTable {
    return new FunctionTable(new Map(functions), this);
  }

  get(name: string): TemplateFunction | undefined {
    return this.#functions.get(name) ?? this.#below?.get(name);
  }

  /** What was made of `key` for this table; made once and kept as long as the key lives. */
  linked<T>(key: object, make: () => T): T {
    const known = this.#links.get(key) as T | undefined;
    if (known !== undefined) return known;
    const made = make();
    this.#links.set(key, made);
    return made;
  }
}

/** Shorthand for functions whose parameters are all `interface {}`: `...interface {}` when `count` is `variadic`. */
export function anyParams(count: number | 'variadic'): Pick<TemplateFunction, 'params' | 'variadic'> {
  return count === 'variadic' ? { params: [anyType], variadic: true } : { params: new Array<GoType>(count).fill(anyType) };
}
