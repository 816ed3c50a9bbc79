import { systemClock, type Clock } from '../../std/index.ts';
import { readYaml } from '../../golang/index.ts';
import type { KubeObject } from '../../manifest/index.ts';
import { type Attributes, refusal } from '../auth/rbac.ts';
import { admin, anonymous, parseServiceAccount, serviceAccountUser, type User } from '../auth/user.ts';
import { builtInSchema, recordedVersion } from '../catalog/built-in.ts';
import { Catalog } from '../catalog/catalog.ts';
import { apiVersionOf, type ServedKind } from '../catalog/kind.ts';
import { aggregated, coreVersions, groupDocumentOf, groupList, resourceList } from '../discovery/discovery.ts';
import { isMap, type Json } from '../fields/index.ts';
import { applyJsonPatch, PatchError } from '../patch/json-patch.ts';
import { applyMergePatch } from '../patch/merge-patch.ts';
import { applyStrategicMergePatch } from '../patch/strategic-merge-patch.ts';
import { listOptionsFault, propagationFault, writeOptionsFault } from '../request/options.ts';
import { readProtobuf } from '../request/protobuf.ts';
import { parseFieldSelector, parseLabelSelector, type Selector } from '../request/selector.ts';
import { requestInfo, type RequestInfo } from '../request/request-info.ts';
import {
  badRequest,
  forbidden,
  methodNotAllowed,
  notAcceptable,
  pathNotFound,
  StatusError,
  unsupportedMediaType,
} from '../request/status.ts';
import { keyOf, Store } from '../storage/store.ts';
import { acceptedForm, type ApiAnswer, type ApiReply, type ApiRequest, header, json, text } from './call.ts';
import { builtInKindSchema, type KindSchema } from './kind-schema.ts';
import { type Admission, type DeleteOptions, Objects, type WriteOptions } from './objects.ts';
import { openApiV2, openApiV3, openApiV3Index } from './openapi.ts';
import { podLog } from './log.ts';
import { type ScaleTarget, scaleOf, scaledObject } from './scale.ts';
import { partialMetadata, tableOf } from './table.ts';
import { watchStream } from './watch.ts';

/** How an API answers who and whether. */
export type Access = {
  /** Who a bearer token stands for. */
  userOf: (token: string) => User | undefined;
  /** Whether a user may do something. */
  allows: (user: User, attributes: Attributes) => boolean;
};

/** Handles a resource or subresource the generic code does not: gives undefined to leave it alone. */
export type Extension = (context: {
  info: Extract<RequestInfo, { isResource: true }>;
  user: User;
  body: Json | undefined;
  query: URLSearchParams;
}) => ApiReply | undefined;

export type ApiOptions = {
  store?: Store;
  catalog?: Catalog;
  clock?: Clock;
  random?: () => number;
  access?: Access;
  /** Host and port clients reach the API at, for discovery. */
  address?: string;
};

const APPLY = ['application/apply-patch+yaml', 'application/apply-patch+cbor'];
const BODIES = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];
const PATCHES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];

/** A Kubernetes API in this process. `handle` answers one request; nothing is opened. */
export class Api {
  readonly store: Store;
  readonly catalog: Catalog;
  readonly objects: Objects;
  readonly clock: Clock;
  readonly #access: Access;
  readonly #address: string;
  readonly #schemas = new Map<string, KindSchema>();
  readonly #customSchemas = new Map<string, KindSchema>();
  readonly #admissions: Admission[] = [];
  readonly #extensions: Extension[] = [];

