import type { KubeObject } from '../manifest/index.ts';
import { cloneJson, equalJson, isRecord, setAt } from './json.ts';

const NOT_DECLARED = /(\.[^\s:]*(?:\[[^\]]*\][^\s:]*)*): field not declared in schema/g;

/** The field paths a failed server-side apply calls undeclared, such as `.spec.containers[name="web"].colour`. */
export function undeclaredFields(serverMessage: string): string[] {
  return [...serverMessage.matchAll(NOT_DECLARED)].flatMap(([, path]) => (path === undefined ? [] : [path]));
}

/**
 * A copy of the object without the fields at such paths; undefined when none of them is there.
 * Flux drops fields of Kubernetes' own kinds it does not know without a word; we drop them too, and say so.
 */
export function withoutFields(object: KubeObject, paths: readonly string[]): KubeObject | undefined {
  const copy = cloneJson(object);
  let found = false;
  for (const path of paths) {
    const segments = resolvePath(copy, path);
    if (segments === undefined) continue;
    setAt(copy, segments, undefined);
    found = true;
  }
  return found ? copy : undefined;
}

const ELEMENT = /\.([^.[\]]+)|\[([^\]]*)\]/y;

/** Turns a field path of structured-merge-diff into plain segments, looking list items up by their keys. */
function resolvePath(root: unknown, path: string): string[] | undefined {
  const segments: string[] = [];
  const element = new RegExp(ELEMENT.source, 'y');
  let value = root;
  while (element.lastIndex < path.length) {
    const match = element.exec(path);
    if (match === null) return undefined;
    const segment = match[1] ?? findItem(value, match[2] ?? '');
    if (segment === undefined) return undefined;
    segments.push(segment);
    value = Array.isArray(value) ? value[Number(segment)] : isRecord(value) ? value[segment] : undefined;
    if (value === undefined) return undefined;
  }
  return segments;
}

/** `0` or `name="web"` or `containerPort=80,protocol="TCP"` in a list. */
function findItem(list: unknown, key: string): string | undefined {
  if (!Array.isArray(list)) return undefined;
  if (/^\d+$/.test(key)) return key;
  const wanted = [...key.matchAll(/([^=,]+)=("(?:[^"\\]|\\.)*"|[^,]*)/g)].map(
    ([, name = '', value = '']) => [name, parseValue(value)] as const,
  );
  const index = list.findIndex((item) => isRecord(item) && wanted.every(([name, value]) => equalJson(item[name], value)));
  return index < 0 ? undefined : String(index);
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A value the server writes without quotes is text.
    return text;
  }
}
