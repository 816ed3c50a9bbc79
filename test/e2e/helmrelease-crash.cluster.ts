// kill -9 of the controller with every write of an install, an upgrade, a test, a rollback and an uninstall, before the API server has it and
// with its answer lost: the next start converges, and nothing is doubled, left behind or run twice at once.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { HelmReleaseStatus } from '../../src/api/index.ts';
import { loadClusterConfig, nodeHost } from '../../src/kube/index.ts';
import { tool } from '../tools/build.ts';
import { DeadlyProxy, type When } from './deadly-proxy.ts';
import { kubeconfig, startController, type Controller } from './harness.ts';
import { HR, revisions, said } from './helmrelease-lab.ts';
import { condition, CONFIG_MAP, Lab, OCI, until } from './kustomization-lab.ts';

const NAMESPACE = 'release-crash';
const LANE = 'crash-test/lane';
/** Processes that live and die side by side, each with releases of its own. */
const LANES = 6;
/** No action has more writes. */
const MOST_WRITES = 100;
const ROUNDS = Number(process.env['SLUICE_CRASH_ROUNDS'] ?? 24);
/**
 * To die with the answer to a write lost is to die before the next one: with every other write of both kinds each state between two writes is
 * died in once. From 100 rounds on every write is died of both ways.
 */
const STEP = ROUNDS >= 100 ? 1 : Math.max(2, Math.ceil(48 / ROUNDS));

const POD: typeof CONFIG_MAP = { apiVersion: 'v1', kind: 'Pod' };

const hook = (name: string, events: string, image: string, policy = ''): string => `apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}-${name}
  labels: {of: {{ .Release.Name }}}
  annotations:
    helm.sh/hook: ${events}${policy}
spec: {restartPolicy: Never, containers: [{name: main, image: ${image}}]}
`;

const configMap = (name: string): string => `apiVersion: v1
kind: ConfigMap
metadata: {name: "{{ .Release.Name }}${name}", labels: {of: {{ .Release.Name }}}}
data: {message: {{ .Values.message }}}
`;

/** What `one` has and `two` has not is to go, and the other way round; `fate: fail` makes a hook fail. */
const CHART: Readonly<Record<string, string>> = {
  'app/Chart.yaml': 'apiVersion: v2\nname: app\nversion: 1.0.0\n',
  'app/values.yaml': 'message: one\nfate: ok\n',
  'app/templates/main.yaml': configMap(''),
  'app/templates/other.yaml': configMap('-{{ .Values.message }}'),
  'app/templates/before.yaml': hook('before', 'pre-install,pre-upgrade,pre-rollback,pre-delete', 'job:1'),
  'app/templates/after.yaml': hook(
    'after',
    'post-install,post-upgrade,post-rollback,post-delete',
    'job:1',
    '\n    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded',
  ),
  'app/templates/fail.yaml': `{{- if eq .Values.fate "fail" }}
${hook('fail', 'post-install,post-upgrade', 'control-plane.test/fail:1', '\n    helm.sh/hook-delete-policy: before-hook-creation,hook-failed')}
{{- end }}
`,
  'app/templates/test.yaml': hook('test', 'test', 'job:1'),
};

/** What is done to a release while its controller is killed. */
type Action = {
  name: string;
  /** Done before, by a process that lives. */
  first: (lane: Lane, name: string) => Promise<unknown>;
  change: (lane: Lane, name: string) => Promise<unknown>;
  /** True once everything is as it is to be. */
  done: (name: string) => Promise<boolean>;
  /** @param deaths how often the controller died meanwhile */
  check: (name: string, label: string, deaths: number) => Promise<void>;
};

let lab: Lab;
let helm: string | undefined;

/** A controller that dies again and again, and what it reconciles. */
class Lane {
  readonly name: string;
  readonly proxy: DeadlyProxy;
  #controller: Controller | undefined;
  #storage: string | undefined;
  readonly #logs: string[] = [];

  constructor(name: string, proxy: DeadlyProxy) {
    this.name = name;
    this.proxy = proxy;
  }

  get pid(): number {
    return this.#controller?.pid ?? 0;
  }

