import type { Spend } from '../build-context.ts';
import { KustomizeError } from '../errors.ts';
import { fieldSpecs, type FieldSpec } from '../field-spec.ts';
import { formatGvk, idKey, nameKey, type Gvk } from '../gvk.ts';
import type { VarFields } from '../kustomization.ts';
import { lookup, smarterSplitPath } from '../lookup.ts';
import { makeId, type Schemas } from '../schemas.ts';
import type { ResourceList } from '../resource-list.ts';
import {
  isMapping,
  isMissing,
  isScalar,
  plainValue,
  tagOf,
  textOf,
  weightOfText,
  type Mapping,
  type PlainScalar,
  type ScalarValue,
  type Sequence,
  type Value,
} from '../value.ts';

/** A var: a name for a field of a resource. */
export type Var = {
  readonly name: string;
  readonly gvk: Gvk;
  readonly objectName: string;
  readonly namespace: string;
  readonly fieldPath: string;
};

/** A var as decoded, with its defaults. */
export function toVar({ name = '', objref = {}, fieldref = {} }: VarFields): Var {
  const { apiVersion = '', kind = '' } = objref;
  let { group = '', version = '' } = objref;
  const parts = apiVersion.split('/');
  if (apiVersion !== '' && parts.length === 2) [group = '', version = ''] = parts;
  else if (apiVersion !== '' && parts.length === 1) version = apiVersion;
  const fieldPath = fieldref.fieldPath === undefined || fieldref.fieldPath === '' ? 'metadata.name' : fieldref.fieldPath;
  return { name, gvk: { group, version, kind }, objectName: objref.name ?? '', namespace: objref.namespace ?? '', fieldPath };
}

/** Go's `%v` of a var: of the object it names only the kind is shown. */
export function formatVar({ name, gvk, fieldPath }: Var): string {
  return `{${name} ${formatGvk(gvk)} {${fieldPath}}}`;
}

/** Go's `%v` of a var before its defaults are filled in. */
export function formatVarFields({ name = '', objref = {}, fieldref = {} }: VarFields): string {
  const { group = '', version = '', kind = '' } = objref;
  return formatVar({ name, gvk: { group, version, kind }, objectName: '', namespace: '', fieldPath: fieldref.fieldPath ?? '' });
}

/** Vars by name. */
export class VarSet {
  readonly #vars = new Map<string, Var>();