  constructor(options: ApiOptions = {}) {
    this.store = options.store ?? new Store();
    this.catalog = options.catalog ?? new Catalog();
    this.clock = options.clock ?? systemClock;
    this.#access = options.access ?? { userOf: () => admin, allows: () => true };
    this.#address = options.address ?? '127.0.0.1';
    this.objects = new Objects({
      store: this.store,
      clock: this.clock,
      schemaOf: (kind) => this.schemaOf(kind),
      admit: (draft, old, kind) => {
        for (const admit of this.#admissions) admit(draft, old, kind);
      },
      random: options.random ?? Math.random,
    });
  }

  /** Adds a step that may change or refuse what is about to be stored. */
  addAdmission(admission: Admission): void {
    this.#admissions.push(admission);
  }

  /** Adds a handler for what the generic code does not know. */
  addExtension(extension: Extension): void {
    this.#extensions.push(extension);
  }

  /** Sets the schema of a CRD's version; undefined takes it away. */
  setSchema(kind: ServedKind, schema: KindSchema | undefined): void {
    const key = `${apiVersionOf(kind)}/${kind.kind}`;
    if (schema === undefined) this.#customSchemas.delete(key);
    else this.#customSchemas.set(key, schema);
  }

  /** The schema of a kind. */
  schemaOf(kind: ServedKind): KindSchema {
    const key = `${apiVersionOf(kind)}/${kind.kind}`;
    const custom = this.#customSchemas.get(key);
    if (custom !== undefined) return custom;
    let schema = this.#schemas.get(key);
    if (schema === undefined) this.#schemas.set(key, (schema = builtInKindSchema(kind)));
    return schema;
  }

  /** Answers one request; failures are Status answers, never exceptions. */
  handle(request: ApiRequest): ApiAnswer {
    try {
      return this.#answer(request);
    } catch (error) {
      return failure(error);
    }
  }

  #answer(request: ApiRequest): ApiAnswer {
    const url = new URL(request.url, 'http://api');
    const info = requestInfo(request.method, url.pathname, url.searchParams);
    const user = this.#userOf(request);
    this.#authorize(user, info);
    return info.isResource ? this.#resource(request, info, url.searchParams, user) : this.#path(request, url);
  }

  #userOf(request: ApiRequest): User {
    const authorization = header(request, 'authorization');
    const token = authorization?.startsWith('Bearer ') === true ? authorization.slice(7).trim() : undefined;
    const user = request.user ?? (token === undefined ? anonymous : this.#access.userOf(token));
    if (user === undefined) throw new StatusError(401, 'Unauthorized', 'Unauthorized');
    return this.#impersonated(request, user);
  }

  /** `Impersonate-*` headers: each part must be allowed by itself. */
  #impersonated(request: ApiRequest, user: User): User {
    const name = header(request, 'impersonate-user');
    const groups = headerList(request, 'impersonate-group');
    if (name === undefined) {
      if (groups.length > 0) throw badRequest('requested [{Group}] without impersonating a user');
      return user;
    }
    const account = parseServiceAccount(name);
    const ask = (plural: string, namespace: string, what: string): void => {
      const attributes: Attributes = { verb: 'impersonate', group: '', plural, subresource: '', namespace, name: what };
      if (!this.#access.allows(user, attributes)) throw forbidden({ group: '', plural }, what, refusal(user, attributes));
    };
    if (account === undefined) ask('users', '', name);
    else ask('serviceaccounts', account.namespace, account.name);
    for (const it of groups) ask('groups', '', it);
    const base =
      account === undefined
        ? { name, uid: header(request, 'impersonate-uid') ?? '', groups: [], extra: {} }
        : serviceAccountUser(account.namespace, account.name);
    const own = groups.length > 0 ? groups : base.groups;
    return {
      ...base,
      groups: own.includes('system:authenticated') || name === 'system:anonymous' ? own : [...own, 'system:authenticated'],
    };
  }

  #authorize(user: User, info: RequestInfo): void {
    const attributes: Attributes = info.isResource
      ? {
          verb: info.verb,
          group: info.group,
          plural: info.plural,
          subresource: info.subresource,
          namespace: info.namespace,
          name: info.name,
        }
      : { verb: info.verb, group: '', plural: '', subresource: '', namespace: '', name: '', path: info.path };
    if (this.#access.allows(user, attributes)) return;
    const why = refusal(user, attributes);
    throw info.isResource ? forbidden(info, info.name, why) : new StatusError(403, 'Forbidden', `forbidden: ${why}`, {});
  }

