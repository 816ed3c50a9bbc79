import { encodeJson, newNode, nodeValue, readResourceNodes, writeNode, type YamlNode } from '../golang/index.ts';
import { isCodedError } from '../std/index.ts';
import type { Spend } from './build-context.ts';
import { lookup } from './lookup.ts';
import { matchNodes } from './node-matcher.ts';
import { matchPath, slotValue, type MadeKind, type Slot } from './path-matcher.ts';
import { assignScalar, isMapping, isScalar, tagOf, textOf, weightOfText, type Mapping, type Value } from './value.ts';

/**
 * Sets a value inside a text that is itself JSON or YAML, such as a file in a ConfigMap: `data.config\.json.a.b`. The rest of the text is
 * written again as kustomize does: JSON sorted, YAML with its comments and styles. False when the path does not lead into such a text;
 * then nothing has been changed.
 */
export function setInStructuredText(object: Mapping, path: readonly string[], value: Value, make: MadeKind, spend: Spend): boolean {
  const outer = textField(object, path);
  if (outer === undefined) return false;
  const text = textOf(slotValue(outer.slot));
  spend(weightOfText(text));
  const written = attempt(() => rewrite(text, outer.rest, value, make));
  if (written === undefined) return false;
  assignScalar(outer.slot.holder, outer.slot.key, written);
  return true;
}

/** The first scalar on the way, with the rest of the path that leads into its text. */
function textField(object: Mapping, path: readonly string[]): { slot: Slot; rest: readonly string[] } | undefined {
  for (let length = 1; length < path.length; length++) {
    const start = path.slice(0, length);
    const found = attempt(() => lookup(object, start));
    if (found === undefined || !isScalar(found)) continue;
    const [slot] = matchPath({ holder: [object], key: 0 }, start, undefined);
    return slot === undefined ? undefined : { slot, rest: path.slice(length) };
  }
  return undefined;
}

/** What `work` gives; undefined where the text or path does not fit: it is no structured text then, and the path an ordinary one. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (isCodedError(error) && error.code !== 'LimitExceeded') return undefined;
    throw error;
  }
}

function rewrite(text: string, path: readonly string[], value: Value, make: MadeKind): string | undefined {
  const [document, ...more] = readResourceNodes(text);
  if (document === undefined || more.length > 0) return undefined;
  const nodes = matchNodes(document, path, make);
  if (nodes.length === 0) return undefined;
  for (const node of nodes) {
    if (node.kind === 'scalar') node.value = textOf(value);
    else Object.assign(node, toNode(value));
  }
  return serialize(document, text);
}

/** JSON stays JSON, compact or in lines of two spaces as it was; anything else becomes YAML. */
function serialize(document: YamlNode, original: string): string {
  const first = original.trim().charAt(0);
  if (first !== '{' && first !== '[') return writeNode(document).trim();
  const pretty = original.includes('\n') && original.includes('  ');
  return encodeJson(nodeValue(document), pretty ? { indent: '  ' } : {});
}

/** A value as a node. */
export function toNode(value: Value): YamlNode {
  if (Array.isArray(value)) {
    const list = newNode('sequence', '!!seq', '');
    list.content.push(...value.map(toNode));
    return list;
  }
  if (!isMapping(value)) return newNode('scalar', tagOf(value), textOf(value));
  const mapping = newNode('mapping', '!!map', '');
  for (const key of Object.keys(value)) mapping.content.push(newNode('scalar', '!!str', key), toNode(value[key] ?? null));
  return mapping;
}
