import {
  atoi,
  decodeJson,
  fromYamlValue,
  goInt64,
  GoMap,
  goTypeName,
  GoError,
  isSpace,
  parseInteger,
  quote,
  quoteRune,
  toValidText,
  type GoValue,
} from '../../golang/index.ts';
import { errorMessage } from '../../std/index.ts';
import { helmError } from '../errors.ts';
import { jsonValueEnd } from './json-prefix.ts';

/** Highest list index an expression may set. */
export const MAX_INDEX = 65536;
/** Dots a key may have. */
export const MAX_NESTED_NAMES = 30;

/** Reads what a --set-file value names. Throws an Error whose message says why it cannot. */
export type FileReader = (name: string) => string;

/**
 * Applies one `--set` expression (`a.b[0].c=x,d={y,z}`) to `into`: integers without a leading zero become int64, `true`, `false` and
 * `null` are themselves, the rest is text.
 * @throws CodedError `ValuesInvalid` with the message of Helm's strvals package
 */
export function setValue(expression: string, into: GoMap): void {
  new SetParser(expression, into, { read: typedValue }).parse();
}

/** `--set-string`: every value is text. @throws CodedError `ValuesInvalid` */
export function setStringValue(expression: string, into: GoMap): void {
  new SetParser(expression, into, { read: (text) => text }).parse();
}

/** `--set-json` in its `key=json` form. @throws CodedError `ValuesInvalid` */
export function setJsonValue(expression: string, into: GoMap): void {
  new SetParser(expression, into, { read: (text) => text, json: true }).parse();
}

/** `--set-file`: values name files. @throws CodedError `ValuesInvalid` */
export function setFileValue(expression: string, into: GoMap, readFile: FileReader): void {
  new SetParser(expression, into, { read: readFile }).parse();
}

/** `--set-literal`: everything after the `=` is the value, nothing is escaped. @throws CodedError `ValuesInvalid` */
export function setLiteralValue(expression: string, into: GoMap): void {
  new SetParser(expression, into, { read: (text) => text, literal: true }).parse();
}

type Mode = { readonly read: (text: string) => GoValue; readonly json?: boolean; readonly literal?: boolean };

/** How a step ended: it went well, the text is used up, or it failed. */
type Outcome = undefined | typeof END | Failure;
const END = 'end';
class Failure {
  readonly message: string;
  /** The cause is the end of the text, which ends the whole expression without an error. */
  readonly atEnd: boolean;

  constructor(message: string, atEnd = false) {
    this.message = message;
    this.atEnd = atEnd;
  }
}

type Scan = { readonly text: string; readonly stop: string | undefined };

class SetParser {
  readonly #runes: readonly string[];
  readonly #into: GoMap;
  readonly #mode: Mode;
  #at = 0;

  constructor(expression: string, into: GoMap, mode: Mode) {
    this.#runes = [...toValidText(expression)];
    this.#into = into;
    this.#mode = mode;
  }

  parse(): void {
    for (;;) {
      const outcome = this.#key(this.#into, 0);
      if (outcome === undefined) continue;
      if (outcome === END || outcome.atEnd) return;
      throw helmError('ValuesInvalid', outcome.message);
    }
  }

