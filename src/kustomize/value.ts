import { isCodedError } from '../std/index.ts';
import { KustomizeError } from './errors.ts';
import { mayResolve, resolve, YamlTime } from './yaml-events.ts';

/** The tags of YAML's core types, as yaml.v3 writes them short. Others (`!foo`) occur as they stand. */
export type ScalarTag = '!!str' | '!!int' | '!!float' | '!!bool' | '!!null' | '!!timestamp' | '!!binary' | '!!merge' | (string & {});

/** A scalar as JSON would hold it. */
export type PlainScalar = null | boolean | number | bigint | string;

/**
 * A scalar that has to be remembered as more than its value, because kustomize works on nodes of YAML:
 * - its text is not the one its value is written with: `1.50`, `0777`, `~`, an empty value, a date;
 * - it is quoted or a block, a style that stays when another value is put in its place and makes that a string;
 * - it stands in several places at once: kustomize adds one and the same node to every field that gets a label, so that whoever
 *   changes one of them changes all.
 */
export class Scalar {
  text: string;
  tag: ScalarTag;
  value: PlainScalar;
  readonly quoted: boolean;
  /** Why the text cannot be what the tag says. kustomize finds out when it prints the scalar, if that is still there. */
  problem: string | undefined;

  constructor(text: string, tag: ScalarTag, value: PlainScalar, quoted = false) {
    this.text = text;
    this.tag = tag;
    this.value = value;
    this.quoted = quoted;
  }

  /** Takes over another scalar's value, in every place where this one stands; the style stays. */
  become(other: ScalarValue): void {
    this.text = textOf(other);
    this.tag = this.quoted ? '!!str' : tagOf(other);
    this.value = this.quoted ? this.text : plainValue(other);
    this.problem = other instanceof Scalar ? other.problem : undefined;
  }
}

/** The value of a scalar, as JSON has it. */
export function plainValue(value: ScalarValue): PlainScalar {
  return value instanceof Scalar ? value.value : value;
}

/** Puts a scalar where another may stand: the old one's style stays, and a {@link Scalar} changes in all its places. */
export function assignScalar(holder: Mapping | Sequence, key: string | number, value: ScalarValue): void {
  const old = Array.isArray(holder) ? holder[Number(key)] : field(holder, String(key));
  if (old instanceof Scalar) return old.become(value);
  // Where a plain scalar stood, a quoted one loses its quotes, not its being a string.
  const next = value instanceof Scalar && value.quoted && isScalar(old) ? value.text : value;
  if (Array.isArray(holder)) holder[Number(key)] = next;
  else setField(holder, String(key), next);
}

export type ScalarValue = PlainScalar | Scalar;
export type Sequence = Value[];
/** A mapping as an ordinary object; every key is an own property. Look keys of users up with {@link field}. */
export type Mapping = { [key: string]: Value };
/** What a resource is made of while it is being built. */
export type Value = ScalarValue | Sequence | Mapping;

/**
 * What is wrong with the keys of a mapping. kustomize finds out only when it prints the mapping, and by then it may be gone; until then
 * the first of equal keys counts. `last` holds the last value of keys given more than once.
 */
export type KeyFault = { message: string; last: Mapping };
const KEY_FAULT: unique symbol = Symbol('key fault');

export function isMapping(value: Value | undefined): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Scalar);
}

export function isSequence(value: Value | undefined): value is Sequence {
  return Array.isArray(value);
}

export function isScalar(value: Value | undefined): value is ScalarValue {
  return value !== undefined && (typeof value !== 'object' || value === null || value instanceof Scalar);
}

/** True for every spelling of null. */
export function isNull(value: Value | undefined): boolean {
  return value === null || (value instanceof Scalar && value.tag === '!!null');
}

/** True when there is no value, or a null. */
export function isMissing(value: Value | undefined): value is undefined | null {
  return value === undefined || isNull(value);
}

/** True for nothing, null, `{}` and `[]`. */
export function isEmpty(value: Value | undefined): boolean {
  if (isMissing(value)) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isMapping(value) && isEmptyMapping(value);
}

export function isEmptyMapping(mapping: Mapping): boolean {
  for (const _ in mapping) return false;
  return true;
}

/** The value of a key, or undefined when the mapping does not have it. */
export function field(mapping: Mapping, key: string): Value | undefined {
  return Object.hasOwn(mapping, key) ? mapping[key] : undefined;
}