  #path(request: ApiRequest, url: URL): ApiReply {
    const accept = header(request, 'accept') ?? '';
    const parts = url.pathname.split('/').filter((part) => part !== '');
    const [first, second, third] = parts;
    if (first === 'version') return json(recordedVersion());
    if (first === 'healthz' || first === 'livez' || first === 'readyz') return text('ok');
    if (first === 'openapi') return this.#openApi(accept, parts);
    const wantsAggregated = /as=APIGroupDiscoveryList/.test(accept);
    const document =
      first === 'api'
        ? second === undefined
          ? wantsAggregated
            ? aggregated(this.catalog, true)
            : coreVersions(this.catalog, this.#address)
          : resourceList(this.catalog, '', second)
        : first === 'apis'
          ? second === undefined
            ? wantsAggregated
              ? aggregated(this.catalog, false)
              : groupList(this.catalog)
            : third === undefined
              ? groupDocumentOf(this.catalog, second)
              : resourceList(this.catalog, second, third)
          : first === undefined
            ? { paths: ['/api', '/apis', '/healthz', '/openapi/v2', '/openapi/v3', '/version'] }
            : undefined;
    if (document === undefined) throw pathNotFound();
    const isAggregated = wantsAggregated && second === undefined;
    return json(
      document,
      200,
      isAggregated ? { 'content-type': 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' } : {},
    );
  }

  #openApi(accept: string, parts: readonly string[]): ApiReply {
    if (parts[1] === 'v2') {
      if (accept !== '' && !/application\/json|\*\/\*/.test(accept)) throw notAcceptable(['application/json']);
      return json(openApiV2(this.store));
    }
    if (parts.length === 2) return json(openApiV3Index(this.store, this.catalog));
    const document = openApiV3(this.store, parts.slice(2).join('/'));
    if (document === undefined) throw pathNotFound();
    return json(document);
  }

  #resource(request: ApiRequest, info: Extract<RequestInfo, { isResource: true }>, query: URLSearchParams, user: User): ApiAnswer {
    const body = readBody(request, info.verb);
    for (const extension of this.#extensions) {
      const reply = extension({ info, user, body, query });
      if (reply !== undefined) return reply;
    }
    const kind = this.catalog.resource(info.group, info.version, info.plural);
    if (kind === undefined) return this.#unserved(info);
    if (!kind.namespaced && info.namespace !== '' && info.plural !== 'namespaces') throw pathNotFound();
    const subresource = kind.subresources.find((it) => it.name === info.subresource);
    if (info.subresource !== '' && subresource === undefined) throw pathNotFound();
    const verbs = subresource?.verbs ?? kind.verbs;
    if (!verbs.includes(info.verb)) throw methodNotAllowed();
    if (info.verb === 'create' && info.name !== '' && info.subresource === '') throw methodNotAllowed();
    if (info.subresource === 'log') return text(podLog(this.objects.get(kind, info.namespace, info.name)));
    if (info.subresource === 'scale') return this.#scale(kind, info, request, query, body);
    switch (info.verb) {
      case 'get':
        return this.#present(request, kind, this.objects.get(kind, info.namespace, info.name), query);
      case 'list':
        refuse(listOptionsFault(query));
        return this.#list(request, kind, info.namespace, query);
      case 'watch':
        refuse(listOptionsFault(query));
        return this.#watch(request, kind, info, query);
      case 'create': {
        refuse(writeOptionsFault('CreateOptions', query));
        const written = this.objects.create(kind, this.#namespaceOf(kind, info, body), body ?? null, writeOptions(request, info, query));
        return this.#present(request, kind, written.object, query, 201, written.warnings);
      }
      case 'update': {
        refuse(writeOptionsFault('UpdateOptions', query));
        const written = this.objects.update(kind, info.namespace, info.name, body ?? null, writeOptions(request, info, query));
        return this.#present(request, kind, written.object, query, 200, written.warnings);
      }
      case 'patch':
        return this.#patch(request, kind, info, query, body);
      case 'delete': {
        const { object, gone } = this.objects.delete(kind, info.namespace, info.name, deleteOptions(body, query));
        return gone && kind.collection !== '/pods' ? json(deletedStatus(kind, object)) : this.#present(request, kind, object, query, 200);
      }
      case 'deletecollection':
        return this.#deleteCollection(kind, info, query, body);
    }
  }

