import type { KubeObject } from '../../manifest/index.ts';
import type { ServedKind } from '../catalog/kind.ts';
import { applyConfiguration, decodeManagers, FieldsError, type Json, type Manager, sameJson, takeField } from '../fields/index.ts';
import type { Draft } from '../kinds/index.ts';
import { conflict, invalid, notFound } from '../request/status.ts';
import { applyConflict, untypable } from './apply-failure.ts';
import { type Deleted, deleteObject } from './deletion.ts';
import { readConfiguration, readObject } from './object-reading.ts';
import { ignoredFields, managerOf, managersBefore, setManagers, trackWrite, withoutManagedFields } from './ownership.ts';
import { scaledObject, scalePaths } from './scale.ts';
import { checkIdentity, insertObject, replaceObject } from './storing.ts';
import type { DeleteOptions, WriteOptions } from './write-options.ts';
import { now, type ObjectsDeps, presentObject } from './write.ts';

export type { Admission } from './write.ts';
export type { Deleted } from './deletion.ts';
export type { DeleteOptions, WriteOptions } from './write-options.ts';

/** A finished write, with what the client should be warned of. */
export type Written = { object: KubeObject; created: boolean; warnings: readonly string[] };

/** Kinds whose objects an update makes when they are not there. */
const CREATED_BY_UPDATE: ReadonlySet<string> = new Set([
  '/services',
  '/endpoints',
  '/events',
  '/limitranges',
  'coordination.k8s.io/leases',
  'rbac.authorization.k8s.io/clusterrolebindings',
  'rbac.authorization.k8s.io/clusterroles',
  'rbac.authorization.k8s.io/rolebindings',
  'rbac.authorization.k8s.io/roles',
]);

/** Creates, updates, applies and deletes objects with everything a write to the API means. */
export class Objects {
  readonly #deps: ObjectsDeps;

  constructor(deps: ObjectsDeps) {
    this.#deps = deps;
  }

  /** @throws StatusError 404 */
  get(kind: ServedKind, namespace: string, name: string): KubeObject {
    const object = this.#deps.store.get(kind.collection, namespace, name);
    if (object === undefined) throw notFound(kind, name);
    return presentObject(kind, object);
  }

  /** A stored object in the version of `kind`. */
  present(kind: ServedKind, object: KubeObject): KubeObject {
    return presentObject(kind, object);
  }

