import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { KubeObject } from '../../manifest/index.ts';
import { isRecord } from '../json.ts';

/**
 * What to do to the next matching request instead of serving it.
 * `drop`: close the connection without an answer; `hang`: never answer; `status`: answer with a Status; `garbage`: answer 200 with text that is not JSON.
 */
export type Fault =
  | { kind: 'drop' | 'hang' | 'garbage' }
  | { kind: 'status'; code: number; reason: string; message?: string; retryAfter?: number; plain?: boolean };

/** A request the server saw. */
export type SeenRequest = {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  rawHeaders: readonly string[];
  body: unknown;
};

/** A kind the server serves; all are listed under one group version. */
export type ServedKind = { group: string; version: string; kind: string; plural: string; namespaced: boolean };

type Stored = { object: KubeObject; deleted?: boolean };
type LogEntry = { version: number; type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: KubeObject; plural: string };
type Watcher = { plural: string; namespace: string; labels: string; send: (line: string) => void; end: () => void; destroy: () => void };

const DEFAULT_KINDS: readonly ServedKind[] = [
  { group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true },
  { group: '', version: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false },
  { group: 'apps', version: 'v1', kind: 'Deployment', plural: 'deployments', namespaced: true },
  { group: 'coordination.k8s.io', version: 'v1', kind: 'Lease', plural: 'leases', namespaced: true },
];

/**
 * A small Kubernetes API over real HTTP, for tests of clients: lists (with pages), watches (with bookmarks, history and compaction), get, create,
 * update, merge patch, apply (as a merge), delete with preconditions, optimistic locking and faults on demand. It has no schemas, no admission
 * and no field managers: what needs those is tested against a real API server.
 */
export class FakeApiServer {
  readonly seen: SeenRequest[] = [];
  readonly #objects = new Map<string, Stored>();
  readonly #log: LogEntry[] = [];
  readonly #watchers = new Set<Watcher>();
  readonly #faults: { match: (request: SeenRequest) => boolean; fault: Fault; times: number }[] = [];
  readonly #server: Server;
  kinds: ServedKind[] = [...DEFAULT_KINDS];
  /** Without aggregated discovery, as servers before 1.26. */
  legacyDiscovery = false;
  #version = 100;
  #compacted = 0;

  constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this.url;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  get openWatches(): number {
    return this.#watchers.size;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Makes the next `times` matching requests fail. */
  fail(match: (request: SeenRequest) => boolean, fault: Fault, times = 1): void {
    this.#faults.push({ match, fault, times });
  }

  /** Stores an object as if a client had written it. */
  put(object: KubeObject): KubeObject {
    const kind = this.kinds.find((each) => each.kind === object.kind);
    if (kind === undefined) throw new Error(`kind ${object.kind} is not served`);
    return this.#store(kind, object);
  }

  remove(kindName: string, namespace: string, name: string): void {
    const kind = this.kinds.find((each) => each.kind === kindName);
    if (kind !== undefined) this.#remove(kind, `${kind.plural}/${namespace}/${name}`);
  }

  /** Forgets history: watches from before are answered 410 Gone. */
  compact(): void {
    this.#compacted = this.#version;
    this.#log.length = 0;
  }

  /** Sends a line to every open watch as it is. */
  sendRaw(line: string): void {
    for (const watcher of this.#watchers) watcher.send(line);
  }

  bookmark(): void {
    this.#version++;
    for (const watcher of this.#watchers) {
      watcher.send(event('BOOKMARK', { kind: 'Bookmark', apiVersion: 'v1', metadata: { resourceVersion: String(this.#version) } }));
    }
  }

  /** Ends open watches, politely or by cutting the connection. */
  endWatches(how: 'end' | 'cut'): void {
    for (const watcher of this.#watchers) {
      if (how === 'end') watcher.end();
      else watcher.destroy();
    }
    this.#watchers.clear();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://fake');
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const { method = 'GET', headers, rawHeaders } = request;
    const seen: SeenRequest = {
      method,
      path: url.pathname,
      query: url.searchParams,
      headers,
      rawHeaders,
      body: text === '' ? undefined : JSON.parse(text),
    };
    this.seen.push(seen);
    const index = this.#faults.findIndex(({ match, times }) => times > 0 && match(seen));
    const chosen = this.#faults[index];
    if (chosen !== undefined) {
      chosen.times--;
      misbehave(chosen.fault, request, response);
      return;
    }
    this.#route(seen, response);
  }

  #route(seen: SeenRequest, response: ServerResponse): void {
    if (seen.path === '/version') return answer(response, 200, { major: '1', minor: '37' });
    if (seen.path === '/api' || seen.path === '/apis') return answer(response, 200, this.#discovery(seen.path, seen.headers.accept ?? ''));
    const found = this.#find(seen.path);
    if (found === undefined) {
      const list = this.#resourceList(seen.path);
      if (list !== undefined) return answer(response, 200, list);
      response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found\n');
      return undefined;
    }
    const { kind, namespace, name } = found;
    if (name === '') return this.#collection(kind, namespace, seen, response);
    return this.#single(kind, `${kind.plural}/${namespace}/${name}`, name, namespace, seen, response);
  }

  #find(path: string): { kind: ServedKind; namespace: string; name: string } | undefined {
    for (const kind of this.kinds) {
      const base = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
      if (!path.startsWith(`${base}/`)) continue;
      const parts = path
        .slice(base.length + 1)
        .split('/')
        .map(decodeURIComponent);
      const [namespace, rest] = parts[0] === 'namespaces' && parts.length > 2 ? [parts[1] ?? '', parts.slice(2)] : ['', parts];
      if (rest[0] === kind.plural) return { kind, namespace, name: rest[1] ?? '' };
    }
    return undefined;
  }

  #collection(kind: ServedKind, namespace: string, seen: SeenRequest, response: ServerResponse): void {
    if (seen.method === 'POST') return this.#create(kind, namespace, seen, response);
    if (seen.query.get('watch') === 'true') return this.#watch(kind, namespace, seen, response);
    const all = [...this.#objects.entries()]
      .filter(
        ([key, { object }]) =>
          key.startsWith(`${kind.plural}/${namespace === '' ? '' : `${namespace}/`}`) &&
          hasLabels(object, seen.query.get('labelSelector') ?? ''),
      )
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { object }]) => object);
    const start = Number(seen.query.get('continue') ?? 0);
    const limit = Number(seen.query.get('limit') ?? 0);
    const items = limit === 0 ? all.slice(start) : all.slice(start, start + limit);
    const more = start + items.length < all.length ? { continue: String(start + items.length) } : {};
    // As the real server: items of a list do not say their kind.
    const bare = items.map(({ apiVersion: _a, kind: _k, ...rest }) => rest);
    return answer(response, 200, {
      kind: `${kind.kind}List`,
      apiVersion: 'v1',
      metadata: { resourceVersion: String(this.#version), ...more },
      items: bare,
    });
  }

  #create(kind: ServedKind, namespace: string, seen: SeenRequest, response: ServerResponse): void {
    const object = seen.body as KubeObject;
    const key = `${kind.plural}/${namespace}/${object.metadata.name}`;
    if (this.#objects.has(key))
      return answer(response, 409, status(409, 'AlreadyExists', `${kind.plural} "${object.metadata.name}" already exists`));
    return answer(response, 201, this.#store(kind, object));
  }

  #single(kind: ServedKind, key: string, name: string, namespace: string, seen: SeenRequest, response: ServerResponse): void {
    const held = this.#objects.get(key)?.object;
    const isApply = seen.headers['content-type'] === 'application/apply-patch+yaml';
    if (held === undefined && !isApply) return answer(response, 404, status(404, 'NotFound', `${kind.plural} "${name}" not found`));
    switch (seen.method) {
      case 'GET':
        return answer(response, 200, held);
      case 'DELETE':
        return this.#delete(kind, key, held, seen, response);
      case 'PUT':
      case 'PATCH': {
        const body = isRecord(seen.body) ? seen.body : {};
        const metadata = isRecord(body['metadata']) ? body['metadata'] : {};
        const version = metadata['resourceVersion'];
        if (held !== undefined && version !== undefined && version !== held.metadata.resourceVersion) {
          return answer(
            response,
            409,
            status(409, 'Conflict', `Operation cannot be fulfilled on ${kind.plural} "${name}": the object has been modified`),
          );
        }
        const base = seen.method === 'PUT' ? { metadata: { uid: held?.metadata.uid } } : (held ?? { metadata: { name, namespace } });
        const merged = mergePatch(base, body) as KubeObject;
        if (seen.query.get('dryRun') === 'All') return answer(response, 200, merged);
        return answer(response, 200, this.#store(kind, merged));
      }
      default:
        return answer(response, 405, status(405, 'MethodNotAllowed', 'no'));
    }
  }

  #delete(kind: ServedKind, key: string, held: KubeObject | undefined, seen: SeenRequest, response: ServerResponse): void {
    const body = isRecord(seen.body) ? seen.body : {};
    const wanted = isRecord(body['preconditions']) ? body['preconditions'] : {};
    for (const field of ['uid', 'resourceVersion'] as const) {
      if (wanted[field] !== undefined && wanted[field] !== held?.metadata[field])
        return answer(response, 409, status(409, 'Conflict', `Precondition failed: ${field}`));
    }
    this.#remove(kind, key);
    return answer(response, 200, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' });
  }

  #watch(kind: ServedKind, namespace: string, seen: SeenRequest, response: ServerResponse): void {
    const from = Number(seen.query.get('resourceVersion') ?? 0);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    if (from < this.#compacted) {
      response.end(event('ERROR', status(410, 'Expired', `too old resource version: ${from} (${this.#compacted})`)));
      return;
    }
    const watcher: Watcher = {
      plural: kind.plural,
      namespace,
      labels: seen.query.get('labelSelector') ?? '',
      send: (line) => void response.write(line),
      end: () => void response.end(),
      destroy: () => void response.destroy(),
    };
    for (const entry of this.#log) if (entry.version > from) deliver(watcher, entry);
    this.#watchers.add(watcher);
    response.on('close', () => this.#watchers.delete(watcher));
  }

  #store(kind: ServedKind, object: KubeObject): KubeObject {
    const namespace = kind.namespaced ? (object.metadata.namespace ?? 'default') : '';
    const key = `${kind.plural}/${namespace}/${object.metadata.name}`;
    const old = this.#objects.get(key)?.object;
    const version = ++this.#version;
    const stored: KubeObject = {
      ...object,
      apiVersion: kind.group === '' ? kind.version : `${kind.group}/${kind.version}`,
      kind: kind.kind,
      metadata: {
        ...object.metadata,
        ...(namespace === '' ? {} : { namespace }),
        uid: old?.metadata.uid ?? `uid-${version}`,
        resourceVersion: String(version),
      },
    };
    this.#objects.set(key, { object: stored });
    this.#publish({ version, type: old === undefined ? 'ADDED' : 'MODIFIED', object: stored, plural: kind.plural });
    return stored;
  }

  #remove(kind: ServedKind, key: string): void {
    const held = this.#objects.get(key)?.object;
    if (held === undefined) return;
    this.#objects.delete(key);
    const version = ++this.#version;
    const object = { ...held, metadata: { ...held.metadata, resourceVersion: String(version) } };
    this.#publish({ version, type: 'DELETED', object, plural: kind.plural });
  }

  #publish(entry: LogEntry): void {
    this.#log.push(entry);
    for (const watcher of this.#watchers) deliver(watcher, entry);
  }

  #discovery(path: string, accept: string): unknown {
    const groups = [...new Set(this.kinds.map(({ group }) => group))].filter((group) => (group === '') === (path === '/api'));
    if (!this.legacyDiscovery && accept.includes('APIGroupDiscoveryList')) {
      const items = groups.map((group) => ({
        metadata: { name: group },
        versions: [...new Set(this.kinds.filter((each) => each.group === group).map(({ version }) => version))].map((version) => ({
          version,
          resources: this.kinds
            .filter((each) => each.group === group && each.version === version)
            .map(({ kind, plural, namespaced }) => ({
              resource: plural,
              responseKind: { group, version, kind },
              scope: namespaced ? 'Namespaced' : 'Cluster',
              singularResource: kind.toLowerCase(),
              verbs: ['get', 'list', 'watch', 'patch'],
            })),
        })),
      }));
      return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items };
    }
    if (path === '/api') return { kind: 'APIVersions', versions: ['v1'] };
    return {
      kind: 'APIGroupList',
      groups: groups.map((group) => ({ name: group, versions: [{ groupVersion: `${group}/v1`, version: 'v1' }] })),
    };
  }

  #resourceList(path: string): unknown {
    const kinds = this.kinds.filter(({ group, version }) => path === (group === '' ? `/api/${version}` : `/apis/${group}/${version}`));
    if (kinds.length === 0) return undefined;
    const resources = kinds.flatMap(({ kind, plural, namespaced }) => [
      { name: plural, singularName: kind.toLowerCase(), kind, namespaced, verbs: ['get', 'list', 'watch'] },
      { name: `${plural}/status`, singularName: '', kind, namespaced, verbs: ['get', 'patch'] },
    ]);
    return { kind: 'APIResourceList', resources };
  }
}

function deliver(watcher: Watcher, { type, object, plural }: LogEntry): void {
  const elsewhere = watcher.namespace !== '' && watcher.namespace !== object.metadata.namespace;
  if (watcher.plural === plural && !elsewhere && hasLabels(object, watcher.labels)) watcher.send(event(type, object));
}

function event(type: string, object: unknown): string {
  return `${JSON.stringify({ type, object })}\n`;
}

function misbehave(fault: Fault, request: IncomingMessage, response: ServerResponse): void {
  switch (fault.kind) {
    case 'drop':
      request.socket.destroy();
      return;
    case 'hang':
      return;
    case 'garbage':
      response.writeHead(200, { 'content-type': 'application/json' }).end('<html>not json');
      return;
    case 'status': {
      const headers = fault.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) };
      const text =
        fault.plain === true ? (fault.message ?? '') : JSON.stringify(status(fault.code, fault.reason, fault.message ?? fault.reason));
      response.writeHead(fault.code, { 'content-type': 'application/json', ...headers }).end(text);
    }
  }
}

function status(code: number, reason: string, message: string): unknown {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code };
}

function answer(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function hasLabels(object: KubeObject, selector: string): boolean {
  return selector.split(',').every((term) => {
    const [key = '', value] = term.split('=');
    if (key === '') return true;
    const have = object.metadata.labels?.[key];
    return value === undefined ? have !== undefined : have === value;
  });
}

/** RFC 7386. */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const result: Record<string, unknown> = isRecord(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}
