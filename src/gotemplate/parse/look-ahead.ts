import type { Lexer } from './lexer.ts';
import type { Token } from './token.ts';

const noToken: Token = { kind: 'eof', pos: 0, value: '', line: 0 };

/** Reads tokens with up to three of them put back. */
export class LookAhead {
  readonly #lexer: Lexer;
  /** The first entry is always the token read last. */
  readonly #tokens: [Token, Token, Token] = [noToken, noToken, noToken];
  #count = 0;

  constructor(lexer: Lexer) {
    this.#lexer = lexer;
  }

  /** The line of the token read last, put back or not: the one Go's errors show. */
  get line(): number {
    return this.#tokens[0].line;
  }

  next(): Token {
    if (this.#count > 0) this.#count--;
    else this.#tokens[0] = this.#lexer.next();
    return this.#tokens[this.#count] ?? noToken;
  }

  peek(): Token {
    if (this.#count > 0) return this.#tokens[this.#count - 1] ?? noToken;
    this.#count = 1;
    this.#tokens[0] = this.#lexer.next();
    return this.#tokens[0];
  }

  /** Puts the last token back. */
  backup(): void {
    this.#count++;
  }

  /** Puts the last token back, and the one before it. */
  backup2(before: Token): void {
    this.#tokens[1] = before;
    this.#count = 2;
  }

  /** Puts the last token back, and the two before it. */
  backup3(first: Token, second: Token): void {
    this.#tokens[1] = second;
    this.#tokens[2] = first;
    this.#count = 3;
  }

  nextNonSpace(): Token {
    for (;;) {
      const token = this.next();
      if (token.kind !== 'space') return token;
    }
  }

  peekNonSpace(): Token {
    const token = this.nextNonSpace();
    this.backup();
    return token;
  }
}
