/**
 * What YAML and JSON hold. Objects are ordinary objects, exactly as `JSON.parse` makes them: every key, also `__proto__` and
 * `constructor`, is an own property. So look names of users up with `Object.hasOwn`, never with `in` or a bare read.
 * A `bigint` appears only where exact numbers were asked for and the integer is beyond 2^53.
 */
export type YamlValue = null | boolean | number | bigint | string | YamlValue[] | YamlObject;

/** A mapping with string keys. */
export type YamlObject = { [key: string]: YamlValue };

/** Sets an own property whatever its name: an assignment to `__proto__` would change the object's prototype. */
export function setEntry(object: YamlObject, key: string, value: YamlValue): void {
  if (key === '__proto__') Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  else object[key] = value;
}

/** True for a mapping: an object that is no array. */
export function isYamlObject(value: unknown): value is YamlObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
