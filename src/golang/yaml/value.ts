/**
 * What YAML and JSON hold. Objects are ordinary objects, exactly as `JSON.parse` makes them: every key, also `__proto__` and
 * `constructor`, is an own property. So look names of users up with `Object.hasOwn`, never with `in` or a bare read.
 * A `bigint` appears only where exact numbers were asked for and the integer is beyond 2^53.
 */
export type YamlValue = null | boolean | number | bigint | string | YamlValue[] | YamlObject;

/** A mapping with string keys. */
export type YamlObject = { [key: string]: YamlValue };
