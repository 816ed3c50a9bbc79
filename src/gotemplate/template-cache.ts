import { Lru } from '../std/index.ts';
import { Body } from './body.ts';
import type { FunctionTable } from './function.ts';
import { isFunction } from './compile/compile.ts';
import { parse, type ParseOptions } from './parse/parser.ts';

/** A text once parsed: its own body and those of its `define`s and `block`s. Names no template: the same text may be many files. */
export type ParsedText = {
  readonly main: Body;
  readonly definitions: ReadonlyMap<string, Body>;
  /** The line on which the text ends, for an error that only its name makes. */
  readonly lastLine: number;
  /** The functions it calls: it is a template only where they all exist. */
  readonly functions: readonly string[];
};

/** UTF-16 units of template text kept by default. */
const defaultCapacity = 64 * 1024 * 1024;

/** Parsed and compiled templates by their text. Share one among all renders. */
export class TemplateCache {
  readonly #texts: Lru<string, { parsed: ParsedText; weight: number }>;

  /** @param capacity UTF-16 units of text to keep. */
  constructor(capacity: number = defaultCapacity) {
    this.#texts = new Lru(capacity, ({ weight }) => weight);
  }

  /** The parsed text, from the cache when it was seen before. `name` is for error messages. @throws TemplateError `TemplateSyntax` */
  parse(name: string, text: string, table: FunctionTable, delims: { left: string; right: string }): ParsedText {
    const key = `${delims.left}\0${delims.right}\0${text}`;
    const known = this.#texts.get(key)?.parsed;
    if (known?.functions.every((fn) => isFunction(table, fn)) === true) return known;
    const used = new Set<string>();
    const options: ParseOptions = {
      isFunction: (fn) => {
        const found = isFunction(table, fn);
        if (found) used.add(fn);
        return found;
      },
      ...delims,
    };
    const trees = parse(name, text, options);
    const definitions = new Map([...trees.definitions].map(([defined, root]) => [defined, new Body(root, text)] as const));
    const parsed: ParsedText = { main: new Body(trees.main, text), definitions, lastLine: trees.lastLine, functions: [...used] };
    // `break` and `continue` are words of the language only while they are no functions: such texts are not shared.
    if (!used.has('break') && !used.has('continue')) this.#texts.set(key, { parsed, weight: text.length + 256 });
    return parsed;
  }
}
