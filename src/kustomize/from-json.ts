import { PLAIN_STYLE, valueNode } from '../golang/index.ts';
import { formatFloat } from './go-text.ts';
import { Scalar, setField, type Mapping, type PlainScalar, type ScalarValue, type Value } from './value.ts';

/** What JSON holds. */
export type Json = null | boolean | number | bigint | string | Json[] | { [key: string]: Json };

/**
 * A value that came through JSON, as kustomize makes nodes of it: every number a float64, strings quoted where the YAML writer quotes
 * them, so that what is put in their place later stays a string.
 */
export function fromJson(value: Json): Value {
  if (typeof value !== 'object' || value === null) return fromJsonScalar(value);
  if (Array.isArray(value)) return value.map(fromJson);
  return fromJsonObject(value);
}

/** {@link fromJson} of an object. */
export function fromJsonObject(value: { [key: string]: Json }): Mapping {
  const result: Mapping = {};
  for (const key of Object.keys(value)) setField(result, key, fromJson(value[key] ?? null));
  return result;
}

function fromJsonScalar(value: PlainScalar): ScalarValue {
  if (typeof value === 'string') return valueNode(value).style === PLAIN_STYLE ? value : new Scalar(value, '!!str', value, true);
  if (typeof value !== 'number' && typeof value !== 'bigint') return value;
  const number = Number(value);
  const text = formatFloat(number);
  return text === String(number) ? number : new Scalar(text, '!!float', number);
}
