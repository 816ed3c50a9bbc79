import type { KubeObject } from '../manifest/index.ts';
import type { ClusterConfig } from './cluster-config.ts';
import type { KubeError } from './errors.ts';

/** A kind at a version: what a manifest says about itself. */
export type KindRef = { apiVersion: string; kind: string };

/** One object to address. `namespace` is ignored for cluster-scoped kinds. A {@link KubeObject} becomes one with `targetOf`. */
export type Target = KindRef & { name: string; namespace?: string };

/** A REST collection as discovery describes it. */
export type Resource = {
  group: string;
  version: string;
  kind: string;
  /** Plural, as in the URL. */
  name: string;
  singular: string;
  shortNames: readonly string[];
  categories: readonly string[];
  namespaced: boolean;
  verbs: readonly string[];
  /** Names of subresources, such as `status` and `scale`. */
  subresources: readonly string[];
};

/** Kinds to collections, from cached discovery. A miss refreshes it, so kinds of a new CRD appear by themselves. */
export interface RestMapper {
  /** The collection of a kind. @throws KubeError `NoMatch` when the server does not serve it. */
  resource(kind: KindRef, signal?: AbortSignal): Promise<Resource>;
  /** As {@link resource} but only from what is already known; sends no request. */
  cached(kind: KindRef): Resource | undefined;
  /** The preferred version of a group and kind. @throws KubeError `NoMatch` */
  preferred(group: string, kind: string, signal?: AbortSignal): Promise<Resource>;
  /** Every collection of every group, preferred versions first. */
  all(signal?: AbortSignal): Promise<readonly Resource[]>;
  /** Takes the kinds a CustomResourceDefinition declares, so that objects of it can be applied without a new discovery. */
  learn(definition: KubeObject): void;
  /** Forgets everything; the next question asks the server. */
  invalidate(): void;
}

export type CallOptions = {
  signal?: AbortSignal | undefined;
  /** Milliseconds for the whole call with its repetitions; default the client's. For `watch`: after how long the server ends it. */
  timeout?: number | undefined;
};

export type WriteOptions = CallOptions & {
  fieldManager?: string;
  dryRun?: boolean;
  fieldValidation?: 'Strict' | 'Warn' | 'Ignore';
  subresource?: string;
  /** How much of the object the answer brings. Default `full`. */
  form?: ObjectForm;
};

export type ApplyOptions = WriteOptions & { fieldManager: string; force?: boolean };

export type GetOptions = CallOptions & {
  subresource?: string;
  /** `metadata` asks for PartialObjectMetadata. Default `full`. */
  form?: ObjectForm;
  /** `0` lets the server answer from its cache. */
  resourceVersion?: string;
};

/** How much of each object: everything, or only PartialObjectMetadata (its `apiVersion` and `kind` are put back to the object's own). */
export type ObjectForm = 'full' | 'metadata';

export type ListOptions = CallOptions & {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  form?: ObjectForm;
  /** Objects per page; default 500. All pages are read. */
  pageSize?: number;
  /** At most this many objects; more is an error `LimitExceeded`. Default 250,000. */
  limit?: number;
  resourceVersion?: string;
};

export type ObjectList<T extends KubeObject = KubeObject> = { resourceVersion: string; items: T[] };

export type DeleteOptions = CallOptions & {
  propagation?: 'Background' | 'Foreground' | 'Orphan';
  gracePeriodSeconds?: number;
  /** Deletes only the very object the caller has seen. */
  preconditions?: { uid?: string; resourceVersion?: string };
  dryRun?: boolean;
};

/** A patch with its type: RFC 6902, RFC 7386 or Kubernetes' strategic merge. */
export type Patch =
  | { type: 'json'; operations: readonly JsonPatchOperation[] }
  | { type: 'merge'; body: Record<string, unknown> }
  | { type: 'strategic'; body: Record<string, unknown> };

export type JsonPatchOperation =
  | { op: 'add' | 'replace' | 'test'; path: string; value: unknown }
  | { op: 'remove'; path: string }
  | { op: 'move' | 'copy'; path: string; from: string };

/** Who a derived client acts as (`Impersonate-*` headers). */
export type Identity = { user: string; uid?: string; groups?: readonly string[]; extra?: Readonly<Record<string, readonly string[]>> };

/** One finished request, for metrics and benchmarks. */
export type RequestRecord = {
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `apply`, `delete`, `discovery`, `raw`. */
  verb: string;
  group: string;
  /** Plural name of the collection; with `/subresource` when there is one. */
  resource: string;
  dryRun: boolean;
  /** HTTP status; 0 when no answer came. */
  status: number;
  /** Milliseconds until the answer's headers (watch) or its end (everything else). */
  duration: number;
  /** How many times the request was sent again before this outcome. */
  retries: number;
};

