import { OwnedObjects } from '../../../../apply/index.ts';
import type { YamlObject } from '../../../../golang/index.ts';
import { loadChart, manifestText, recordChart, releaseHooks, render, type Chart, type Release } from '../../../../helm/index.ts';
import { createKubeClient, type ClusterConfig, type KubeClient, type RequestRecord } from '../../../../kube/index.ts';
import { memoryTree, readObjects, writeObjects, type KubeObject } from '../../../../manifest/index.ts';
import { silentLogger } from '../../../../runtime/index.ts';
import { minutes, systemClock, type Clock } from '../../../../std/index.ts';
import {
  FIELD_MANAGER,
  OWNER_GROUP,
  type ActionContext,
  type ActionProgress,
  type ActionResult,
  type InstallOptions,
  type ReleaseMemory,
  type RenderedRelease,
  type RollbackOptions,
  type TestOptions,
  type UninstallOptions,
  type UpgradeOptions,
  type WaitPolicy,
} from '../action.ts';
import { installRelease } from '../install.ts';
import type { ReleaseRecords } from '../records.ts';
import { rollbackRelease } from '../rollback.ts';
import { kubeReleaseStorage } from '../storage.ts';
import { testRelease } from '../test-release.ts';
import { uninstallRelease } from '../uninstall.ts';
import { upgradeRelease } from '../upgrade.ts';

let counter = 0;

/** A cluster to release to, and what was asked of it. */
export class ReleaseWorld {
  readonly client: KubeClient;
  readonly owned: OwnedObjects;
  readonly requests: RequestRecord[] = [];
  readonly clock: Clock;

  constructor(config: ClusterConfig, clock: Clock = systemClock) {
    this.clock = clock;
    this.client = createKubeClient(config, { onRequest: (record) => this.requests.push(record) });
    this.owned = new OwnedObjects({ client: this.client, group: OWNER_GROUP, fieldManager: FIELD_MANAGER });
  }

  /** A release in a namespace of its own. */
  async release(name = 'app', more: Partial<Pick<TestedRelease, 'memory' | 'records'>> = {}): Promise<TestedRelease> {
    const namespace = `rel-${process.pid}-${++counter}`;
    await this.client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    return Object.assign(new TestedRelease(this, name, namespace), more);
  }

  /** The requests `work` sends, discovery and watches left out. */
  async counted<T>(work: () => Promise<T>): Promise<{ value: T; verbs: string[] }> {
    const from = this.requests.length;
    const value = await work();
    const verbs = this.requests
      .slice(from)
      .filter(({ verb }) => verb !== 'discovery' && verb !== 'watch')
      .map(({ verb, resource, dryRun }) => `${dryRun ? 'dry-' : ''}${verb} ${resource}`);
    return { value, verbs };
  }

  async close(): Promise<void> {
    this.owned.close();
    await this.client.close();
  }
}

/** A chart from its files: `templates/` and the like; Chart.yaml is made up when absent. */
export function chartOf(files: Readonly<Record<string, string>>, version = '1.0.0'): Chart {
  return loadChart(memoryTree({ 'Chart.yaml': `apiVersion: v2\nname: demo\nversion: ${version}\n`, ...files }));
}

export const WAIT: WaitPolicy = { strategy: 'poller', resources: true, jobs: true, timeout: minutes(1) };

/** One release under test. */
export class TestedRelease {
  readonly world: ReleaseWorld;
  readonly name: string;
  readonly namespace: string;
  memory: ReleaseMemory = new Map();
  records: ReleaseRecords | undefined;
  readonly trace: string[] = [];
  signal: AbortSignal = new AbortController().signal;

  constructor(world: ReleaseWorld, name: string, namespace: string) {
    this.world = world;
    this.name = name;
    this.namespace = namespace;
  }

  get owner(): { name: string; namespace: string } {
    return { name: this.name, namespace: this.namespace };
  }

  context(): ActionContext {
    const { client, owned, clock } = this.world;
    const { name, namespace, owner, records } = this;
    const options = { client, namespace, clock, ...(records === undefined ? {} : { records }) };
    return {
      target: { name, namespace, storageNamespace: namespace, client, owned, owner },
      storage: kubeReleaseStorage(options, name),
      memory: this.memory,
      clock,
      log: silentLogger,
      trace: (line) => this.trace.push(line),
      signal: this.signal,
    };
  }

  async history(): Promise<readonly Release[]> {
    return kubeReleaseStorage({ client: this.world.client, namespace: this.namespace, clock: this.world.clock }, this.name).list(
      this.signal,
    );
  }

  /** `v1 deployed: Install complete`, oldest first. */
  async log(): Promise<string[]> {
    return (await this.history()).map(({ version, status, description }) => `v${version} ${status}: ${description}`);
  }

