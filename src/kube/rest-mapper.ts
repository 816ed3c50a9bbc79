import { milliseconds, type Clock } from '../std/index.ts';
import { parseApiVersion, type KubeObject } from '../manifest/index.ts';
import { KubeError } from './errors.ts';
import { isRecord } from './json.ts';
import type { KindRef, Resource, RestMapper } from './kube-client.ts';

/** Asks the server for one discovery document, aggregated when it can. */
export type DiscoveryFetch = (path: '/api' | '/apis' | `/api/${string}` | `/apis/${string}`, accept?: string) => Promise<unknown>;

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
/** After a miss, discovery is not asked again for this long: a thousand objects of an unknown kind cost one request pair a second. */
const MISS_INTERVAL = milliseconds(1000);

type Table = {
  /** `group/version/kind`, versions in the server's order of preference. */
  byKind: Map<string, Resource>;
  /** `group/kind` in its preferred version. */
  preferred: Map<string, Resource>;
  all: readonly Resource[];
};

/** Discovery, cached until a question cannot be answered from it. */
export class DiscoveryMapper implements RestMapper {
  readonly #fetch: DiscoveryFetch;
  readonly #clock: Clock;
  readonly #learned = new Map<string, Resource>();
  #table: Table | undefined;
  #pending: Promise<Table> | undefined;
  #loadedAt = Number.NEGATIVE_INFINITY;

  constructor(fetch: DiscoveryFetch, clock: Clock) {
    this.#fetch = fetch;
    this.#clock = clock;
  }

  cached(kind: KindRef): Resource | undefined {
    const key = kindKey(kind);
    return this.#table?.byKind.get(key) ?? this.#learned.get(key);
  }

