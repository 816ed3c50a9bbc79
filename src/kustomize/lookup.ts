import { KustomizeError } from './errors.ts';
import { splitPath } from './field-spec.ts';
import { findElement } from './patch/merge-keys.ts';
import { wrongKind } from './plain.ts';
import { field, isMapping, isMissing, isSequence, type Value } from './value.ts';

/** Splits a path at delimiters that are neither escaped nor in brackets; brackets without `=` go away. */
export function smarterSplitPath(path: string, delimiter: string): string[] {
  const result: string[] = [];
  const parts = splitPath(path, delimiter);
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] ?? '';
    if (!part.startsWith('[') || part.endsWith(']')) {
      result.push(part);
      continue;
    }
    const bracketed = [part];
    while (i < parts.length - 1) {
      i += 1;
      bracketed.push(parts[i] ?? '');
      if (parts[i]?.endsWith(']') === true) break;
    }
    const joined = bracketed.join(delimiter);
    result.push(joined.includes('=') ? joined : joined.replace(/^[[\]]+|[[\]]+$/g, ''));
  }
  return result;
}

/** A part of a path that names an element of a list: `[name=value]` or `[=value]`. */
export function isElementPart(part: string): boolean {
  return part.startsWith('[') && part.endsWith(']');
}

export function isIndexPart(part: string): boolean {
  return /^\+?\d+$/.test(part);
}

/** Field and value of `[name=value]`. */
export function splitElementPart(part: string): { name: string; value: string } {
  const inner = part.replace(/\]$/, '').replace(/^\[/, '');
  const equals = inner.indexOf('=');
  if (equals < 0) {
    throw new KustomizeError('TransformFailed', 'list path element must contain fieldName=fieldValue for element to match');
  }
  return { name: inner.slice(0, equals), value: inner.slice(equals + 1) };
}

/** The value at a path; undefined when there is none. Throws when a part does not fit what it is applied to. */
export function lookup(value: Value, path: readonly string[]): Value | undefined {
  let current: Value = value;
  for (const part of path.map((each) => each.trim()).filter((each) => each !== '')) {
    const next = lookupPart(current, part);
    if (next === undefined) return undefined;
    current = next;
  }
  return current;
}

function lookupPart(value: Value, part: string): Value | undefined {
  if (/^[-+]?\d+$/.test(part)) {
    const index = Number(part);
    if (index < 0) throw new KustomizeError('TransformFailed', `array index ${index} cannot be negative`);
    return elements(value)[index];
  }
  if (part === '-') return elements(value).at(-1);
  if (part === '*') throw new KustomizeError('TransformFailed', 'wildcard is not supported in PathGetter');
  if (isElementPart(part)) {
    const { name, value: wanted } = splitElementPart(part);
    return findElement(elements(value), [name], [wanted]);
  }
  if (isMissing(value)) return undefined;
  if (!isMapping(value)) throw wrongKind('MappingNode', value);
  return field(value, part);
}

function elements(value: Value): readonly Value[] {
  if (isMissing(value)) return [];
  if (!isSequence(value)) throw wrongKind('SequenceNode', value);
  return value;
}