  #key(into: GoMap, nesting: number): Outcome {
    const { text: key, stop } = this.#until(this.#mode.literal === true ? '=[.' : '=[,.');
    switch (stop) {
      case undefined:
        return key === '' ? END : new Failure(`key ${quote(key)} has no value`);
      case '[':
        return this.#listKey(into, key, nesting);
      case '=':
        return this.#assign(into, key);
      case ',':
        put(into, key, '');
        return new Failure(`key ${quote(key)} has no value (cannot end with ,)`);
      default:
        return this.#nestedKey(into, key, nesting + 1);
    }
  }

  #listKey(into: GoMap, key: string, nesting: number): Outcome {
    const index = this.#index();
    if (index instanceof Failure) return index;
    const existing = into.get(key);
    if (into.has(key) && !Array.isArray(existing)) return panic(existing, '[]interface {}');
    const { list, outcome } = this.#item(Array.isArray(existing) ? existing : [], index, nesting);
    put(into, key, list);
    return outcome;
  }

  #nestedKey(into: GoMap, key: string, nesting: number): Outcome {
    if (nesting > MAX_NESTED_NAMES) return tooNested();
    const existing = into.get(key);
    if (into.has(key) && !isTable(existing)) return panic(existing, 'map[string]interface {}');
    const inner = isTable(existing) ? existing : new GoMap();
    const outcome = this.#key(inner, nesting);
    if (outcome === undefined && inner.size === 0) return new Failure(`key map ${quote(key)} has no value`);
    if (inner.size > 0) put(into, key, inner);
    return outcome;
  }

  #assign(into: GoMap, key: string): Outcome {
    const value = this.#value();
    if (value.outcome === undefined || value.outcome === END) put(into, key, value.value);
    return value.outcome;
  }

  /** What follows a `=`. `END` with a value: set it, then stop. */
  #value(): { value: GoValue; outcome: Outcome } {
    if (this.#mode.literal === true) return { value: this.#until('').text, outcome: undefined };
    if (this.#mode.json === true) return this.#jsonValue();
    if (this.#at >= this.#runes.length) return { value: '', outcome: END };
    if (this.#runes[this.#at] === '{') {
      this.#at += 1;
      return this.#braces();
    }
    return this.#read(this.#until(',').text);
  }

  #read(text: string): { value: GoValue; outcome: Outcome } {
    try {
      return { value: this.#mode.read(text), outcome: undefined };
    } catch (error) {
      return { value: null, outcome: new Failure(errorMessage(error)) };
    }
  }

  #braces(): { value: GoValue; outcome: Outcome } {
    const list: GoValue[] = [];
    for (;;) {
      const { text, stop } = this.#until(',}');
      if (stop === undefined) return { value: null, outcome: new Failure("list must terminate with '}'") };
      if (stop === '}' && this.#runes[this.#at] === ',') this.#at += 1;
      const { value, outcome } = this.#read(text);
      if (outcome !== undefined) return { value: null, outcome };
      list.push(value);
      if (stop === '}') return { value: list, outcome: undefined };
    }
  }

  #jsonValue(): { value: GoValue; outcome: Outcome } {
    if (this.#skipEmpty()) return { value: null, outcome: undefined };
    const rest = this.#runes.slice(this.#at).join('');
    const end = jsonValueEnd(rest) ?? rest.length;
    try {
      const value = fromYamlValue(decodeJson(rest.slice(0, end)));
      this.#at += Array.from(rest.slice(0, end)).length;
      this.#skipEmpty();
      return { value, outcome: undefined };
    } catch (error) {
      if (!(error instanceof GoError)) throw error;
      const message = error.message === 'unexpected end of JSON input' ? 'unexpected EOF' : error.message;
      return { value: null, outcome: new Failure(message) };
    }
  }

  /** Skips blanks and one comma; true when nothing else was there. */
  #skipEmpty(): boolean {
    for (; this.#at < this.#runes.length; this.#at++) {
      const rune = this.#runes[this.#at] ?? '';
      if (rune === ',') {
        this.#at += 1;
        return true;
      }
      if (!isSpace(rune.codePointAt(0) ?? 0)) return false;
    }
    return true;
  }

  #index(): number | Failure {
    const { text, stop } = this.#until(']');
    if (stop === undefined) return new Failure('error parsing index: EOF', true);
    try {
      return Number(atoi(text));
    } catch (error) {
      if (!(error instanceof GoError)) throw error;
      return new Failure(`error parsing index: ${error.message}`);
    }
  }

  #item(list: GoValue[], index: number, nesting: number): { list: GoValue[]; outcome: Outcome } {
    if (index < 0) return { list, outcome: new Failure(`negative ${index} index not allowed`) };
    const { text, stop } = this.#until('[.=');
    if (text !== '')
      return {
        list,
        outcome: new Failure(
          `unexpected data at end of array index: [${[...text].map((rune) => quoteRune(rune.codePointAt(0) ?? 0)).join(' ')}]`,
        ),
      };
    switch (stop) {
      case undefined:
        return { list, outcome: END };
      case '=': {
        const { value, outcome } = this.#value();
        if (outcome instanceof Failure) return { list, outcome };
        return putIndex(list, index, value);
      }
      case '[':
        return this.#nestedItem(list, index, nesting);
      default: {
        const existing = list[index];
        const inner = isTable(existing) ? existing : new GoMap();
        if (index < list.length) list[index] = inner;
        const outcome = this.#key(inner, nesting);
        return outcome === undefined ? putIndex(list, index, inner) : { list, outcome };
      }
    }
  }

  #nestedItem(list: GoValue[], index: number, nesting: number): { list: GoValue[]; outcome: Outcome } {
    const next = this.#index();
    if (next instanceof Failure) return { list, outcome: next };
    const existing = list[index] ?? null;
    if (existing !== null && !Array.isArray(existing)) return { list, outcome: panic(existing, '[]interface {}') };
    const inner = this.#item(existing ?? [], next, nesting);
    return inner.outcome === undefined ? putIndex(list, index, inner.list) : { list, outcome: inner.outcome };
  }

  /** Reads up to one of `stops` and over it; a backslash takes the next rune as it is (not in literal mode). */
  #until(stops: string): Scan {
    let text = '';
    while (this.#at < this.#runes.length) {
      const rune = this.#runes[this.#at++] ?? '';
      if (stops.includes(rune)) return { text, stop: rune };
      if (rune === '\\' && this.#mode.literal !== true) {
        if (this.#at >= this.#runes.length) break;
        text += this.#runes[this.#at++] ?? '';
      } else text += rune;
    }
    return { text, stop: undefined };
  }
}

function isTable(value: GoValue): value is GoMap {
  return value instanceof GoMap;
}

function tooNested(): Failure {
  return new Failure(`value name nested level is greater than maximum supported nested level of ${MAX_NESTED_NAMES}`);
}

/** What a failed Go type assertion says. */
function panic(value: GoValue, want: string): Failure {
  const have = value === null || value === undefined ? 'nil' : goTypeName(value);
  return new Failure(`unable to parse key: interface conversion: interface {} is ${have}, not ${want}`);
}

function put(into: GoMap, key: string, value: GoValue): void {
  if (key !== '') into.set(key, value);
}

function putIndex(list: GoValue[], index: number, value: GoValue): { list: GoValue[]; outcome: Outcome } {
  if (index > MAX_INDEX) {
    return { list, outcome: new Failure(`index of ${index} is greater than maximum supported index of ${MAX_INDEX}`) };
  }
  while (list.length <= index) list.push(null);
  list[index] = value;
  return { list, outcome: undefined };
}

function typedValue(text: string): GoValue {
  switch (text.toLowerCase()) {
    case 'true':
      return true;
    case 'false':
      return false;
    case 'null':
      return null;
    case '0':
      return goInt64(0);
    default:
  }
  if (!/^[+-]?\d{1,19}$/.test(text) || text.startsWith('0')) return text;
  try {
    return goInt64(parseInteger(text));
  } catch (error) {
    // Beyond 64 bits: stays text, as in Helm.
    if (error instanceof GoError) return text;
    throw error;
  }
}
