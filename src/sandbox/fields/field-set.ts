/**
 * One step of a path into an object, as `fieldsV1` writes it: `f:name` a field, `k:{"name":"x"}` an item of a keyed list,
 * `v:"x"` an item of a set, `i:0` a position. Keys inside `k:` are sorted, so equal elements are equal strings.
 */
export type PathElement = string;

/** How deep a set read from a request may be. */
export const FIELD_SET_DEPTH_LIMIT = 200;

/** A set of field paths: which elements are members at this level, and the sets below elements. Never changed once shared. */
export class FieldSet {
  readonly members: Set<PathElement>;
  readonly children: Map<PathElement, FieldSet>;
  #json: Readonly<Record<string, unknown>> | undefined;

  constructor(members: Set<PathElement> = new Set(), children: Map<PathElement, FieldSet> = new Map()) {
    this.members = members;
    this.children = children;
  }

  get isEmpty(): boolean {
    if (this.members.size > 0) return false;
    for (const child of this.children.values()) if (!child.isEmpty) return false;
    return true;
  }

  /** Adds a path to this very set; only for a set still being built. */
  insert(path: readonly PathElement[], from = 0): void {
    const first = path[from];
    if (first === undefined) return;
    if (from === path.length - 1) {
      this.members.add(first);
      return;
    }
    let child = this.children.get(first);
    if (child === undefined) this.children.set(first, (child = new FieldSet()));
    child.insert(path, from + 1);
  }

  /** The set below an element; an empty one when there is none. */
  below(element: PathElement): FieldSet {
    return this.children.get(element) ?? EMPTY;
  }

  union(other: FieldSet): FieldSet {
    if (other.isEmpty) return this;
    if (this.isEmpty) return other;
    const children = new Map(this.children);
    for (const [element, child] of other.children) {
      const mine = children.get(element);
      children.set(element, mine === undefined ? child : mine.union(child));
    }
    return new FieldSet(new Set([...this.members, ...other.members]), children);
  }

  intersection(other: FieldSet): FieldSet {
    const members = new Set([...this.members].filter((element) => other.members.has(element)));
    return new FieldSet(
      members,
      combine(this, (element, child) => child.intersection(other.below(element))),
    );
  }

  /** What is in this set and not in `other`, path by path. */
  difference(other: FieldSet): FieldSet {
    if (other.isEmpty) return this;
    return this.#without(
      other,
      combine(this, (element, child) => child.difference(other.below(element))),
    );
  }

  /** As {@link difference}, but a member of `other` also takes away everything below it. */
  recursiveDifference(other: FieldSet): FieldSet {
    if (other.isEmpty) return this;
    const children = combine(this, (element, child) =>
      other.members.has(element) ? EMPTY : child.recursiveDifference(other.below(element)),
    );
    return this.#without(other, children);
  }

  /** This set without the members of another and with other children; itself when that changes nothing. */
  #without(other: FieldSet, children: Map<PathElement, FieldSet>): FieldSet {
    let same = children.size === this.children.size;
    if (same) for (const [element, child] of children) same &&= this.children.get(element) === child;
    for (const element of this.members) same &&= !other.members.has(element);
    return same ? this : new FieldSet(new Set([...this.members].filter((element) => !other.members.has(element))), children);
  }

  equals(other: FieldSet): boolean {
    return this.difference(other).isEmpty && other.difference(this).isEmpty;
  }

  /** Every member's path. */
  *paths(prefix: readonly PathElement[] = []): Generator<readonly PathElement[]> {
    for (const element of this.members) yield [...prefix, element];
    for (const [element, child] of this.children) yield* child.paths([...prefix, element]);
  }

  /** The `fieldsV1` form; the same value each time. Only for a set that is finished. */
  toJson(): Readonly<Record<string, unknown>> {
    if (this.#json === undefined) {
      this.#json = this.#written();
      readBefore.set(this.#json, this);
    }
    return this.#json;
  }

  #written(): Record<string, unknown> {
    const out: Record<string, unknown> = {};
    for (const element of [...new Set([...this.members, ...this.children.keys()])].sort(compareElements)) {
      const child = this.children.get(element);
      const below = child === undefined || child.isEmpty ? {} : child.toJson();
      if (this.members.has(element)) out[element] = child === undefined || child.isEmpty ? {} : { '.': {}, ...below };
      else if (child !== undefined && !child.isEmpty) out[element] = below;
    }
    return out;
  }
}

