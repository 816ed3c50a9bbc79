import { errorMessage } from '../../std/index.ts';
import { isList, isMap, type Json } from '../fields/index.ts';
import { canonicalQuantity } from './quantity.ts';

/** Where a value is read, and what has come of it so far. */
export type Reading = {
  /** JSON names of the fields down to the value; items of lists as `[0]`, entries of maps as `{key`. */
  path: string[];
  unknown: string[];
  /** Why the object cannot be decoded, in Go's words. */
  fault: string | undefined;
};

/** Reads one value as its Go type; undefined when nothing is left of it. `owner` is the Go struct it is a field of. */
export type Reader = (value: Json, reading: Reading, owner: string) => Json | undefined;

/** The fault of a value of the wrong type. */
export function mismatch(value: Json, reading: Reading, owner: string, type: string): undefined {
  const kind = isList(value) ? 'array' : isMap(value) ? 'object' : typeof value === 'boolean' ? 'bool' : typeof value;
  reading.fault ??= unmarshalFault(kind === 'bigint' ? 'number' : kind, reading, owner, type);
  return undefined;
}

function unmarshalFault(what: string, reading: Reading, owner: string, type: string): string {
  const field = reading.path.filter((part) => !part.startsWith('[') && !part.startsWith('{')).join('.');
  return field === ''
    ? `json: cannot unmarshal ${what} into Go value of type ${type}`
    : `json: cannot unmarshal ${what} into Go struct field ${owner}.${field} of type ${type}`;
}

/** A string; `type` is the name of its Go type. */
export function stringReader(type: string): Reader {
  return (value, reading, owner) => (typeof value === 'string' ? value : mismatch(value, reading, owner, type));
}

/** A boolean. */
export const booleanReader: Reader = (value, reading, owner) =>
  typeof value === 'boolean' ? value : mismatch(value, reading, owner, 'bool');

/** A floating-point number. */
export const floatReader: Reader = (value, reading, owner) =>
  typeof value === 'number' ? value : mismatch(value, reading, owner, 'float64');

/** An integer of 32 or 64 bits. */
export function integerReader(type: 'int32' | 'int64'): Reader {
  const limit = type === 'int32' ? 2 ** 31 : 2 ** 63;
  return (value, reading, owner) => {
    if (typeof value === 'bigint') return Number(value);
    if (typeof value !== 'number') return mismatch(value, reading, owner, type);
    if (Number.isInteger(value) && value < limit && value >= -limit) return value;
    reading.fault ??= unmarshalFault(`number ${value}`, reading, owner, type);
    return undefined;
  };
}

/** An integer or a string. */
export const intOrStringReader: Reader = (value, reading, owner) =>
  typeof value === 'string' || typeof value === 'number' ? value : mismatch(value, reading, owner, 'intstr.IntOrString');

const QUANTITY_FORM = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/** A quantity, in its canonical form. */
export const quantityReader: Reader = (value, reading) => {
  if (typeof value !== 'string' && typeof value !== 'number') {
    reading.fault ??= QUANTITY_FORM;
    return undefined;
  }
  try {
    return canonicalQuantity(String(value));
  } catch (error) {
    reading.fault ??= errorMessage(error);
    return undefined;
  }
};

/** A time with so many digits of a second. */
export function timeReader(digits: number): Reader {
  return (value, reading) => {
    const parsed =
      typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value) ? Date.parse(value) : Number.NaN;
    if (Number.isNaN(parsed) || typeof value !== 'string') {
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      reading.fault ??= `parsing time ${JSON.stringify(text)} as "2006-01-02T15:04:05Z07:00": cannot parse ${JSON.stringify(text)} as "2006"`;
      return undefined;
    }
    const seconds = new Date(parsed).toISOString().slice(0, 19);
    const fraction = /\.(\d+)/.exec(value)?.[1] ?? '';
    return digits === 0 ? `${seconds}Z` : `${seconds}.${fraction.padEnd(digits, '0').slice(0, digits)}Z`;
  };
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Bytes, as base64. */
export const bytesReader: Reader = (value, reading, owner) => {
  if (typeof value !== 'string') return mismatch(value, reading, owner, '[]uint8');
  const text = /[\r\n]/.test(value) ? value.replaceAll(/[\r\n]/g, '') : value;
  if (BASE64.test(text)) return text;
  const stranger = /[^A-Za-z0-9+/]/.exec(value)?.index;
  reading.fault ??= `illegal base64 data at input byte ${stranger ?? value.length - (value.length % 4)}`;
  return undefined;
};
