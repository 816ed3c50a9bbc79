import { KustomizeError } from './errors.ts';
import { effectiveNamespace, formatId, idKey, type ResId } from './gvk.ts';
import type { Resource } from './resource.ts';

/** Resources in the order they were loaded, found by identity without looking at all of them. */
export class ResourceList {
  #items: Resource[];
  #current: Map<string, Resource[]> | undefined;
  #any: Map<string, Resource[]> | undefined;

  constructor(items: Resource[] = []) {
    this.#items = items;
  }

  get items(): readonly Resource[] {
    return this.#items;
  }

  get size(): number {
    return this.#items.length;
  }

  /** Adds a resource; throws when one of the same identity is there. */
  append(resource: Resource): void {
    const { id } = resource;
    const key = idKey(id);
    const current = this.#byCurrentId();
    if (current.has(key)) {
      throw new KustomizeError('ResourceConflict', `may not add resource with an already registered id: ${formatId(id)}`, {
        subject: formatId(id),
        remedy: 'name each resource once, or patch the one that is there',
      });
    }
    this.#items.push(resource);
    current.set(key, [resource]);
    this.#any = undefined;
  }

  appendAll(resources: readonly Resource[]): void {
    for (const resource of resources) this.append(resource);
  }

  /** Replaces all resources; throws when two are of one identity. */
  reset(resources: readonly Resource[]): void {
    this.#items = [];
    this.invalidate();
    this.appendAll(resources);
  }

  /** Replaces all resources without looking at their identities. */
  setItems(resources: Resource[]): void {
    this.#items = resources;
    this.invalidate();
  }

  /** Puts a resource in the place of another. */
  replace(old: Resource, resource: Resource): void {
    this.#items[this.#items.indexOf(old)] = resource;
    this.invalidate();
  }

  /** Tells the list that identities have changed. */
  invalidate(): void {
    this.#current = undefined;
    this.#any = undefined;
  }

  /** The resources whose identity now is `id`. */
  withCurrentId(id: ResId): readonly Resource[] {
    return this.#byCurrentId().get(idKey(id)) ?? [];
  }

  /** The resources whose identity is or was `id`. */
  withAnyId(id: ResId): readonly Resource[] {
    return this.#byAnyId().get(idKey(id)) ?? [];
  }

  /** The one resource whose identity is or was `id`; throws when there is none or there are several. */
  oneWithAnyId(id: ResId): Resource {
    const found = this.withAnyId(id);
    const [first] = found;
    if (first !== undefined && found.length === 1) return first;
    const text = formatId(id);
    const count = first === undefined ? 'no matches' : 'multiple matches';
    throw new KustomizeError('PatchFailed', `${count} for Id ${text}; failed to find unique target for patch ${text}`, { subject: text });
  }

  #byCurrentId(): Map<string, Resource[]> {
    this.#current ??= groupBy(this.#items, (resource) => [resource.id]);
    return this.#current;
  }

  #byAnyId(): Map<string, Resource[]> {
    this.#any ??= groupBy(this.#items, (resource) => [...resource.previousIds, resource.id]);
    return this.#any;
  }
}

function groupBy(items: readonly Resource[], idsOf: (resource: Resource) => readonly ResId[]): Map<string, Resource[]> {
  const groups = new Map<string, Resource[]>();
  for (const resource of items) {
    if (resource.removed) continue;
    for (const id of idsOf(resource)) {
      const key = idKey(id);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [resource]);
      else if (group.at(-1) !== resource) group.push(resource);
    }
  }
  return groups;
}

/** The resources of each namespace, by the identities `idOf` gives; cluster-scoped ones are left out. */
export function byNamespace(items: readonly Resource[], idOf: (resource: Resource) => ResId): Map<string, Resource[]> {
  const groups = new Map<string, Resource[]>();
  for (const resource of items) {
    const namespace = effectiveNamespace(idOf(resource));
    const group = groups.get(namespace);
    if (group === undefined) groups.set(namespace, [resource]);
    else group.push(resource);
  }
  groups.delete('_non_namespaceable_');
  return groups;
}
