import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { type KubeObject, readObjects } from '../../../manifest/index.ts';
import { FakeClock, milliseconds, seconds } from '../../../std/index.ts';
import { Api } from '../../api/api.ts';
import type { ApiReply } from '../../api/call.ts';
import { bootstrap } from '../../controllers/bootstrap.ts';
import { Cluster } from '../../controllers/cluster.ts';
import { serveDefinitions } from '../../controllers/definitions.ts';
import { runGarbageCollector } from '../../controllers/garbage.ts';
import { runNamespaces } from '../../controllers/namespaces.ts';
import { Store } from '../../storage/store.ts';
import { FATE_DOMAIN } from '../fate.ts';
import { type Pace, runWorkloads } from '../workloads.ts';

/** A sandbox without sockets on a clock that stands still: what a test does to it is finished when the promise is. */
export type Lab = {
  api: Api;
  store: Store;
  clock: FakeClock;
  /** One request of an administrator; a body that is text is YAML. */
  ask(method: string, path: string, body?: unknown, type?: string): ApiReply;
  /** Applies YAML server-side, then lets the controllers work. */
  apply(yaml: string): Promise<void>;
  /** `collection` as in the store: `apps/deployments`, `/pods`. */
  get(collection: string, name: string, namespace?: string): KubeObject;
  find(collection: string, name: string, namespace?: string): KubeObject | undefined;
  list(collection: string, namespace?: string): KubeObject[];
  /** A status as plain data. */
  status(collection: string, name: string): Record<string, unknown>;
  /** A condition as `status reason: message`. */
  condition(collection: string, name: string, type: string): string;
  /** Lets the controllers work until nothing changes. */
  settle(): Promise<void>;
  /** Moves the clock and settles, second by second when `step` is given. */
  advance(by: number, step?: number): Promise<void>;
  close(): void;
};

const AT_ONCE: Pace = { podStart: milliseconds(0), backoff: milliseconds(0), fateDomains: [FATE_DOMAIN] };

/** Opens a lab. @param pace zero delays unless said otherwise */
export function openLab(pace: Partial<Pace> = {}, store: Store = new Store()): Lab {
  const clock = new FakeClock(Date.UTC(2026, 0, 1));
  let seed = 1;
  const api = new Api({ store, clock, random: () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647 });
  bootstrap(api);
  serveDefinitions(api);
  const cluster = new Cluster(api);
  const stops = [
    runNamespaces(cluster),
    runGarbageCollector(cluster),
    runWorkloads(cluster, new Cluster(api, 'kubelet'), { ...AT_ONCE, ...pace }),
  ];
  const settle = async (): Promise<void> => {
    for (let quiet = 0, before = store.revision; quiet < 4; quiet = store.revision === before ? quiet + 1 : 0) {
      before = store.revision;
      clock.advance(milliseconds(0));
      await turn();
    }
  };
  const ask = (method: string, path: string, body?: unknown, type = 'application/json'): ApiReply => {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const headers = { 'content-type': type };
    const answer = api.handle({ method, url: path, headers, body: text === undefined ? undefined : Buffer.from(text) });
    assert.ok('body' in answer);
    return answer;
  };
  const find = (collection: string, name: string, namespace = 'default'): KubeObject | undefined => store.get(collection, namespace, name);
  const get = (collection: string, name: string, namespace = 'default'): KubeObject => {
    const object = find(collection, name, namespace);
    assert.ok(object !== undefined, `${collection} ${namespace}/${name} is not there`);
    return object;
  };
  const status = (collection: string, name: string): Record<string, unknown> =>
    (get(collection, name)['status'] ?? {}) as Record<string, unknown>;
  return {
    api,
    store,
    clock,
    ask,
    apply: async (yaml) => {
      for (const object of readObjects(yaml, 'test.yaml')) {
        const path = pathOf(api, object);
        const reply = ask('PATCH', `${path}?fieldManager=test&force=true`, object, 'application/apply-patch+yaml');
        assert.ok(reply.status < 300, JSON.stringify('json' in reply.body ? reply.body.json : reply.body));
      }
      await settle();
    },
    get,
    find,
    list: (collection, namespace = '') => store.list(collection, namespace),
    status,
    condition: (collection, name, type) => {
      const conditions = (status(collection, name)['conditions'] ?? []) as Record<string, string>[];
      const found = conditions.find((it) => it['type'] === type);
      return found === undefined ? 'none' : `${found['status']} ${found['reason']}: ${found['message']}`;
    },
    settle,
    advance: async (by, step = by) => {
      for (let left = by; left > 0; left -= step) {
        clock.advance(seconds(Math.min(step, left)));
        await settle();
      }
    },
    close: () => {
      for (const stop of stops) stop();
    },
  };
}

/** Where an object is in the API; in `default` when it says nothing. */
export function pathOf(api: Api, object: KubeObject): string {
  const { apiVersion, kind, metadata } = object;
  const [group, version] = apiVersion.includes('/') ? (apiVersion.split('/') as [string, string]) : ['', apiVersion];
  const served = api.catalog.kind(group, version, kind);
  assert.ok(served !== undefined, `${apiVersion} ${kind} is served`);
  const root = group === '' ? `/api/${version}` : `/apis/${apiVersion}`;
  const place = served.namespaced ? `/namespaces/${metadata.namespace ?? 'default'}` : '';
  return `${root}${place}/${served.plural}/${metadata.name}`;
}
