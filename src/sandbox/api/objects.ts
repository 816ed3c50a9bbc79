import { randomUUID } from 'node:crypto';
import type { Clock } from '../../std/index.ts';
import type { KubeObject, ManagedFieldsEntry, ObjectMeta } from '../../manifest/index.ts';
import { apiVersionOf, hasStatus, type ServedKind } from '../catalog/kind.ts';
import {
  applyConfiguration,
  decodeManagers,
  EMPTY,
  encodeManagers,
  FieldSet,
  FieldsError,
  formatPath,
  isMap,
  type Json,
  type Manager,
  type Managers,
  sameJson,
  trackUpdate,
} from '../fields/index.ts';
import { type Draft, mapAt, rulesOf, validateMetadata } from '../kinds/index.ts';
import {
  alreadyExists,
  badRequest,
  conflict,
  type FieldFault,
  forbidden,
  invalid,
  modified,
  notFound,
  StatusError,
} from '../request/status.ts';
import { isWriteFailure, keyOf, type Store } from '../storage/store.ts';
import type { KindSchema } from './kind-schema.ts';

/** What every write can be told. */
export type WriteOptions = {
  dryRun: boolean;
  fieldManager: string;
  fieldValidation: 'Strict' | 'Warn' | 'Ignore';
  /** `status`, or empty for the object itself. */
  subresource: string;
  /** What the managed fields say instead, for `scale`, which writes the object itself. */
  managerSubresource?: string;
};

/** A finished write, with what the client should be warned of. */
export type Written = { object: KubeObject; created: boolean; warnings: readonly string[] };

export type DeleteOptions = {
  dryRun: boolean;
  propagation: 'Background' | 'Foreground' | 'Orphan' | undefined;
  gracePeriodSeconds: number | undefined;
  uid: string | undefined;
  resourceVersion: string | undefined;
};

/** A deletion: the object is gone, or marked and waiting for finalizers or its grace period. */
export type Deleted = { object: KubeObject; gone: boolean };

/** Looks at an object about to be stored and may change or refuse it (admission). */
export type Admission = (draft: Draft, old: KubeObject | undefined, kind: ServedKind) => void;

type Deps = { store: Store; clock: Clock; schemaOf: (kind: ServedKind) => KindSchema; admit: Admission; random: () => number };

/** Fields that deletion and the API itself write: a user's value is ignored. */
const STATUS_SET: FieldSet = new FieldSet(new Set(['f:status']));

/** How many characters `generateName` adds, and from which. */
const SUFFIX_LENGTH = 5;
const SUFFIX_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** Creates, updates, applies and deletes objects with everything a write to the API means. */
export class Objects {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** @throws StatusError 404 */
  get(kind: ServedKind, namespace: string, name: string): KubeObject {
    const object = this.#deps.store.get(kind.collection, namespace, name);
    if (object === undefined) throw notFound(kind, name);
    return this.present(kind, object);
  }

  /** A stored object in the version of `kind`. */
  present(kind: ServedKind, object: KubeObject): KubeObject {
    const apiVersion = apiVersionOf(kind);
    return object.apiVersion === apiVersion ? object : { ...object, apiVersion };
  }

  create(kind: ServedKind, namespace: string, body: Json, options: WriteOptions): Written {
    const { draft, warnings } = this.#read(kind, namespace, '', body, options);
    return {
      object: this.#insert(kind, draft, options, (object) => this.#track(kind, undefined, object, options)),
      created: true,
      warnings,
    };
  }

  /** PUT: replaces an object (or its status); made when the kind allows it and it is not there. */
  update(kind: ServedKind, namespace: string, name: string, body: Json, options: WriteOptions): Written {
    const { draft, warnings } = this.#read(kind, namespace, name, body, options);
    const old = this.#deps.store.get(kind.collection, namespace, name);
    if (old === undefined) throw notFound(kind, name);
    if (kind.schemaName === undefined && (draft.metadata.resourceVersion ?? '') === '') {
      const message = 'Invalid value: 0: must be specified for an update';
      throw invalid(kind.group, kind.plural, name, [{ type: 'FieldValueInvalid', field: 'metadata.resourceVersion', message }]);
    }
    this.#checkIdentity(kind, draft.metadata, old);
    return {
      object: this.#replace(kind, old, draft, options, (object) => this.#track(kind, old, object, options)),
      created: false,
      warnings,
    };
  }

