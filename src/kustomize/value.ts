import { KustomizeError } from './errors.ts';
import { mayResolve, resolve, YamlTime } from './yaml-events.ts';

/** The tags of YAML's core types, as yaml.v3 writes them short. Others (`!foo`) occur as they stand. */
export type ScalarTag = '!!str' | '!!int' | '!!float' | '!!bool' | '!!null' | '!!timestamp' | '!!binary' | '!!merge' | (string & {});

/** A scalar as JSON would hold it. */
export type PlainScalar = null | boolean | number | bigint | string;

/**
 * A scalar whose text is not the one its value is written with: `1.50`, `0777`, `~`, an empty value, a date. kustomize works on the
 * text of scalars, so it has to survive until the end of the build.
 */
export class Scalar {
  readonly text: string;
  readonly tag: ScalarTag;
  readonly value: PlainScalar;

  constructor(text: string, tag: ScalarTag, value: PlainScalar) {
    this.text = text;
    this.tag = tag;
    this.value = value;
  }
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
  if (tag === '!!str' || (typeof value !== 'string' && String(value) === text && (tag !== '!!float' || !Number.isInteger(value)))) return value;
  return new Scalar(text, tag, value);
}

/**
 * What becomes of a scalar whose text is replaced while its tag is left to the reader, as kyaml does it: the style stays, so a quoted
 * scalar stays a string and a plain one is read anew. (A string that could only be quoted shows that it was.)
 */
export function withText(old: Value | undefined, text: string): ScalarValue {
  const next = plainScalar(text);
  if (typeof next === 'string' || typeof old !== 'string') return next;
  return typeof plainScalar(old) === 'string' ? next : text;
}

/** A deep copy. */
export function copyValue<T extends Value>(value: T): T;
export function copyValue(value: Value): Value {
  if (typeof value !== 'object' || value === null || value instanceof Scalar) return value;
  if (Array.isArray(value)) return value.map((item) => copyValue(item));
  return copyMapping(value);
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
