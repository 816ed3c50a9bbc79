import { encodeJson, writeYamlV3, type YamlValue } from '../golang/index.ts';
import { composeDocument } from './compose.ts';
import { KustomizeError } from './errors.ts';
import { isCodedError } from '../std/index.ts';
import { lookup } from './lookup.ts';
import { matchPath, setSlot, slotValue, type MadeKind, type Slot } from './path-matcher.ts';
import { toPlain } from './plain.ts';
import { assignScalar, copyValue, isScalar, plainValue, Scalar, tagOf, taggedScalar, textOf, type Mapping, type Value } from './value.ts';

/**
 * Sets a value inside a text that is itself JSON or YAML, such as a file in a ConfigMap: `data.config\.json.a.b`. False when the path
 * does not lead into such a text; then nothing has been changed.
 */
export function setInStructuredText(object: Mapping, path: readonly string[], value: Value, make: MadeKind): boolean {
  const outer = textField(object, path);
  if (outer === undefined) return false;
  const text = textOf(slotValue(outer.slot));
  const root: Value[] = [];
  let slots: Slot[];
  try {
    root.push(composeDocument(text) ?? '');
    slots = matchPath({ holder: root, key: 0 }, outer.rest, make);
    for (const slot of slots) setIn(slot, value);
  } catch (error) {
    // Not structured after all: the path is taken as an ordinary one, and fails there if it must.
    if (isCodedError(error)) return false;
    throw error;
  }
  if (slots.length === 0) return false;
  assignScalar(outer.slot.holder, outer.slot.key, serialize(root[0] ?? null, text));
  return true;
}

/** The first scalar on the way, with the rest of the path that leads into its text. */
function textField(object: Mapping, path: readonly string[]): { slot: Slot; rest: readonly string[] } | undefined {
  for (let length = 1; length < path.length; length++) {
    const found = find(object, path.slice(0, length));
    if (found !== undefined && isScalar(found)) {
      const [slot] = matchPath({ holder: [object], key: 0 }, path.slice(0, length), undefined);
      return slot === undefined ? undefined : { slot, rest: path.slice(length) };
    }
  }
  return undefined;
}

function find(object: Mapping, path: readonly string[]): Value | undefined {
  try {
    return lookup(object, path);
  } catch (error) {
    if (error instanceof KustomizeError) return undefined;
    throw error;
  }
}

function setIn(slot: Slot, value: Value): void {
  const old = slotValue(slot);
  if (!isScalar(old)) return setSlot(slot, copyValue(value));
  const next = taggedScalar(tagOf(old), textOf(value));
  if (!(old instanceof Scalar)) return setSlot(slot, next);
  old.text = textOf(value);
  if (old.tag === '') old.tag = tagOf(next);
  old.value = plainValue(next);
}

/** JSON stays JSON, compact or in lines of two spaces as it was; anything else becomes YAML. */
function serialize(value: Value, original: string): string {
  const first = original.trim().charAt(0);
  const plain: YamlValue = toPlain(value);
  if (first !== '{' && first !== '[') return writeYamlV3(plain, { compactSequences: true }).trim();
  const pretty = original.includes('\n') && original.includes('  ');
  return encodeJson(plain, pretty ? { indent: '  ' } : {});
}
