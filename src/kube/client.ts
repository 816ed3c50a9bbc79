import type { KubeObject } from '../manifest/index.ts';
import type { Call, Caller } from './caller.ts';
import type { ClusterConfig } from './cluster-config.ts';
import { KubeError, isKubeError } from './errors.ts';
import { identityHeaders } from './identity.ts';
import type { InformerHub } from './informer-hub.ts';
import { appendList, formatTarget, targetOf, toObject } from './objects.ts';
import { resourcePath } from './paths.ts';
import type {
  ApplyOptions,
  CallOptions,
  DeleteOptions,
  GetOptions,
  Identity,
  Informer,
  InformerOptions,
  KindRef,
  KubeClient,
  ListOptions,
  ObjectForm,
  ObjectList,
  Patch,
  RawRequest,
  Resource,
  RestMapper,
  Target,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './kube-client.ts';
import { readWatch } from './watch.ts';

const PARTIAL = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
const PARTIAL_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
const PATCH_TYPES = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
} as const;

const LIST_LIMIT = 250_000;
const PAGE_SIZE = 500;

/** What all clients of one cluster share. */
export type Cluster = {
  config: ClusterConfig;
  caller: Caller;
  mapper: RestMapper;
  informers: InformerHub;
  close(): Promise<void>;
};

/** {@link KubeClient} over a {@link Caller}. */
export class Client implements KubeClient {
  readonly #cluster: Cluster;
  readonly #identity: readonly string[];
  readonly #identityKey: string;

  constructor(cluster: Cluster, identity: Identity | undefined) {
    this.#cluster = cluster;
    this.#identity = identity === undefined ? [] : identityHeaders(identity);
    this.#identityKey = this.#identity.join('\n');
  }

  get config(): ClusterConfig {
    return this.#cluster.config;
  }

  get mapper(): RestMapper {
    return this.#cluster.mapper;
  }

  async get(target: Target, options: GetOptions = {}): Promise<KubeObject> {
    const query = { resourceVersion: options.resourceVersion };
    const accept = acceptOf(options);
    return this.#object('get', 'GET', target, { ...options, query, accept, repeatable: true });
  }

  async find(target: Target, options: GetOptions = {}): Promise<KubeObject | undefined> {
    try {
      return await this.get(target, options);
    } catch (error) {
      if (isKubeError(error, 'NotFound', 'NoMatch')) return undefined;
      throw error;
    }
  }

