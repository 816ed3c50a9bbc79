import { GoError } from '../go-error.ts';

/** The syntax tree of a glob. */
export type GlobNode =
  | { kind: 'nothing' | 'any' | 'super' | 'single' }
  | { kind: 'text'; text: string }
  | { kind: 'list'; not: boolean; chars: readonly string[] }
  | { kind: 'range'; not: boolean; low: number; high: number }
  | { kind: 'pattern' | 'anyOf'; children: GlobNode[] };

type TokenType =
  | 'end'
  | 'text'
  | 'any'
  | 'super'
  | 'single'
  | 'not'
  | 'separator'
  | 'rangeOpen'
  | 'rangeClose'
  | 'rangeLow'
  | 'rangeHigh'
  | 'rangeBetween'
  | 'termsOpen'
  | 'termsClose';
type Token = { type: TokenType; text: string };

/** What the lexer takes for the end of the pattern; a NUL in it counts as the end too. */
const END = '\0';
const textBreakers = '?*[{';
const termsBreakers = '?*[{},';

class GlobLexer {
  readonly #runes: readonly string[];
  readonly #tokens: Token[] = [];
  #at = 0;
  #level = 0;
  #last = END;
  #lastSize = 0;
  #unread = false;
  #error: string | undefined;

  constructor(pattern: string) {
    this.#runes = [...pattern];
  }

  /** The next token. A recorded error comes before tokens already read. Throws a GoError. */
  next(): Token {
    for (;;) {
      if (this.#error !== undefined) throw new GoError(this.#error);
      const token = this.#tokens.shift();
      if (token !== undefined) return token;
      this.#fetch();
    }
  }

  #peek(): { rune: string; size: number } {
    const rune = this.#runes[this.#at];
    if (rune === undefined) return { rune: END, size: 0 };
    if (rune !== '\ufffd' && rune.isWellFormed()) return { rune, size: 1 };
    this.#error = 'could not read rune';
    return { rune: END, size: 0 };
  }

  #read(): string {
    if (this.#unread) {
      this.#unread = false;
      this.#at += this.#lastSize;
      return this.#last;
    }
    const { rune, size } = this.#peek();
    this.#at += size;
    this.#last = rune;
    this.#lastSize = size;
    return rune;
  }

  #back(): void {
    if (this.#unread) {
      this.#error = 'could not unread rune';
      return;
    }
    this.#at -= this.#lastSize;
    this.#unread = true;
  }

  #push(type: TokenType, text: string): void {
    this.#tokens.push({ type, text });
  }

  #fetch(): void {
    const rune = this.#read();
    const inTerms = this.#level > 0;
    if (rune === END) this.#push('end', '');
    else if (rune === '{') {
      this.#level += 1;
      this.#push('termsOpen', rune);
    } else if (rune === ',' && inTerms) this.#push('separator', rune);
    else if (rune === '}' && inTerms) {
      this.#push('termsClose', rune);
      this.#level -= 1;
    } else if (rune === '[') {
      this.#push('rangeOpen', rune);
      this.#fetchRange();
    } else if (rune === '?') this.#push('single', rune);
    else if (rune === '*') {
      if (this.#read() === '*') this.#push('super', '**');
      else {
        this.#back();
        this.#push('any', rune);
      }
    } else {
      this.#back();
      this.#fetchText(inTerms ? termsBreakers : textBreakers);
    }
  }

  #fetchRange(): void {
    let wantHigh = false;
    let wantClose = false;
    let seenNot = false;
    for (;;) {
      const rune = this.#read();
      if (rune === END) {
        this.#error = 'unexpected end of input';
        return;
      }
      if (wantClose) {
        if (rune === ']') this.#push('rangeClose', rune);
        else this.#error = 'expected close range character';
        return;
      }
      if (wantHigh) {
        this.#push('rangeHigh', rune);
        wantClose = true;
        continue;
      }
      if (!seenNot && rune === '!') {
        this.#push('not', rune);
        seenNot = true;
        continue;
      }
      const next = this.#peek();
      if (next.rune === '-') {
        this.#at += next.size;
        this.#push('rangeLow', rune);
        this.#push('rangeBetween', next.rune);
        wantHigh = true;
        continue;
      }
      this.#back();
      this.#fetchText(']');
      wantClose = true;
    }
  }

  #fetchText(breakers: string): void {
    let text = '';
    let escaped = false;
    for (;;) {
      const rune = this.#read();
      if (rune === END) break;
      if (!escaped && rune === '\\') {
        escaped = true;
        continue;
      }
      if (!escaped && breakers.includes(rune)) {
        this.#back();
        break;
      }
      escaped = false;
      text += rune;
    }
    if (text !== '') this.#push('text', text);
  }
}

type Collection = Extract<GlobNode, { children: GlobNode[] }>;

/** Reads a glob as gobwas/glob does. Throws a GoError with its text. */
export function parseGlob(pattern: string): GlobNode {
  const lexer = new GlobLexer(pattern);
  const root: Collection = { kind: 'pattern', children: [] };
  // Pairs of an alternative being read and the list of alternatives around it.
  const around: { alternatives: Collection; outer: Collection }[] = [];
  let current = root;
  for (;;) {
    const token = lexer.next();
    switch (token.type) {
      case 'end':
        return root;
      case 'text':
        current.children.push({ kind: 'text', text: token.text });
        break;
      case 'any':
      case 'super':
      case 'single':
        current.children.push({ kind: token.type });
        break;
      case 'rangeOpen':
        current.children.push(parseRange(lexer));
        break;
      case 'termsOpen': {
        const alternatives: Collection = { kind: 'anyOf', children: [{ kind: 'pattern', children: [] }] };
        current.children.push(alternatives);
        around.push({ alternatives, outer: current });
        current = lastChild(alternatives);
        break;
      }
      case 'separator':
        around.at(-1)?.alternatives.children.push({ kind: 'pattern', children: [] });
        current = lastChild(around.at(-1)?.alternatives ?? root);
        break;
      case 'termsClose':
        current = around.pop()?.outer ?? root;
        break;
      default:
        throw new GoError(`unexpected token: ${token.text}`);
    }
  }
}

function lastChild(node: Collection): Collection {
  const child = node.children.at(-1);
  return child !== undefined && 'children' in child ? child : node;
}

function parseRange(lexer: GlobLexer): GlobNode {
  let not = false;
  let low = 0;
  let high = 0;
  let chars = '';
  for (;;) {
    const { type, text } = lexer.next();
    if (type === 'end') throw new GoError('unexpected end');
    if (type === 'not') not = true;
    else if (type === 'rangeLow') low = text.codePointAt(0) ?? 0;
    else if (type === 'rangeHigh') {
      high = text.codePointAt(0) ?? 0;
      if (high < low) throw new GoError(`hi character '${text}' should be greater than lo '${String.fromCodePoint(low)}'`);
    } else if (type === 'text') chars = text;
    else if (type === 'rangeClose') {
      const isRange = low !== 0 && high !== 0;
      if (isRange === (chars !== '')) throw new GoError('could not parse range');
      return isRange ? { kind: 'range', not, low, high } : { kind: 'list', not, chars: [...chars] };
    }
  }
}