  get sorted(): Var[] {
    return [...this.#vars.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  add(added: Var): void {
    if (this.#vars.has(added.name))
      throw new KustomizeError('VarFailed', `var '${added.name}' already encountered`, { subject: added.name });
    this.#vars.set(added.name, added);
  }

  addAll(other: VarSet): void {
    for (const each of other.sorted) this.add(each);
  }
}

/** Notes at each resource which vars take their value from it. Throws when a var could mean several. */
export function markVarSources(list: ResourceList, vars: readonly Var[], schemas: Schemas): void {
  for (const each of vars) {
    const id = makeId(each.gvk, each.objectName, each.namespace, schemas);
    const exact = id.namespace !== '' || id.clusterScoped;
    const key = exact ? idKey(id) : nameKey(id);
    const matches = list.items.filter((resource) =>
      [...resource.previousIds, resource.id].some((known) => (exact ? idKey(known) : nameKey(known)) === key),
    );
    if (matches.length > 1) {
      throw new KustomizeError('VarFailed', `found ${matches.length} resId matches for var ${formatVar(each)} (unable to disambiguate)`, {
        subject: each.name,
      });
    }
    matches[0]?.state.refVarNames.push(each.name);
  }
}

/** Replaces `$(NAME)` in the fields the specs name. Returns the names of the vars that were never used. */
export function resolveVars(list: ResourceList, vars: readonly Var[], specs: readonly FieldSpec[], spend: Spend): string[] {
  if (vars.length === 0) return [];
  const values = new Map(vars.map((each) => [each.name, valueOf(list, each)]));
  const replacer = new Replacer(values, spend);
  const ready = fieldSpecs(specs);
  for (const { object, id } of list.items) {
    ready.visit(object, id, undefined, (value, holder, key) => replacer.replaceIn(value, holder, key));
  }
  return replacer.unused;
}

function valueOf(list: ResourceList, each: Var): Value {
  for (const { object, state } of list.items) {
    if (!state.refVarNames.includes(each.name)) continue;
    const value = fieldValue(object, each.fieldPath);
    if (value === undefined) {
      throw new KustomizeError('VarFailed', `field specified in var '${formatVar(each)}' not found in corresponding resource`, {
        subject: each.name,
      });
    }
    return value;
  }
  throw new KustomizeError('VarFailed', `var '${formatVar(each)}' cannot be mapped to a field in the set of known resources`, {
    subject: each.name,
  });
}

/** The value at a path like `spec.ports[0].port`; undefined when there is none. */
export function fieldValue(object: Mapping, path: string): Value | undefined {
  const fields = smarterSplitPath(path, '.').flatMap((part) => {
    const index = /^(.*)\[(\d+)\]$/.exec(part);
    return index === null ? [part] : [index[1] ?? '', index[2] ?? ''].filter((each) => each !== '');
  });
  return lookup(object, fields);
}

/** What keeps its type when it is all of a text; everything else is text. */
const VALUE_TAGS: ReadonlySet<string> = new Set(['!!int', '!!float', '!!bool', '!!str']);

class Replacer {
  readonly #values: ReadonlyMap<string, Value>;
  readonly #used = new Set<string>();
  readonly #spend: Spend;

  constructor(values: ReadonlyMap<string, Value>, spend: Spend) {
    this.#values = values;
    this.#spend = spend;
  }

  get unused(): string[] {
    return [...this.#values.keys()].filter((name) => !this.#used.has(name));
  }

  replaceIn(value: Value, holder: Mapping | Sequence, key: string | number): void {
    if (isMissing(value)) return;
    if (isScalar(value)) return this.#replaceScalar(value, holder, key);
    if (isMapping(value)) {
      for (const name of Object.keys(value)) this.#replaceScalar(value[name] ?? null, value, name);
      return;
    }
    value.forEach((item, i) => {
      if (!isScalar(item) || tagOf(item) !== '!!str') throw new KustomizeError('VarFailed', 'invalid value type expect a string');
      this.#replaceScalar(item, value, i);
    });
  }

  #replaceScalar(value: Value, holder: Mapping | Sequence, key: string | number): void {
    if (!isScalar(value) || tagOf(value) !== '!!str') return;
    const text = textOf(value);
    const replaced = text.includes('$') ? this.#expand(text) : text;
    // The style goes: a value that takes the place of the whole text keeps its type.
    if (replaced === text) return;
    if (Array.isArray(holder)) holder[Number(key)] = replaced;
    else holder[key] = replaced;
  }

  #expand(text: string): ScalarValue {
    let out = '';
    let from = 0;
    const lastEnd = text.lastIndexOf(')');
    for (let at = 0; at < text.length - 1; at++) {
      if (text[at] !== '$') continue;
      out += text.slice(from, at);
      const next = text[at + 1];
      const end = next === '(' && at + 2 <= lastEnd ? text.indexOf(')', at + 2) : -1;
      if (end >= 0) {
        const name = text.slice(at + 2, end);
        const value = this.#value(name);
        if (at === 0 && end === text.length - 1) return value;
        this.#spend(weightOfText(String(value)));
        out += String(value);
        at = end;
      } else {
        out += next === '$' ? '$' : next === '(' ? '$(' : `$${next ?? ''}`;
        at += 1;
      }
      from = at + 1;
    }
    return out + text.slice(from);
  }

  #value(name: string): PlainScalar {
    const value = this.#values.get(name);
    if (!isScalar(value)) return `$(${name})`;
    this.#used.add(name);
    return VALUE_TAGS.has(tagOf(value)) ? plainValue(value) : textOf(value);
  }
}