  async list(kind: KindRef, options: ListOptions = {}): Promise<ObjectList> {
    const resource = await this.mapper.resource(kind, options.signal);
    const what = `list ${resource.name}${options.namespace === undefined ? '' : ` in ${options.namespace}`}`;
    const result: ObjectList = { resourceVersion: '', items: [] };
    let pageSize: number | undefined = options.pageSize ?? PAGE_SIZE;
    for (let next: string | undefined; next !== '';) {
      const { namespace, labelSelector, fieldSelector, resourceVersion } = options;
      const query = {
        labelSelector,
        fieldSelector,
        resourceVersion: next === undefined ? resourceVersion : undefined,
        limit: pageSize,
        continue: next,
      };
      const path = resourcePath(resource, { namespace }, query);
      const accept = options.form === 'metadata' ? PARTIAL_LIST : undefined;
      try {
        const call = this.#call('list', 'GET', resource, { path, what, subject: resource.name, accept, repeatable: true }, options);
        next = appendList(await this.#cluster.caller.json(call, this.#identity), what, kind, result);
      } catch (error) {
        if (next === undefined || !isKubeError(error, 'Gone')) throw this.#stale(error);
        // The continue token expired between two pages: read everything in one page instead.
        result.items.length = 0;
        pageSize = undefined;
        next = undefined;
      }
      const limit = options.limit ?? LIST_LIMIT;
      if (result.items.length > limit)
        throw new KubeError({ code: 'LimitExceeded', message: `${what}: more than ${limit} objects`, subject: resource.name });
    }
    return result;
  }

  async create(object: KubeObject, options: WriteOptions = {}): Promise<KubeObject> {
    const target = targetOf(object);
    const collection = options.subresource === undefined;
    return this.#object('create', 'POST', target, {
      ...options,
      query: writeQuery(options),
      body: object,
      accept: acceptOf(options),
      repeatable: false,
      collection,
    });
  }

  async update(object: KubeObject, options: WriteOptions = {}): Promise<KubeObject> {
    // With a resourceVersion a second sending of a lost request ends in Conflict instead of a double write, but would hide the success.
    const query = writeQuery(options);
    return this.#object('update', 'PUT', targetOf(object), {
      ...options,
      query,
      body: object,
      accept: acceptOf(options),
      repeatable: false,
    });
  }

  async apply(object: KubeObject, options: ApplyOptions): Promise<KubeObject> {
    const query = { ...writeQuery(options), force: options.force };
    const contentType = 'application/apply-patch+yaml';
    return this.#object('apply', 'PATCH', targetOf(object), {
      ...options,
      query,
      body: object,
      contentType,
      accept: acceptOf(options),
      repeatable: true,
    });
  }

  async patch(target: Target, patch: Patch, options: WriteOptions = {}): Promise<KubeObject> {
    const body = patch.type === 'json' ? patch.operations : patch.body;
    const contentType = PATCH_TYPES[patch.type];
    return this.#object('patch', 'PATCH', target, {
      ...options,
      query: writeQuery(options),
      body,
      contentType,
      accept: acceptOf(options),
      repeatable: patch.type === 'merge',
    });
  }

  async patchStatus(target: Target, patch: Patch, options: WriteOptions = {}): Promise<KubeObject> {
    return this.patch(target, patch, { ...options, subresource: 'status' });
  }

  async delete(target: Target, options: DeleteOptions = {}): Promise<KubeObject | undefined> {
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: options.propagation,
      gracePeriodSeconds: options.gracePeriodSeconds,
      preconditions: options.preconditions,
    };
    const query = { dryRun: options.dryRun === true ? 'All' : undefined };
    const answer = await this.#object('delete', 'DELETE', target, {
      ...options,
      query,
      body,
      repeatable: options.preconditions?.uid !== undefined,
    });
    return answer.kind === 'Status' ? undefined : answer;
  }

  async *watch(kind: KindRef, options: WatchOptions = {}): AsyncGenerator<WatchEvent, void, undefined> {
    const resource = await this.mapper.resource(kind, options.signal);
    const { namespace, labelSelector, fieldSelector, resourceVersion, sendInitialEvents } = options;
    const path = resourcePath(
      resource,
      { namespace },
      {
        watch: 'true',
        allowWatchBookmarks: 'true',
        labelSelector,
        fieldSelector,
        resourceVersion,
        ...(sendInitialEvents === true ? { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' } : {}),
        timeoutSeconds: options.timeout === undefined ? undefined : Math.ceil(options.timeout / 1000),
      },
    );
    const what = `watch ${resource.name}`;
    const accept = options.form === 'metadata' ? PARTIAL : undefined;
    const call = this.#call(
      'watch',
      'GET',
      resource,
      { path, what, subject: resource.name, accept, repeatable: false },
      { signal: options.signal },
    );
    const stream = await this.#cluster.caller.stream(call, this.#identity).catch((error: unknown) => {
      throw this.#stale(error);
    });
    options.onOpen?.();
    yield* readWatch(stream.body, kind, what, options.signal);
  }

  informer<T extends KubeObject = KubeObject>(kind: KindRef, options: InformerOptions<T> = {}): Informer<T> {
    return this.#cluster.informers.informer(this, this.#identityKey, kind, options);
  }

  async raw(request: RawRequest): Promise<{ status: number; text: string }> {
    const call: Call = {
      verb: 'raw',
      group: '',
      resource: request.path.split('?')[0] ?? '',
      method: request.method,
      path: request.path,
      what: `${request.method.toLowerCase()} ${request.path.split('?')[0]}`,
      subject: request.path,
      body: request.body,
      accept: request.accept ?? '*/*',
      repeatable: request.method === 'GET',
      timeout: request.timeout,
      signal: request.signal,
      ...(request.contentType === undefined ? {} : { contentType: request.contentType }),
    };
    return { status: 200, text: await this.#cluster.caller.text(call, this.#identity) };
  }

  impersonate(identity: Identity): KubeClient {
    return new Client(this.#cluster, identity);
  }

  async close(): Promise<void> {
    await this.#cluster.close();
  }

  async #object(verb: string, method: Call['method'], target: Target, options: ObjectCall): Promise<KubeObject> {
    const known = this.mapper.cached(target);
    const resource = known ?? (await this.mapper.resource(target, options.signal));
    const what = `${verb}${options.dryRun === true ? ' (dry run)' : ''} ${formatTarget(target)}`;
    const { namespace, name } = target;
    if (resource.namespaced && (namespace ?? '') === '') throw noNamespace(what, target);
    const at = { namespace, subresource: options.subresource, ...(options.collection === true ? {} : { name }) };
    const path = resourcePath(resource, at, options.query);
    const { body, contentType, accept, repeatable } = options;
    const parts = { path, what, subject: formatTarget(target), accept, repeatable, body, contentType };
    try {
      const answer = await this.#cluster.caller.json(this.#call(verb, method, resource, parts, options), this.#identity);
      return toObject(answer, what, target);
    } catch (error) {
      throw this.#stale(error);
    }
  }

  #call(
    verb: string,
    method: Call['method'],
    resource: Resource,
    parts: CallParts,
    options: CallOptions & { subresource?: string; dryRun?: boolean },
  ): Call {
    const { path, what, subject, accept, repeatable, body, contentType } = parts;
    return {
      verb,
      method,
      group: resource.group,
      resource: options.subresource === undefined ? resource.name : `${resource.name}/${options.subresource}`,
      path,
      what,
      subject,
      accept,
      repeatable,
      body,
      ...(contentType === undefined ? {} : { contentType }),
      dryRun: options.dryRun,
      timeout: options.timeout,
      signal: options.signal,
    };
  }

  /** A 404 that is not a Status means the collection is gone (its CRD was deleted): discovery is stale. */
  #stale(error: unknown): unknown {
    if (!isKubeError(error, 'NotFound') || (error.reason ?? '') !== '') return error;
    this.mapper.invalidate();
    return new KubeError({ code: 'NoMatch', message: error.message, subject: error.subject ?? '', httpStatus: 404, cause: error });
  }
}

