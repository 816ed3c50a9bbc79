import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { clusterConfig, nodeHost, parseKubeconfig, type KubeClient } from '../../../kube/index.ts';
import { startSandbox, type Sandbox } from '../../../sandbox/index.ts';
import { milliseconds } from '../../../std/index.ts';
import type { ActionContext, HookOutput } from './action.ts';
import { chartOf, ReleaseWorld, TestedRelease } from './testing/release-world.ts';
import { CONFIG, failure, FAIL, hookJob } from './testing/samples.ts';

/** A release that keeps what its hooks say. */
class HeardRelease extends TestedRelease {
  readonly said: HookOutput[] = [];

  override context(): ActionContext {
    return { ...super.context(), hookOutput: (output) => this.said.push(output) };
  }
}

describe('what hooks say', () => {
  let sandbox: Sandbox;
  let world: ReleaseWorld;
  before(async () => {
    sandbox = await startSandbox({ podStart: milliseconds(2), fateDomains: ['control-plane.test'] });
    world = new ReleaseWorld(await clusterConfig(parseKubeconfig(sandbox.kubeconfig), nodeHost));
  });
  after(async () => {
    await world.close();
    await sandbox.close();
  });

  /** @param log what the server says a container wrote; the sandbox's own when left out */
  async function heard(log?: () => Promise<string>): Promise<HeardRelease> {
    const { name, namespace } = await world.release();
    const raw: KubeClient['raw'] = async (request) =>
      log === undefined ? await world.client.raw(request) : { status: 200, text: await log() };
    const client = new Proxy(world.client, { get: (target, key) => (key === 'raw' ? raw : bound(target, key)) });
    return new HeardRelease(Object.create(world, { client: { value: client } }) as ReleaseWorld, name, namespace);
  }

  function bound(target: KubeClient, key: string | symbol): unknown {
    const value: unknown = Reflect.get(target, key, target);
    return typeof value === 'function' ? value.bind(target) : value;
  }

  const failing = (policy: Record<string, string> = {}): ReturnType<typeof chartOf> =>
    chartOf({
      'templates/config.yaml': CONFIG,
      'templates/hook.yaml': hookJob('migrate', { 'helm.sh/hook': 'post-install', ...policy }, FAIL),
    });

  it('tells how the container of a failed hook ended, and its last lines', async () => {
    const release = await heard();
    assert.match(failure(await release.install(failing({ 'helm.sh/hook-delete-policy': 'hook-failed' }))), /failed post-install/);
    const [output] = release.said;
    assert.equal(output?.hook, 'migrate');
    assert.equal(output.failed, true);
    assert.match(
      output.text,
      /^Pod\/rel-\S+\/migrate-\w+ container main ended with exit code 1:\nmain: simulated container of \S+, pod is Failed$/,
    );
    const [record] = await release.history();
    assert.ok(!record?.description.includes('simulated container'), 'the record keeps Helm’s own words');
  });

  it('says nothing of a hook that succeeded, unless it asks for it', async () => {
    const quiet = hookJob('quiet', { 'helm.sh/hook': 'post-install' });
    const loud = hookJob('loud', { 'helm.sh/hook': 'post-install', 'helm.sh/hook-output-log-policy': 'hook-succeeded,hook-failed' });
    const release = await heard();
    await release.install(chartOf({ 'templates/quiet.yaml': quiet, 'templates/loud.yaml': loud }));
    assert.deepEqual(
      release.said.map(({ hook, failed }) => ({ hook, failed })),
      [{ hook: 'loud', failed: false }],
    );
    const { verbs } = await world.counted(async () => await (await heard()).install(chartOf({ 'templates/quiet.yaml': quiet })));
    assert.deepEqual(
      verbs.filter((verb) => verb.includes('pods') || verb.startsWith('raw')),
      [],
    );
  });

  it('is bounded, and keeps secrets and colours out, whatever a container writes', async () => {
    const lines = Array.from({ length: 5000 }, (_, index) => `\u001b[31mline ${index}\u001b[0m ${'x'.repeat(4000)}`);
    const release = await heard(async () => [...lines, 'GET https://user:hunter2@example.com/', '\u0000\u0007bell', ''].join('\n'));
    await release.install(failing());
    const text = release.said[0]?.text ?? '';
    assert.ok(text.length <= 2048, String(text.length));
    assert.match(text, /https:\/\/\*\*\*@example\.com\/\nbell$/);
    assert.doesNotMatch(text, /hunter2|\u001b|\u0000/);
  });

  it('tells how the container ended where its log cannot be read', async () => {
    const release = await heard(
      async () => await world.client.raw({ method: 'GET', path: '/api/v1/namespaces/none/pods/none/log' }).then(({ text }) => text),
    );
    await release.install(failing());
    assert.match(release.said[0]?.text ?? '', /^Pod\/\S+ container main ended with exit code 1$/);
  });
});
