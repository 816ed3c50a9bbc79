import { formatG } from '../float-format.ts';
import { textByteLength, toValidText } from '../text.ts';
import { analyze, BLOCK, BLOCK_PLAIN, MULTILINE, SINGLE } from './analyze.ts';
import { YamlError, yamlLimitExceeded } from './error.ts';
import { DEFAULT_YAML_LIMITS } from './limits.ts';
import { mayResolve, resolvePlain } from './resolve.ts';
import { sortedKeys } from './sort.ts';
import { parseTimestamp } from './timestamp.ts';
import type { YamlObject, YamlValue } from './value.ts';
import { FOLD_WIDTH, Writer } from './writer.ts';

const MAX_SIMPLE_KEY = 128;
const MAX_UINT64 = 2n ** 64n - 1n;
const MIN_INT64 = -(2n ** 63n);
const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
const INDENT = 2;
/** Keys whose rendering is remembered by one emitter. */
const MAX_REMEMBERED = 4096;

/** Thrown when a value must really be written as JSON and read as YAML, as sigs.k8s.io/yaml does, to know what becomes of it. */
export const UNFAITHFUL: unique symbol = Symbol('unfaithful');

/** A JSON key longer than this, with every character escaped, may be no simple key when the JSON is read as YAML. */
const LONG_KEY = 165;

/** Characters that JSON leaves as they are and YAML refuses, or (NEL) folds. */
const CHANGED_BY_YAML = /[\x7f-\x9f\ufffe\uffff]/;

/** How a number is written: `json` as after json.Marshal and back, where whole floats become integers; `go` as the Go value it is. */
export type NumberStyle = 'json' | 'go';

/** The text yaml.v2 writes for a value: block style, keys in natural order, folded at 80 columns. */
export function emitV2(value: YamlValue, numbers: NumberStyle): string {
  const emitter = new EmitterV2(numbers);
  emitter.document(value);
  return emitter.text;
}

/** True when a text without quotes would be read as text: no constant (of YAML 1.1 either), number, date, or sexagesimal number. */
export function isPlainText(text: string, modern: boolean): boolean {
  if (!mayResolve(text)) return true;
  if (typeof resolvePlain(text, false) !== 'string' || (modern && typeof resolvePlain(text, true) !== 'string')) return false;
  const c = text.charCodeAt(0);
  if (c >= 48 && c <= 57 && text.charCodeAt(4) === 45 && parseTimestamp(text) !== undefined) return false;
  return !((c <= 57 || c === 43) && text.includes(':') && BASE_60.test(text));
}

/** The digits of a number as yaml.v2 prints it after it went through JSON. */
function jsonNumber(value: number): string {
  if (!Number.isFinite(value)) {
    const name = Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
    throw new YamlError(`error marshaling into JSON: json: unsupported value: ${name}`);
  }
  if (value === 0) return '0';
  if (Number.isSafeInteger(value)) return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return integerDigits(BigInt(String(value)), value);
  return formatG(value);
}

function integerDigits(value: bigint, float: number): string {
  return value >= MIN_INT64 && value <= MAX_UINT64 ? value.toString() : formatG(float);
}

function goNumber(value: number): string {
  if (Number.isFinite(value)) return formatG(value);
  return Number.isNaN(value) ? '.nan' : value > 0 ? '.inf' : '-.inf';
}

class EmitterV2 {
  readonly #writer = new Writer(FOLD_WIDTH);
  readonly #numbers: NumberStyle;
  /** Simple keys as they are written, so that each is looked at once. */
  readonly #keys = new Map<string, string>();
  #depth = 0;

  constructor(numbers: NumberStyle) {
    this.#numbers = numbers;
  }

  get text(): string {
    return this.#writer.text;
  }

  document(value: YamlValue): void {
    this.#value(value, false);
    this.#writer.writeIndent();
  }

