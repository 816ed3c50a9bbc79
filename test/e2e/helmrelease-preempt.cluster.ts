// Whatever a release waits for, something newer ends the wait at once: a chart, values, a spec, a request, while health, a hook of any event,
// a test or a removal is waited for. Every timeout here is five minutes.
import assert from 'node:assert/strict';
import { after, before, describe, test, type TestContext } from 'node:test';
import type { HelmReleaseStatus } from '../../src/api/index.ts';
import { HR, release, revisions, said, waitFor } from './helmrelease-lab.ts';
import { CONFIG_MAP, Lab, OCI, until } from './kustomization-lab.ts';

/** What counts as at once, on a machine that does much else. */
const AT_ONCE = 10_000;

const JOB: typeof CONFIG_MAP = { apiVersion: 'batch/v1', kind: 'Job' };

const job = (name: string, event: string, image: string): string => `apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-${name}
  annotations: {helm.sh/hook: ${event}}
spec:
  backoffLimit: 0
  template: {spec: {restartPolicy: Never, containers: [{name: main, image: "control-plane.test/${image}:1"}]}}
`;

const PLAIN = `apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}}
data: {message: {{ .Values.message }}}
`;

/** A chart that waits as its values say: for `fate` of a Deployment, in the hook `hang`, or fails in the hook `fail`. */
const WAITS: Readonly<Record<string, string>> = {
  'app/Chart.yaml': 'apiVersion: v2\nname: app\nversion: 1.0.0\n',
  'app/values.yaml': 'message: old\nhang: ""\nfail: ""\nfate: ""\n',
  'app/templates/plain.yaml': PLAIN,
  'app/templates/web.yaml': `{{- if .Values.fate }}
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}, annotations: {control-plane.test/fate: {{ .Values.fate }}}}
    spec: {containers: [{name: main, image: app}]}
{{- end }}
`,
  'app/templates/hang.yaml': `{{- if .Values.hang }}\n${job('hang', '{{ .Values.hang }}', 'hang')}{{- end }}\n`,
  'app/templates/fail.yaml': `{{- if .Values.fail }}\n${job('fail', '{{ .Values.fail }}', 'fail')}{{- end }}\n`,
};
const NEWER: Readonly<Record<string, string>> = {
  'app/Chart.yaml': 'apiVersion: v2\nname: app\nversion: 2.0.0\n',
  'app/values.yaml': 'message: new\n',
  'app/templates/plain.yaml': PLAIN.replace('.Values.message', '"new"'),
};

/** Where a release waits, and how it got there. */
type Place = {
  name: string;
  /** Values of a release that succeeds first; none for one that waits in its install. */
  first?: Record<string, string>;
  values: Record<string, string>;
  spec?: Record<string, unknown>;
  /** True once it waits there. */
  waits: (name: string) => Promise<boolean>;
};

let lab: Lab;

const hangs = async (name: string): Promise<boolean> => (await lab.find(JOB, `${name}-hang`)) !== undefined;
const waitsForHealth = async (name: string): Promise<boolean> =>
  (await lab.find({ apiVersion: 'apps/v1', kind: 'Deployment' }, name)) !== undefined;

const rollback = { upgrade: { remediation: { retries: 3 } } };

const PLACES: readonly Place[] = [
  { name: 'health-install', values: { fate: 'unready' }, waits: waitsForHealth },
  { name: 'pre-install', values: { hang: 'pre-install' }, waits: hangs },
  { name: 'post-install', values: { hang: 'post-install' }, waits: hangs },
  { name: 'health-upgrade', first: {}, values: { fate: 'unready' }, waits: waitsForHealth },
  { name: 'pre-upgrade', first: {}, values: { hang: 'pre-upgrade' }, waits: hangs },
  { name: 'post-upgrade', first: {}, values: { hang: 'post-upgrade' }, waits: hangs },
  { name: 'pre-rollback', first: { hang: 'pre-rollback' }, values: { fail: 'post-upgrade' }, spec: rollback, waits: hangs },
  { name: 'post-rollback', first: { hang: 'post-rollback' }, values: { fail: 'post-upgrade' }, spec: rollback, waits: hangs },
  { name: 'test', values: { hang: 'test' }, spec: { test: { enable: true } }, waits: hangs },
  {
    name: 'remediation',
    values: { fail: 'post-install', hang: 'pre-delete' },
    spec: { install: { remediation: { retries: 3 } }, upgrade: { remediation: { retries: 3 } } },
    waits: hangs,
  },
];

