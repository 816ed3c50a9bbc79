import { composeDocument } from './compose.ts';
import { KustomizeError } from './errors.ts';
import { isElementPart, isIndexPart, splitElementPart } from './lookup.ts';
import { wrongKind } from './plain.ts';
import { compile } from './regular-expression.ts';
import {
  field,
  isMapping,
  isNull,
  isScalar,
  isSequence,
  Scalar,
  setField,
  textOf,
  type Mapping,
  type Sequence,
  type Value,
} from './value.ts';

/** A place in an object where a value stands. */
export type Slot = { readonly holder: Mapping | Sequence; readonly key: string | number };

/** The value in a slot. */
export function slotValue({ holder, key }: Slot): Value {
  return (Array.isArray(holder) ? holder[Number(key)] : field(holder, String(key))) ?? null;
}

/** Puts a value into a slot. */
export function setSlot({ holder, key }: Slot, value: Value): void {
  if (Array.isArray(holder)) holder[Number(key)] = value;
  else setField(holder, String(key), value);
}

/** What is made where a path leads to nothing; undefined: nothing is. */
export type MadeKind = 'scalar' | 'mapping' | 'sequence' | undefined;

/**
 * Finds every value a path names: fields, indices, `*` for all elements, `[name=pattern]` for those whose field a regular expression
 * fits somewhere, `[=pattern]` likewise for scalars. Makes what is missing if asked to. Throws where a part does not fit.
 */
export function matchPath(slot: Slot, path: readonly string[], make: MadeKind): Slot[] {
  const found: Slot[] = [];
  new Matcher(make, found).match(slot, path);
  return found;
}

class Matcher {
  readonly #make: MadeKind;
  readonly #found: Slot[];

  constructor(make: MadeKind, found: Slot[]) {
    this.#make = make;
    this.#found = found;
  }

  match(slot: Slot, path: readonly string[]): void {
    const [part, ...rest] = path;
    if (part === undefined) this.#found.push(slot);
    else if (isIndexPart(part)) this.#matchIndex(slot, Number(part), rest);
    else if (isElementPart(part)) this.#matchElements(elementsOf(slot), part, rest);
    else if (part === '*') elementsOf(slot).forEach((_, i, list) => this.match({ holder: list, key: i }, rest));
    else this.#matchField(slot, part, rest);
  }

  #matchField(slot: Slot, name: string, rest: readonly string[]): void {
    const value = slotValue(slot);
    if (!isMapping(value) && !isNull(value)) throw wrongKind('MappingNode', value);
    // kyaml hangs what it makes below a null on that null, where it is never printed.
    const mapping: Mapping = isMapping(value) ? value : {};
    let child = field(mapping, name);
    if (child === undefined) {
      if (this.#make === undefined) return;
      child = this.#made(rest[0]);
      setField(mapping, name, child);
    }
    if (isScalar(child) && rest.length > 0) this.#matchInText(child, rest);
    else this.match({ holder: mapping, key: name }, rest);
  }

  /** A scalar that goes on as a path is read as YAML; what is found in it is detached from the object. */
  #matchInText(scalar: Value, rest: readonly string[]): void {
    if (isNull(scalar)) return this.match({ holder: [scalar], key: 0 }, rest);
    const document = composeDocument(textOf(scalar));
    if (document === undefined) throw wrongKind('MappingNode', '');
    this.match({ holder: [document], key: 0 }, rest);
  }

  #matchIndex(slot: Slot, index: number, rest: readonly string[]): void {
    const list = elementsOf(slot);
    if (list.length === index && this.#make !== undefined) list.push(this.#made(rest[0]));
    if (index >= list.length) {
      throw new KustomizeError('ReplacementFailed', `index ${index} specified but only ${list.length} elements found`);
    }
    this.match({ holder: list, key: index }, rest);
  }

  #matchElements(list: Sequence, part: string, rest: readonly string[]): void {
    const { name, value: pattern } = splitElementPart(part);
    const fits = compile(pattern);
    const before = this.#found.length;
    for (let i = 0; i < list.length; i++) {
      const element = list[i] ?? null;
      if (name === '') {
        if (fits(written(element))) this.#found.push({ holder: list, key: i });
        continue;
      }
      const value = isMapping(element) ? field(element, name) : undefined;
      if (value !== undefined && fits(written(value))) this.match({ holder: list, key: i }, rest);
    }
    if (this.#found.length > before || this.#make === undefined) return;
    const made: Mapping = {};
    setField(made, name, pattern);
    list.push(name === '' ? pattern : made);
    if (fits(pattern)) this.#matchElements(list, part, rest);
  }

  #made(next: string | undefined): Value {
    if (next === undefined) return emptyOf(this.#make);
    return isElementPart(next) || isIndexPart(next) ? [] : {};
  }
}

/** A new value of a kind. A scalar has no tag: what is put into it is read as if it stood there plain. */
function emptyOf(kind: MadeKind): Value {
  if (kind === 'sequence') return [];
  return kind === 'mapping' ? {} : new Scalar('', '', '');
}

function elementsOf(slot: Slot): Sequence {
  const value = slotValue(slot);
  if (isSequence(value)) return value;
  if (isNull(value)) return [];
  throw wrongKind('SequenceNode', value);
}

/** The text of a value as it is written in YAML. */
function written(value: Value): string {
  if (!isScalar(value)) return JSON.stringify(value);
  return value instanceof Scalar && value.quoted ? JSON.stringify(value.text) : textOf(value);
}
