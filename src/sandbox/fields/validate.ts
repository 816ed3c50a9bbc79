import { effectiveType, fieldType, FieldsError, isList, isMap, itemElement, type Json, type ListType, type MapType } from './element.ts';
import { formatPath, type PathElement } from './field-set.ts';
import type { FieldType, ScalarType } from './field-type.ts';
import { goSyntax, goText, goTypeOf } from './go-text.ts';

/** Most faults listed of one object. */
export const FIELD_FAULTS_LIMIT = 100;

type Fault = { path: string; message: string };

/**
 * What is wrong with a value by its type, in structured-merge-diff's words; undefined when nothing is. Fields that are not declared,
 * values of another shape, items of keyed lists and sets that come twice.
 */
export function fieldFaults(type: FieldType, value: Json): string | undefined {
  const faults: Fault[] = [];
  walk(type, value, [], faults);
  const texts = faults.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  return texts.length > 1 ? ['errors:', ...texts.map((text) => `  ${text}`)].join('\n') : texts[0];
}

function walk(declared: FieldType, value: Json, path: PathElement[], faults: Fault[]): void {
  if (value === null || faults.length >= FIELD_FAULTS_LIMIT) return;
  const type = effectiveType(declared, value);
  const say = (message: string): void => {
    faults.push({ path: formatPath(path), message });
  };
  switch (type.kind) {
    case 'map':
      if (isMap(value)) walkMap(type, value, path, faults);
      else say(`expected map, got &{${goText(value)}}`);
      return;
    case 'list':
      if (isList(value)) walkList(type, value, path, faults);
      else say(`expected list, got &{${goText(value)}}`);
      return;
    case 'scalar': {
      const message = scalarFault(type.of, value);
      if (message !== undefined) say(message);
      return;
    }
    case 'any':
  }
}

function scalarFault(of: ScalarType, value: Json): string | undefined {
  const isNumber = typeof value === 'number' || typeof value === 'bigint';
  switch (of) {
    case 'string':
      return typeof value === 'string' ? undefined : `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`;
    case 'numeric':
      return isNumber ? undefined : `expected numeric (int or float), got ${goTypeOf(value)}`;
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `expected boolean, got &{${goText(value)}}`;
    case 'untyped':
      return typeof value === 'object' ? `expected any scalar, got &{${goText(value)}}` : undefined;
  }
}

function walkMap(type: MapType, value: { readonly [key: string]: Json }, path: PathElement[], faults: Fault[]): void {
  for (const key of Object.keys(value)) {
    path.push(`f:${key}`);
    const isDeclared = type.fields.has(key) || type.values !== undefined;
    if (isDeclared) walk(fieldType(type, key), value[key] ?? null, path, faults);
    else faults.push({ path: formatPath(path), message: 'field not declared in schema' });
    path.pop();
    // The real walk ends at the first unknown field of a map as well.
    if (!isDeclared) return;
  }
}

function walkList(type: ListType, value: readonly Json[], path: PathElement[], faults: Fault[]): void {
  const seen = new Set<PathElement>();
  for (const [i, item] of value.entries()) {
    const element = type.merge === 'atomic' ? `i:${i}` : elementOf(type, item, i, path, faults);
    if (element === undefined) return;
    if (seen.has(element)) faults.push({ path: formatPath(path), message: `duplicate entries for key ${formatPath([element])}` });
    seen.add(element);
    path.push(element);
    walk(type.items(), item, path, faults);
    path.pop();
  }
}

function elementOf(type: ListType, item: Json, i: number, path: PathElement[], faults: Fault[]): PathElement | undefined {
  try {
    return itemElement(type, item, '');
  } catch (error) {
    if (!(error instanceof FieldsError)) throw error;
    faults.push({ path: formatPath(path), message: `element ${i}: ${error.message}` });
    return undefined;
  }
}