  /** What all of its processes have decided about a release, one line each; a dagger where one died. */
  story(name: string): string {
    const lines = [...this.#logs, this.#controller?.log() ?? ''].join('† killed\n').split('\n');
    const told = lines.filter(
      (line) => line.startsWith('†') || (line.includes(`"name":"${name}"`) && /state of the release|"Running /.test(line)),
    );
    return told.map((line) => /"state":"[^"]*","reason":"[^"]*"|Running '\w+'/.exec(line)?.[0] ?? line).join('\n');
  }

  async start(waitReady = true): Promise<void> {
    // The one before is dead; its exit may still be on its way.
    await this.#controller?.kill();
    if (this.#controller !== undefined) this.#logs.push(this.#controller.log());
    const args = ['--kubeconfig', this.proxy.kubeconfig, '--watch-label-selector', `${LANE}=${this.name}`, '--log-level', 'debug'];
    this.#controller = await startController(args, {
      waitReady,
      ...(this.#storage === undefined ? {} : { storage: this.#storage }),
    });
    this.#storage = this.#controller.storage;
  }

  async stop(): Promise<void> {
    await this.#controller?.stop();
    await this.proxy.close();
  }

  release(name: string, values: Record<string, unknown>, spec: Record<string, unknown> = {}): Promise<unknown> {
    const chartRef = { kind: 'OCIRepository', name: this.name };
    const metadata = { name, labels: { [LANE]: this.name } };
    return lab.apply({ ...HR, metadata, spec: { interval: '10m', timeout: '1m', chartRef, values, ...spec } });
  }
}

async function statusOf(name: string): Promise<HelmReleaseStatus> {
  return ((await lab.find(HR, name))?.['status'] ?? {}) as HelmReleaseStatus;
}

async function isReady(name: string, message: string, releaseName = name): Promise<boolean> {
  const object = await lab.find(HR, name);
  const status = (object?.['status'] ?? {}) as HelmReleaseStatus;
  if (said(status, 'Reconciling') !== '' || !said(status, 'Ready').startsWith('True')) return false;
  return status.observedGeneration === object?.metadata.generation && (await dataOf(releaseName)) === message;
}

async function dataOf(name: string): Promise<string | undefined> {
  return ((await lab.find(CONFIG_MAP, name))?.['data'] as { message?: string } | undefined)?.message;
}

/** Names of the objects a release has, of those its chart is made of. */
async function objectsOf(name: string): Promise<string[]> {
  const selector = { namespace: NAMESPACE, labelSelector: `of=${name}` };
  const found = await Promise.all(
    [CONFIG_MAP, POD].map(async (kind) =>
      (await lab.kube.list(kind, selector)).items.map((it) => `${kind.kind}/${it.metadata.name.slice(name.length)}`),
    ),
  );
  return found.flat().sort();
}

const HELM_STATUS = /^(?:deployed|superseded|failed)$/;

/**
 * What the real helm says of a release: one revision is deployed, the last one, and none is in the middle of anything.
 * @param most the highest number it may have
 */
async function assertRecords(name: string, label: string, least: number, most: number, releaseName = name): Promise<void> {
  const told = await revisions(lab, releaseName);
  const statuses = told.map((line) => line.replace(/^\d+ /, ''));
  assert.equal(statuses.at(-1), 'deployed', `${label}: ${told.join()}`);
  for (const status of statuses.slice(0, -1)) assert.match(status, /^(?:superseded|failed)$/, `${label}: ${told.join()}`);
  const last = Number.parseInt(told.at(-1) ?? '', 10);
  assert.ok(last >= least && last <= most, `${label}: ${told.join()}`);
  const status = await statusOf(name);
  assert.equal(status.history?.[0]?.version, last, label);
  assert.equal(status.history?.[0]?.status, 'deployed', label);
  const listed = await runHelm(['history', releaseName, '-o', 'json']);
  if (listed === undefined) return;
  const history = JSON.parse(listed) as { revision: number; status: string }[];
  for (const each of history) assert.match(each.status, HELM_STATUS);
  assert.deepEqual(
    history.map(({ revision, status: its }) => `${revision} ${its}`),
    told,
    label,
  );
}

async function runHelm(args: readonly string[]): Promise<string | undefined> {
  if (helm === undefined) return undefined;
  // Not waited for in this thread: the ways to the API server lead through it.
  const { stdout } = await promisify(execFile)(helm, [...args, '-n', NAMESPACE, '--kubeconfig', kubeconfig()], { encoding: 'utf8' });
  return stdout;
}

const install = async (lane: Lane, name: string): Promise<void> => {
  await lane.release(name, { message: 'one' });
  await until(`${name} is installed`, async () => await isReady(name, 'one'));
};

/** The name a release has after it has moved. */
const movedName = (name: string): string => `${name}-moved`;

const REMEDIATION = { retries: 0, remediateLastFailure: true };

const ACTIONS: readonly Action[] = [
  {
    name: 'rollback',
    first: install,
    change: (lane, name) => lane.release(name, { message: 'two', fate: 'fail' }, { upgrade: { remediation: REMEDIATION } }),
    done: async (name) => {
      const status = await statusOf(name);
      return said(status, 'Stalled') === 'True RetriesExceeded' && said(status, 'Remediated') === 'True RollbackSucceeded';
    },
    check: async (name, label, deaths) => {
      // A death may cost the failed upgrade and what is gone back to once more.
      await assertRecords(name, label, 3, 3 + 2 * deaths);
      assert.equal(await dataOf(name), 'one', label);
      assert.deepEqual(await objectsOf(name), ['ConfigMap/', 'ConfigMap/-one', 'Pod/-before'], label);
      assert.equal((await statusOf(name)).upgradeFailures, 1, label);
    },
  },
  {
    name: 'upgrade',
    first: install,
    change: (lane, name) => lane.release(name, { message: 'two' }),
    done: (name) => isReady(name, 'two'),
    check: async (name, label, deaths) => {
      await assertRecords(name, label, 2, 2 + deaths);
      assert.deepEqual(await objectsOf(name), ['ConfigMap/', 'ConfigMap/-two', 'Pod/-before'], label);
    },
  },
  {
    name: 'install',
    first: async () => {},
    change: (lane, name) => lane.release(name, { message: 'one' }),
    done: (name) => isReady(name, 'one'),
    check: async (name, label, deaths) => {
      await assertRecords(name, label, 1, 1 + deaths);
      assert.deepEqual(await objectsOf(name), ['ConfigMap/', 'ConfigMap/-one', 'Pod/-before'], label);
    },
  },
  {
    name: 'uninstall',
    first: install,
    change: (_, name) => lab.kube.delete({ ...HR, name, namespace: NAMESPACE }),
    done: async (name) => (await lab.find(HR, name)) === undefined,
    check: async (name, label) => {
      assert.deepEqual(await revisions(lab, name), [], label);
      // Hooks are nobody's once they have run; their own policy says whether they stay.
      assert.deepEqual(await objectsOf(name), ['Pod/-before'], label);
    },
  },
  {
    name: 'move',
    first: install,
    change: (lane, name) => lane.release(name, { message: 'one' }, { releaseName: movedName(name) }),
    done: async (name) => {
      const status = await statusOf(name);
      return status.history?.[0]?.name === movedName(name) && (await isReady(name, 'one', movedName(name)));
    },
    check: async (name, label, deaths) => {
      await assertRecords(name, label, 1, 1 + deaths, movedName(name));
      assert.deepEqual(await revisions(lab, name), [], label);
      assert.deepEqual(await objectsOf(name), ['Pod/-before'], label);
      assert.deepEqual(await objectsOf(movedName(name)), ['ConfigMap/', 'ConfigMap/-one', 'Pod/-before'], label);
    },
  },
  {
    name: 'remediate',
    first: async () => {},
    change: (lane, name) =>
      lane.release(name, { message: 'one', fate: 'fail' }, { install: { remediation: { ...REMEDIATION, retries: 1 } } }),
    done: async (name) => {
      const status = await statusOf(name);
      return said(status, 'Stalled') === 'True RetriesExceeded' && (await revisions(lab, name)).length === 0;
    },
    check: async (name, label) => {
      assert.deepEqual(await revisions(lab, name), [], label);
      assert.deepEqual(await objectsOf(name), ['Pod/-before'], label);
      assert.equal((await statusOf(name)).installFailures, 2, label);
    },
  },
  {
    name: 'test',
    first: install,
    change: (lane, name) => lane.release(name, { message: 'one' }, { test: { enable: true } }),
    done: async (name) => said(await statusOf(name), 'TestSuccess') === 'True TestSucceeded' && (await isReady(name, 'one')),
    check: async (name, label) => {
      await assertRecords(name, label, 1, 1);
      assert.equal((await statusOf(name)).history?.[0]?.testHooks?.[`${name}-test`]?.phase, 'Succeeded', label);
    },
  },
];

/** Actions of many writes: each of them is died of from 100 rounds on, and in any case they die again and again. */
const LONG: ReadonlySet<string> = new Set(['move', 'remediate']);

/** Lanes that share the writes of one action. */
const PARTS = STEP > 2 ? 1 : 2;

/** Every nth of the writes that one action is died of. */
type Job = { action: Action; when: When; part: number };

/** Kills a controller with each write of an action; gives the writes there are, and how many it died of. */
async function killWithEach({ action, when, part }: Job, lane: Lane): Promise<{ writes: number; kills: number }> {
  const { name: act, first, change, done, check } = action;
  let kills = 0;
  const begin = when === 'before' ? 1 : Math.ceil(STEP / 2);
  for (let at = begin + part * STEP; at < MOST_WRITES; at += PARTS * STEP) {
    const name = `${act}-${when}-${at}`;
    await first(lane, name);
    lane.proxy.arm(at, when, lane.pid);
    await change(lane, name);
    await waitOn(`${name}: dead or done`, name, async () => lane.proxy.isSprung || (await done(name)), lane);
    const died = lane.proxy.isSprung;
    const writes = lane.proxy.disarm();
    const label = `${act}, killed ${when} write ${at} (${writes.at(-1)})`;
    if (died) {
      kills++;
      await lane.start();
      await waitOn(label, name, () => done(name), lane);
    }
    await check(name, label, died ? 1 : 0);
    if ((await lab.find(HR, name)) !== undefined) await lab.remove(HR, name);
    if (!died) return { writes: writes.length, kills };
  }
  throw new Error(`${act}: more than ${MOST_WRITES} writes`);
}

/** Waits for something of a release; says what is known of it when it does not come. */
async function waitOn(label: string, name: string, isSo: () => Promise<boolean>, lane: Lane): Promise<void> {
  await until(label, isSo, 30_000).catch(async (error: unknown) => {
    throw new Error(
      `${String(error)}: ${JSON.stringify(await statusOf(name))}\n${(await revisions(lab, name)).join()}\n${lane.story(name)}`,
    );
  });
}

/** Kills each controller two writes later than the one before it, until one gets to the end; gives how many died. */
async function killAgain({ name: act, first, change, done, check }: Action, lane: Lane): Promise<number> {
  const name = `${act}-again`;
  await first(lane, name);
  for (let deaths = 0; deaths < MOST_WRITES; deaths++) {
    const label = `${act}, killed ${deaths} times`;
    // Not waited for: it may die before it is ready.
    if (deaths > 0) await lane.start(false);
    lane.proxy.arm(2 * deaths + 1, deaths % 2 === 0 ? 'before' : 'after', lane.pid);
    if (deaths === 0) await change(lane, name);
    await waitOn(`${label}: dead or done`, name, async () => lane.proxy.isSprung || (await done(name)), lane);
    if (lane.proxy.isSprung) continue;
    lane.proxy.disarm();
    await check(name, label, deaths);
    if ((await lab.find(HR, name)) !== undefined) await lab.remove(HR, name);
    return deaths;
  }
  throw new Error(`${act}: never done`);
}

describe('a HelmRelease survives kill -9 with every write', { timeout: 900_000 }, () => {
  const lanes: Lane[] = [];

  before(async () => {
    lab = await Lab.open(NAMESPACE);
    await lab.stop();
    helm = await tool('helm');
    await lab.push('app', CHART);
    const config = await loadClusterConfig(nodeHost, { kubeconfig: kubeconfig() });
    for (let index = 1; index <= LANES; index++) {
      const name = `lane-${index}`;
      const url = `oci://${lab.registry.host}/app`;
      const metadata = { name, labels: { [LANE]: name } };
      await lab.apply({ ...OCI, metadata, spec: { interval: '10m', insecure: true, url, ref: { tag: 'latest' } } });
      lanes.push(new Lane(name, await DeadlyProxy.open(config)));
    }
    await Promise.all(lanes.map((lane) => lane.start()));
    for (const { name } of lanes)
      await until(`${name} is ready`, async () => condition(await lab.status(OCI, name), 'Ready')?.status === 'True');
  });
  after(async () => {
    await Promise.all(lanes.map((lane) => lane.stop()));
    for (const { name } of lanes) await lab.patch(OCI, name, { metadata: { finalizers: null } }).then(() => lab.remove(OCI, name));
    await lab.close();
  });

  test('HB31 install, upgrade, test, rollback, uninstall', async (t) => {
    const actions = ROUNDS >= 100 ? ACTIONS : ACTIONS.filter(({ name }) => !LONG.has(name));
    const jobs = actions.flatMap((action) =>
      (['before', 'after'] as const).flatMap((when) => Array.from({ length: PARTS }, (_, part): Job => ({ action, when, part }))),
    );
    let kills = 0;
    const work = async (lane: Lane): Promise<void> => {
      for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
        const started = performance.now();
        const result = await killWithEach(job, lane);
        kills += result.kills;
        const took = ((performance.now() - started) / 1000).toFixed(1);
        t.diagnostic(`${job.action.name} ${job.when}: ${result.writes} writes, ${result.kills} kills, ${took}s`);
      }
    };
    await Promise.all(lanes.map(work));
    t.diagnostic(`${kills} kills`);
    assert.ok(kills >= 100 / STEP, `${kills} kills`);
  });

  test('HB31 one that dies again and again gets there', async (t) => {
    const queue = ROUNDS >= 100 ? [...ACTIONS] : ACTIONS.filter(({ name }) => name === 'rollback' || LONG.has(name));
    const deaths: string[] = [];
    const work = async (lane: Lane): Promise<void> => {
      for (let action = queue.shift(); action !== undefined; action = queue.shift()) {
        deaths.push(`${action.name} ${await killAgain(action, lane)}`);
      }
    };
    await Promise.all(lanes.map(work));
    t.diagnostic(`deaths: ${deaths.join(', ')}`);
    assert.deepEqual(JSON.parse((await runHelm(['list', '-o', 'json'])) ?? '[]'), []);
  });
});
