import type { Environment } from '@marcbachmann/cel-js';
import { RE2JS } from 're2js';
import { Lru } from '../std/index.ts';

const patterns = new Lru<string, RE2JS>(256);

/**
 * What cel-go's string, set and encoder extensions have beyond the library, under names the rewriter gives calls
 * (`sets.contains(a, b)` becomes `sets_contains(a, b)`), and `matches` by RE2 in linear time.
 */
export function registerExtensions(environment: Environment): Environment {
  return environment
    .registerFunction('string.re2_matches(string): bool', matches)
    .registerFunction('re2_matches(string, string): bool', matches)
    .registerFunction('string.charAt(int): string', charAt)
    .registerFunction('string.replace(string, string): string', (text: string, from: string, to: string) => replace(text, from, to, -1n))
    .registerFunction('string.replace(string, string, int): string', replace)
    .registerFunction('string.reverse(): string', (text: string) => Array.from(text).reverse().join(''))
    .registerFunction('string.format(list<dyn>): string', (text: string, values: unknown) => format(text, toArray(values)))
    .registerFunction('strings_quote(string): string', quote)
    .registerFunction('sets_contains(list<dyn>, list<dyn>): bool', (a: unknown, b: unknown) =>
      toArray(b).every((item) => includes(a, item)),
    )
    .registerFunction('sets_intersects(list<dyn>, list<dyn>): bool', (a: unknown, b: unknown) =>
      toArray(b).some((item) => includes(a, item)),
    )
    .registerFunction(
      'sets_equivalent(list<dyn>, list<dyn>): bool',
      (a: unknown, b: unknown) => toArray(b).every((item) => includes(a, item)) && toArray(a).every((item) => includes(b, item)),
    )
    .registerFunction('base64_encode(bytes): string', (bytes: Uint8Array) => Buffer.from(bytes).toString('base64'))
    .registerFunction('base64_decode(string): bytes', decode);
}

function matches(text: string, pattern: string): boolean {
  let compiled = patterns.get(pattern);
  if (compiled === undefined) {
    compiled = RE2JS.compile(pattern);
    patterns.set(pattern, compiled);
  }
  return compiled.matcher(text).find();
}

function charAt(text: string, index: bigint): string {
  const characters = Array.from(text);
  if (index < 0n || index > BigInt(characters.length)) throw new RangeError(`index out of range: ${index}`);
  return characters[Number(index)] ?? '';
}

function replace(text: string, from: string, to: string, limit: bigint): string {
  if (limit < 0n) return text.replaceAll(from, () => to);
  let result = text;
  let start = 0;
  for (let left = limit; left > 0n; left--) {
    const at = result.indexOf(from, start);
    if (at < 0) break;
    result = result.slice(0, at) + to + result.slice(at + from.length);
    start = at + to.length + (from === '' ? 1 : 0);
  }
  return result;
}

function quote(text: string): string {
  const escapes: Readonly<Record<string, string>> = {
    '\x07': '\\a',
    '\b': '\\b',
    '\f': '\\f',
    '\n': '\\n',
    '\r': '\\r',
    '\t': '\\t',
    '\v': '\\v',
    '\\': '\\\\',
    '"': '\\"',
  };
  return `"${Array.from(text, (character) => escapes[character] ?? character).join('')}"`;
}

function decode(text: string): Uint8Array {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw new TypeError('illegal base64 data');
  return new Uint8Array(Buffer.from(text, 'base64'));
}

/** cel-go's `format`: %s %d %f %e %b %x %X %o, with precision for %f and %e. */
function format(text: string, values: readonly unknown[]): string {
  let next = 0;
  return text.replace(/%(?:\.(\d+))?([sdfebxXo%])/g, (_, precision: string | undefined, verb: string) => {
    if (verb === '%') return '%';
    if (next >= values.length) throw new RangeError(`index ${next} out of range`);
    return formatOne(verb, values[next++], precision === undefined ? 6 : Math.min(Number(precision), 100));
  });
}

function formatOne(verb: string, value: unknown, precision: number): string {
  switch (verb) {
    case 'f':
      return Number(value).toFixed(precision);
    case 'e':
      return Number(value)
        .toExponential(precision)
        .replace(/e([+-])(\d)$/, 'e$10$2');
    case 'b':
      return typeof value === 'boolean' ? (value ? '1' : '0') : integer(value).toString(2);
    case 'o':
      return integer(value).toString(8);
    case 'x':
    case 'X': {
      const hex =
        typeof value === 'string'
          ? Buffer.from(value).toString('hex')
          : value instanceof Uint8Array
            ? Buffer.from(value).toString('hex')
            : integer(value).toString(16);
      return verb === 'X' ? hex.toUpperCase() : hex;
    }
    case 'd':
      return typeof value === 'number' ? String(value) : integer(value).toString();
    default:
      return toText(value);
  }
}

function integer(value: unknown): bigint {
  if (typeof value !== 'bigint') throw new TypeError('want an integer to format');
  return value;
}

function toText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(toText).join(', ')}]`;
  if (value instanceof Map) return `{${[...value].map(([key, item]) => `${toText(key)}: ${toText(item)}`).join(', ')}}`;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  return value instanceof Date ? value.toISOString().replace('.000Z', 'Z') : String(value);
}

function toArray(list: unknown): readonly unknown[] {
  return Array.isArray(list) ? list : list instanceof Set ? [...list] : [];
}

function includes(list: unknown, wanted: unknown): boolean {
  return toArray(list).some((item) => equal(item, wanted));
}

function equal(a: unknown, b: unknown): boolean {
  if (typeof a === 'bigint' && typeof b === 'number') return Number(a) === b;
  if (typeof a === 'number' && typeof b === 'bigint') return a === Number(b);
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, index) => equal(item, b[index]));
  if (a instanceof Map && b instanceof Map)
    return a.size === b.size && [...a].every(([key, item]) => b.has(key) && equal(item, b.get(key)));
  return a === b;
}