type CallParts = {
  path: string;
  what: string;
  subject: string;
  accept?: string | undefined;
  repeatable: boolean;
  body?: unknown;
  contentType?: string | undefined;
};

type ObjectCall = CallOptions & {
  query: Readonly<Record<string, string | number | boolean | undefined>>;
  body?: unknown;
  contentType?: string;
  accept?: string | undefined;
  subresource?: string;
  dryRun?: boolean;
  repeatable: boolean;
  /** The call goes to the collection, not to the object (create). */
  collection?: boolean;
};

function acceptOf({ form }: { form?: ObjectForm }): string | undefined {
  return form === 'metadata' ? PARTIAL : undefined;
}

function writeQuery(options: WriteOptions): {
  fieldManager: string | undefined;
  dryRun: string | undefined;
  fieldValidation: string | undefined;
} {
  const { fieldManager, dryRun, fieldValidation } = options;
  return { fieldManager, dryRun: dryRun === true ? 'All' : undefined, fieldValidation };
}

/** KB54: what kubectl and Flux say for a namespaced object without a namespace, found here without a request. */
function noNamespace(what: string, target: Target): KubeError {
  return new KubeError({
    code: 'NotFound',
    message: `${what}: namespace not specified: the server could not find the requested resource`,
    subject: formatTarget(target),
    serverMessage: 'namespace not specified: the server could not find the requested resource',
    reason: 'NotFound',
    remedy: 'set metadata.namespace, or spec.targetNamespace on the Kustomization',
    retryable: false,
  });
}
