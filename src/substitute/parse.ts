import { fromByteString } from './bytes.ts';
import { SubstitutionError } from './errors.ts';
import { type Accept, isNameRune, Scanner } from './scanner.ts';

/** An expression `${name<operator>arguments}`; `text` is a byte string. */
export type Expression = { kind: 'expression'; name: string; operator: string; arguments: readonly Node[] };

/** A piece of a template: text as it is (a byte string), or an expression. */
export type Node = { kind: 'text'; text: string } | Expression;

/** Expressions inside each other's defaults. */
const MAX_DEPTH = 500;

const COLON = 0x3a;
const CLOSE = 0x7d;

const anything: Accept = () => true;
const nothing: Accept = () => false;
const notClosing: Accept = (rune) => rune !== CLOSE;
const notSlash: Accept = (rune) => rune !== 0x2f;
const notColonOrClosing: Accept = (rune) => rune !== COLON && rune !== CLOSE;
const oneOf =
  (characters: string, most: number): Accept =>
  (rune, length) =>
    length <= most && characters.includes(String.fromCodePoint(rune));
const defaultOperator: Accept = (rune, length) =>
  (length === 1 && rune === COLON) || (length === 2 && '=-?+'.includes(String.fromCodePoint(rune)));
const replaceOperator: Accept = (rune, length) =>
  (length === 1 && rune === 0x2f) || (length === 2 && '/#%'.includes(String.fromCodePoint(rune)));

/**
 * Parses a template (KB43–KB47).
 * @param source a byte string
 * @throws SubstitutionError `ExpressionInvalid` with Flux's wording
 */
export function parseTemplate(source: string): Node[] {
  return new Parser(source).parse();
}

class Parser {
  readonly #source: string;
  readonly #scanner: Scanner;
  #open = 0;

  constructor(source: string) {
    this.#source = source;
    this.#scanner = new Scanner(source);
  }

  parse(): Node[] {
    const nodes: Node[] = [];
    for (;;) {
      const token = this.#scanner.scan({ text: true, open: true, escapes: 'dollar' }, anything);
      if (token === 'end') return nodes;
      if (token === 'text') nodes.push({ kind: 'text', text: this.#scanner.text });
      else if (token === 'open') {
        this.#open = this.#scanner.position - 2;
        nodes.push(this.#expression(1));
      } else throw this.#fail('bad substitution');
    }
  }

  #expression(depth: number): Expression {
    if (depth > MAX_DEPTH) {
      throw new SubstitutionError({
        code: 'LimitExceeded',
        message: `parse expression: more than ${MAX_DEPTH} expressions inside each other`,
        retryable: false,
      });
    }
    if (this.#scanner.peek() === 0x23) return this.#length();
    if (this.#scanner.scan({ text: true }, isNameRune) !== 'text') throw this.#fail('unable to parse variable name');
    const name = this.#scanner.text;
    switch (String.fromCodePoint(this.#scanner.peek())) {
      case ':':
        return this.#defaultOrSubstring(name, depth);
      case '=':
        return this.#default(name, oneOf('=', 1), depth);
      case ',':
      case '^':
        return this.#close(name, this.#operator(oneOf(',^', 2)), []);
      case '/':
        return this.#replace(name, depth);
      case '#':
        return this.#trim(name, oneOf('#', 2), depth);
      case '%':
        return this.#trim(name, oneOf('%', 2), depth);
      default:
        if (this.#scanner.scan({ close: true }, nothing) === 'close') return { kind: 'expression', name, operator: '', arguments: [] };
        throw this.#fail('missing closing brace');
    }
  }

  /** `${#name}` */
  #length(): Expression {
    const operator = this.#operator(oneOf('#', 1));
    if (this.#scanner.scan({ text: true }, isNameRune) !== 'text') throw this.#fail('bad substitution');
    return this.#close(this.#scanner.text, operator, []);
  }

  #defaultOrSubstring(name: string, depth: number): Expression {
    this.#scanner.read();
    const next = this.#scanner.peek();
    this.#scanner.unread();
    return '=-?+'.includes(String.fromCodePoint(next)) ? this.#default(name, defaultOperator, depth) : this.#substring(name, depth);
  }

  /** `${name:-word}` and its kin: the default is text and expressions up to the brace (KB45). */
  #default(name: string, accept: Accept, depth: number): Expression {
    if (this.#scanner.scan({ text: true }, accept) !== 'text') throw this.#fail('unable to parse default function');
    const operator = this.#scanner.text;
    const parts: Node[] = [];
    while (this.#scanner.peek() !== CLOSE) parts.push(this.#argument(notClosing, false, depth));
    return this.#close(name, operator, parts);
  }

  /** `${name:position}`, `${name:position:length}` */
  #substring(name: string, depth: number): Expression {
    const operator = this.#operator(oneOf(':', 1));
    const position = this.#argument(notColonOrClosing, false, depth);
    const token = this.#scanner.scan({ text: true, close: true }, (rune) => rune === COLON);
    if (token === 'close') return { kind: 'expression', name, operator, arguments: [position] };
    if (token !== 'text') throw this.#fail('bad substitution');
    return this.#close(name, operator, [position, this.#argument(notClosing, false, depth)]);
  }

  /** `${name#pattern}`, `##`, `%`, `%%` */
  #trim(name: string, accept: Accept, depth: number): Expression {
    const operator = this.#operator(accept);
    return this.#close(name, operator, [this.#argument(notClosing, false, depth)]);
  }

  /** `${name/old/new}`, `//`, `/#`, `/%`; `new` may be missing after the second slash. */
  #replace(name: string, depth: number): Expression {
    const operator = this.#operator(replaceOperator);
    const old = this.#argument(notSlash, true, depth);
    if (this.#scanner.scan({ text: true }, (rune) => rune === 0x2f) !== 'text') throw this.#fail('bad substitution');
    if (this.#scanner.peek() === CLOSE) return this.#close(name, operator, [old]);
    return this.#close(name, operator, [old, this.#argument(notClosing, true, depth)]);
  }

  #operator(accept: Accept): string {
    if (this.#scanner.scan({ text: true }, accept) !== 'text') throw this.#fail('bad substitution');
    return this.#scanner.text;
  }

  #argument(accept: Accept, escapes: boolean, depth: number): Node {
    const token = this.#scanner.scan({ text: true, open: true, ...(escapes ? { escapes: 'all' as const } : {}) }, accept);
    if (token === 'open') return this.#expression(depth + 1);
    if (token === 'text') return { kind: 'text', text: this.#scanner.text };
    throw this.#fail('unable to parse substitution within function');
  }

  #close(name: string, operator: string, parts: readonly Node[]): Expression {
    if (this.#scanner.scan({ close: true }, nothing) !== 'close') throw this.#fail('bad substitution');
    return { kind: 'expression', name, operator, arguments: parts };
  }

  /** Flux's words, then where: the expression's first line and the number of the line it begins in. */
  #fail(cause: string): SubstitutionError {
    const shown = fromByteString(this.#source.slice(this.#open, this.#open + 60).split('\n')[0] ?? '');
    const line = this.#source.slice(0, this.#open).split('\n').length;
    return new SubstitutionError({
      code: 'ExpressionInvalid',
      message: `${cause} at ${JSON.stringify(shown)} (line ${line})`,
      subject: shown,
      remedy: 'write $${…} for a literal ${…}, or label the object kustomize.toolkit.fluxcd.io/substitute: disabled',
      retryable: false,
    });
  }
}