  /** Renders with the owner's labels on everything, as the controller does. */
  render(chart: Chart, values: YamlObject = {}, revision = 1): RenderedRelease {
    const { name, namespace } = this;
    const rendered = render(chart, {
      release: { name, namespace, revision, isUpgrade: revision > 1 },
      values,
      postRender: { run: (text) => writeObjects(readObjects(text).map((object) => this.labelled(object))) },
    });
    return {
      manifest: rendered.manifests.flatMap(({ content, path }) => readObjects(content, path)),
      record: {
        name,
        namespace,
        notes: rendered.notes,
        config: values,
        chart: recordChart(rendered.chart),
        manifest: manifestText(rendered.manifests),
        hooks: releaseHooks(rendered.hooks),
        labels: {},
      },
      crds: rendered.crds.flatMap(({ content, path }) => readObjects(content, path)),
    };
  }

  labelled(object: KubeObject): KubeObject {
    const labels = { ...object.metadata.labels, [`${OWNER_GROUP}/name`]: this.name, [`${OWNER_GROUP}/namespace`]: this.namespace };
    return { ...object, metadata: { ...object.metadata, labels } };
  }

  async install(chart: Chart, values: YamlObject = {}, more: Partial<InstallOptions> = {}): Promise<ActionResult> {
    return this.finish(await this.beginInstall(chart, values, more));
  }

  beginInstall(chart: Chart, values: YamlObject = {}, more: Partial<InstallOptions> = {}): Promise<ActionProgress> {
    const options: InstallOptions = {
      rendered: this.render(chart, values),
      serverSideApply: true,
      takeOwnership: true,
      replace: false,
      createNamespace: false,
      crds: 'Create',
      hooks: true,
      wait: WAIT,
      ...more,
    };
    return installRelease(options, this.context());
  }

  async upgrade(chart: Chart, values: YamlObject = {}, more: Partial<UpgradeOptions> = {}): Promise<ActionResult> {
    return this.finish(await this.beginUpgrade(chart, values, more));
  }

  beginUpgrade(chart: Chart, values: YamlObject = {}, more: Partial<UpgradeOptions> = {}): Promise<ActionProgress> {
    const options: UpgradeOptions = {
      rendered: this.render(chart, values, 2),
      serverSideApply: 'auto',
      takeOwnership: true,
      force: false,
      cleanupOnFail: false,
      crds: 'Create',
      hooks: true,
      wait: WAIT,
      maxHistory: 5,
      ...more,
    };
    return upgradeRelease(options, this.context());
  }

  async rollback(version: number, more: Partial<RollbackOptions> = {}): Promise<ActionResult> {
    const options: RollbackOptions = {
      version,
      serverSideApply: 'auto',
      force: false,
      cleanupOnFail: false,
      hooks: true,
      wait: WAIT,
      maxHistory: 5,
      ...more,
    };
    return this.finish(await rollbackRelease(options, this.context()));
  }

  async uninstall(more: Partial<UninstallOptions> = {}): Promise<ActionResult> {
    const options: UninstallOptions = { hooks: true, keepHistory: false, propagation: 'Background', wait: WAIT, ...more };
    return this.finish(await uninstallRelease(options, this.context()));
  }

  async test(filters: TestOptions['filters'] = [], more: Partial<TestOptions['wait']> = {}): Promise<ActionResult> {
    return this.finish(await testRelease({ filters, wait: { ...WAIT, ...more } }, this.context()));
  }

  /** Goes on with an action whenever it is woken, until it ends. */
  async finish(progress: ActionProgress): Promise<ActionResult> {
    const { clock } = this.world;
    let now = progress;
    while (now.kind === 'waiting') {
      const { on, deadline, resume } = now;
      const cause = await new Promise<'woken' | 'deadline'>((resolve) => {
        const ends: (() => void)[] = [];
        const end = (why: 'woken' | 'deadline'): void => {
          queueMicrotask(() => {
            for (const each of ends) each();
          });
          resolve(why);
        };
        ends.push(clock.after((deadline - clock.now()) as never, () => end('deadline')));
        ends.push(on.subscribe(() => end('woken')));
      });
      now = await resume(cause, this.signal);
    }
    return now.result;
  }

  /** Names of the objects of the kinds that are in the namespace, `Kind/name`, Kubernetes' own left out. */
  async objects(...kinds: readonly string[]): Promise<string[]> {
    const { client } = this.world;
    const lists = await Promise.all(
      kinds.map(async (ref) => {
        const [kind = '', apiVersion = 'v1'] =
          ref.split('.', 2).length === 2 ? [ref.split('.')[0], ref.slice(ref.indexOf('.') + 1)] : [ref];
        const { items } = await client.list({ apiVersion, kind }, { namespace: this.namespace });
        return items.map(({ metadata }) => `${kind}/${metadata.name}`);
      }),
    );
    return lists.flat().filter((name) => !OWN.test(name));
  }

  find(apiVersion: string, kind: string, name: string): Promise<KubeObject | undefined> {
    return this.world.client.find({ apiVersion, kind, name, namespace: this.namespace });
  }
}

const OWN = /kube-root-ca\.crt|ServiceAccount\/default$|sh\.helm\.release/;
