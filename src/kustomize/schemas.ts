import { apiVersionOf, type Gvk, type ResId } from './gvk.ts';
import type { MergeField, MergeSchema, MergeType } from './openapi.ts';
import { BUILTIN_MERGE_SCHEMA } from './openapi-data.ts';

const builtinScopes: ReadonlyMap<string, boolean> = new Map(Object.entries(BUILTIN_MERGE_SCHEMA.namespaced));

/**
 * The schemas of one build: Kubernetes' own and the one a kustomization names (`openapi`). kustomize reads a schema when it is first
 * needed, and one that is read later wins; whether its own is read at all beside a custom one depends on what was asked before. So this
 * keeps the same states.
 */
export class Schemas {
  #layers: MergeSchema[] = [];
  #custom: MergeSchema | undefined;
  #isRead = false;
  #builtin: 'unread' | 'wanted' | 'read' = 'unread';
  /** A kustomization has named a schema, so that those below it cannot. */
  isSet = false;

  /** With `eager`, Kubernetes' own schema is read at once, as Flux does. */
  constructor(eager = false) {
    if (eager) this.#read();
  }

  /** Makes a custom schema the next to be read. */
  setCustom(schema: MergeSchema): void {
    this.#custom = schema;
    this.#isRead = false;
    this.isSet = true;
  }

  /** True when a kind is known to live outside namespaces. */
  isClusterScoped(gvk: Gvk): boolean {
    const key = `${apiVersionOf(gvk)}/${gvk.kind}`;
    const known = builtinScopes.get(key);
    if (known !== undefined) return !known;
    if (!this.#isRead) {
      if (this.#custom !== undefined) this.#read();
      else if (this.#builtin === 'unread') this.#builtin = 'wanted';
    }
    return this.#layers.findLast((layer) => Object.hasOwn(layer.namespaced, key))?.namespaced[key] === false;
  }

  /** The type of a kind; undefined when nothing in it merges. */
  typeOfKind(apiVersion: string, kind: string): MergeType | undefined {
    this.#read();
    const key = `${apiVersion}/${kind}`;
    const layer = this.#layers.findLast(({ kinds }) => Object.hasOwn(kinds, key));
    const name = layer?.kinds[key];
    return layer === undefined || name === undefined ? undefined : layer.types[name];
  }

  /** The type of that name. */
  type({ type: name }: MergeField): MergeType | undefined {
    if (name === undefined) return undefined;
    return this.#layers.findLast(({ types }) => Object.hasOwn(types, name))?.types[name];
  }

  #read(): void {
    if (this.#isRead) return;
    this.#isRead = true;
    if (this.#custom !== undefined) this.#layers.push(this.#custom);
    if (this.#custom === undefined || this.#builtin === 'wanted') {
      this.#layers.push(BUILTIN_MERGE_SCHEMA);
      this.#builtin = 'read';
    }
  }
}

/** Makes an id, looking its scope up. */
export function makeId(gvk: Gvk, name: string, namespace: string, schemas: Schemas): ResId {
  const { group, version, kind } = gvk;
  return { group, version, kind, name, namespace, clusterScoped: schemas.isClusterScoped(gvk) };
}
