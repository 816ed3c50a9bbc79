import { formatFloat } from '../float-format.ts';
import { compareText, toValidText } from '../text.ts';
import { YamlError } from './error.ts';
import { GoAnyMap, goSyntax, GoStringMap, goTypeName, type GoYaml } from './go-syntax.ts';
import { YamlTime } from './timestamp.ts';
import { setEntry, type YamlObject, type YamlValue } from './value.ts';

/** How numbers come out: all as float64, or integers beyond 2^53 as bigints. */
export type Numbers = 'float64' | 'exact';

/** As {@link Numbers}, and `go`: a bigint is a Go integer, a number a float64. */
type NumberForm = Numbers | 'go';

const MAX_INT64 = 2n ** 63n - 1n;

/** The number a Go integer becomes on its way through JSON. */
export function plainInteger(value: bigint, numbers: Numbers): number | bigint {
  const number = Number(value);
  return numbers === 'float64' || Number.isSafeInteger(number) ? number : value;
}

/** What sigs.k8s.io/yaml's YAMLToJSON and json.Unmarshal make of a decoded v2 value. */
export function plainV2(value: GoYaml, numbers: Numbers): YamlValue {
  const plain = convert(value, numbers, keyText);
  checkNumbers(value, keyText);
  return plain;
}

/** What json.Marshal and json.Unmarshal make of a decoded v3 value: times are RFC 3339, a key that is no string is an error. */
export function plainV3(value: GoYaml, numbers: Numbers): YamlValue {
  checkNumbers(value, String);
  return convert(value, numbers, String);
}

/** A decoded v2 value for the emitter, which tells integers from floats. */
export function emittable(value: GoYaml): YamlValue {
  return convert(value, 'go', keyText);
}

function convert(value: GoYaml, numbers: NumberForm, keyOf: (key: GoYaml, value: GoYaml) => string): YamlValue {
  if (typeof value === 'string') return toValidText(value);
  if (typeof value === 'bigint') return numbers === 'go' ? value : plainInteger(value, numbers);
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return value;
  if (Array.isArray(value)) return value.map((item) => convert(item, numbers, keyOf));
  if (value instanceof YamlTime) return value.text;
  const object: YamlObject = {};
  for (const [key, item] of value as Map<GoYaml, GoYaml>) setEntry(object, toValidText(keyOf(key, item)), convert(item, numbers, keyOf));
  return object;
}

/** The JSON key of a YAML key (sigs.k8s.io/yaml convertToJSONableObject): floats as if they had 32 bits. */
function keyText(key: GoYaml, value: GoYaml): string {
  if (typeof key === 'string') return key;
  if (typeof key === 'boolean') return String(key);
  if (typeof key === 'bigint' && key <= MAX_INT64) return key.toString();
  if (typeof key === 'number') {
    const text = formatFloat(Math.fround(key), 'g', -1, 32);
    return text === '+Inf' ? '.inf' : text === '-Inf' ? '-.inf' : text === 'NaN' ? '.nan' : text;
  }
  throw new YamlError(`unsupported map key of type: ${goTypeName(key)}, key: ${goSyntax(key)}, value: ${goSyntax(value)}`);
}

/** Throws what json.Marshal says of the first value, in the order of its keys, that JSON cannot hold. */
function checkNumbers(value: GoYaml, keyOf: (key: GoYaml, value: GoYaml) => string): void {
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return;
    throw new YamlError(`json: unsupported value: ${Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'}`);
  }
  if (Array.isArray(value)) {
    for (const item of value) checkNumbers(item, keyOf);
  } else if (value instanceof YamlTime) {
    if (value.zoneHours > 23) {
      throw new YamlError('json: error calling MarshalJSON for type time.Time: Time.MarshalJSON: timezone hour outside of range [0,23]');
    }
  } else if (value instanceof GoAnyMap && keyOf !== keyText) {
    throw new YamlError('json: unsupported type: map[interface {}]interface {}');
  } else if (value instanceof GoAnyMap || value instanceof GoStringMap) {
    const entries = [...(value as Map<GoYaml, GoYaml>)].map(([key, item]) => ({ key: keyOf(key, item), item }));
    for (const { item } of entries.sort((a, b) => compareText(a.key, b.key))) checkNumbers(item, keyOf);
  }
}