/** Sets by their `fieldsV1` form: what is stored is read again with every write, and never changes. */
const readBefore = new WeakMap<object, FieldSet>();

/** A set without members. */
export const EMPTY: FieldSet = new FieldSet();

/**
 * Reads a `fieldsV1` value. Returns undefined when it is not one: an element of another form, or deeper than
 * {@link FIELD_SET_DEPTH_LIMIT}.
 */
export function fieldSetFromJson(json: unknown): FieldSet | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  let set = readBefore.get(json);
  if (set === undefined) {
    set = readSet(json, 0);
    if (set !== undefined) readBefore.set(json, set);
  }
  return set;
}

function readSet(json: unknown, depth: number): FieldSet | undefined {
  if (typeof json !== 'object' || json === null || Array.isArray(json) || depth > FIELD_SET_DEPTH_LIMIT) return undefined;
  const set = new FieldSet();
  for (const [element, below] of Object.entries(json)) {
    if (element === '.') continue;
    if (!/^(f:|v:|i:\d+$|k:\{)/.test(element)) return undefined;
    const child = readSet(below, depth + 1);
    if (child === undefined) return undefined;
    const canonical = element.startsWith('k:') ? canonicalKey(element) : element;
    if (canonical === undefined) return undefined;
    if (!child.isEmpty) set.children.set(canonical, child);
    if (child.isEmpty || (typeof below === 'object' && below !== null && '.' in below)) set.members.add(canonical);
  }
  return set;
}

/** `k:{…}` for key fields and their values. */
export function keyElement(fields: readonly (readonly [name: string, value: unknown])[]): PathElement {
  const sorted = [...fields].sort(([a], [b]) => (a < b ? -1 : 1));
  return `k:{${sorted.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
}

/** A path as the API server's messages print it: `.spec.containers[name="main"].image`. */
export function formatPath(path: readonly PathElement[]): string {
  return path.map(formatElement).join('');
}

function formatElement(element: PathElement): string {
  const rest = element.slice(2);
  if (element.startsWith('f:')) return `.${rest}`;
  if (element.startsWith('v:')) return `[=${rest}]`;
  if (element.startsWith('i:')) return `[${rest}]`;
  const fields = Object.entries(JSON.parse(rest) as Record<string, unknown>);
  return `[${fields.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}]`;
}

function canonicalKey(element: string): PathElement | undefined {
  try {
    const fields: unknown = JSON.parse(element.slice(2));
    return typeof fields === 'object' && fields !== null && !Array.isArray(fields) ? keyElement(Object.entries(fields)) : undefined;
  } catch {
    return undefined; // not JSON: the caller refuses the whole set
  }
}

function combine(set: FieldSet, change: (element: PathElement, child: FieldSet) => FieldSet): Map<PathElement, FieldSet> {
  const children = new Map<PathElement, FieldSet>();
  for (const [element, child] of set.children) {
    const changed = change(element, child);
    if (!changed.isEmpty) children.set(element, changed);
  }
  return children;
}

const ORDER = 'fkvi';

/** Fields, then keys, then values, then positions; each by text (positions by number). */
export function compareElements(a: PathElement, b: PathElement): number {
  if (a[0] !== b[0]) return ORDER.indexOf(a[0] ?? '') - ORDER.indexOf(b[0] ?? '');
  if (a[0] === 'i') return Number(a.slice(2)) - Number(b.slice(2));
  return a < b ? -1 : a > b ? 1 : 0;
}