  /** PATCH: `change` makes the new object from the live one. */
  patch(kind: ServedKind, namespace: string, name: string, change: (live: KubeObject) => Json, options: WriteOptions): Written {
    const live = this.get(kind, namespace, name);
    const { draft, warnings } = this.#read(kind, namespace, name, change(live), options);
    this.#checkIdentity(kind, draft.metadata, live);
    return {
      object: this.#replace(kind, live, draft, options, (object) => this.#track(kind, live, object, options)),
      created: false,
      warnings,
    };
  }

  /** Server-side apply. */
  apply(kind: ServedKind, namespace: string, name: string, body: Json, options: WriteOptions & { force: boolean }): Written {
    const schema = this.#deps.schemaOf(kind);
    const configuration = this.#readConfiguration(kind, namespace, name, body);
    const live = this.#deps.store.get(kind.collection, namespace, name);
    if (live === undefined && options.subresource !== '') throw notFound(kind, name);
    const managers = live === undefined ? new Map<string, Manager>() : this.#managersBefore(kind, live, options);
    const by = this.#manager(kind, 'Apply', options);
    const base = live === undefined ? {} : withoutManagedFields(this.present(kind, live));
    let result;
    try {
      result = applyConfiguration({
        type: schema.fields,
        live: base as Json,
        managers,
        by,
        now: this.#now(),
        ignored: this.#ignored(kind, options),
        configuration,
        force: options.force,
      });
    } catch (error) {
      if (error instanceof FieldsError) throw untypable(kind, name, error.message);
      throw error;
    }
    if ('conflicts' in result) throw applyConflict(result.conflicts);
    const merged = result.object;
    const { draft, warnings } = this.#read(kind, namespace, name, merged, { ...options, fieldValidation: 'Ignore' });
    const setManagers = (object: Draft): void => this.#setManagers(object, result.managers, live);
    if (live === undefined) {
      const { uid } = draft.metadata;
      if (uid !== undefined && uid !== '')
        throw conflict(kind, name, `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`);
      return { object: this.#insert(kind, draft, options, setManagers), created: true, warnings };
    }
    this.#checkIdentity(kind, draft.metadata, live);
    return { object: this.#replace(kind, live, draft, options, setManagers), created: false, warnings };
  }

  /** DELETE. Finalizers, a grace period or a foreground deletion keep the object, marked, until they are done. */
  delete(kind: ServedKind, namespace: string, name: string, options: DeleteOptions): Deleted {
    const object = this.get(kind, namespace, name);
    const { metadata } = object;
    if (options.uid !== undefined && options.uid !== metadata.uid) {
      const cause = `the UID in the precondition (${options.uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`;
      throw conflict({ group: kind.group, plural: kind.kind }, name, cause);
    }
    if (options.resourceVersion !== undefined && options.resourceVersion !== metadata.resourceVersion) {
      throw conflict(
        { group: kind.group, plural: kind.kind },
        name,
        `the ResourceVersion in the precondition (${options.resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
      );
    }
    const finalizers = deletionFinalizers(metadata.finalizers ?? [], options.propagation);
    const grace = this.#gracePeriod(kind, object, options);
    const waits = finalizers.length > 0 || grace > 0 || kind.collection === '/namespaces';
    if (!waits) return { object: this.#remove(kind, object, options.dryRun), gone: true };
    const deadline = new Date(this.#deps.clock.now() + grace * 1000).toISOString();
    const marked: Draft = {
      ...object,
      metadata: {
        ...metadata,
        ...(finalizers.length > 0 ? { finalizers } : {}),
        deletionTimestamp: metadata.deletionTimestamp ?? `${deadline.slice(0, 19)}Z`,
        deletionGracePeriodSeconds: Math.min(metadata.deletionGracePeriodSeconds ?? grace, grace),
        ...(metadata.generation === undefined || metadata.deletionTimestamp !== undefined ? {} : { generation: metadata.generation + 1 }),
      },
    };
    if (finalizers.length === 0) delete marked.metadata.finalizers;
    if (kind.collection === '/namespaces') marked.status = { ...mapAt(marked, 'status'), phase: 'Terminating' };
    return { object: this.#store(kind, object, marked, options.dryRun), gone: false };
  }

  /** Takes an object away for good. */
  #remove(kind: ServedKind, object: KubeObject, dryRun: boolean): KubeObject {
    if (dryRun) return object;
    const { namespace = '', name, resourceVersion = '' } = object.metadata;
    const result = this.#deps.store.delete(kind.collection, namespace, name, resourceVersion);
    if (isWriteFailure(result)) throw modified(kind, name);
    return this.present(kind, result);
  }

  #gracePeriod(kind: ServedKind, object: KubeObject, options: DeleteOptions): number {
    if (kind.collection !== '/pods') return 0;
    const asked = options.gracePeriodSeconds ?? mapAt(object, 'spec')?.['terminationGracePeriodSeconds'];
    const scheduled = mapAt(object, 'spec')?.['nodeName'] !== undefined;
    const running = mapAt(object, 'status')?.['phase'] !== 'Succeeded' && mapAt(object, 'status')?.['phase'] !== 'Failed';
    return scheduled && running && typeof asked === 'number' ? asked : 0;
  }

  /** Reads a body as an object of the kind at this place. */
  #read(kind: ServedKind, namespace: string, name: string, body: Json, options: WriteOptions): { draft: Draft; warnings: string[] } {
    if (!isMap(body))
      throw badRequest(
        `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: json: cannot unmarshal ${typeof body} into Go value of type ${kind.kind}`,
      );
    this.#checkKind(kind, body);
    const { value, unknown, fault } = this.#deps.schemaOf(kind).read(body);
    const cannot = `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}`;
    if (fault !== undefined) throw badRequest(`${cannot}: ${fault}`);
    const texts = unknown.map((path) => `unknown field ${JSON.stringify(path)}`);
    if (texts.length > 0 && options.fieldValidation === 'Strict') throw badRequest(`${cannot}: strict decoding error: ${texts.join(', ')}`);
    const draft = value as unknown as Draft;
    draft.apiVersion = apiVersionOf(kind);
    draft.kind = kind.kind;
    draft.metadata ??= { name: '' };
    draft.metadata.name ??= '';
    this.#place(kind, draft, namespace, name);
    return { draft, warnings: options.fieldValidation === 'Warn' ? texts : [] };
  }

  #checkKind(kind: ServedKind, body: { readonly [key: string]: Json }): void {
    const { apiVersion, kind: name } = body;
    if (apiVersion !== undefined && apiVersion !== apiVersionOf(kind)) {
      throw badRequest(
        kind.schemaName === undefined
          ? `the API version in the data (${String(apiVersion)}) does not match the expected API version (${apiVersionOf(kind)})`
          : `${String(name)} in version ${JSON.stringify(apiVersion)} cannot be handled as a ${kind.kind}: no kind ${JSON.stringify(name)} is registered for version ${JSON.stringify(apiVersion)} in scheme "pkg/runtime/scheme.go:111"`,
      );
    }
    if (name !== undefined && name !== kind.kind)
      throw badRequest(
        `${String(name)} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: converting (${kind.version}.${String(name)}) to (${internalGroup(kind)}.${kind.kind}): unknown conversion`,
      );
  }

  /** The place in the URL wins; a body that names another is refused. */
  #place(kind: ServedKind, draft: Draft, namespace: string, name: string): void {
    const { metadata } = draft;
    if (kind.namespaced) {
      if (metadata.namespace !== undefined && metadata.namespace !== namespace) {
        throw badRequest(`the namespace of the provided object does not match the namespace sent on the request`);
      }
      metadata.namespace = namespace;
    } else {
      delete metadata.namespace;
    }
    if (name === '') return;
    if (metadata.name !== '' && metadata.name !== name)
      throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
    metadata.name = name;
  }

  #readConfiguration(kind: ServedKind, namespace: string, name: string, body: Json): Json {
    if (!isMap(body)) throw badRequest('error decoding YAML: json: cannot unmarshal into Go value of type map[string]interface {}');
    const [group = '', version = ''] = splitVersion(body['apiVersion']);
    if (group !== kind.group || version !== kind.version || body['kind'] !== kind.kind)
      throw badRequest(`invalid object type: ${group}/${version}, Kind=${typeof body['kind'] === 'string' ? body['kind'] : ''}`);
    const metadata = isMap(body['metadata']) ? body['metadata'] : {};
    if (metadata['managedFields'] !== undefined) throw badRequest('metadata.managedFields must be nil');
    if (kind.namespaced && metadata['namespace'] !== undefined && metadata['namespace'] !== namespace)
      throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
    if (metadata['name'] !== undefined && metadata['name'] !== name)
      throw badRequest(`the name of the object (${String(metadata['name'])}) does not match the name on the URL (${name})`);
    const { unknown, fault } = this.#deps.schemaOf(kind).read(body);
    if (fault !== undefined) throw untypable(kind, name, fault);
    const [first] = unknown;
    if (first !== undefined) throw untypable(kind, name, unknown.map((path) => `.${path}: field not declared in schema`).join('\n'));
    return body;
  }

  #insert(kind: ServedKind, draft: Draft, options: WriteOptions, track: (object: Draft) => void): KubeObject {
    const rules = rulesOf(kind.collection);
    const { metadata } = draft;
    if (metadata.name === '' && metadata.generateName !== undefined) metadata.name = this.#generateName(metadata.generateName);
    if (metadata.resourceVersion !== undefined && metadata.resourceVersion !== '')
      throw new StatusError(500, '', 'resourceVersion should not be set on objects to be created');
    this.#checkNamespace(kind, metadata);
    metadata.uid = randomUUID();
    metadata.creationTimestamp = this.#now();
    for (const field of ['deletionTimestamp', 'deletionGracePeriodSeconds', 'selfLink', 'resourceVersion'] as const) delete metadata[field];
    if (rules.hasGeneration === true || kind.schemaName === undefined) metadata.generation = 1;
    if (hasStatus(kind) && kind.collection !== '/pods') this.#resetStatus(kind, draft);
    rules.defaults?.(draft);
    // The API server decides who owns what before it prepares and admits the object: allocations belong to nobody.
    track(draft);
    rules.prepareCreate?.(draft, this.#deps.store);
    this.#deps.admit(draft, undefined, kind);
    const faults = [
      ...validateMetadata(draft, rules, kind.schemaName !== undefined),
      ...this.#deps.schemaOf(kind).validate(draft as Json, undefined),
      ...(rules.validate?.(draft, undefined) ?? []),
    ];
    this.#refuse(kind, draft, faults);
    const existing = this.#deps.store.get(kind.collection, metadata.namespace ?? '', metadata.name);
    if (existing !== undefined) throw alreadyExists(kind, metadata.name);
    if (options.dryRun) return draft;
    const stored = this.#deps.store.create(kind.collection, draft);
    if (isWriteFailure(stored)) throw alreadyExists(kind, metadata.name);
    return stored;
  }

  /** A new object's status is not the user's to set; a CRD's default for it stays. */
  #resetStatus(kind: ServedKind, draft: Draft): void {
    delete draft.status;
    const { value } = this.#deps.schemaOf(kind).read(draft as Json);
    const status = isMap(value) ? value['status'] : undefined;
    if (status !== undefined) draft.status = status as Record<string, unknown>;
  }

  #replace(kind: ServedKind, old: KubeObject, draft: Draft, options: WriteOptions, track: (object: Draft) => void): KubeObject {
    const rules = rulesOf(kind.collection);
    const live = this.present(kind, old);
    this.#keepSystemMetadata(draft.metadata, live.metadata);
    if (options.subresource === 'status') {
      track(draft);
      this.#onlyStatus(draft, live);
    } else {
      if (hasStatus(kind)) keep(draft, live, 'status');
      rules.defaults?.(draft);
      track(draft);
      rules.prepareUpdate?.(draft, live, this.#deps.store);
    }
    const counts = rules.hasGeneration === true || kind.schemaName === undefined;
    if (counts && options.subresource === '' && specChanged(draft, live, hasStatus(kind)))
      draft.metadata.generation = (live.metadata.generation ?? 0) + 1;
    this.#deps.admit(draft, live, kind);
    const faults = [
      ...newFinalizerFaults(draft, live),
      ...validateMetadata(draft, rules, kind.schemaName !== undefined),
      ...this.#deps.schemaOf(kind).validate(draft as Json, live as Json),
      ...(options.subresource === '' ? (rules.validate?.(draft, live) ?? []) : []),
    ];
    this.#refuse(kind, draft, faults);
    if (
      live.metadata.deletionTimestamp !== undefined &&
      (draft.metadata.finalizers ?? []).length === 0 &&
      (live.metadata.deletionGracePeriodSeconds ?? 0) === 0 &&
      (live.metadata.finalizers ?? []).length > 0
    ) {
      if (options.dryRun) return draft;
      const last = this.#store(kind, old, draft, false);
      return kind.collection === '/namespaces' ? last : this.#remove(kind, last, false);
    }
    return this.#store(kind, old, draft, options.dryRun);
  }

  /** Stores a new state, unless nothing changed: then the revision stays as it is. */
  #store(kind: ServedKind, old: KubeObject, draft: Draft, dryRun: boolean): KubeObject {
    const { resourceVersion = '' } = old.metadata;
    draft.metadata.resourceVersion = resourceVersion;
    if (sameJson(draft as Json, this.present(kind, old) as Json)) return this.present(kind, old);
    if (dryRun) return draft;
    const stored = this.#deps.store.update(kind.collection, draft, resourceVersion);
    if (isWriteFailure(stored)) throw modified(kind, draft.metadata.name);
    return stored;
  }

  #keepSystemMetadata(metadata: ObjectMeta, live: ObjectMeta): void {
    for (const field of [
      'uid',
      'creationTimestamp',
      'generation',
      'deletionTimestamp',
      'deletionGracePeriodSeconds',
      'generateName',
    ] as const) {
      if (live[field] === undefined) delete metadata[field];
      else Object.assign(metadata, { [field]: live[field] });
    }
    delete metadata['selfLink'];
  }

  #onlyStatus(draft: Draft, live: KubeObject): void {
    for (const key of Object.keys(draft)) if (key !== 'status' && key !== 'metadata' && !(key in live)) delete draft[key];
    for (const [key, value] of Object.entries(live)) if (key !== 'status' && key !== 'metadata') draft[key] = value;
    const { labels, annotations, finalizers, ownerReferences } = live.metadata;
    for (const [key, value] of Object.entries({ labels, annotations, finalizers, ownerReferences })) {
      if (value === undefined) delete draft.metadata[key];
      else draft.metadata[key] = value;
    }
  }

  #checkIdentity(kind: ServedKind, metadata: ObjectMeta, live: KubeObject): void {
    const { name, resourceVersion, uid } = metadata;
    if (resourceVersion !== undefined && resourceVersion !== '' && resourceVersion !== live.metadata.resourceVersion)
      throw modified(kind, name);
    if (uid !== undefined && uid !== '' && uid !== live.metadata.uid) {
      const key = `/registry/${kind.group === '' ? '' : `${kind.group}/`}${kind.plural}/${keyOf(live.metadata.namespace ?? '', name)}`;
      const cause = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${live.metadata.uid}`;
      throw conflict(kind, name, `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${cause}`);
    }
  }

  #checkNamespace(kind: ServedKind, metadata: ObjectMeta): void {
    if (!kind.namespaced) return;
    const { namespace = '' } = metadata;
    const found = this.#deps.store.get('/namespaces', '', namespace);
    if (found === undefined) throw notFound({ group: '', plural: 'namespaces' }, namespace);
    if (found.metadata.deletionTimestamp !== undefined) {
      throw forbidden(kind, metadata.name, `unable to create new content in namespace ${namespace} because it is being terminated`);
    }
  }

  #refuse(kind: ServedKind, draft: Draft, faults: readonly FieldFault[]): void {
    if (faults.length > 0) throw invalid(kind.group, kind.kind, draft.metadata.name, faults);
  }

