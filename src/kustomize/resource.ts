import { effectiveNamespace, splitApiVersion, type ResId } from './gvk.ts';
import { makeId, type Schemas } from './schemas.ts';
import {
  assignScalar,
  copyValue,
  field,
  isEmpty,
  isMapping,
  isMissing,
  keyFault,
  setField,
  textOf,
  withText,
  type Mapping,
  type Value,
} from './value.ts';

/** What a generated resource does with one of the same identity that is there already. */
export type Behavior = 'unspecified' | 'create' | 'replace' | 'merge';

/** Where a resource came from (buildMetadata: originAnnotations). Fields as in the annotation. */
export type Origin = {
  path?: string;
  repo?: string;
  ref?: string;
  configuredIn?: string;
  configuredBy?: { apiVersion: string; kind: string; name?: string; namespace?: string };
};

/** A name a resource has had. */
export type PreviousId = { readonly name: string; readonly namespace: string; readonly kind: string };

/** What the build knows of a resource beside its fields. kustomize keeps it in annotations that it removes at the end. */
export type BuildState = {
  previous: PreviousId[];
  prefixes: string[];
  suffixes: string[];
  refVarNames: string[];
  behavior: Behavior;
  needsHash: boolean;
  allowNameChange: boolean;
  allowKindChange: boolean;
  helmGenerated: boolean;
  origin: Origin | undefined;
  transformations: Origin[];
};

/** A resource in the making: its object, its identity now and before, and how it is to be treated. */
export class Resource {
  object: Mapping;
  /** A patch has removed it. */
  removed = false;
  readonly state: BuildState;
  readonly #schemas: Schemas;
  #id: ResId | undefined;
  #idApiVersion: string | undefined;

  constructor(object: Mapping, schemas: Schemas, state: Partial<BuildState> = {}) {
    this.object = object;
    this.#schemas = schemas;
    this.state = {
      previous: [],
      prefixes: [],
      suffixes: [],
      refVarNames: [],
      behavior: 'unspecified',
      needsHash: false,
      allowNameChange: false,
      allowKindChange: false,
      helmGenerated: false,
      origin: undefined,
      transformations: [],
      ...state,
    };
  }

  get kind(): string {
    return textOf(this.object['kind']);
  }

  get apiVersion(): string {
    return textOf(this.object['apiVersion']);
  }

  get name(): string {
    return metaText(this.object, 'name');
  }

  get namespace(): string {
    return metaText(this.object, 'namespace');
  }

  /** The identity now. The same object is returned until it changes. */
  get id(): ResId {
    const { kind, name, namespace, apiVersion } = this;
    const known = this.#id;
    if (
      known !== undefined &&
      known.name === name &&
      known.kind === kind &&
      known.namespace === namespace &&
      this.#idApiVersion === apiVersion
    ) {
      return known;
    }
    this.#idApiVersion = apiVersion;
    this.#id = makeId({ ...splitApiVersion(apiVersion), kind }, name, namespace, this.#schemas);
    return this.#id;
  }

  /** The identities before, oldest first; the apiVersion is always today's. */
  get previousIds(): ResId[] {
    if (this.state.previous.length === 0) return [];
    const { group, version } = this.id;
    return this.state.previous.map(({ name, namespace, kind }) => ({ group, version, kind, name, namespace, clusterScoped: false }));
  }

  /** The identity it was loaded with. */
  get originalId(): ResId {
    return this.previousIds[0] ?? this.id;
  }

  /** Remembers the identity of now, before it changes. */
  storePreviousId(): void {
    const { id } = this;
    this.state.previous.push({ name: id.name, namespace: effectiveNamespace(id), kind: id.kind });
  }

  setName(name: string): void {
    setMetaText(this.object, 'name', name);
  }

  setKind(kind: string): void {
    assignScalar(this.object, 'kind', withText(this.object['kind'], kind));
  }

  /** Sets the namespace; `` removes it. */
  setNamespace(namespace: string): void {
    if (namespace !== '') return setMetaText(this.object, 'namespace', namespace);
    const metadata = this.object['metadata'];
    if (isMapping(metadata)) delete metadata['namespace'];
  }

  /** True when the build knows something of the resource that its object does not say. */
  get hasState(): boolean {
    const { previous, prefixes, suffixes, behavior, needsHash, origin, helmGenerated } = this.state;
    return (
      previous.length > 0 ||
      prefixes.length > 0 ||
      suffixes.length > 0 ||
      behavior !== 'unspecified' ||
      needsHash ||
      helmGenerated ||
      origin !== undefined
    );
  }

  /** Forgets what the build knows of it. */
  forget(): void {
    Object.assign(this.state, {
      previous: [],
      prefixes: [],
      suffixes: [],
      behavior: 'unspecified',
      needsHash: false,
      helmGenerated: false,
      origin: undefined,
      transformations: [],
    } satisfies Partial<BuildState>);
  }

  /** Marks the resource as removed. */
  remove(): void {
    this.removed = true;
  }

