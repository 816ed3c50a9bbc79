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

type Entry = { readonly parsed: ParsedText; readonly weight: number };
type Delims = { readonly left: string; readonly right: string };

/** Parsed and compiled templates by their text. Share one among all renders. */
export class TemplateCache {
  readonly #capacity: number;
  /** One cache for each pair of delimiters, so that the text alone is the key. */
  readonly #byDelims = new Map<string, Lru<string, Entry>>();

  /** @param capacity UTF-16 units of text to keep. */
  constructor(capacity: number = defaultCapacity) {
    this.#capacity = capacity;
  }

  /** The parsed text, from the cache when it was seen before. `name` is for error messages. @throws TemplateError `TemplateSyntax` */
  parse(name: string, text: string, table: FunctionTable, delims: Delims): ParsedText {
    const texts = this.#texts(delims);
    const known = texts.get(text)?.parsed;
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
    if (!used.has('break') && !used.has('continue')) texts.set(text, { parsed, weight: text.length + 256 });
    return parsed;
  }

  #texts({ left, right }: Delims): Lru<string, Entry> {
    const key = `${left}\0${right}`;
    let texts = this.#byDelims.get(key);
    if (texts === undefined) this.#byDelims.set(key, (texts = new Lru(this.#capacity, ({ weight }) => weight)));
    return texts;
  }
}
