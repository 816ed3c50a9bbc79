// What the fields of a HelmRelease do, one by one. Where a value is spelled out here, Flux 2.9 gave the same for the same object.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { HelmReleaseStatus } from '../../src/api/index.ts';
import { releaseOf, type Release } from '../../src/helm/index.ts';
import type { KindRef } from '../../src/kube/index.ts';
import type { KubeObject } from '../../src/manifest/index.ts';
import { parseFeatureGates } from '../../src/runtime/index.ts';
import { milliseconds, sleep, systemClock } from '../../src/std/index.ts';
import { kubeconfig } from './harness.ts';
import { chart, HR, release, revisions, said, SECRET, waitFor } from './helmrelease-lab.ts';
import { CONFIG_MAP, DEPLOYMENT, Lab, OCI, until } from './kustomization-lab.ts';

const JOB: KindRef = { apiVersion: 'batch/v1', kind: 'Job' };
const SERVICE: KindRef = { apiVersion: 'v1', kind: 'Service' };
const CRD: KindRef = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' };
const REPLICA_SET: KindRef = { apiVersion: 'apps/v1', kind: 'ReplicaSet' };

type Files = Record<string, string>;
type Spec = Record<string, unknown>;

/** A chart of one ConfigMap, which needs no time to become ready; other templates beside it. */
function small(templates: Files = {}, values = 'message: hello\n', files: Files = {}): Files {
  return {
    'app/Chart.yaml': 'apiVersion: v2\nname: app\nversion: 1.0.0\nappVersion: "9"\n',
    'app/values.yaml': values,
    'app/templates/config.yaml': configMap('{{ .Release.Name }}', '{message: {{ .Values.message | quote }}}'),
    ...Object.fromEntries(Object.entries(templates).map(([name, text]) => [`app/templates/${name}`, text])),
    ...files,
  };
}

const configMap = (name: string, data: string, annotations = '{}'): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "${name}", annotations: ${annotations}}\ndata: ${data}\n`;

/** A Job; with annotations it is a hook. */
const job = (name: string, annotations: Record<string, string>, image = 'ok'): string => `apiVersion: batch/v1
kind: Job
metadata:
  name: "{{ .Release.Name }}-${name}"
  annotations: ${JSON.stringify(annotations)}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: "${image}"}]
`;

const crd = (group: string, properties = 'a: {type: string}'): string => `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: odds.${group}}
spec:
  group: ${group}
  scope: Namespaced
  names: {plural: odds, singular: odd, kind: Odd, listKind: OddList}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {${properties}}}}}}
