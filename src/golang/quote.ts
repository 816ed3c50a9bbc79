import { GoError } from './go-error.ts';
import { bytesToText, isEscapedByte, textToBytes, toValidText } from './text.ts';
import { isGraphic, isPrint } from './unicode.ts';

/** What a quoting leaves as it is beside plain ASCII. */
export type QuoteStyle = 'print' | 'ascii' | 'graphic';

const shortEscapes: ReadonlyMap<number, string> = new Map([
  [7, '\\a'],
  [8, '\\b'],
  [12, '\\f'],
  [10, '\\n'],
  [13, '\\r'],
  [9, '\\t'],
  [11, '\\v'],
]);

/** Text that needs no escape under any style. */
const plainAscii = /^[ !#-[\]-~]*$/;

/** strconv.Quote, QuoteToASCII or QuoteToGraphic. */
export function quote(text: string, style: QuoteStyle = 'print'): string {
  if (plainAscii.test(text)) return `"${text}"`;
  let out = '"';
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    if (isEscapedByte(code)) out += `\\x${(code & 0xff).toString(16)}`;
    else out += escapeRune(code, '"', style);
  }
  return `${out}"`;
}

/** strconv.QuoteRune and its kin. A code that is no valid rune is quoted as U+FFFD. */
export function quoteRune(code: number, style: QuoteStyle = 'print'): string {
  const valid = code >= 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  return `'${escapeRune(valid ? code : 0xfffd, "'", style)}'`;
}

function escapeRune(code: number, mark: string, style: QuoteStyle): string {
  const char = String.fromCodePoint(code);
  if (char === mark || char === '\\') return `\\${char}`;
  if (style === 'ascii' ? code < 0x80 && isPrint(code) : isPrint(code) || (style === 'graphic' && isGraphic(code))) return char;
  const short = shortEscapes.get(code);
  if (short !== undefined) return short;
  const hex = code.toString(16);
  if (code < 0x20 || code === 0x7f) return `\\x${hex.padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

/** strconv.CanBackquote. */
export function canBackquote(text: string): boolean {
  // oxlint-disable-next-line no-control-regex
  return text.isWellFormed() && !/[\0-\x08\x0a-\x1f`\x7f\ufeff]/.test(text);
}

const SYNTAX = 'invalid syntax';

/** strconv.Unquote of a double-quoted, backquoted or single-quoted literal. Throws a GoError `invalid syntax`. */
export function unquote(literal: string): string {
  const mark = literal[0];
  if (literal.length < 2 || literal.at(-1) !== mark) throw new GoError(SYNTAX);
  const body = literal.slice(1, -1);
  if (mark === '`') {
    if (body.includes('`')) throw new GoError(SYNTAX);
    return body.replaceAll('\r', '');
  }
  if ((mark !== '"' && mark !== "'") || body.includes('\n')) throw new GoError(SYNTAX);
  return mark === '"' ? unescape(body, '"') : unquoteRune(body);
}

function unquoteRune(body: string): string {
  if (body === '') return '';
  const { value, next } = unescapeOne(body, 0, "'");
  if (next !== body.length) throw new GoError(SYNTAX);
  return typeof value === 'string' ? value : bytesToText(Uint8Array.of(value));
}

/** The rune of a single-quoted character constant, as the template lexer hands it over. Throws a GoError `invalid syntax`. */
export function unquoteChar(literal: string): number {
  const body = literal.slice(1, -1);
  const { value, next } = unescapeOne(body, 0, "'");
  if (literal.length < 3 || !literal.startsWith("'") || !literal.endsWith("'") || next !== body.length) throw new GoError(SYNTAX);
  return typeof value === 'string' ? (value.codePointAt(0) ?? 0) : value;
}

function unescape(body: string, mark: string): string {
  if (!body.includes('\\') && !body.includes(mark)) return toValidText(body);
  const parts: Uint8Array[] = [];
  let at = 0;
  while (at < body.length) {
    const { value, next } = unescapeOne(body, at, mark);
    parts.push(typeof value === 'number' ? Uint8Array.of(value) : textToBytes(value));
    at = next;
  }
  return bytesToText(Buffer.concat(parts));
}

const simpleEscapes: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\' };
const hexDigits: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/** One character or escape: text, or a number for a byte given as `\x41` or `\101`. */
function unescapeOne(body: string, at: number, mark: string): { value: string | number; next: number } {
  const char = String.fromCodePoint(body.codePointAt(at) ?? 0);
  if (at >= body.length || char === mark) throw new GoError(SYNTAX);
  if (char !== '\\') return { value: char.isWellFormed() ? char : '\ufffd', next: at + char.length };
  const kind = body[at + 1] ?? '';
  const simple = simpleEscapes[kind];
  if (simple !== undefined && Object.hasOwn(simpleEscapes, kind)) return { value: simple, next: at + 2 };
  if (kind === mark) return { value: mark, next: at + 2 };
  const digits = hexDigits[kind];
  if (digits !== undefined && Object.hasOwn(hexDigits, kind)) return unescapeHex(body, at + 2, digits);
  const octal = /^[0-7]{3}/.exec(body.slice(at + 1, at + 4));
  const code = octal === null ? 256 : Number.parseInt(octal[0], 8);
  if (code > 255) throw new GoError(SYNTAX);
  return { value: code, next: at + 4 };
}

function unescapeHex(body: string, at: number, digits: number): { value: string | number; next: number } {
  const hex = body.slice(at, at + digits);
  const code = /^[0-9a-fA-F]+$/.test(hex) && hex.length === digits ? Number.parseInt(hex, 16) : -1;
  if (code < 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw new GoError(SYNTAX);
  return { value: digits === 2 ? code : String.fromCodePoint(code), next: at + digits };
}