export type InformerOptions<T extends KubeObject = KubeObject> = {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  form?: ObjectForm;
  /** Drop `metadata.managedFields` before caching. Default true for `full`; drift detection wants false. */
  stripManagedFields?: boolean;
  /** Shrinks or converts each object before it is cached; must keep name, namespace, uid and resourceVersion. Give the same function to share a watch. */
  transform?: (object: KubeObject) => T;
  /** Named ways to look objects up, each giving an object's keys. */
  indexes?: Readonly<Record<string, (object: T) => readonly string[]>>;
};

export type InformerHandler<T extends KubeObject = KubeObject> = {
  added?: (object: T) => void;
  updated?: (object: T, old: T) => void;
  /** `object` is the last state known: the final one, or what the cache held when a relist found it gone. */
  deleted?: (object: T) => void;
};

/**
 * A cached, always current view of one collection. Informers with the same resource, selectors and form share one watch; each
 * `informer()` call must be paired with `release()`. Cached objects are shared: never change one.
 */
export interface Informer<T extends KubeObject = KubeObject> {
  readonly kind: KindRef;
  /** True once the first list has been stored. */
  readonly synced: boolean;
  /** Why the view is not current right now, when the last list or watch failed. */
  readonly lastError: KubeError | undefined;
  waitSynced(signal?: AbortSignal): Promise<void>;
  get(namespace: string, name: string): T | undefined;
  list(namespace?: string): T[];
  /** Objects whose index function gave `value`. @throws when no index has this name (a bug) */
  byIndex(index: string, value: string): T[];
  /** Calls the handler for what is cached already (as `added`), then for every change. Returns how to stop. */
  subscribe(handler: InformerHandler<T>): () => void;
  /** The last resourceVersion seen. */
  readonly resourceVersion: string;
  /** Gives the informer back; the watch ends when the last holder did. */
  release(): void;
}

/** One change on a watch. */
export type WatchEvent<T extends KubeObject = KubeObject> =
  | { type: 'added' | 'modified' | 'deleted'; object: T }
  | { type: 'bookmark'; resourceVersion: string; initialEventsEnd: boolean };

export type WatchOptions = CallOptions & {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  form?: ObjectForm;
  resourceVersion?: string;
  /** Ask for the current objects first (watch-list streaming), ended by a bookmark with `initialEventsEnd`. */
  sendInitialEvents?: boolean;
  /** Called when the server has accepted the watch. */
  onOpen?: () => void;
};

/** A raw call for what the typed ones do not cover (`/version`, `/healthz`, logs). */
export type RawRequest = CallOptions & {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query. */
  path: string;
  body?: unknown;
  contentType?: string;
  accept?: string;
};

/** Typed access to one cluster as one identity. All failures are {@link KubeError}s. */
export interface KubeClient {
  readonly config: ClusterConfig;
  readonly mapper: RestMapper;
  /** @throws KubeError `NotFound` when the object is absent, `NoMatch` when its kind is */
  get(target: Target, options?: GetOptions): Promise<KubeObject>;
  /** As {@link get}, but undefined when the object or its kind is absent. */
  find(target: Target, options?: GetOptions): Promise<KubeObject | undefined>;
  list(kind: KindRef, options?: ListOptions): Promise<ObjectList>;
  create(object: KubeObject, options?: WriteOptions): Promise<KubeObject>;
  update(object: KubeObject, options?: WriteOptions): Promise<KubeObject>;
  /** Server-side apply. */
  apply(object: KubeObject, options: ApplyOptions): Promise<KubeObject>;
  patch(target: Target, patch: Patch, options?: WriteOptions): Promise<KubeObject>;
  /** `patch` on the `status` subresource. */
  patchStatus(target: Target, patch: Patch, options?: WriteOptions): Promise<KubeObject>;
  /** Gives the object (being deleted, when finalizers hold it) or undefined when the server answered with a Status. */
  delete(target: Target, options?: DeleteOptions): Promise<KubeObject | undefined>;
  watch(kind: KindRef, options?: WatchOptions): AsyncGenerator<WatchEvent, void, undefined>;
  informer<T extends KubeObject = KubeObject>(kind: KindRef, options?: InformerOptions<T>): Informer<T>;
  /** The answer's bytes as text. */
  raw(request: RawRequest): Promise<{ status: number; text: string }>;
  /** A client for another identity on the same connections, discovery and limits; costs nothing. */
  impersonate(identity: Identity): KubeClient;
  /** Ends informers and closes connections. Derived clients are closed with the one they came from. */
  close(): Promise<void>;
}
