import { budgetExceeded, joinText, quote, type GoValue } from '../golang/index.ts';
import type { Body } from './body.ts';
import { Budget } from './budget.ts';
import { failure, Run, type Frame } from './compile/frame.ts';
import { TemplateError } from './error.ts';
import type { FunctionTable } from './function.ts';
import { maxTemplateDepth } from './limits.ts';
import { TemplateCache } from './template-cache.ts';

/** What a missing map key is (`missingkey=` in Go): `default` no value at all, `zero` the zero value of the map's elements, `error` an error. */
export type MissingKey = 'default' | 'zero' | 'error';

export type TemplateSetOptions = {
  /** Name of the set's root template, which errors show (`gotpl` in Helm). */
  name: string;
  functions: FunctionTable;
  /** Default `default`. */
  missingKey?: MissingKey;
  /** Action delimiters, `{{` and `}}` by default. */
  left?: string;
  right?: string;
  /** Where parsed texts are kept; by default the set keeps its own. */
  cache?: TemplateCache;
};

/** One named template of a set. */
export type Template = {
  readonly name: string;
  /** Name of the text it was parsed from. */
  readonly source: string;
  /** That text. */
  readonly text: string;
  readonly body: Body;
};

/** A generation of definitions; later ones hide those below. */
type Layer = { readonly templates: Map<string, Template>; readonly below: Layer | undefined };

/**
 * Templates that can call each other by name: Go's associated templates. Definitions may come from many texts; the last one wins,
 * except that a blank one replaces nothing.
 */
export class TemplateSet {
  readonly name: string;
  readonly functions: FunctionTable;
  readonly missingKey: MissingKey;
  readonly #delims: { readonly left: string; readonly right: string };
  readonly #cache: TemplateCache;
  #layer: Layer = { templates: new Map(), below: undefined };
  /** The newest layer is also a clone's: a definition must go into one of our own. */
  #shared = false;

  constructor(options: TemplateSetOptions) {
    this.name = options.name;
    this.functions = options.functions;
    this.missingKey = options.missingKey ?? 'default';
    this.#delims = { left: options.left || '{{', right: options.right || '}}' };
    this.#cache = options.cache ?? new TemplateCache();
  }

  /**
   * Parses a text as the template `name` and adds it and what it defines. The template returned is the text's own even where a blank
   * text left another definition of the name in place.
   * @throws TemplateError `TemplateSyntax`
   */
  parse(name: string, text: string): Template {
    const parsed = this.#cache.parse(name, text, this.functions, this.#delims);
    const defined = parsed.definitions.get(name);
    if (defined !== undefined && !defined.isEmpty && !parsed.main.isEmpty) {
      throw new TemplateError({
        code: 'TemplateSyntax',
        message: `template: ${name}:${parsed.lastLine}: template: multiple definition of template ${quote(name)}`,
        line: { source: name, line: parsed.lastLine },
      });
    }
    for (const [definedName, body] of parsed.definitions) {
      if (definedName !== name) this.#associate({ name: definedName, source: name, text, body });
    }
    const body = defined === undefined || defined.isEmpty ? parsed.main : defined;
    const template: Template = { name, source: name, text, body };
    this.#associate(template);
    return template;
  }

  lookup(name: string): Template | undefined {
    for (let layer: Layer | undefined = this.#layer; layer !== undefined; layer = layer.below) {
      const template = layer.templates.get(name);
      if (template !== undefined) return template;
    }
    return undefined;
  }

  /** A set with the same templates and settings; what either defines later, the other does not see. Costs the same for any size. */
  clone(changes: { functions?: FunctionTable; missingKey?: MissingKey } = {}): TemplateSet {
    const clone = new TemplateSet({
      name: this.name,
      functions: changes.functions ?? this.functions,
      missingKey: changes.missingKey ?? this.missingKey,
      ...this.#delims,
      cache: this.#cache,
    });
    clone.#layer = this.#layer;
    clone.#shared = true;
    this.#shared = true;
    return clone;
  }

  /**
   * Executes a template with `data` for `.` and returns what it writes: the one of that name, or one that {@link TemplateSet.parse}
   * returned, whether or not its name still means it. Functions that execute templates pass on the budget of the execution they are
   * called from.
   * @throws TemplateError `TemplateUndefined`, `TemplateExecution`
   * @throws CodedError `BudgetExceeded`
   */
  execute(template: string | Template, data: GoValue, budget: Budget = new Budget()): string {
    const run = new Run(this, budget);
    try {
      const frame = this.#frame(template, data ?? undefined, run);
      frame.exec(frame, data ?? undefined);
    } catch (error) {
      throw run.depth === 0 && isStackOverflow(error) ? stackEnded(run) : error;
    } finally {
      budget.depth = run.depth;
    }
    budget.checkOutput(run.out.length);
    return joinText(run.out);
  }

  #frame(template: string | Template, dot: GoValue, run: Run): Frame {
    const found = typeof template === 'string' ? this.lookup(template) : template;
    if (found !== undefined) return found.body.frame(run, found, dot, 0);
    throw new TemplateError({
      code: 'TemplateUndefined',
      message: `template: no template ${quote(String(template))} associated with template ${quote(this.name)}`,
    });
  }

  /** Executes a template that {@link TemplateSet.parse} returned. */
  executeTemplate(template: Template, data: GoValue, budget?: Budget): string {
    return this.execute(template, data, budget);
  }

  #associate(template: Template): void {
    if (template.body.isEmpty && this.lookup(template.name) !== undefined) return;
    if (this.#shared) {
      this.#layer = { templates: new Map(), below: this.#layer };
      this.#shared = false;
    }
    this.#layer.templates.set(template.name, template);
  }
}

function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && error.message.includes('call stack');
}

/** JavaScript's stack ended: Go's would have, too, or its bound on nested templates would have been reached. */
function stackEnded(run: Run): Error {
  const { deepest } = run;
  if (deepest !== undefined && deepest.depth > 100) return failure(deepest, `exceeded maximum template depth (${maxTemplateDepth})`);
  return budgetExceeded('nested executions', run.budget.limits.depth);
}