const TRIGGERS = ['values', 'chart', 'spec', 'request'] as const;
type Trigger = (typeof TRIGGERS)[number];

function valuesOf(name: string, values: Record<string, string>): Promise<unknown> {
  const labels = { 'reconcile.fluxcd.io/watch': 'Enabled' };
  return lab.apply({ ...CONFIG_MAP, metadata: { name: `${name}-values`, labels }, data: { 'values.yaml': JSON.stringify(values) } });
}

function specOf(name: string, spec: Record<string, unknown> = {}): Record<string, unknown> {
  return { timeout: '5m', valuesFrom: [{ kind: 'ConfigMap', name: `${name}-values` }], ...spec };
}

const statusOf = async (name: string): Promise<HelmReleaseStatus> => ((await lab.find(HR, name))?.['status'] ?? {}) as HelmReleaseStatus;

const message = async (name: string): Promise<string | undefined> =>
  ((await lab.find(CONFIG_MAP, name))?.['data'] as { message?: string } | undefined)?.message;

async function isNew(name: string, status: HelmReleaseStatus): Promise<boolean> {
  return said(status, 'Ready').startsWith('True') && said(status, 'Reconciling') === '' && (await message(name)) === 'new';
}

async function bringTo({ name: place, first, values, spec, waits }: Place, name: string): Promise<void> {
  await lab.push(name, WAITS);
  await lab.source(name, name);
  if (first !== undefined) {
    await valuesOf(name, first);
    await release(lab, name, specOf(name, spec));
    await waitFor(lab, name, 'installed', (status) => said(status, 'Ready').startsWith('True'), 60_000);
  }
  await valuesOf(name, values);
  if (first === undefined) await release(lab, name, specOf(name, spec));
  try {
    await until(`${name} waits in ${place}`, () => waits(name), 20_000);
  } catch (error) {
    const told = lab.log.filter((line) => line.includes(`"name":"${name}"`)).slice(-40);
    throw new Error(`${String(error)}: ${JSON.stringify(await statusOf(name))}\n${told.join('\n')}`, { cause: error });
  }
}

/** Lets something newer come; gives what is true when it has taken the place of the old. */
async function pull(
  trigger: Trigger,
  name: string,
  spec: Record<string, unknown> = {},
): Promise<(status: HelmReleaseStatus) => Promise<boolean>> {
  switch (trigger) {
    case 'values':
      await valuesOf(name, { message: 'new' });
      break;
    case 'chart':
      await lab.push(name, NEWER);
      await lab.request(OCI, name);
      break;
    case 'spec':
      await release(lab, name, specOf(name, { ...spec, values: { hang: '', fail: '', fate: '', message: 'new' } }));
      break;
    case 'request': {
      const count = (await revisions(lab, name)).length;
      const uid = (await lab.find(JOB, `${name}-hang`))?.metadata.uid;
      await lab.request(HR, name);
      // The same is begun again: a new revision, or the hook or test anew.
      return async () => {
        const again = (await lab.find(JOB, `${name}-hang`))?.metadata.uid;
        return (again !== undefined && again !== uid) || (await revisions(lab, name)).length > count;
      };
    }
  }
  return (status) => isNew(name, status);
}