  /** Below a group version that is not served at all there is no API to answer. */
  #unserved(info: { group: string; version: string }): ApiReply {
    if (this.catalog.all().some((kind) => kind.group === info.group && kind.version === info.version)) throw pathNotFound();
    return text('404 page not found\n', 404);
  }

  /** Objects may be created at the URL of all namespaces only when they are cluster-scoped. */
  #namespaceOf(kind: ServedKind, info: { namespace: string; name: string }, body: Json | undefined): string {
    if (!kind.namespaced) return '';
    if (info.namespace === '') {
      const named = isMap(body) && isMap(body['metadata']) ? body['metadata']['namespace'] : undefined;
      throw badRequest(
        named === undefined
          ? 'an empty namespace may not be set during creation'
          : 'the namespace of the provided object does not match the namespace sent on the request',
      );
    }
    return info.namespace;
  }

  #present(
    request: ApiRequest,
    kind: ServedKind,
    object: KubeObject,
    query: URLSearchParams,
    status = 200,
    warnings: readonly string[] = [],
  ): ApiReply {
    const headers = warnings.length === 0 ? {} : { warning: warnings.map((it) => `299 - ${JSON.stringify(it)}`).join(', ') };
    const form = acceptedForm(header(request, 'accept'));
    if (form === 'table')
      return json(
        tableOf(
          kind,
          [object],
          { resourceVersion: object.metadata.resourceVersion },
          this.clock.now(),
          query.get('includeObject') ?? 'Metadata',
        ),
        status,
        headers,
      );
    return json(form === 'metadata' ? partialMetadata(object) : object, status, headers);
  }

  #selector(kind: ServedKind, query: URLSearchParams): Selector {
    const labels = parseLabelSelector(query.get('labelSelector') ?? '');
    const fields = parseFieldSelector(query.get('fieldSelector') ?? '', kind.collection);
    return (object) => labels(object) && fields(object);
  }

  #list(request: ApiRequest, kind: ServedKind, namespace: string, query: URLSearchParams): ApiReply {
    const selects = this.#selector(kind, query);
    const limit = Number(query.get('limit') ?? 0);
    const resume = readContinue(query.get('continue'));
    const resourceVersion = resume?.revision ?? String(this.store.revision);
    const wanted = query.get('resourceVersion');
    if (wanted !== null && wanted !== '' && Number(wanted) > this.store.revision) {
      throw new StatusError(504, 'Timeout', `Timeout: Too large resource version: ${wanted}, current: ${this.store.revision}`, {
        causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
        retryAfterSeconds: 1,
      });
    }
    const all = this.store
      .list(kind.collection, namespace, resume?.after)
      .filter(selects)
      .map((object) => this.objects.present(kind, object));
    const page = limit > 0 ? all.slice(0, limit) : all;
    const last = page.at(-1);
    const more = page.length < all.length && last !== undefined;
    const metadata = {
      resourceVersion,
      ...(more ? { continue: writeContinue(resourceVersion, keyOf(last.metadata.namespace ?? '', last.metadata.name)) } : {}),
      ...(more && query.get('labelSelector') === null && query.get('fieldSelector') === null
        ? { remainingItemCount: all.length - page.length }
        : {}),
    };
    const form = acceptedForm(header(request, 'accept'));
    if (form === 'table') return json(tableOf(kind, page, metadata, this.clock.now(), query.get('includeObject') ?? 'Metadata'));
    if (form === 'metadata')
      return json({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata, items: page.map(partialMetadata) });
    // As from the real server: items of a built-in kind's list do not repeat apiVersion and kind.
    if (kind.schemaName === undefined)
      return json({ kind: kind.listKind, apiVersion: apiVersionOf(kind), metadata: { continue: '', ...metadata }, items: page });
    const items = page.map(({ apiVersion: _version, kind: _kind, ...rest }) => rest);
    return json({ kind: kind.listKind, apiVersion: apiVersionOf(kind), metadata, items });
  }

  #watch(request: ApiRequest, kind: ServedKind, info: { namespace: string; name: string }, query: URLSearchParams): ApiAnswer {
    const selects = this.#selector(kind, query);
    return watchStream({
      store: this.store,
      kind,
      clock: this.clock,
      form: acceptedForm(header(request, 'accept')),
      query,
      include: query.get('includeObject') ?? 'Metadata',
      present: (object) => this.objects.present(kind, object),
      selects: (object) =>
        (info.namespace === '' || object.metadata.namespace === info.namespace) &&
        (info.name === '' || object.metadata.name === info.name) &&
        selects(object),
    });
  }

  #patch(
    request: ApiRequest,
    kind: ServedKind,
    info: Extract<RequestInfo, { isResource: true }>,
    query: URLSearchParams,
    body: Json | undefined,
  ): ApiReply {
    refuse(writeOptionsFault('PatchOptions', query));
    const options = writeOptions(request, info, query);
    const type = (header(request, 'content-type') ?? '').split(';')[0]?.trim() ?? '';
    if (APPLY.includes(type)) {
      if (query.get('fieldManager') === null || query.get('fieldManager') === '') {
        throw new StatusError(
          422,
          'Invalid',
          'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
          {
            group: 'meta.k8s.io',
            kind: 'PatchOptions',
            causes: [{ reason: 'FieldValueRequired', message: 'Required value: is required for apply patch', field: 'fieldManager' }],
          },
        );
      }
      const written = this.objects.apply(kind, info.namespace, info.name, body ?? null, {
        ...options,
        force: query.get('force') === 'true',
      });
      return this.#present(request, kind, written.object, query, written.created ? 201 : 200, written.warnings);
    }
    const change = patchOf(type, body ?? null, kind);
    if (change === undefined) throw unsupportedMediaType(PATCHES);
    const written = this.objects.patch(kind, info.namespace, info.name, change, options);
    return this.#present(request, kind, written.object, query, 200, written.warnings);
  }

  #deleteCollection(kind: ServedKind, info: { namespace: string }, query: URLSearchParams, body: Json | undefined): ApiReply {
    const selects = this.#selector(kind, query);
    const options = deleteOptions(body, query);
    const deleted = this.store
      .list(kind.collection, info.namespace)
      .filter(selects)
      .map((object) => this.objects.delete(kind, object.metadata.namespace ?? '', object.metadata.name, options).object);
    return json({
      kind: kind.listKind,
      apiVersion: apiVersionOf(kind),
      metadata: { resourceVersion: String(this.store.revision) },
      items: kind.schemaName === undefined ? deleted : deleted.map(({ apiVersion: _version, kind: _kind, ...rest }) => rest),
    });
  }

  #scale(
    kind: ServedKind,
    info: Extract<RequestInfo, { isResource: true }>,
    request: ApiRequest,
    query: URLSearchParams,
    body: Json | undefined,
  ): ApiReply {
    const live = this.objects.get(kind, info.namespace, info.name);
    const target: ScaleTarget = { kind, object: live };
    if (info.verb === 'get') return json(scaleOf(target));
    const wanted =
      info.verb === 'update'
        ? (body ?? null)
        : patchOf((header(request, 'content-type') ?? '').split(';')[0] ?? '', body ?? null, kind)?.(scaleOf(target) as KubeObject);
    if (wanted === undefined) throw unsupportedMediaType(PATCHES);
    const options = { ...writeOptions(request, info, query), subresource: '', managerSubresource: 'scale' };
    const written = this.objects.patch(
      kind,
      info.namespace,
      info.name,
      (object) => scaledObject({ kind, object }, wanted) as Json,
      options,
    );
    return json(scaleOf({ kind, object: written.object }));
  }
}