`;

/** Whoever asks for the same Secret within two seconds gets the same answer. */
const SHARED = milliseconds(2200);
const FAIL = 'control-plane.test/fail:1';
const stalled = (status: HelmReleaseStatus): boolean => said(status, 'Stalled') === 'True RetriesExceeded';
const isReady = (status: HelmReleaseStatus): boolean => said(status, 'Ready').startsWith('True');
const message = (status: HelmReleaseStatus, type: string): string => status.conditions?.find((it) => it.type === type)?.message ?? '';

describe('fields of a HelmRelease', { timeout: 600_000, concurrency: 6 }, () => {
  let lab: Lab;
  let other: string;
  before(async () => {
    lab = await Lab.open('release-fields', { gates: parseFeatureGates('DefaultToRetryOnFailure=false'), namespace: undefined });
    other = `${lab.namespace}-other`;
    await put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: other } });
  });
  after(async () => {
    for (const kind of [HR, OCI]) {
      const { items } = await lab.kube.list(kind, { namespace: lab.namespace });
      await Promise.all(items.map(async ({ metadata }) => lab.remove(kind, metadata.name, 60_000)));
    }
    await lab.close();
  });

  const put = (object: KubeObject): Promise<KubeObject> => lab.kube.apply(object, { fieldManager: 'lab', force: true });
  const config = (kind: 'ConfigMap' | 'Secret', name: string, data: Files): Promise<KubeObject> =>
    put({ apiVersion: 'v1', kind, metadata: { name, namespace: lab.namespace }, [kind === 'Secret' ? 'stringData' : 'data']: data });

  /** A release of a chart of its own. */
  async function install(name: string, spec: Spec = {}, files: Files = small()): Promise<void> {
    await lab.push(name, files);
    await lab.source(name, name);
    await release(lab, name, { timeout: '30s', ...spec });
  }
  /** Waits until the latest generation is ready with as many revisions, and gives its status. */
  const ready = (name: string, version = 1): Promise<HelmReleaseStatus> =>
    waitFor(lab, name, `ready with revision ${version}`, (it) => isReady(it) && it.history?.[0]?.version === version, 60_000);
  const data = async (name: string, namespace = lab.namespace): Promise<Record<string, string> | undefined> =>
    (await lab.kube.find({ ...CONFIG_MAP, name, namespace }))?.['data'] as Record<string, string> | undefined;
  async function records(name: string, namespace = lab.namespace): Promise<Release[]> {
    const { items } = await lab.kube.list(SECRET, { namespace, labelSelector: `owner=helm,name=${name}` });
    return items.map(releaseOf).sort((a, b) => a.version - b.version);
  }
  const managers = (object: KubeObject | undefined): string[] =>
    (object?.metadata.managedFields ?? []).filter(({ manager }) => manager === 'helm-controller').map(({ operation }) => operation ?? '');
  async function request(name: string, annotations: Record<string, string>): Promise<void> {
    const prefixed = Object.fromEntries(Object.entries(annotations).map(([key, value]) => [`reconcile.fluxcd.io/${key}`, value]));
    await lab.patch(HR, name, { metadata: { annotations: prefixed } });
  }

  // Values

  /** What a release gets for its values. */
  async function composed(name: string, valuesFrom: readonly Spec[], values?: Spec): Promise<unknown> {
    const dump = small({ 'config.yaml': configMap('{{ .Release.Name }}', '{values: {{ .Values | toJson | quote }}}') }, '{}\n');
    await install(name, { valuesFrom, ...(values === undefined ? {} : { values }) }, dump);
    await ready(name);
    return JSON.parse((await data(name))?.['values'] ?? '') as unknown;
  }

  test('HB20 HB24: valuesFrom in order, values on top; lists are replaced, null removes; the digest is Flux’s', async () => {
    await config('ConfigMap', 'order-a', { 'values.yaml': 'a: {x: 1, l: [1, 2, 3]}\nb: from-a\ngone: 5\n' });
    await config('Secret', 'order-b', { 'values.yaml': 'a: {z: 2, l: [9]}\nb: from-b\ngone: null\n' });
    const from = [
      { kind: 'ConfigMap', name: 'order-a' },
      { kind: 'Secret', name: 'order-b' },
    ];
    assert.deepEqual(await composed('order', from, { b: 'inline' }), { a: { x: 1, z: 2, l: [9] }, b: 'inline', gone: null });
    await install('digest', { values: { message: 'two', replicas: 2 } });
    const { lastAttemptedConfigDigest, history } = await ready('digest');
    assert.equal(lastAttemptedConfigDigest, history?.[0]?.configDigest);
    await install('undigested');
    const empty = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
    assert.equal((await ready('undigested')).lastAttemptedConfigDigest, empty);
  });

  test('HB21: targetPath reads as --set does: types, quotes, lists, indices, escaped dots', async () => {
    const values = {
      int: '5',
      text: '"5"',
      bool: 'true',
      list: '{a,b}',
      octal: "'007'",
      nothing: 'null',
      float: '1.5',
      pair: 'a=b',
      none: '',
    };
    await config('ConfigMap', 'paths', values);
    const at = (valuesKey: string, targetPath: string): Spec => ({ kind: 'ConfigMap', name: 'paths', valuesKey, targetPath });
    const from = [
      at('int', 'n'),
      at('text', 's'),
      at('bool', 'b.c.d'),
      at('list', 'l'),
      at('octal', 'deep.list[2].x'),
      at('nothing', 'nul'),
      at('float', 'f'),
      at('pair', 'eq'),
      at('none', 'empty'),
      at('int', String.raw`annotations.example\.com/key`),
      at('int', String.raw`a\.b\.c`),
    ];
    assert.deepEqual(await composed('paths', from, { nul: 'x', b: { other: 1 }, annotations: { more: 'y' } }), {
      n: 5,
      s: '5',
      b: { c: { d: true }, other: 1 },
      l: ['a', 'b'],
      deep: { list: [null, null, { x: '007' }] },
      nul: 'x',
      f: '1.5',
      eq: 'a=b',
      empty: '',
      annotations: { 'example.com/key': 5, more: 'y' },
      'a.b.c': 5,
    });
  });

  test('HB21: literal takes the text as it is, whatever is in it', async () => {
    const json = '{"a": [1,2], "b": "c,d=e\\\\"}\n# y';
    await config('ConfigMap', 'literals', { json, template: '{{ .x }}', number: '5', slash: String.raw`a\b,c` });
    const at = (valuesKey: string, targetPath: string): Spec => ({
      kind: 'ConfigMap',
      name: 'literals',
      valuesKey,
      targetPath,
      literal: true,
    });
    const from = [
      at('json', 'x'),
      at('template', 'deep.t'),
      at('number', 'n'),
      at('number', 'l[1].q'),
      at('slash', 'b'),
      at('number', String.raw`a\.b.c`),
    ];
    assert.deepEqual(await composed('literals', from), {
      x: json,
      deep: { t: '{{ .x }}' },
      n: '5',
      l: [null, { q: '5' }],
      b: String.raw`a\b,c`,
      'a.b': { c: '5' },
    });
  });

  test('HB22 HB23: values win over a targetPath they name themselves; optional forgives a missing object and a missing key', async () => {
    await config('ConfigMap', 'tops', { x: 'from-path' });
    const at = (targetPath: string): Spec => ({ kind: 'ConfigMap', name: 'tops', valuesKey: 'x', targetPath });
    const from = [
      at('top'),
      at('map.new'),
      { kind: 'Secret', name: 'nowhere', optional: true },
      { kind: 'ConfigMap', name: 'tops', valuesKey: 'nothing', optional: true },
    ];
    assert.deepEqual(await composed('tops', from, { top: 'inline', map: { k: 1 } }), { top: 'inline', map: { new: 'from-path', k: 1 } });
  });

  test('HB04 HB23: what cannot be resolved is named, and nothing is released', async () => {
    await config('ConfigMap', 'broken-values', { 'values.yaml': 'a: [1\n', list: '- 1\n' });
    const cases: readonly (readonly [string, Spec, RegExp])[] = [
      [
        'no-object',
        { kind: 'Secret', name: 'nowhere' },
        /Secret chart values reference 'release-fields\/nowhere' with key 'values.yaml': secrets "nowhere" not found$/,
      ],
      ['no-key', { kind: 'ConfigMap', name: 'broken-values', valuesKey: 'x' }, /with key 'x': key not found$/],
      [
        'no-yaml',
        { kind: 'ConfigMap', name: 'broken-values' },
        /: error converting YAML to JSON: yaml: line 1: did not find expected ',' or ']'$/,
      ],
      [
        'no-map',
        { kind: 'ConfigMap', name: 'broken-values', valuesKey: 'list' },
        /cannot unmarshal array into Go value of type common.Values$/,
      ],
    ];
    for (const [name, reference, text] of cases) {
      await install(name, { valuesFrom: [reference] });
      const status = await waitFor(lab, name, 'told', (it) => said(it, 'Ready') === 'False ValuesError');
      assert.match(message(status, 'Ready'), /^could not resolve /);
      assert.match(message(status, 'Ready'), text);
      assert.deepEqual(await revisions(lab, name), []);
    }
  });

  test('HB04: numbers beyond 2^53 in the values are doubles, as Helm reads them', async () => {
    const body = JSON.stringify({
      ...HR,
      metadata: { name: 'big', namespace: lab.namespace },
      spec: { interval: '10m', chartRef: { kind: 'OCIRepository', name: 'big' }, values: { message: 0 } },
    }).replace('"message":0', '"message":12345678901234567');
    await lab.push('big', small({ 'config.yaml': configMap('big', '{json: {{ .Values.message | toJson | quote }}}') }));
    await lab.source('big', 'big');
    const path = `/apis/${HR.apiVersion}/namespaces/${lab.namespace}/helmreleases`;
    await lab.kube.raw({ method: 'POST', path, body, contentType: 'application/json' });
    await ready('big');
    assert.deepEqual(await data('big'), { json: '12345678901234568' });
  });

  // Names and places

  test('HB08: a name that is too long is cut and gets a hash; one Helm does not take is refused in its words', async () => {
    const name = 'a-very-long-name-that-goes-on-and-on-for-ever-and-then-some';
    await install(name);
    const status = await ready(name);
    assert.match(status.history?.[0]?.name ?? '', /^a-very-long-name-that-goes-on-and-on-for-[0-9a-f]{12}$/);
    await install('misnamed', { releaseName: 'Bad_Name' });
    const failed = await waitFor(lab, 'misnamed', 'refused', (it) => said(it, 'Ready') === 'False InstallFailed');
    assert.match(message(failed, 'Ready'), /release name check failed: release name "Bad_Name": invalid release name, must match regex/);
    assert.equal(failed.installFailures, undefined);
  });

  test('HB09 HB58: records and objects go where the spec says, with Helm’s labels', async () => {
    await install('placed', { targetNamespace: other, storageNamespace: other, releaseName: 'placed' });
    const status = await ready('placed');
    assert.equal(status.storageNamespace, other);
    const { items } = await lab.kube.list(SECRET, { namespace: other, labelSelector: 'owner=helm,name=placed' });
    const [record] = items;
    assert.equal(record?.metadata.name, 'sh.helm.release.v1.placed.v1');
    assert.equal(record['type'], 'helm.sh/release.v1');
    const { modifiedAt: _, ...labels } = record.metadata.labels ?? {};
    assert.deepEqual(labels, { name: 'placed', owner: 'helm', status: 'deployed', version: '1' });
    assert.deepEqual(await revisions(lab, 'placed'), []);
    const object = await lab.kube.find({ ...CONFIG_MAP, name: 'placed', namespace: other });
    assert.equal(object?.metadata.labels?.['app.kubernetes.io/managed-by'], 'Helm');
    assert.equal(object.metadata.annotations?.['meta.helm.sh/release-name'], 'placed');
    assert.equal(object.metadata.annotations['meta.helm.sh/release-namespace'], other);
    assert.equal(object.metadata.labels['helm.toolkit.fluxcd.io/namespace'], lab.namespace);
    await lab.remove(HR, 'placed', 60_000);
    assert.equal(await data('placed', other), undefined);
  });

  test('C05: references of chart and dependencies take their own namespace, or name another', async () => {
    await lab.push('shared', small());
    const url = `oci://${lab.registry.host}/shared`;
    await put({ ...OCI, metadata: { name: 'shared', namespace: other }, spec: { interval: '10m', url, ref: { tag: 'latest' } } });
    const chartRef = { kind: 'OCIRepository', name: 'shared', namespace: other };
    await put({
      ...HR,
      metadata: { name: 'first', namespace: other },
      spec: { interval: '10m', chartRef: { kind: 'OCIRepository', name: 'shared' } },
    });
    const readyExpr = "dep.status.history[0].status == 'deployed' && self.metadata.name == 'second'";
    await release(lab, 'second', { chartRef, dependsOn: [{ name: 'first', namespace: other, readyExpr }] });
    await ready('second');
    await lab.kube.delete({ ...HR, name: 'first', namespace: other });
    await until('the first is gone', async () => (await lab.kube.find({ ...HR, name: 'first', namespace: other })) === undefined);
  });

  test('HB10: an install is noted by its record, and in the status when it takes longer than moments', async () => {
    await install('attempted', { values: { fate: 'unready' } }, chart());
    const status = await waitFor(lab, 'attempted', 'noted', (it) => it.lastAttemptedReleaseAction === 'install');
    assert.deepEqual(await revisions(lab, 'attempted'), ['1 pending-install']);
    assert.equal(status.storageNamespace, lab.namespace);
    assert.equal(status.lastAttemptedGeneration, 1);
    assert.match(status.lastAttemptedRevision ?? '', /^1\.0\.0\+/);
    assert.match(status.lastAttemptedConfigDigest ?? '', /^sha256:/);
    assert.equal(message(status, 'Reconciling'), "Running 'install' action with timeout of 30s");
    assert.equal(status.history, undefined);
  });

  // Counting, and what comes after failures

  test('HB07 HB30 HB33 HB40: requests forget failures or pass over them; a failure without a record is not counted', async () => {
    await install('counted', { timeout: '1s', values: { fate: 'unready' } }, chart());
    const first = await waitFor(lab, 'counted', 'stalled', stalled);
    assert.equal(message(first, 'Stalled'), 'Failed to install after 1 attempt(s)');
    assert.equal(first.installFailures, 1);
    await request('counted', { requestedAt: 'one' });
    await waitFor(lab, 'counted', 'asked', (it) => it.lastHandledReconcileAt === 'one' && stalled(it));
    assert.deepEqual(await revisions(lab, 'counted'), ['1 failed']);
    await request('counted', { requestedAt: 'two', resetAt: 'two' });
    const reset = await waitFor(lab, 'counted', 'reset', (it) => it.lastHandledResetAt === 'two' && stalled(it));
    assert.equal(message(reset, 'Stalled'), 'Failed to upgrade after 1 attempt(s)');
    assert.deepEqual([reset.installFailures, reset.upgradeFailures], [undefined, 1]);
    await request('counted', { requestedAt: 'three', forceAt: 'three' });
    const forced = await waitFor(lab, 'counted', 'forced', (it) => it.lastHandledForceAt === 'three' && it.upgradeFailures === 2);
    assert.equal(forced.failures, 2);
    assert.deepEqual(await revisions(lab, 'counted'), ['1 failed', '2 failed', '3 failed']);
  });

  test('HB40 HB33: values the chart’s schema refuses fail without a record, until the check is turned off', async () => {
    const schema = '{"properties": {"message": {"type": "string", "maxLength": 5}}}';
    const files = small({}, 'message: hello\n', { 'app/values.schema.json': schema });
    const values = { message: 'too long' };
    await install('schema', { values }, files);
    const status = await waitFor(lab, 'schema', 'refused', (it) => said(it, 'Ready') === 'False InstallFailed');
    assert.match(message(status, 'Ready'), /at '\/message': maxLength: got 8, want 5/);
    assert.deepEqual([status.installFailures, status.history], [undefined, undefined]);
    await release(lab, 'schema', { values, install: { disableSchemaValidation: true } });
    assert.equal((await ready('schema')).failures, undefined);
    await release(lab, 'schema', { values: { message: 'longer still' }, upgrade: { disableSchemaValidation: true } });
    await ready('schema', 2);
  });

  test('HB37 HB43 HB52 HB66: rolled back it is not ready; what was gone back to is Released once it is wanted again', async () => {
    await install('back', {}, chart());
    await ready('back');
    await release(lab, 'back', { timeout: '1s', values: { fate: 'unready' }, upgrade: { remediation: { remediateLastFailure: true } } });
    const back = await waitFor(lab, 'back', 'stalled', stalled, 60_000);
    assert.equal(said(back, 'Ready'), 'False RollbackSucceeded');
    assert.equal(said(back, 'Released'), 'False UpgradeFailed');
    assert.match(
      message(back, 'Remediated'),
      /^Helm rollback to previous release release-fields\/back\.v1 with chart app@1\.0\.0\+\w+ succeeded$/,
    );
    assert.equal((await records('back')).at(-1)?.description, 'Rollback to 1');
    assert.equal(back.history?.[0]?.ociDigest, undefined);
    assert.deepEqual(
      back.history?.map(({ version, status }) => `${version} ${status}`),
      ['3 deployed', '2 failed', '1 superseded'],
    );
    const event = lab.posted.find(({ reason, involvedObject }) => reason === 'RollbackSucceeded' && involvedObject.name === 'back');
    assert.equal(event?.metadata?.['helm.toolkit.fluxcd.io/token'], back.lastAttemptedConfigDigest);
    await release(lab, 'back', {});
    const status = await ready('back', 3);
    assert.equal(said(status, 'Released'), 'True UpgradeSucceeded');
    assert.equal(said(status, 'Remediated'), '');
    assert.deepEqual([status.failures, status.upgradeFailures], [undefined, undefined]);
    await release(lab, 'back', { values: { message: 'on' } });
    await ready('back', 4);
    const kept = await waitFor(lab, 'back', 'cut', ({ history }) => history?.length === 2);
    assert.deepEqual(
      kept.history?.map(({ version }) => version),
      [4, 3],
    );
  });

  test('HB35 HB42: upgrade.remediation.strategy uninstall: away, then installed anew', async () => {
    await install('away', {}, chart());
    await ready('away');
    const upgrade = { remediation: { retries: 1, strategy: 'uninstall' } };
    await release(lab, 'away', { timeout: '1s', values: { fate: 'unready' }, upgrade });
    const status = await waitFor(lab, 'away', 'stalled', stalled, 60_000);
    assert.equal(status.lastAttemptedReleaseAction, 'install');
    assert.ok(lab.posted.some(({ reason, involvedObject }) => reason === 'UninstallSucceeded' && involvedObject.name === 'away'));
    assert.deepEqual(await revisions(lab, 'away'), ['1 failed']);
    await release(lab, 'away', { values: {} });
    await waitFor(lab, 'away', 'well', isReady, 60_000);
  });

  test('HB35 HB41: install.strategy RetryOnFailure upgrades after its interval and counts no retries', async () => {
    const strategy = { name: 'RetryOnFailure', retryInterval: '10m' };
    await install('again', { timeout: '1s', values: { fate: 'unready' }, install: { strategy }, upgrade: { strategy } }, chart());
    const failed = await waitFor(lab, 'again', 'waits', (it) => message(it, 'Reconciling') === 'retrying after 10m0s');
    assert.equal(said(failed, 'Reconciling'), 'True ProgressingWithRetry');
    await release(lab, 'again', { install: { strategy }, upgrade: { strategy } });
    assert.equal((await ready('again', 2)).failures, undefined);
  });

  test('HB35: a rollback for a failed test; remediation.ignoreTestFailures does without', async () => {
    const files = small({ 'test.yaml': job('test', { 'helm.sh/hook': 'test' }, '{{ .Values.image | default "ok" }}') });
    for (const [name, ignoreTestFailures] of [
      ['test-back', false],
      ['test-stay', true],
    ] as const) {
      await install(name, { test: { enable: true } }, files);
      await waitFor(lab, name, 'tested', (it) => said(it, 'TestSuccess') === 'True TestSucceeded');
      const remediation = { remediateLastFailure: true, ignoreTestFailures };
      await release(lab, name, { test: { enable: true }, values: { image: FAIL }, upgrade: { remediation } });
      if (ignoreTestFailures) {
        await waitFor(lab, name, 'failed test', (it) => said(it, 'TestSuccess') === 'False TestFailed' && it.history?.[0]?.version === 2);
        assert.deepEqual(await revisions(lab, name), ['1 superseded', '2 deployed']);
      } else {
        await waitFor(lab, name, 'back', (it) => said(it, 'Ready') === 'False RollbackSucceeded', 60_000);
        assert.deepEqual(await revisions(lab, name), ['1 superseded', '2 superseded', '3 deployed']);
      }
    }
  });

  // Actions

  test('HB50: an object of somebody else is taken over, unless disableTakeOwnership', async () => {
    await config('ConfigMap', 'owned', { mine: '1' });
    await install('owned', { install: { disableTakeOwnership: true } });
    const status = await waitFor(lab, 'owned', 'refused', (it) => said(it, 'Ready') === 'False InstallFailed');
    assert.match(
      message(status, 'Ready'),
      /ConfigMap "owned" in namespace "release-fields" exists and cannot be imported into the current release/,
    );
    assert.deepEqual(await revisions(lab, 'owned'), []);
    await release(lab, 'owned', {});
    await ready('owned');
    assert.deepEqual(await data('owned'), { mine: '1', message: 'hello' });
  });

  test('HB50 HB51: serverSideApply: how objects are written is recorded, and followed or changed by upgrades', async () => {
    await install('applied', { install: { serverSideApply: false } });
    await ready('applied');
    const of = async (): Promise<string[]> => managers(await lab.find(CONFIG_MAP, 'applied'));
    const method = async (): Promise<string | undefined> => (await records('applied')).at(-1)?.applyMethod;
    assert.deepEqual([await method(), await of()], ['csa', ['Update']]);
    await release(lab, 'applied', { values: { message: 'b' } });
    await ready('applied', 2);
    assert.deepEqual([await method(), await of()], ['csa', ['Update']]);
    await release(lab, 'applied', { values: { message: 'c' }, upgrade: { serverSideApply: 'enabled' } });
    await ready('applied', 3);
    assert.deepEqual([await method(), await of()], ['ssa', ['Apply']]);
    await lab.patch(CONFIG_MAP, 'applied', { data: { foreign: 'x' } });
    await release(lab, 'applied', { values: { message: 'd' }, upgrade: { serverSideApply: 'disabled', force: true } });
    await ready('applied', 4);
    assert.equal(await method(), 'csa');
    assert.deepEqual(await data('applied'), { message: 'd' });
  });

  test('fields nobody declares: refused server-side, dropped client-side, whatever disableOpenAPIValidation says', async () => {
    const strange = chart()['app/templates/all.yaml']?.replace('replicas:', 'unknownField: 1\n  replicas:') ?? '';
    const files = { ...chart(), 'app/templates/all.yaml': strange };
    await install('strange', { install: { disableOpenAPIValidation: true } }, files);
    const status = await waitFor(lab, 'strange', 'refused', stalled);
    assert.match(message(status, 'Released'), /\.spec\.unknownField: field not declared in schema$/);
    await install('dropped', { install: { serverSideApply: false } }, files);
    await ready('dropped');
  });

  test('disableHooks: none of install, upgrade, rollback and uninstall', async () => {
    const hook = job('hook', { 'helm.sh/hook': 'pre-install,pre-upgrade,pre-delete,post-delete' }, FAIL);
    const off = { install: { disableHooks: true }, upgrade: { disableHooks: true }, uninstall: { disableHooks: true } };
    await install('hookless', off, small({ 'hook.yaml': hook }));
    await ready('hookless');
    await release(lab, 'hookless', { ...off, values: { message: 'b' } });
    await ready('hookless', 2);
    await lab.remove(HR, 'hookless');
    assert.equal(await lab.find(JOB, 'hookless-hook'), undefined);
  });

  test('HB54: disableWait and disableWaitForJobs end without what they leave out', async () => {
    const off = { install: { disableWait: true }, upgrade: { disableWait: true }, uninstall: { disableWait: true } };
    await install('unwaited', { ...off, values: { fate: 'unready' } }, chart());
    await ready('unwaited');
    await release(lab, 'unwaited', { ...off, values: { fate: 'unready', message: 'b' } });
    await ready('unwaited', 2);
    const hangs = small({ 'job.yaml': job('long', {}, 'control-plane.test/hang:1') });
    await install('jobs', { install: { disableWaitForJobs: true } }, hangs);
    await ready('jobs');
    await install('waits', { timeout: '2s' }, hangs);
    const status = await waitFor(lab, 'waits', 'stalled', stalled);
    assert.match(message(status, 'Ready'), /timeout waiting for: \[Job\/release-fields\/waits-long status: 'InProgress'\]/);
  });

  test('timeout: an action’s own goes before that of all', async () => {
    await install('hurried', { timeout: '5m', install: { timeout: '1s' }, values: { fate: 'unready' } }, chart());
    await waitFor(lab, 'hurried', 'stalled', stalled);
  });

  test('HB54: healthCheckExprs decide for their kind; waitStrategy legacy waits by Helm 3’s rules', async () => {
    const checks = [{ apiVersion: 'v1', kind: 'ConfigMap', current: 'data.message == "go"', failed: 'data.message == "no"' }];
    await install('checked', { healthCheckExprs: checks, values: { message: 'no' } });
    const status = await waitFor(lab, 'checked', 'stalled', stalled);
    assert.match(message(status, 'Ready'), /ConfigMap\/release-fields\/checked status: 'Failed'/);
    await release(lab, 'checked', { healthCheckExprs: checks, values: { message: 'go' } });
    await ready('checked', 2);
    await install('legacy', { waitStrategy: { name: 'legacy' } }, chart());
    await ready('legacy');
    await release(lab, 'legacy', { waitStrategy: { name: 'legacy' }, timeout: '1s', values: { fate: 'unready' } });
    assert.match(message(await waitFor(lab, 'legacy', 'stalled', stalled), 'Ready'), /context deadline exceeded/);
  });

  test('upgrade.cleanupOnFail deletes what the failed upgrade created', async () => {
    await install('tidied', {}, small());
    await ready('tidied');
    const more = small({
      'more.yaml': configMap('tidied-more', '{a: b}'),
      'hook.yaml': job('post', { 'helm.sh/hook': 'post-upgrade' }, FAIL),
    });
    await lab.push('tidied', more);
    await release(lab, 'tidied', { upgrade: { cleanupOnFail: true } });
    await lab.request(OCI, 'tidied');
    await waitFor(lab, 'tidied', 'stalled', stalled);
    assert.equal(await data('tidied-more'), undefined);
    assert.ok(await data('tidied'));
  });

  test('maxHistory: so many records, 0 for all', async () => {
    for (const [name, maxHistory, left] of [
      ['short', 2, 2],
      ['endless', 0, 7],
    ] as const) {
      await install(name, { maxHistory });
      await ready(name);
      for (let version = 2; version <= 7; version++) {
        await release(lab, name, { maxHistory, values: { message: `m${version}` } });
        await ready(name, version);
      }
      assert.equal((await revisions(lab, name)).length, left);
    }
  });

  test('HB53: keepHistory leaves the records, and a new object goes on with them; orphan leaves what controllers made', async () => {
    await install('kept', { uninstall: { keepHistory: true } });
    await ready('kept');
    await lab.remove(HR, 'kept');
    assert.deepEqual(await revisions(lab, 'kept'), ['1 uninstalled']);
    assert.equal(await data('kept'), undefined);
    await release(lab, 'kept');
    await ready('kept', 2);
    await install('orphans', { uninstall: { deletionPropagation: 'orphan' } }, chart());
    await ready('orphans');
    await lab.remove(HR, 'orphans');
    assert.equal(await lab.find(DEPLOYMENT, 'orphans'), undefined);
    const sets = await lab.kube.list(REPLICA_SET, { namespace: lab.namespace, labelSelector: 'app=orphans' });
    assert.equal(sets.items.length, 1);
    for (const { metadata } of sets.items) await lab.kube.delete({ ...REPLICA_SET, name: metadata.name, namespace: lab.namespace });
  });

  test('createNamespace makes the target namespace; without it the install fails', async () => {
    await install('homeless', { targetNamespace: `${other}-none`, releaseName: 'homeless' });
    const status = await waitFor(lab, 'homeless', 'failed', (it) => said(it, 'Released') === 'False InstallFailed');
    assert.match(message(status, 'Ready'), /namespaces "release-fields-other-none" not found/);
    await install('housed', { targetNamespace: `${other}-new`, releaseName: 'housed', install: { createNamespace: true } });
    await ready('housed');
    assert.ok(await data('housed', `${other}-new`));
  });

  test('HB55 HB60: crds: Create, Skip and CreateReplace; definitions are in the inventory, hooks are not', async () => {
    const group = 'fields.example.com';
    const files = small({ 'hook.yaml': job('hook', { 'helm.sh/hook': 'post-install' }) }, 'message: hello\n', {
      'app/crds/odd.yaml': crd(group),
    });
    await install('crds', {}, files);
    const status = await ready('crds');
    assert.deepEqual(status.inventory?.entries.map(({ id, v }) => `${id} ${v}`).sort(), [
      `_odds.${group}_apiextensions.k8s.io_CustomResourceDefinition v1`,
      'release-fields_crds__ConfigMap v1',
    ]);
    const properties = async (): Promise<string> => JSON.stringify((await lab.kube.find({ ...CRD, name: `odds.${group}` }))?.['spec']);
    const labels = (await lab.kube.find({ ...CRD, name: `odds.${group}` }))?.metadata.labels;
    assert.equal(labels?.['helm.toolkit.fluxcd.io/name'], 'crds');
    const changed = { ...files, 'app/crds/odd.yaml': crd(group, 'a: {type: string}, b: {type: string}') };
    await lab.push('crds', changed);
    await lab.request(OCI, 'crds');
    await ready('crds', 2);
    assert.ok(!(await properties()).includes('"b"'));
    await release(lab, 'crds', { upgrade: { crds: 'CreateReplace' }, values: { message: 'b' } });
    await ready('crds', 3);
    assert.ok((await properties()).includes('"b"'));
    await install('skips', { install: { crds: 'Skip' } }, small({}, '{message: x}', { 'app/crds/odd.yaml': crd('skipped.example.com') }));
    await ready('skips');
    assert.equal(await lab.kube.find({ ...CRD, name: 'odds.skipped.example.com' }), undefined);
    await lab.kube.delete({ ...CRD, name: `odds.${group}` });
  });

  test('HB55: templates see the kinds of the chart’s own definitions from the first revision on', async () => {
    const group = 'own.example.com';
    const odd = `{{ if .Capabilities.APIVersions.Has "${group}/v1/Odd" }}apiVersion: ${group}/v1\nkind: Odd\nmetadata: {name: own}\nspec: {a: b}{{ end }}\n`;
    const seen = `{has: {{ .Capabilities.APIVersions.Has "${group}/v1" | quote }}, off: {{ .Capabilities.APIVersions.Has "off.example.com/v1" | quote }}, none: {{ len (lookup "${group}/v1" "Odd" .Release.Namespace "own") | quote }}}`;
    const files = {
      ...small({ 'odd.yaml': odd, 'config.yaml': configMap('own', seen) }, 'sub: {enabled: false}\n', { 'app/crds/odd.yaml': crd(group) }),
      'app/Chart.yaml': 'apiVersion: v2\nname: app\nversion: 1.0.0\ndependencies: [{name: sub, version: 1.0.0, condition: sub.enabled}]\n',
      'app/charts/sub/Chart.yaml': 'apiVersion: v2\nname: sub\nversion: 1.0.0\n',
      'app/charts/sub/crds/odd.yaml': crd('off.example.com'),
    };
    await install('own', {}, files);
    await ready('own');
    assert.deepEqual(await data('own'), { has: 'true', off: 'false', none: '0' });
    assert.ok(await lab.kube.find({ apiVersion: `${group}/v1`, kind: 'Odd', name: 'own', namespace: lab.namespace }));
    assert.equal(await lab.kube.find({ ...CRD, name: 'odds.off.example.com' }), undefined);
    await lab.remove(HR, 'own');
    await lab.kube.delete({ ...CRD, name: `odds.${group}` });
  });

  test('HB56: postRenderStrategy decides whether hooks are changed, too; commonMetadata and owner come last', async () => {
    const patch = '- {op: add, path: /metadata/annotations/patched, value: "yes"}';
    const postRenderers = [
      { kustomize: { patches: [{ patch, target: { name: '.*' } }], images: [{ name: 'ok', newName: 'other/ok', newTag: '2' }] } },
    ];
    const commonMetadata = { labels: { team: 'a', 'helm.toolkit.fluxcd.io/name': 'stolen' } };
    const files = small({
      'hook.yaml': job('hook', { 'helm.sh/hook': 'post-install' }),
      'config.yaml': configMap('{{ .Release.Name }}', '{}', '{a: b}'),
    });
    for (const [postRenderStrategy, changed] of [
      ['nohooks', false],
      ['combined', true],
      ['separate', true],
    ] as const) {
      const name = `post-${postRenderStrategy}`;
      await install(name, { postRenderers, postRenderStrategy, commonMetadata }, files);
      await ready(name);
      const [object, hook] = [await lab.find(CONFIG_MAP, name), await lab.find(JOB, `${name}-hook`)];
      assert.equal(object?.metadata.annotations?.['patched'], 'yes');
      assert.equal(object.metadata.labels?.['team'], 'a');
      assert.equal(object.metadata.labels['helm.toolkit.fluxcd.io/name'], name);
      assert.equal(hook?.metadata.annotations?.['patched'], changed ? 'yes' : undefined);
      assert.equal(JSON.stringify(hook?.['spec']).includes('other/ok:2'), changed);
      assert.equal(hook?.metadata.labels?.['team'], changed ? 'a' : undefined);
    }
  });

  test('HB57: test.filters choose; the results are in the history', async () => {
    const files = small({ 'a.yaml': job('a', { 'helm.sh/hook': 'test' }), 'b.yaml': job('b', { 'helm.sh/hook': 'test' }, FAIL) });
    await install('filtered', { test: { enable: true, filters: [{ name: 'filtered-b', exclude: true }] } }, files);
    const status = await waitFor(lab, 'filtered', 'tested', (it) => said(it, 'TestSuccess') === 'True TestSucceeded');
    assert.match(message(status, 'TestSuccess'), /: 1 test hook completed successfully$/);
    assert.equal(status.history?.[0]?.testHooks?.['filtered-a']?.phase, 'Succeeded');
    await release(lab, 'filtered', { values: { message: 'b' }, test: { enable: true, filters: [{ name: 'filtered-b' }] } });
    const failed = await waitFor(lab, 'filtered', 'failed', (it) => said(it, 'TestSuccess') === 'False TestFailed');
    assert.equal(failed.history?.[0]?.testHooks?.['filtered-b']?.phase, 'Failed');
  });

  test('HB34 HB57: what comes while a test runs does not make it forget the install before it', async () => {
    const files = small({ 'test.yaml': job('test', { 'helm.sh/hook': 'test' }, 'control-plane.test/hang:1') });
    await install('testing', { test: { enable: true, timeout: '4s' } }, files);
    await until('its test runs', async () => lab.find(JOB, 'testing-test'));
    await lab.source('testing', 'testing', { interval: '11m' });
    await lab.request(OCI, 'testing');
    const status = await waitFor(lab, 'testing', 'stalled', stalled);
    assert.equal(status.failures, 1);
    assert.notEqual(status.lastAttemptedReleaseActionDuration, undefined);
    const about = lab.posted.filter(({ involvedObject }) => involvedObject.kind === 'HelmRelease' && involvedObject.name === 'testing');
    assert.deepEqual(
      about.map(({ reason }) => reason),
      ['InstallSucceeded', 'TestFailed'],
    );
  });

  test('HB59: driftDetection.ignore leaves paths alone, of the targets it names', async () => {
    const ignore = [{ paths: ['/spec/replicas'], target: { kind: 'Deployment' } }, { paths: ['/data/chart'] }];
    await install('ignoring', { driftDetection: { mode: 'enabled', ignore } }, chart());
    await ready('ignoring');
    await lab.patch(DEPLOYMENT, 'ignoring', { spec: { replicas: 2 } });
    await lab.patch(CONFIG_MAP, 'ignoring', { data: { message: 'drifted', chart: 'mine' } });
    await until('the rest is put back', async () => (await data('ignoring'))?.['message'] === 'hello');
    await lab.kube.delete({ ...SERVICE, name: 'ignoring', namespace: lab.namespace });
    await until('what is gone comes back', async () => lab.find(SERVICE, 'ignoring'));
    assert.equal((await data('ignoring'))?.['chart'], 'mine');
    const { replicas } = ((await lab.find(DEPLOYMENT, 'ignoring')) ?? assert.fail('no Deployment'))['spec'] as { replicas: number };
    assert.equal(replicas, 2);
  });

  // Charts that are not as they should be

  /** Why a chart cannot be installed; nothing of it may be there. */
  async function refused(name: string, files: Files): Promise<string> {
    await install(name, {}, files);
    const status = await waitFor(lab, name, 'refused', (it) => said(it, 'Ready') === 'False InstallFailed');
    assert.deepEqual(await revisions(lab, name), []);
    assert.deepEqual([status.installFailures, status.history], [undefined, undefined]);
    return message(status, 'Ready');
  }

  test('an object that is there twice is refused with the names of its files; a hook may have the name of an object', async () => {
    const again = configMap('{{ .Release.Name }}', '{a: b}');
    const text = await refused('twice', small({ 'again.yaml': again }));
    assert.match(
      text,
      /: ConfigMap\/twice is in the rendered manifests more than once: app\/templates\/again.yaml and app\/templates\/config.yaml$/,
    );
    const hook = configMap('{{ .Release.Name }}', '{a: b}', '{helm.sh/hook: pre-install}');
    await install('hooked', {}, small({ 'hook.yaml': hook }));
    await ready('hooked');
    assert.deepEqual(await data('hooked'), { message: 'hello' });
  });

  test('documents that are no objects are refused with their file', async () => {
    const cases: readonly (readonly [string, string, RegExp])[] = [
      ['is-list', '- just\n- a list\n', /parsing app\/templates\/bad.yaml: wrong node kind: expected MappingNode but got SequenceNode$/],
      ['is-text', 'just text\n', /parsing app\/templates\/bad.yaml: wrong node kind: expected MappingNode but got ScalarNode$/],
      ['is-kindless', 'apiVersion: v1\nmetadata: {name: x}\n', /app\/templates\/bad.yaml:1: kind must be a text that is not empty$/],
      [
        'is-nameless',
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: x-}\n',
        /app\/templates\/bad.yaml:1: metadata.name must be/,
      ],
      [
        'is-unserved',
        'apiVersion: x.example.com/v1\nkind: X\nmetadata: {name: x}\n',
        /no matches for kind "X" in version "x.example.com\/v1"/,
      ],
    ];
    for (const [name, bad, text] of cases) assert.match(await refused(name, small({ 'bad.yaml': bad })), text);
  });

  test('lookup of a kind in a group and version nobody serves fails, as with Helm; of another kind it finds nothing', async () => {
    const looks = (apiVersion: string): Files =>
      small({ 'config.yaml': configMap('{{ .Release.Name }}', `{found: {{ lookup "${apiVersion}" "Foo" "" "x" | toJson | quote }}}`) });
    const text =
      'unable to get apiresource from unstructured: foo.example.com/v1, Kind=Foo: the server could not find the requested resource';
    assert.ok((await refused('looks', looks('foo.example.com/v1'))).endsWith(text));
    await install('finds', {}, looks('apps/v1'));
    await ready('finds');
    assert.deepEqual(await data('finds'), { found: '{}' });
  });

  test('HB04: a dependency that is missing in the package is no obstacle', async () => {
    const files = small();
    const more = 'dependencies: [{name: nowhere, version: 1.0.0, repository: "https://charts.example.com"}]\n';
    await install('incomplete', {}, { ...files, 'app/Chart.yaml': `${files['app/Chart.yaml'] ?? ''}${more}` });
    await ready('incomplete');
  });

  test('a release that does not fit into a Secret says so, and nothing is done', async (context) => {
    const large = { ...SECRET, metadata: { name: 'large', namespace: lab.namespace }, stringData: { x: 'x'.repeat(2 << 20) } };
    const isTaken = await lab.kube.create(large, { dryRun: true }).then(
      () => true,
      () => false,
    );
    if (isTaken) return context.skip('this cluster takes larger Secrets');
    const text = await refused('huge', small({}, 'message: x\n', { 'app/files/blob.txt': randomBytes(800 * 1024).toString('base64') }));
    assert.match(text, /Secret "sh.helm.release.v1.huge.v1" is invalid: data: Too long: may not be more than 1048576 bytes$/);
    assert.equal(await data('huge'), undefined);
  });

  test('HB01: a chart of a HelmRepository is refused with the way to chartRef', async () => {
    const sourceRef = { kind: 'HelmRepository', name: 'charts' };
    await lab.apply({ ...HR, metadata: { name: 'classic' }, spec: { interval: '10m', chart: { spec: { chart: 'podinfo', sourceRef } } } });
    const status = await waitFor(lab, 'classic', 'stalled', (it) => said(it, 'Stalled').startsWith('True'));
    assert.match(message(status, 'Stalled'), /helm push podinfo-VERSION.tgz .* spec\.chartRef: \{kind: OCIRepository/);
  });

  // Who, and where

  test('serviceAccountName without rights: Forbidden is told, nothing is done', async () => {
    await put({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'nobody', namespace: lab.namespace } });
    await install('powerless', { serviceAccountName: 'nobody' });
    const status = await waitFor(lab, 'powerless', 'refused', (it) => said(it, 'Ready').startsWith('False'));
    assert.match(
      message(status, 'Ready'),
      /secrets is forbidden: User "system:serviceaccount:release-fields:nobody" cannot (create|list) resource "secrets"/,
    );
    assert.deepEqual(await revisions(lab, 'powerless'), []);
    assert.equal(await data('powerless'), undefined);
  });

  test('HB64: kubeConfig.secretRef: the release goes to the cluster it names; without the Secret it says so, and can be deleted', async () => {
    await install('remote', { kubeConfig: { secretRef: { name: 'remote-cluster' } } });
    const status = await waitFor(lab, 'remote', 'refused', (it) => said(it, 'Ready') === 'False RESTClientError');
    assert.match(message(status, 'Ready'), /remote-cluster/);
    await config('Secret', 'remote-cluster', { value: readFileSync(kubeconfig(), 'utf8') });
    await sleep(systemClock, SHARED);
    await lab.request(HR, 'remote');
    await ready('remote');
    assert.ok(await data('remote'));
    await lab.kube.delete({ ...SECRET, name: 'remote-cluster', namespace: lab.namespace });
    await sleep(systemClock, SHARED);
    await lab.remove(HR, 'remote');
    assert.ok(await data('remote'), 'nothing can be uninstalled without the way there');
  });

  test('HB61: persistentClient false is taken', async () => {
    await install('unpersistent', { persistentClient: false });
    await ready('unpersistent');
  });

  test('HB64: an object nothing was begun for is deleted at once', async () => {
    await release(lab, 'unbegun', {}, 'nowhere');
    const status = await waitFor(lab, 'unbegun', 'no source', (it) => said(it, 'Ready') === 'False ArtifactFailed');
    assert.equal(status.storageNamespace, undefined);
    await lab.remove(HR, 'unbegun');
  });

  test('C10 C07: suspended, its generation is observed and requests are noted; it is not released', async () => {
    await install('paused');
    await ready('paused');
    await lab.patch(HR, 'paused', { spec: { suspend: true, values: { message: 'no' } } });
    await waitFor(lab, 'paused', 'observed', ({ observedGeneration }) => observedGeneration === 2);
    await request('paused', { requestedAt: 'now' });
    const status = await waitFor(lab, 'paused', 'noted', ({ lastHandledReconcileAt }) => lastHandledReconcileAt === 'now');
    assert.equal(said(status, 'Ready'), 'True InstallSucceeded');
    assert.deepEqual(await data('paused'), { message: 'hello' });
  });

  test('HB32: a revision somebody else made is upgraded, with a history of its own', async () => {
    await install('changed');
    await ready('changed');
    const [last] = await records('changed');
    const { releaseObject } = await import('../../src/helm/index.ts');
    const foreign = releaseObject({ ...(last ?? assert.fail('no record')), version: 2, config: { message: 'x' } }, 'Secret', {
      createdAt: 0,
    });
    await lab.kube.create({ ...foreign, metadata: { ...foreign.metadata, namespace: lab.namespace } });
    await lab.request(HR, 'changed');
    const status = await ready('changed', 3);
    assert.deepEqual(
      status.history?.map(({ version }) => version),
      [3],
    );
  });

  test('E03: events name the controller of their kind and the host', async () => {
    await install('told');
    await ready('told');
    const event = await until('its event', async () =>
      lab.posted.find(({ involvedObject }) => involvedObject.name === 'told' && involvedObject.kind === 'HelmRelease'),
    );
    assert.equal(event.reportingController, 'helm-controller');
    assert.equal(event.reportingInstance, 'lab');
  });
});

describe('feature gates of HelmReleases', { timeout: 120_000 }, () => {
  let lab: Lab;
  before(async () => {
    lab = await Lab.open('release-gates', { gates: parseFeatureGates('UseHelm3Defaults=true,AllowDNSLookups=true') });
  });
  after(async () => {
    for (const kind of [HR, OCI]) await lab.remove(kind, 'gated');
    await lab.close();
  });

  test('HB62 HB63: UseHelm3Defaults applies client-side; AllowDNSLookups lets charts look up hosts', async () => {
    await lab.push('gated', small({ 'config.yaml': configMap('gated', '{host: {{ getHostByName "localhost" | quote }}}') }));
    await lab.source('gated', 'gated');
    await release(lab, 'gated');
    await waitFor(lab, 'gated', 'ready', isReady);
    const object = (await lab.find(CONFIG_MAP, 'gated')) ?? assert.fail('no ConfigMap');
    assert.match((object['data'] as { host: string }).host, /^(127\.0\.0\.1|::1)$/);
    assert.ok(
      (object.metadata.managedFields ?? []).some(({ manager, operation }) => manager === 'helm-controller' && operation === 'Update'),
    );
  });
});