  #track(kind: ServedKind, old: KubeObject | undefined, object: Draft, options: WriteOptions): void {
    const given = object.metadata.managedFields;
    const cleared =
      old !== undefined && given !== undefined && (given.length === 0 || (given.length === 1 && Object.keys(given[0] ?? {}).length === 0));
    const live = old === undefined ? undefined : this.present(kind, old);
    if (live !== undefined && (live.metadata.managedFields ?? []).length === 0) {
      // Nothing is tracked on an object that nothing was tracked on, until somebody applies it.
      delete object.metadata.managedFields;
      return;
    }
    const managers = cleared || live === undefined ? new Map<string, Manager>() : this.#writtenManagers(given, live);
    if (cleared) {
      delete object.metadata.managedFields;
      return;
    }
    const base = live === undefined ? this.#deps.schemaOf(kind).zero : (withoutManagedFields(live) as Json);
    let tracked: Managers;
    try {
      tracked = trackUpdate({
        type: this.#deps.schemaOf(kind).fields,
        live: base,
        object: withoutManagedFields(object) as Json,
        managers,
        by: this.#manager(kind, 'Update', options),
        now: this.#now(),
        ignored: this.#ignored(kind, options),
      }).managers;
    } catch (error) {
      if (!(error instanceof FieldsError)) throw error;
      tracked = managers; // validation says what is wrong with it; who owns what stays as it was
    }
    this.#setManagers(object, tracked, old);
  }

  /** A write may bring managed fields along (as `kubectl edit` and migrations do); malformed ones are ignored. */
  #writtenManagers(given: readonly ManagedFieldsEntry[] | undefined, live: KubeObject): Managers {
    const written =
      given === undefined || sameJson(given as unknown as Json, live.metadata.managedFields as unknown as Json)
        ? undefined
        : decodeManagers(given);
    return written ?? this.#managersOf(live);
  }

  /** The managers an apply meets: what nobody was tracked on belongs to `before-first-apply`. */
  #managersBefore(kind: ServedKind, live: KubeObject, options: WriteOptions): Managers {
    if ((live.metadata.managedFields ?? []).length > 0) return this.#managersOf(live);
    const by = this.#manager(kind, 'Update', { ...options, fieldManager: 'before-first-apply', subresource: '' });
    const object = withoutManagedFields(this.present(kind, live)) as Json;
    const schema = this.#deps.schemaOf(kind);
    return trackUpdate({ type: schema.fields, live: {}, object, managers: new Map(), by, now: this.#now(), ignored: EMPTY }).managers;
  }

  #managersOf(live: KubeObject): Managers {
    return decodeManagers(live.metadata.managedFields ?? []) ?? new Map();
  }

  #setManagers(object: Draft, managers: Managers, old: KubeObject | undefined): void {
    const entries = encodeManagers(managers);
    if (entries.length > 0) object.metadata.managedFields = entries;
    else if (old?.metadata.managedFields !== undefined || object.metadata.managedFields !== undefined) delete object.metadata.managedFields;
  }

  #manager(kind: ServedKind, operation: 'Apply' | 'Update', options: WriteOptions): Omit<Manager, 'fields' | 'time'> {
    return {
      manager: options.fieldManager,
      operation,
      apiVersion: apiVersionOf(kind),
      subresource: options.managerSubresource ?? options.subresource,
    };
  }

  /** What this endpoint does not write is not tracked by it. */
  #ignored(kind: ServedKind, options: WriteOptions): FieldSet {
    if (options.subresource === 'status') return STATUS_ONLY;
    return hasStatus(kind) ? STATUS_SET : EMPTY;
  }

  #generateName(prefix: string): string {
    let suffix = '';
    for (let i = 0; i < SUFFIX_LENGTH; i++) suffix += SUFFIX_ALPHABET[Math.floor(this.#deps.random() * SUFFIX_ALPHABET.length)];
    return `${prefix.slice(0, 63 - SUFFIX_LENGTH)}${suffix}`;
  }

  #now(): string {
    return `${new Date(this.#deps.clock.now()).toISOString().slice(0, 19)}Z`;
  }
}

