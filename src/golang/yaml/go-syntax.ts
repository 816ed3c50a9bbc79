import { formatG } from '../float-format.ts';
import { quote } from '../quote.ts';
import { compareText } from '../text.ts';
import { timeSyntax, YamlTime } from './timestamp.ts';

/** A map as Go decodes it, with keys of any type. */
export class GoAnyMap extends Map<GoYaml, GoYaml> {
  /** A Map forgets the sign of a zero that is a key; Go does not. */
  #zero = 0;

  override set(key: GoYaml, value: GoYaml): this {
    if (Object.is(key, -0) && !this.has(0)) this.#zero = -0;
    return super.set(key, value);
  }

  override *[Symbol.iterator](): MapIterator<[GoYaml, GoYaml]> {
    for (const [key, value] of super.entries()) yield [key === 0 ? this.#zero : key, value];
  }
}

/** A map as yaml.v3 decodes it when all keys are strings. */
export class GoStringMap extends Map<string, GoYaml> {}

/** A decoded value with Go's types: a bigint is int, int64 or (beyond them) uint64, a number float64. */
export type GoYaml = null | boolean | bigint | number | string | YamlTime | GoYaml[] | GoAnyMap | GoStringMap;

const MAX_INT64 = 2n ** 63n - 1n;

/** The text `%#v` prints for a decoded value. */
export function goSyntax(value: GoYaml): string {
  return value === null ? '<nil>' : typed(value);
}

/** Name of a value's Go type. */
export function goTypeName(value: GoYaml): string {
  if (value === null) return '%!s(<nil>)';
  if (Array.isArray(value)) return '[]interface {}';
  if (value instanceof GoStringMap) return 'map[string]interface {}';
  if (value instanceof GoAnyMap) return 'map[interface {}]interface {}';
  if (value instanceof YamlTime) return 'time.Time';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return 'float64';
  if (typeof value === 'string') return 'string';
  return value > MAX_INT64 ? 'uint64' : 'int';
}

function typed(value: GoYaml): string {
  if (value === null) return 'interface {}(nil)';
  if (Array.isArray(value)) return `[]interface {}{${value.map(typed).join(', ')}}`;
  if (value instanceof Map) {
    const entries = [...(value as Map<GoYaml, GoYaml>)].sort(([a], [b]) => compareKeys(a, b));
    return `${goTypeName(value)}{${entries.map(([key, item]) => `${typed(key)}:${typed(item)}`).join(', ')}}`;
  }
  if (value instanceof YamlTime) return timeSyntax(value);
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return formatG(value);
  if (typeof value === 'string') return quote(value);
  return value > MAX_INT64 ? `0x${value.toString(16)}` : value.toString();
}

/** Kinds in the order Go compares them in a map with keys of several types. */
const TYPE_ORDER = ['%!s(<nil>)', 'string', 'uint64', 'int', 'float64', 'bool', 'time.Time'];

/** The order Go prints a map's entries in. */
function compareKeys(a: GoYaml, b: GoYaml): number {
  const types = TYPE_ORDER.indexOf(goTypeName(a)) - TYPE_ORDER.indexOf(goTypeName(b));
  if (types !== 0) return types;
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if ((typeof a === 'bigint' || typeof a === 'number') && (typeof b === 'bigint' || typeof b === 'number'))
    return a < b ? -1 : a > b ? 1 : 0;
  return 0;
}
