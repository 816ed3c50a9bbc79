import { builtInKinds } from './built-in.ts';
import type { ServedKind } from './kind.ts';

/** Every kind the API serves right now: the built-in ones and those of established CRDs. */
export class Catalog {
  readonly #kinds = new Map<string, ServedKind>();
  #revision = 0;

  constructor(kinds: readonly ServedKind[] = builtInKinds()) {
    for (const kind of kinds) this.#kinds.set(keyOf(kind.group, kind.version, kind.plural), kind);
  }

  /** Moves on with every change, so that documents made from the catalog can be cached. */
  get revision(): number {
    return this.#revision;
  }

  /** The kind behind a URL's group, version and plural. */
  resource(group: string, version: string, plural: string): ServedKind | undefined {
    return this.#kinds.get(keyOf(group, version, plural));
  }

  /** The kind an object says it is. */
  kind(group: string, version: string, kind: string): ServedKind | undefined {
    for (const served of this.#kinds.values())
      if (served.group === group && served.version === version && served.kind === kind) return served;
    return undefined;
  }

  all(): ServedKind[] {
    return [...this.#kinds.values()];
  }

  /** Groups with their versions, the preferred one first, in serving order. */
  groups(): Map<string, string[]> {
    const groups = new Map<string, string[]>();
    for (const { group, version } of this.#kinds.values()) {
      const versions = groups.get(group) ?? [];
      if (!versions.includes(version)) versions.push(version);
      groups.set(group, versions);
    }
    return groups;
  }

  /** Replaces what a CRD (by group and plural) serves; an empty list takes it away. */
  serve(group: string, plural: string, kinds: readonly ServedKind[]): void {
    for (const [key, kind] of this.#kinds) if (kind.group === group && kind.plural === plural) this.#kinds.delete(key);
    for (const kind of kinds) this.#kinds.set(keyOf(kind.group, kind.version, kind.plural), kind);
    this.#revision += 1;
  }
}

function keyOf(group: string, version: string, plural: string): string {
  return `${group}/${version}/${plural}`;
}