/** What the API server calls the package of a group's internal types. */
function internalGroup(kind: ServedKind): string {
  return kind.group === '' ? 'core' : (kind.group.split('.')[0] ?? '');
}

/** Group and version of an `apiVersion`; without the one there is not the other. */
function splitVersion(apiVersion: Json | undefined): readonly string[] {
  if (typeof apiVersion !== 'string') return [];
  return apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
}

/** Everything but `status`: what the status endpoint leaves alone. */
const STATUS_ONLY: FieldSet = new FieldSet(
  new Set(['f:spec', 'f:data', 'f:metadata']),
  new Map([['f:metadata', new FieldSet(new Set(['f:labels', 'f:annotations', 'f:finalizers', 'f:ownerReferences']))]]),
);

function keep(draft: Draft, live: KubeObject, field: string): void {
  if (live[field] === undefined) delete draft[field];
  else draft[field] = live[field];
}

/** What is being deleted takes no more finalizers. */
function newFinalizerFaults(draft: Draft, live: KubeObject): FieldFault[] {
  if (live.metadata.deletionTimestamp === undefined) return [];
  const before = new Set(live.metadata.finalizers);
  const added = (draft.metadata.finalizers ?? []).filter((it) => !before.has(it));
  if (added.length === 0) return [];
  const names = added.map((it) => JSON.stringify(it)).join(', ');
  const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{${names}}`;
  return [{ type: 'FieldValueForbidden', field: 'metadata.finalizers', message }];
}

/** True when anything but metadata and status differs. */
function specChanged(draft: Draft, live: KubeObject, statusApart: boolean): boolean {
  const keys = new Set([...Object.keys(draft), ...Object.keys(live)]);
  for (const key of keys) {
    if (key === 'metadata' || (key === 'status' && statusApart)) continue;
    if (!sameJson(draft[key] as Json | undefined, live[key] as Json | undefined)) return true;
  }
  return false;
}

function withoutManagedFields(object: KubeObject): KubeObject {
  if (object.metadata.managedFields === undefined) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

function deletionFinalizers(finalizers: readonly string[], propagation: DeleteOptions['propagation']): string[] {
  const others = finalizers.filter((it) => it !== 'foregroundDeletion' && it !== 'orphan');
  if (propagation === 'Foreground') return [...others, 'foregroundDeletion'];
  if (propagation === 'Orphan') return [...others, 'orphan'];
  return propagation === 'Background' ? others : [...finalizers];
}

/** A configuration that does not fit the schema: the API server answers with its internal words and code 500. */
function untypable(kind: ServedKind, name: string, cause: string): StatusError {
  const version = `${kind.group}/${kind.version}, Kind=${kind.kind}`;
  return new StatusError(500, '', `failed to create typed patch object (/${name}; ${version}): ${cause}`);
}

/** The 409 of an apply that others stand in the way of. */
function applyConflict(conflicts: readonly { manager: Manager; path: readonly string[] }[]): StatusError {
  const named = conflicts.map(({ manager, path }) => ({ manager: describeManager(manager), path: formatPath(path) }));
  const causes = named.map(({ manager, path }) => ({ reason: 'FieldManagerConflict', message: `conflict with ${manager}`, field: path }));
  const [only] = named;
  if (named.length === 1 && only !== undefined)
    return new StatusError(409, 'Conflict', `Apply failed with 1 conflict: conflict with ${only.manager}: ${only.path}`, { causes });
  const lines: string[] = [];
  for (const manager of [...new Set(named.map((it) => it.manager))].sort()) {
    lines.push(`conflicts with ${manager}:`, ...named.filter((it) => it.manager === manager).map((it) => `- ${it.path}`));
  }
  return new StatusError(409, 'Conflict', `Apply failed with ${named.length} conflicts: ${lines.join('\n')}`, { causes });
}

function describeManager(manager: Manager): string {
  const name = JSON.stringify(manager.manager);
  const part = manager.subresource === '' ? name : `${name} with subresource ${JSON.stringify(manager.subresource)}`;
  return manager.operation === 'Update' ? `${part} using ${manager.apiVersion}` : part;
}