/** Sets a key, whatever its name is. */
export function setField(mapping: Mapping, key: string, value: Value): void {
  if (key === '__proto__') {
    Object.defineProperty(mapping, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    mapping[key] = value;
  }
}

/** The text of a scalar as it stands in the file; `` for anything else. */
export function textOf(value: Value | undefined): string {
  if (typeof value === 'string') return value;
  if (value instanceof Scalar) return value.text;
  if (value === undefined || (typeof value === 'object' && value !== null)) return '';
  return String(value);
}

/** The tag of a scalar. */
export function tagOf(value: ScalarValue): ScalarTag {
  switch (typeof value) {
    case 'string':
      return '!!str';
    case 'boolean':
      return '!!bool';
    case 'bigint':
      return '!!int';
    case 'number':
      return /^-?\d+$/.test(String(value)) ? '!!int' : '!!float';
    default:
      return value === null ? '!!null' : value.tag;
  }
}

/** The scalar a plain text stands for to yaml.v3. */
export function plainScalar(text: string): ScalarValue {
  return mayResolve(text) ? taggedScalar('', text) : text;
}

/** The scalar of a text with a short tag (`` for none). Throws go-yaml's error where the text cannot be what the tag says. */
export function taggedScalar(wanted: ScalarTag, text: string): ScalarValue {
  if (wanted === '!!str') return text;
  const { tag, value } = resolve(wanted, text, true);
  if (value instanceof YamlTime) return new Scalar(text, tag, value.text);
  if (tag === '!!binary') return new Scalar(text, tag, decodeBinary(text));
  if (typeof value !== 'bigint') return scalarOf(text, tag, value);
  return scalarOf(text, tag, value >= MIN_SAFE && value <= MAX_SAFE ? Number(value) : value);
}

/** {@link taggedScalar} for a text that takes another's place: one that does not fit the tag is an error only if it is printed. */
export function retaggedScalar(wanted: ScalarTag, text: string): ScalarValue {
  try {
    return taggedScalar(wanted, text);
  } catch (error) {
    if (!isCodedError(error)) throw error;
    const scalar = new Scalar(text, wanted, text);
    scalar.problem = error.message;
    return scalar;
  }
}

const MIN_SAFE = BigInt(Number.MIN_SAFE_INTEGER);
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function decodeBinary(text: string): string {
  const packed = text.replaceAll(/[\r\n]/g, '');
  if (!BASE64.test(packed)) {
    throw new KustomizeError('YamlMalformed', 'yaml: !!binary value contains invalid base64 data');
  }
  return Buffer.from(packed, 'base64').toString();
}

/** A scalar of a known value: the value itself wherever its text is the one we would write. */
export function scalarOf(text: string, tag: ScalarTag, value: PlainScalar): ScalarValue {
  if (tag === '!!str' || (typeof value !== 'string' && String(value) === text && (tag !== '!!float' || !Number.isInteger(value))))
    return value;
  return new Scalar(text, tag, value);
}

/**
 * The scalar a text makes where another scalar stood and the tag is left to the reader: a quoted one stays a string, a plain one is
 * read anew.
 */
export function withText(old: Value | undefined, text: string): ScalarValue {
  return old instanceof Scalar && old.quoted ? text : plainScalar(text);
}

/** A deep copy. */
/** How much a value weighs: one for each value and key in it, and one more for each 64 characters of text. */
export function weightOf(value: Value): number {
  if (typeof value === 'string') return weightOfText(value);
  if (typeof value !== 'object' || value === null) return 1;
  if (value instanceof Scalar) return weightOfText(value.text);
  let sum = 1;
  if (Array.isArray(value)) for (const item of value) sum += weightOf(item);
  else for (const key of Object.keys(value)) sum += weightOfText(key) + weightOf(value[key] ?? null);
  return sum;
}

/** The weight of a text as a value. */
export function weightOfText(text: string): number {
  return 1 + (text.length >> 6);
}

export function copyValue<T extends Value>(value: T): T;
export function copyValue(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Scalar) return copyScalar(value);
  if (Array.isArray(value)) return value.map((item) => copyValue(item));
  return copyMapping(value);
}

function copyScalar({ text, tag, value, quoted, problem }: Scalar): Scalar {
  const copy = new Scalar(text, tag, value, quoted);
  copy.problem = problem;
  return copy;
}

function copyMapping(mapping: Mapping): Mapping {
  const copy: Mapping = {};
  for (const key of Object.keys(mapping)) setField(copy, key, copyValue(mapping[key] ?? null));
  const fault = keyFault(mapping);
  if (fault !== undefined) markKeyFault(copy, fault);
  return copy;
}

/** What is wrong with the keys of a mapping, if anything is. */
export function keyFault(mapping: Mapping): KeyFault | undefined {
  return (mapping as { [KEY_FAULT]?: KeyFault })[KEY_FAULT];
}

/** Notes what is wrong with the keys of a mapping. */
export function markKeyFault(mapping: Mapping, fault: KeyFault): void {
  Object.defineProperty(mapping, KEY_FAULT, { value: fault, enumerable: false, configurable: true });
}
