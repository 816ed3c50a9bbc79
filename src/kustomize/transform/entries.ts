import { fieldSpecs, type FieldSpec } from '../field-spec.ts';
import { wrongKind } from '../plain.ts';
import type { ResourceList } from '../resource-list.ts';
import { assignScalar, field, isMapping, isNull, isScalar, Scalar, setField, type Mapping, type Value } from '../value.ts';

/** Sets labels or annotations in every field the specs name. */
export function setEntries(list: ResourceList, entries: ReadonlyMap<string, string>, specs: readonly FieldSpec[]): void {
  if (entries.size === 0) return;
  const keys = [...entries.keys()].sort();
  const ready = fieldSpecs(specs);
  for (const resource of list.items) {
    const setter = new EntrySetter(entries, keys);
    ready.visit(resource.object, resource.id, 'mapping', (value) => setter.set(value));
  }
}

/** Sets the entries in the fields of one resource. A new entry is one scalar in all of them, as in kustomize. */
class EntrySetter {
  readonly #entries: ReadonlyMap<string, string>;
  readonly #keys: readonly string[];
  readonly #added = new Map<string, Scalar>();

  constructor(entries: ReadonlyMap<string, string>, keys: readonly string[]) {
    this.#entries = entries;
    this.#keys = keys;
  }

  set(target: Value): void {
    if (isNull(target)) return;
    if (!isMapping(target)) throw wrongKind('MappingNode', target);
    for (const key of this.#keys) this.#setOne(target, key, this.#entries.get(key) ?? '');
  }

  #setOne(target: Mapping, key: string, text: string): void {
    const old = field(target, key);
    if (old === undefined) {
      let added = this.#added.get(key);
      if (added === undefined) {
        added = new Scalar(text, '!!str', text);
        this.#added.set(key, added);
      }
      setField(target, key, added);
    } else if (isScalar(old)) {
      assignScalar(target, key, text);
    } else {
      setField(target, key, text);
    }
  }
}
