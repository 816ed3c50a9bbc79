import { writeYaml, type YamlObject, type YamlValue } from '../golang/index.ts';
import { KustomizeError } from './errors.ts';
import { isMapping, keyFault, Scalar, setField, type Mapping, type PlainScalar, type Value } from './value.ts';

/** A copy of a value as plain data, as JSON has it. Throws where JSON cannot have it. */
export function toPlain(value: Value): YamlValue {
  if (value instanceof Scalar) return scalarValue(value);
  if (typeof value !== 'object' || value === null) return plainScalarValue(value);
  if (Array.isArray(value)) return value.map(toPlain);
  return toPlainObject(value);
}

/** A copy of a mapping as plain data. */
export function toPlainObject(mapping: Mapping): YamlObject {
  checkKeys(mapping);
  const result: Mapping = {};
  for (const key of Object.keys(mapping)) setField(result, key, toPlain(mapping[key] ?? null));
  return result as YamlObject;
}

/** Makes a mapping plain data where it stands, and returns it. Nothing of it may be used as a {@link Value} afterwards. */
export function makePlain(mapping: Mapping): YamlObject {
  checkKeys(mapping);
  for (const key in mapping) {
    const value = mapping[key];
    if (typeof value === 'string') continue;
    if (value instanceof Scalar) setField(mapping, key, scalarValue(value));
    else if (Array.isArray(value)) makeListPlain(value);
    else if (isMapping(value)) makePlain(value);
    else plainScalarValue(value ?? null);
  }
  return mapping as YamlObject;
}

function makeListPlain(list: Value[]): void {
  for (let i = 0; i < list.length; i++) {
    const value = list[i];
    if (typeof value === 'string') continue;
    if (value instanceof Scalar) list[i] = scalarValue(value);
    else if (Array.isArray(value)) makeListPlain(value);
    else if (isMapping(value)) makePlain(value);
    else plainScalarValue(value ?? null);
  }
}

function scalarValue({ value, problem }: Scalar): PlainScalar {
  if (problem !== undefined) throw new KustomizeError('ResourceInvalid', `map[string]interface {}(nil): ${problem}`);
  return plainScalarValue(value);
}

function plainScalarValue(value: PlainScalar): PlainScalar {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    const text = Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
    throw new KustomizeError('ResourceInvalid', `json: unsupported value: ${text}`);
  }
  return value;
}

function checkKeys(mapping: Mapping): void {
  const fault = keyFault(mapping);
  if (fault !== undefined) throw new KustomizeError('ResourceInvalid', `map[string]interface {}(nil): ${fault.message}`);
}

/** The text of an object as kustomize prints it. */
export function objectText(object: Mapping): string {
  return writeYaml(toPlainObject(object));
}

type NodeKind = 'SequenceNode' | 'MappingNode' | 'ScalarNode';

/** kyaml's name for the shape of a value. */
export function nodeKind(value: Value): NodeKind {
  if (Array.isArray(value)) return 'SequenceNode';
  return isMapping(value) ? 'MappingNode' : 'ScalarNode';
}

/** kyaml's error for a value of another shape than expected. */
export function wrongKind(expected: NodeKind, value: Value): KustomizeError {
  const message = `wrong node kind: expected ${expected} but got ${nodeKind(value)}: node contents:\n${writeYaml(toPlain(value))}`;
  return new KustomizeError('TransformFailed', message);
}