  /** Writes a value. `inMapping`: it is a mapping's, so a sequence may stand flush with the key. */
  #value(value: YamlValue, inMapping: boolean): void {
    if (typeof value === 'string') return this.#string(value);
    if (value === null || typeof value !== 'object') return this.#writer.writePlain(this.#word(value), false);
    if (Array.isArray(value)) this.#sequence(value, inMapping);
    else this.#mapping(value);
  }

  /** A value that is one word, as it is written. */
  #word(value: null | boolean | number | bigint): string {
    if (typeof value === 'number') return this.#numbers === 'json' ? jsonNumber(value) : goNumber(value);
    return typeof value === 'bigint' ? integerDigits(value, Number(value)) : String(value);
  }

  /** Indents one level deeper; the indent before it. */
  #enter(flush: boolean): number {
    this.#depth += 1;
    if (this.#depth > DEFAULT_YAML_LIMITS.maxDepth) throw yamlLimitExceeded('depth', DEFAULT_YAML_LIMITS.maxDepth);
    const before = this.#writer.indent;
    if (before < 0) this.#writer.indent = 0;
    else if (!flush) this.#writer.indent = before + INDENT;
    return before;
  }

  #leave(before: number): void {
    this.#depth -= 1;
    this.#writer.indent = before;
  }

  #sequence(items: readonly YamlValue[], inMapping: boolean): void {
    const writer = this.#writer;
    if (items.length === 0) return writer.writeIndicator('[]', true, false, false);
    const before = this.#enter(inMapping && !writer.indention);
    for (const item of items) {
      writer.writeIndent();
      writer.writeIndicator('-', true, false, true);
      this.#value(item, false);
    }
    this.#leave(before);
  }

  #mapping(object: YamlObject): void {
    const writer = this.#writer;
    const keys = sortedKeys(object, false);
    if (keys.length === 0) return writer.writeIndicator('{}', true, false, false);
    const before = this.#enter(false);
    for (const key of keys) {
      writer.writeIndent();
      this.#key(key);
      this.#value(object[key]!, true);
    }
    this.#leave(before);
  }

  #key(key: string): void {
    const writer = this.#writer;
    const known = this.#keys.get(key);
    if (known !== undefined) return writer.writeIndicator(known, false, false, false);
    if (this.#numbers === 'json' && key.length > LONG_KEY) throw UNFAITHFUL;
    const text = toValidText(key);
    const allowed = analyze(text, false);
    if (!isSimpleKey(text, allowed)) {
      writer.writeIndicator('?', true, false, true);
      this.#scalar(text, allowed);
      writer.writeIndent();
      writer.writeIndicator(':', true, false, true);
      return;
    }
    this.#check(text, allowed);
    const rendered = simpleKey(text, allowed);
    if (this.#keys.size < MAX_REMEMBERED) this.#keys.set(key, rendered);
    writer.writeIndicator(rendered, false, false, false);
  }

  #string(value: string): void {
    const text = toValidText(value);
    this.#scalar(text, analyze(text, false));
  }

  /** Leaves texts to the slow way that do not survive being JSON read as YAML. */
  #check(text: string, allowed: number): void {
    if (this.#numbers === 'json' && (allowed & SINGLE) === 0 && CHANGED_BY_YAML.test(text)) throw UNFAITHFUL;
  }

  /** Writes a text in the simplest style that keeps it. */
  #scalar(text: string, allowed: number): void {
    const writer = this.#writer;
    this.#check(text, allowed);
    const before = writer.indent;
    writer.indent = before < 0 ? INDENT : before + INDENT;
    if (text.includes('\n')) {
      if ((allowed & BLOCK) === 0) writer.writeDoubleQuoted(text, true);
      else writer.writeLiteralScalar(text, INDENT);
    } else if (!isPlainText(text, false)) {
      writer.writeDoubleQuoted(text, true);
    } else if ((allowed & BLOCK_PLAIN) !== 0) {
      writer.writePlain(text, true);
    } else if ((allowed & SINGLE) !== 0) {
      writer.writeSingleQuoted(text, true);
    } else {
      writer.writeDoubleQuoted(text, true);
    }
    writer.indent = before;
  }
}

/** True when a key may stand before its `:` without a `?`. */
function isSimpleKey(text: string, allowed: number): boolean {
  if ((allowed & MULTILINE) !== 0) return false;
  return text.length * 3 <= MAX_SIMPLE_KEY || textByteLength(text) <= MAX_SIMPLE_KEY;
}

/** A simple key with its `:`. */
function simpleKey(text: string, allowed: number): string {
  const writer = new Writer();
  if (!isPlainText(text, false)) writer.writeDoubleQuoted(text, false);
  else if ((allowed & BLOCK_PLAIN) !== 0) writer.writePlain(text, false);
  else if ((allowed & SINGLE) !== 0) writer.writeSingleQuoted(text, false);
  else writer.writeDoubleQuoted(text, false);
  return `${writer.text}:`;
}
