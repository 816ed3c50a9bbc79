/** What a token is. The names are Go's item types; keywords are their own spelling. */
export type TokenKind =
  | 'error'
  | 'bool'
  | 'char'
  | 'charConstant'
  | 'complex'
  | 'assign'
  | 'declare'
  | 'eof'
  | 'field'
  | 'identifier'
  | 'leftDelim'
  | 'leftParen'
  | 'number'
  | 'pipe'
  | 'rawString'
  | 'rightDelim'
  | 'rightParen'
  | 'space'
  | 'string'
  | 'text'
  | 'variable'
  | Keyword;

export type Keyword = 'block' | 'break' | 'continue' | 'dot' | 'define' | 'else' | 'end' | 'if' | 'nil' | 'range' | 'template' | 'with';

/** A piece of template text. `pos` counts UTF-16 units from the start of the text, `line` counts from 1. */
export type Token = {
  readonly kind: TokenKind;
  readonly pos: number;
  readonly value: string;
  readonly line: number;
};

const keywords: ReadonlyMap<string, Keyword> = new Map<string, Keyword>([
  ['block', 'block'],
  ['break', 'break'],
  ['continue', 'continue'],
  ['define', 'define'],
  ['else', 'else'],
  ['end', 'end'],
  ['if', 'if'],
  ['range', 'range'],
  ['nil', 'nil'],
  ['template', 'template'],
  ['with', 'with'],
]);

const keywordKinds: ReadonlySet<TokenKind> = new Set<TokenKind>([...keywords.values(), 'dot']);

/** The keyword a word spells, if it does. */
export function keywordOf(word: string): Keyword | undefined {
  return keywords.get(word);
}

/** True for tokens that Go prints between angle brackets (`<end>`, `<.>`). */
export function isKeyword(kind: TokenKind): boolean {
  return keywordKinds.has(kind);
}
