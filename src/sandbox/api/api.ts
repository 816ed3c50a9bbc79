import { systemClock, type Clock } from '../../std/index.ts';
import type { Attributes } from '../auth/rbac.ts';
import { admin, type User } from '../auth/user.ts';
import { Catalog } from '../catalog/catalog.ts';
import { apiVersionOf, type ServedKind } from '../catalog/kind.ts';
import { requestInfo, type ResourceInfo } from '../request/request-info.ts';
import { methodNotAllowed, notFound, pathNotFound } from '../request/status.ts';
import { Store } from '../storage/store.ts';
import { readBody } from './bodies.ts';
import { asAccepted, checkAccept } from './accept.ts';
import { type ApiAnswer, type ApiReply, type ApiRequest, header, nothingThere, type ResourceCall, text } from './call.ts';
import { type Access, authorize, callerOf } from './caller.ts';
import { failure } from './failure.ts';
import { builtInKindSchema, type KindSchema } from './kind-schema.ts';
import { podLog } from './log.ts';
import { type Admission, Objects } from './objects.ts';
import { answerPath } from './paths.ts';
import { list, read, watch } from './reads.ts';
import { create, evict, patch, remove, removeCollection, scale, update } from './writes.ts';

/** Handles a resource or subresource the generic code does not: gives undefined to leave it alone. */
export type Extension = (call: ResourceCall) => ApiReply | undefined;

export type ApiOptions = {
  store?: Store;
  catalog?: Catalog;
  clock?: Clock;
  random?: () => number;
  access?: Access;
  /** Host and port clients reach the API at, for discovery. */
  address?: string;
};

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

  /** Whether a user may do something. */
  allows(user: User, attributes: Attributes): boolean {
    return this.#access.allows(user, attributes);
  }

  /** Answers one request; failures are Status answers, never exceptions. */
  handle(request: ApiRequest): ApiAnswer {
    try {
      const answer = this.#answer(request);
      return 'body' in answer ? asAccepted(answer, header(request, 'accept')) : answer;
    } catch (error) {
      return asAccepted(failure(error), header(request, 'accept'));
    }
  }

  #answer(request: ApiRequest): ApiAnswer {
    const url = new URL(request.url, 'http://api');
    const info = requestInfo(request.method, url.pathname, url.searchParams);
    const user = callerOf(request, this.#access);
    authorize(this.#access, user, info, url.searchParams);
    if (!info.isResource) return answerPath({ store: this.store, catalog: this.catalog, address: this.#address }, request, url);
    return this.#resource(request, info, url.searchParams, user);
  }

  #resource(request: ApiRequest, info: ResourceInfo, query: URLSearchParams, user: User): ApiAnswer {
    const kind = this.catalog.resource(info.group, info.version, info.plural);
    if (kind === undefined) return this.#unserved(info);
    if (!kind.namespaced && info.namespace !== '' && info.plural !== 'namespaces') return this.#unserved(info);
    const subresource = kind.subresources.find((it) => it.name === info.subresource);
    if (info.subresource !== '' && subresource === undefined) {
      const isOff = kind.schemaName === undefined && (info.subresource === 'status' || info.subresource === 'scale');
      throw isOff ? notFound(kind, info.name) : pathNotFound();
    }
    const verbs = subresource?.verbs ?? kind.verbs;
    if (!verbs.includes(info.verb)) throw methodNotAllowed();
    if (info.verb === 'create' && info.name !== '' && info.subresource === '') throw methodNotAllowed();
    if ((info.verb === 'update' || info.verb === 'patch') && info.name === '') throw methodNotAllowed();
    checkAccept(header(request, 'accept'));
    const call = { request, kind, info, query, user, body: readBody(request, info.verb, kind) };
    for (const extension of this.#extensions) {
      const reply = extension(call);
      if (reply !== undefined) return reply;
    }
    return warned(this.#perform(call), kind.deprecation);
  }

  #perform(call: ResourceCall): ApiAnswer {
    const { kind, info } = call;
    if (info.subresource === 'log') return text(podLog(this.objects.get(kind, info.namespace, info.name)));
    if (info.subresource === 'scale') return scale(this, call);
    if (info.subresource === 'eviction') return evict(this, call);
    switch (info.verb) {
      case 'get':
        return read(this, call);
      case 'list':
        return list(this, call);
      case 'watch':
        return watch(this, call);
      case 'create':
        return create(this, call);
      case 'update':
        return update(this, call);
      case 'patch':
        return patch(this, call);
      case 'delete':
        return remove(this, call);
      case 'deletecollection':
        return removeCollection(this, call);
    }
  }

  /** Below a group that is not served at all there is no API to answer. */
  #unserved(info: { group: string }): ApiReply {
    if (this.catalog.all().some((kind) => kind.group === info.group && kind.schemaName !== undefined)) throw pathNotFound();
    return nothingThere();
  }
}

/** The answer with one warning more. */
function warned(answer: ApiAnswer, warning: string | undefined): ApiAnswer {
  if (warning === undefined) return answer;
  const own = `299 - ${JSON.stringify(warning)}`;
  const { warning: others } = answer.headers;
  return { ...answer, headers: { ...answer.headers, warning: others === undefined ? own : `${others}, ${own}` } };
}
