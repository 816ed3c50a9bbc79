import { GoStruct, formatValue, isPrint, sprint, textToBytes, type GoValue } from '../../golang/index.ts';
import { isNilPointer } from '../value.ts';

const htmlEscapes: Readonly<Record<string, string>> = {
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\0': '\ufffd',
};

/** The builtin `html`: HTML-escaped text of its arguments. */
export function escapeHtml(args: readonly GoValue[]): string {
  return textOf(args).replace(/["'&<>\0]/g, (char) => htmlEscapes[char] ?? char);
}

const jsEscapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '<': '\\u003C',
  '>': '\\u003E',
  '&': '\\u0026',
  '=': '\\u003D',
};

/** The builtin `js`: text safe inside a JavaScript string literal. */
export function escapeJs(args: readonly GoValue[]): string {
  return textOf(args).replace(/[\\'"<>&=\0-\x1f]|[^\0-\x7f]/gu, (char) => jsEscapes[char] ?? escapeJsRune(char));
}

function escapeJsRune(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  // A byte outside UTF-8 stays: to Go it is U+FFFD, which prints.
  if (code >= 0x80 && (isPrint(code) || !char.isWellFormed())) return char;
  return `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** The builtin `urlquery`: text for a URL's query (url.QueryEscape). */
export function escapeUrlQuery(args: readonly GoValue[]): string {
  return textOf(args).replace(/[^A-Za-z0-9_.~-]/gu, (char) => {
    if (char === ' ') return '+';
    let out = '';
    for (const byte of textToBytes(char)) out += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    return out;
  });
}

/** The arguments as an action would print them, put together by fmt.Sprint. */
function textOf(args: readonly GoValue[]): string {
  const [only] = args;
  if (args.length === 1 && typeof only === 'string') return only;
  return sprint(args.map(printable));
}

function printable(value: GoValue): GoValue {
  if (value === undefined || value === null) return '<no value>';
  if (!(value instanceof GoStruct) || value.type.kind !== 'ptr' || value.type.elem === undefined) return value;
  if (value.type.methods?.has('String') === true || value.type.methods?.has('Error') === true) return value;
  return isNilPointer(value) ? formatValue(null) : new GoStruct(value.type.elem, value.data);
}