  /** Reads an object that is answered and not stored, and notes who sent it. @throws StatusError 400 */
  draft(kind: ServedKind, namespace: string, body: Json, options: WriteOptions): { draft: Draft; warnings: readonly string[] } {
    const read = readObject(this.#deps, { kind, namespace, name: '' }, body, options);
    trackWrite(this.#deps, { kind, old: undefined, options }, read.draft);
    return read;
  }

  create(kind: ServedKind, namespace: string, body: Json, options: WriteOptions): Written {
    const { draft, warnings } = readObject(this.#deps, { kind, namespace, name: '' }, body, options);
    const track = (object: Draft): void => trackWrite(this.#deps, { kind, old: undefined, options }, object);
    return { object: insertObject(this.#deps, kind, draft, options, track), created: true, warnings };
  }

  /** PUT: replaces an object (or its status). */
  update(kind: ServedKind, namespace: string, name: string, body: Json, options: WriteOptions): Written {
    const { draft, warnings } = readObject(this.#deps, { kind, namespace, name }, body, options);
    const old = this.#deps.store.get(kind.collection, namespace, name);
    if (old === undefined && CREATED_BY_UPDATE.has(kind.collection) && options.subresource === '')
      return this.create(kind, namespace, body, options);
    if (old === undefined) throw notFound(kind, name);
    if (kind.schemaName === undefined && (draft.metadata.resourceVersion ?? '') === '') {
      const message = 'Invalid value: 0: must be specified for an update';
      throw invalid(kind.group, kind.plural, name, [{ type: 'FieldValueInvalid', field: 'metadata.resourceVersion', message }]);
    }
    return this.#rewrite(kind, old, draft, options, warnings);
  }

  /** PATCH: `change` makes the new object from the live one. */
  patch(kind: ServedKind, namespace: string, name: string, change: (live: KubeObject) => Json, options: WriteOptions): Written {
    const live = this.get(kind, namespace, name);
    const { draft, warnings } = readObject(this.#deps, { kind, namespace, name }, change(live), options);
    return this.#rewrite(kind, live, draft, options, warnings);
  }

  /** Server-side apply. */
  apply(kind: ServedKind, namespace: string, name: string, body: Json, options: WriteOptions & { force: boolean }): Written {
    const deps = this.#deps;
    const place = { kind, namespace, name };
    const configuration = readConfiguration(deps, place, body);
    const live = deps.store.get(kind.collection, namespace, name);
    if (live === undefined && options.subresource !== '' && !CREATED_BY_UPDATE.has(kind.collection)) throw notFound(kind, name);
    const result = this.#merge(kind, name, live, configuration, options);
    if ('conflicts' in result) throw applyConflict(result.conflicts);
    const { draft, warnings } = readObject(deps, place, result.object, { ...options, fieldValidation: 'Ignore' });
    const track = (object: Draft): void => setManagers(object, result.managers, live);
    if (live === undefined) {
      const { uid } = draft.metadata;
      if (uid !== undefined && uid !== '')
        throw conflict(kind, name, `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`);
      return { object: insertObject(deps, kind, draft, options, track), created: true, warnings };
    }
    checkIdentity(kind, draft.metadata, live, true);
    return { object: replaceObject(deps, { kind, old: live, options }, draft, track), created: false, warnings };
  }

  /** Sets an object's replicas; of its fields only they change hands. @throws StatusError 409 */
  scale(kind: ServedKind, live: KubeObject, replicas: number, options: WriteOptions & { force: boolean; isApply: boolean }): KubeObject {
    const deps = this.#deps;
    const { path, object } = { path: scalePaths(kind).spec, object: scaledObject(kind, live, replicas) };
    const operation = options.isApply ? 'Apply' : 'Update';
    const by = { ...managerOf(kind, operation, options), subresource: 'scale' };
    const result = takeField(decodeManagers(live.metadata.managedFields ?? []) ?? new Map(), by, {
      path: path.map((name) => `f:${name}`),
      isChange: !sameJson(object as Json, live as Json),
      force: options.force,
    });
    if ('conflicts' in result) throw applyConflict(result.conflicts);
    const place = { kind, namespace: live.metadata.namespace ?? '', name: live.metadata.name };
    const { draft } = readObject(deps, place, object as Json, { ...options, subresource: '' });
    const write = { kind, old: live, options: { ...options, subresource: '' } };
    return replaceObject(deps, write, draft, (it) => setManagers(it, result.managers, live));
  }

  /** DELETE. Finalizers, a grace period or a foreground deletion keep the object, marked, until they are done. */
  delete(kind: ServedKind, namespace: string, name: string, options: DeleteOptions): Deleted {
    return deleteObject(this.#deps, kind, this.get(kind, namespace, name), options);
  }

  #rewrite(kind: ServedKind, old: KubeObject, draft: Draft, options: WriteOptions, warnings: readonly string[]): Written {
    checkIdentity(kind, draft.metadata, old, options.isPatch !== undefined);
    const track = (object: Draft): void => trackWrite(this.#deps, { kind, old, options }, object);
    return { object: replaceObject(this.#deps, { kind, old, options }, draft, track), created: false, warnings };
  }

  #merge(
    kind: ServedKind,
    name: string,
    live: KubeObject | undefined,
    configuration: Json,
    options: WriteOptions & { force: boolean },
  ): ReturnType<typeof applyConfiguration> {
    const deps = this.#deps;
    try {
      return applyConfiguration({
        type: deps.schemaOf(kind).fields,
        live: (live === undefined ? {} : withoutManagedFields(presentObject(kind, live))) as Json,
        managers: live === undefined ? new Map<string, Manager>() : managersBefore(deps, { kind, old: live, options }),
        by: managerOf(kind, 'Apply', options),
        now: now(deps),
        ignored: ignoredFields(kind, options),
        configuration,
        force: options.force,
      });
    } catch (error) {
      if (error instanceof FieldsError) throw untypable(kind, name, error.message);
      throw error;
    }
  }
}