describe('something newer ends every wait of a HelmRelease at once', { timeout: 600_000 }, () => {
  before(async () => {
    lab = await Lab.open('release-preempt');
  });
  after(async () => {
    for (const kind of [HR, OCI]) {
      for (const { metadata } of (await lab.kube.list(kind, { namespace: lab.namespace })).items) {
        await lab.patch(kind, metadata.name, { metadata: { finalizers: null } });
        await lab.kube.delete({ ...kind, name: metadata.name, namespace: lab.namespace });
      }
    }
    await lab.close();
  });

  test('HB41 HB65: the same values again: the install that is under way goes on, and its failure is that of an install', async () => {
    const name = 'same';
    const values = JSON.stringify({ fail: 'post-install', hang: 'pre-delete' });
    const again = (note: string): Promise<unknown> =>
      lab.apply({
        ...CONFIG_MAP,
        metadata: { name: `${name}-values`, labels: { 'reconcile.fluxcd.io/watch': 'Enabled' } },
        data: { 'values.yaml': values, note },
      });
    await lab.push(name, WAITS);
    await lab.source(name, name);
    await lab.ready(OCI, name);
    await again('first');
    await release(lab, name, specOf(name, { install: { remediation: { retries: 3 } } }));
    await until('it installs', async () => (await revisions(lab, name)).length > 0);
    await again('second');
    await until('the failed install is removed', () => hangs(name));
    assert.equal((await statusOf(name)).lastAttemptedReleaseAction, 'install');
  });

  /** Milliseconds from the change until what is newer is there. */
  async function measure(place: Place, trigger: Trigger): Promise<number> {
    const name = `${place.name}-${trigger}`;
    await bringTo(place, name);
    await until('its status says so', async () => said(await statusOf(name), 'Reconciling') !== '');
    const from = performance.now();
    const done = await pull(trigger, name, place.spec);
    let status: HelmReleaseStatus = {};
    try {
      await until(
        `${name}: the new one`,
        async () => {
          status = await statusOf(name);
          return await done(status);
        },
        AT_ONCE * 3,
      );
    } catch (error) {
      const told = lab.log.filter((line) => line.includes(`"name":"${name}"`)).slice(-12);
      throw new Error(`${String(error)}: ${JSON.stringify(status)}\n${told.join('\n')}`, { cause: error });
    }
    const took = performance.now() - from;
    await until(`${name}: HealthCheckCanceled is told`, async () =>
      lab.posted.some(({ reason, involvedObject }) => reason === 'HealthCheckCanceled' && involvedObject.name === name),
    );
    const [, ...older] = (await revisions(lab, name)).toReversed();
    assert.deepEqual(
      older.filter((line) => line.includes('pending')),
      [],
      name,
    );
    return took;
  }

  async function matrix(t: TestContext, trigger: Trigger): Promise<void> {
    const times = await Promise.all(PLACES.map(async (place) => ({ place: place.name, took: await measure(place, trigger) })));
    t.diagnostic(`${trigger}: ${times.map(({ place, took }) => `${place} ${took.toFixed(0)} ms`).join(', ')}`);
    for (const { place, took } of times) assert.ok(took < AT_ONCE, `${trigger} in ${place}: ${took} ms`);
  }

  test('HB65: a spec without hooks ends the wait for the hook of a removal', async (t) => {
    const name = 'removal';
    await lab.push(name, WAITS);
    await lab.source(name, name);
    await valuesOf(name, { hang: 'pre-delete' });
    await release(lab, name, specOf(name));
    await waitFor(lab, name, 'installed', (status) => said(status, 'Ready').startsWith('True'), 60_000);
    await lab.kube.delete({ ...HR, name, namespace: lab.namespace });
    await until('its removal waits', () => hangs(name));
    const from = performance.now();
    await lab.patch(HR, name, { spec: { uninstall: { disableHooks: true } } });
    await until('it is gone', async () => (await lab.find(HR, name)) === undefined, AT_ONCE);
    t.diagnostic(`${(performance.now() - from).toFixed(0)} ms`);
    assert.deepEqual(await revisions(lab, name), []);
    assert.equal(await message(name), undefined);
  });

  for (const trigger of TRIGGERS) test(`HB65: newer ${trigger}, in every wait`, (t) => matrix(t, trigger));
});