  async resource(kind: KindRef, signal?: AbortSignal): Promise<Resource> {
    return (
      this.cached(kind) ??
      (await this.#ask(() => this.cached(kind), signal)) ??
      noMatch(kind.kind, `version ${JSON.stringify(kind.apiVersion)}`)
    );
  }

  async preferred(group: string, kind: string, signal?: AbortSignal): Promise<Resource> {
    const find = (): Resource | undefined =>
      this.#table?.preferred.get(`${group}/${kind}`) ??
      [...this.#learned.values()].find((each) => each.group === group && each.kind === kind);
    return find() ?? (await this.#ask(find, signal)) ?? noMatch(kind, `group ${JSON.stringify(group)}`);
  }

  async all(signal?: AbortSignal): Promise<readonly Resource[]> {
    const table = this.#table ?? (await this.#load(signal));
    const known = new Set(table.all.map(resourceKey));
    return [...table.all, ...[...this.#learned.values()].filter((each) => !known.has(resourceKey(each)))];
  }

  learn(definition: KubeObject): void {
    for (const resource of resourcesOf(definition)) this.#learned.set(resourceKey(resource), resource);
  }

  invalidate(): void {
    this.#table = undefined;
    this.#learned.clear();
    this.#loadedAt = Number.NEGATIVE_INFINITY;
  }

  async #ask(find: () => Resource | undefined, signal: AbortSignal | undefined): Promise<Resource | undefined> {
    if (this.#table !== undefined && this.#clock.now() - this.#loadedAt < MISS_INTERVAL) return undefined;
    await this.#load(signal);
    return find();
  }

  async #load(signal: AbortSignal | undefined): Promise<Table> {
    this.#pending ??= loadTable(this.#fetch).finally(() => {
      this.#pending = undefined;
    });
    const table = await abortable(this.#pending, signal);
    this.#table = table;
    this.#loadedAt = this.#clock.now();
    return table;
  }
}

/** Waits for work shared by several callers; one caller's abort ends only its own wait. */
function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new KubeError({ code: 'Aborted', message: 'read discovery: aborted', subject: 'discovery' }));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

async function loadTable(fetch: DiscoveryFetch): Promise<Table> {
  const [core, named] = await Promise.all([fetch('/api', AGGREGATED), fetch('/apis', AGGREGATED)]);
  const lists = await Promise.all([groupResources(core, fetch, true), groupResources(named, fetch, false)]);
  return toTable(lists.flat());
}

function toTable(all: readonly Resource[]): Table {
  const byKind = new Map<string, Resource>();
  const preferred = new Map<string, Resource>();
  for (const resource of all) {
    const key = resourceKey(resource);
    if (!byKind.has(key)) byKind.set(key, resource);
    const groupKind = `${resource.group}/${resource.kind}`;
    if (!preferred.has(groupKind)) preferred.set(groupKind, resource);
  }
  return { byKind, preferred, all };
}

async function groupResources(document: unknown, fetch: DiscoveryFetch, core: boolean): Promise<Resource[]> {
  if (isRecord(document) && document['kind'] === 'APIGroupDiscoveryList') return records(document['items']).flatMap(aggregatedGroup);
  return legacyGroups(document, fetch, core);
}

/** apidiscovery.k8s.io/v2 APIGroupDiscovery. */
function aggregatedGroup(group: Record<string, unknown>): Resource[] {
  const metadata = isRecord(group['metadata']) ? group['metadata'] : {};
  const groupName = text(metadata['name']);
  return records(group['versions']).flatMap((version) =>
    records(version['resources']).map((resource) => {
      const kind = isRecord(resource['responseKind']) ? resource['responseKind'] : {};
      return {
        group: groupName,
        version: text(version['version']),
        kind: text(kind['kind']),
        name: text(resource['resource']),
        singular: text(resource['singularResource']),
        shortNames: texts(resource['shortNames']),
        categories: texts(resource['categories']),
        namespaced: resource['scope'] === 'Namespaced',
        verbs: texts(resource['verbs']),
        subresources: records(resource['subresources']).map((each) => text(each['subresource'])),
      };
    }),
  );
}

/** One APIResourceList for each group version: servers without aggregated discovery. A group that fails (its APIService is down) is passed over. */
async function legacyGroups(document: unknown, fetch: DiscoveryFetch, core: boolean): Promise<Resource[]> {
  if (!isRecord(document)) return [];
  const paths = core
    ? texts(document['versions']).map((version) => ({ group: '', version, path: `/api/${version}` as const }))
    : records(document['groups']).flatMap((group) =>
        records(group['versions']).map((version) => ({
          group: text(group['name']),
          version: text(version['version']),
          path: `/apis/${text(version['groupVersion'])}` as const,
        })),
      );
  const lists = await Promise.all(
    paths.map(async ({ group, version, path }) => legacyResources(await fetch(path).catch(() => undefined), group, version)),
  );
  return lists.flat();
}

function legacyResources(document: unknown, group: string, version: string): Resource[] {
  const entries = isRecord(document) ? records(document['resources']) : [];
  return entries
    .filter((entry) => !text(entry['name']).includes('/'))
    .map((entry) => ({
      group,
      version,
      kind: text(entry['kind']),
      name: text(entry['name']),
      singular: text(entry['singularName']),
      shortNames: texts(entry['shortNames']),
      categories: texts(entry['categories']),
      namespaced: entry['namespaced'] === true,
      verbs: texts(entry['verbs']),
      subresources: entries.flatMap((other) => {
        const [name, subresource] = text(other['name']).split('/');
        return name === entry['name'] && subresource !== undefined ? [subresource] : [];
      }),
    }));
}

/** What a CustomResourceDefinition (apiextensions.k8s.io/v1) will serve. */
export function resourcesOf(definition: KubeObject): Resource[] {
  const spec = isRecord(definition['spec']) ? definition['spec'] : {};
  const names = isRecord(spec['names']) ? spec['names'] : {};
  if (definition.kind !== 'CustomResourceDefinition' || text(names['kind']) === '' || text(names['plural']) === '') return [];
  return records(spec['versions'])
    .filter((version) => version['served'] === true)
    .map((version) => ({
      group: text(spec['group']),
      version: text(version['name']),
      kind: text(names['kind']),
      name: text(names['plural']),
      singular: text(names['singular']),
      shortNames: texts(names['shortNames']),
      categories: texts(names['categories']),
      namespaced: spec['scope'] === 'Namespaced',
      verbs: ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'],
      subresources: isRecord(version['subresources']) ? Object.keys(version['subresources']) : [],
    }));
}

function kindKey(kind: KindRef): string {
  const { group, version } = parseApiVersion(kind.apiVersion);
  return `${group}/${version}/${kind.kind}`;
}

function resourceKey(resource: Resource): string {
  return `${resource.group}/${resource.version}/${resource.kind}`;
}

function noMatch(kind: string, where: string): never {
  throw new KubeError({
    code: 'NoMatch',
    message: `find resource: no matches for kind ${JSON.stringify(kind)} in ${where}`,
    subject: kind,
    remedy: 'install the CustomResourceDefinition of this kind, or fix apiVersion and kind',
  });
}

function records(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