function refuse(fault: StatusError | undefined): void {
  if (fault !== undefined) throw fault;
}

function headerList(request: ApiRequest, name: string): readonly string[] {
  const value = request.headers[name];
  if (value === undefined) return [];
  return typeof value === 'string' ? value.split(',').map((it) => it.trim()) : value;
}

function readBody(request: ApiRequest, verb: string): Json | undefined {
  if (request.body === undefined || request.body.length === 0 || verb === 'get' || verb === 'list' || verb === 'watch') return undefined;
  const type = (header(request, 'content-type') ?? 'application/json').split(';')[0]?.trim() ?? '';
  const body = Buffer.from(request.body).toString();
  try {
    if (type.endsWith('yaml')) return readYaml(body) as Json;
    if (type === 'application/vnd.kubernetes.protobuf') return readProtobuf(request.body);
    if (type.includes('cbor')) throw unsupportedMediaType(BODIES);
    if (request.method === 'POST' && !type.includes('json')) throw unsupportedMediaType(BODIES);
    return JSON.parse(body) as Json;
  } catch (error) {
    if (error instanceof StatusError) throw error;
    throw badRequest(
      `error decoding ${type.endsWith('yaml') ? 'YAML' : 'JSON'}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function writeOptions(request: ApiRequest, info: { subresource: string }, query: URLSearchParams): WriteOptions {
  const dryRun = query.getAll('dryRun');
  const validation = query.get('fieldValidation');
  const agent = (header(request, 'user-agent') ?? '').split('/')[0] ?? '';
  return {
    dryRun: dryRun.includes('All'),
    fieldManager: query.get('fieldManager') ?? (agent === '' ? 'unknown' : agent),
    fieldValidation: validation === 'Strict' || validation === 'Ignore' ? validation : 'Warn',
    subresource: info.subresource === 'finalize' ? '' : info.subresource,
  };
}

function deleteOptions(body: Json | undefined, query: URLSearchParams): DeleteOptions {
  const options = isMap(body) ? body : {};
  const preconditions = isMap(options['preconditions']) ? options['preconditions'] : {};
  const propagation = options['propagationPolicy'] ?? query.get('propagationPolicy') ?? undefined;
  const orphan = options['orphanDependents'];
  const grace = options['gracePeriodSeconds'] ?? query.get('gracePeriodSeconds') ?? undefined;
  const list = options['dryRun'];
  const isPropagation = propagation === 'Background' || propagation === 'Foreground' || propagation === 'Orphan';
  refuse(propagationFault(propagation, orphan));
  return {
    dryRun: (Array.isArray(list) && list.includes('All')) || query.get('dryRun') === 'All',
    propagation: isPropagation ? propagation : orphan === true ? 'Orphan' : orphan === false ? 'Background' : undefined,
    gracePeriodSeconds: grace === undefined ? undefined : Number(grace),
    uid: typeof preconditions['uid'] === 'string' ? preconditions['uid'] : undefined,
    resourceVersion: typeof preconditions['resourceVersion'] === 'string' ? preconditions['resourceVersion'] : undefined,
  };
}

function patchOf(type: string, body: Json, kind: ServedKind): ((live: KubeObject) => Json) | undefined {
  switch (type) {
    case 'application/json-patch+json':
      return (live) => applyJsonPatch(live as Json, body);
    case 'application/merge-patch+json':
      return (live) => applyMergePatch(live as Json, body);
    case 'application/strategic-merge-patch+json': {
      const name = kind.schemaName;
      if (name === undefined) return undefined;
      return (live) => applyStrategicMergePatch(live as Json, body, builtInSchema(name), builtInSchema);
    }
    default:
      return undefined;
  }
}

function deletedStatus(kind: ServedKind, object: KubeObject): Record<string, unknown> {
  const details = {
    name: object.metadata.name,
    ...(kind.group === '' ? {} : { group: kind.group }),
    kind: kind.plural,
    uid: object.metadata.uid,
  };
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
}

function writeContinue(revision: string, after: string): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: Number(revision), start: after })).toString('base64url');
}

function readContinue(token: string | null): { revision: string; after: string } | undefined {
  if (token === null || token === '') return undefined;
  try {
    const { rv, start } = JSON.parse(Buffer.from(token, 'base64url').toString()) as { rv?: unknown; start?: unknown };
    if (typeof rv === 'number' && typeof start === 'string') return { revision: String(rv), after: start };
  } catch {
    // falls through to the answer for any token we did not write
  }
  throw badRequest("invalid continue token: continue key is not valid: invalid character 'i' looking for beginning of value");
}

function failure(error: unknown): ApiReply {
  if (error instanceof StatusError) {
    const retry = error.status.details?.retryAfterSeconds;
    return json(error.status, error.status.code, retry === undefined ? {} : { 'retry-after': String(retry) });
  }
  if (error instanceof PatchError) {
    const code = error.code === 'PatchMalformed' ? 400 : 422;
    return json(
      {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        // The API server says no more than this of a patch that does not fit.
        message: code === 400 ? error.message : 'the server rejected our request due to an error in our request',
        reason: code === 400 ? 'BadRequest' : 'Invalid',
        ...(code === 422 ? { details: {} } : {}),
        code,
      },
      code,
    );
  }
  const message = error instanceof Error ? error.message : String(error);
  return json(
    {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: `Internal error occurred: ${message}`,
      reason: 'InternalError',
      details: { causes: [{ message }] },
      code: 500,
    },
    500,
  );
}
