/** What an expression may see: JSON, with 64-bit integers as `bigint`. */
export type CelValue = null | boolean | bigint | number | string | Uint8Array | CelValue[] | Map<string, CelValue>;

/** How large a converted value is: what the cost of an expression over it is judged by. */
export type Extent = {
  /** Values in all. */
  values: number;
  /** Elements of its longest list or map. */
  longest: number;
  /** UTF-16 units of its longest text. */
  longestText: number;
};

/** Values nested deeper are refused. */
const DEPTH_LIMIT = 200;

/**
 * Converts JSON-like data for CEL: integers become `int` (a double has no integer arithmetic in CEL), objects become maps (whose keys cannot
 * be mistaken for JavaScript's own properties).
 * @throws RangeError deeper than 200 levels
 */
export function toCelValue(value: unknown, extent: Extent, depth = 0): CelValue {
  extent.values++;
  if (typeof value === 'string') extent.longestText = Math.max(extent.longestText, value.length);
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint' || value instanceof Uint8Array) return value;
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (typeof value !== 'object' || value === null) return null;
  if (depth >= DEPTH_LIMIT) throw new RangeError(`deeper than ${DEPTH_LIMIT} levels`);
  return Array.isArray(value) ? toList(value, extent, depth) : toMap(value, extent, depth);
}

function toList(list: readonly unknown[], extent: Extent, depth: number): CelValue[] {
  extent.longest = Math.max(extent.longest, list.length);
  return list.map((item) => toCelValue(item, extent, depth + 1));
}

function toMap(object: object, extent: Extent, depth: number): CelValue {
  const entries = Object.entries(object);
  const [first] = entries;
  // JSON.rawJSON, which the Kubernetes client gives for integers beyond 2^53.
  if (entries.length === 1 && first?.[0] === 'rawJSON' && Object.isFrozen(object)) return BigInt(String(first[1]));
  extent.longest = Math.max(extent.longest, entries.length);
  return new Map(entries.filter(([, item]) => item !== undefined).map(([key, item]) => [key, toCelValue(item, extent, depth + 1)]));
}
