import type { Json } from '../fields/index.ts';

/** JSON whose integers a JavaScript number cannot hold are bigints: an int64 comes back as it was written. */
export function readJson(text: string): Json {
  // Reading with a reviver is slow, and long digits are rare.
  return (LONG_DIGITS.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text)) as Json;
}

/** Writes what {@link readJson} reads; `undefined` fields are left out. */
export function writeJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    // Only a bigint is a TypeError here: what the API holds has no cycles.
    if (!(error instanceof TypeError)) throw error;
    return withBigints(value) ?? 'null';
  }
}

const LONG_DIGITS = /\d{16}/;
const INTEGER = /^-?\d+$/;

function keepDigits(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source;
  return source !== undefined && INTEGER.test(source) ? BigInt(source) : value;
}

function withBigints(value: unknown): string | undefined {
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return `[${value.map((item) => withBigints(item) ?? 'null').join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields: string[] = [];
  for (const [key, field] of Object.entries(value)) {
    const text = withBigints(field);
    if (text !== undefined) fields.push(`${JSON.stringify(key)}:${text}`);
  }
  return `{${fields.join(',')}}`;
}