  /** The object with what the build knows of it in annotations, as kustomize shows it in errors. */
  describe(): Mapping {
    const object = copyValue(this.object);
    const { previous, prefixes, suffixes, behavior, needsHash } = this.state;
    const csv: [string, readonly string[]][] = [
      ['previousKinds', previous.map(({ kind }) => kind)],
      ['previousNames', previous.map(({ name }) => name)],
      ['previousNamespaces', previous.map(({ namespace }) => namespace)],
      ['prefixes', prefixes],
      ['suffixes', suffixes],
    ];
    if (behavior !== 'unspecified' || needsHash) csv.push(['generatorBehavior', [behavior]]);
    if (needsHash) csv.push(['needsHashSuffix', ['enabled']]);
    if (csv.every(([, values]) => values.length === 0)) return object;
    const metadata = object['metadata'];
    if (!isMapping(metadata)) return object;
    const annotations = isMapping(metadata['annotations']) ? metadata['annotations'] : {};
    metadata['annotations'] = annotations;
    for (const [name, values] of csv) if (values.length > 0) setField(annotations, INTERNAL + name, values.join(','));
    return object;
  }

  /** A copy that shares nothing with this one. */
  copy(): Resource {
    const { state } = this;
    return new Resource(copyValue(this.object), this.#schemas, {
      ...state,
      previous: [...state.previous],
      prefixes: [...state.prefixes],
      suffixes: [...state.suffixes],
      refVarNames: [...state.refVarNames],
      transformations: [...state.transformations],
    });
  }
}

const INTERNAL = 'internal.config.kubernetes.io/';

/**
 * A resource as it was read. What kustomize itself has put into annotations of the build (its output, kept with them, may be read again) is
 * taken as known; the annotations themselves go at the end of the build.
 */
export function toResource(object: Mapping, schemas: Schemas): Resource {
  const metadata = object['metadata'];
  const annotations = isMapping(metadata) ? metadata['annotations'] : undefined;
  if (!isMapping(annotations) || !Object.keys(annotations).some((name) => name.startsWith(INTERNAL))) return new Resource(object, schemas);
  return new Resource(object, schemas, stateOf(metaMap(object, 'annotations')));
}

function stateOf(annotations: ReadonlyMap<string, string>): Partial<BuildState> {
  const list = (name: string): string[] => annotations.get(INTERNAL + name)?.split(',') ?? [];
  const isOn = (name: string): boolean => annotations.get(INTERNAL + name) === 'enabled';
  const [names, namespaces, kinds] = [list('previousNames'), list('previousNamespaces'), list('previousKinds')];
  return {
    previous: names.map((name, i) => ({ name, namespace: namespaces[i] ?? '', kind: kinds[i] ?? '' })),
    prefixes: list('prefixes'),
    suffixes: list('suffixes'),
    behavior: toBehavior(annotations.get(`${INTERNAL}generatorBehavior`)),
    needsHash: isOn('needsHashSuffix'),
    allowNameChange: isOn('allowNameChange'),
    allowKindChange: isOn('allowKindChange'),
    helmGenerated: annotations.get(`${INTERNAL}helm-generated`) === 'true',
  };
}

/** The behavior a text names; `unspecified` for any other text. */
export function toBehavior(text: string | undefined): Behavior {
  return text === 'create' || text === 'replace' || text === 'merge' ? text : 'unspecified';
}

function metaText(object: Mapping, key: string): string {
  const metadata = object['metadata'];
  if (!isMapping(metadata)) return '';
  const value = metadata[key];
  return isMissing(value) ? '' : textOf(value);
}

function setMetaText(object: Mapping, key: string, text: string): void {
  let metadata = object['metadata'];
  if (!isMapping(metadata)) {
    metadata = {};
    object['metadata'] = metadata;
  }
  // A field that is new is quoted where its text would not be read as one.
  assignScalar(metadata, key, metadata[key] === undefined ? text : withText(metadata[key], text));
}

/** The labels or annotations of an object as texts; of keys given more than once the last counts. */
export function metaMap(object: Mapping, key: 'labels' | 'annotations'): Map<string, string> {
  const result = new Map<string, string>();
  const metadata = object['metadata'];
  const map = isMapping(metadata) && !isEmpty(metadata) ? field(metadata, key) : undefined;
  if (!isMapping(map)) return result;
  const last = keyFault(map)?.last ?? {};
  for (const name of Object.keys(map)) result.set(name, textOf(field(last, name) ?? map[name]));
  return result;
}

/** Replaces the labels or annotations of an object; an empty map removes them. */
export function setMetaMap(object: Mapping, key: 'labels' | 'annotations', map: ReadonlyMap<string, string>): void {
  let metadata: Value | undefined = object['metadata'];
  if (!isMapping(metadata)) {
    metadata = {};
    object['metadata'] = metadata;
  }
  if (map.size === 0) {
    delete metadata[key];
    return;
  }
  const next: Mapping = {};
  for (const name of [...map.keys()].sort()) setField(next, name, map.get(name) ?? '');
  metadata[key] = next;
}
