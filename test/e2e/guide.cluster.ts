// The guide's example on a real API server, with podinfo's real artifacts (pushed by the real flux CLI) on docker-registry.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  apply,
  condition,
  type Controller,
  corpus,
  eventually,
  get,
  installCrds,
  kubectl,
  loadLayout,
  pushFiles,
  type Registry,
  sluice,
  startController,
  startDockerRegistry,
  waitCondition,
} from './harness.ts';

const podinfo = 'stefanprodan/manifests/podinfo';

/** The guide's YAML, verbatim but for the names. */
const guide = (name: string, url: string, ref: string, path = './', extra = ''): string => `
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: ${name}, namespace: flux-system}
spec: {interval: 10m, url: ${url}, ref: ${ref}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: ${name}, namespace: flux-system}
spec: {interval: 10m, targetNamespace: default, prune: true, sourceRef: {kind: OCIRepository, name: ${name}}, path: ${path}${extra}}
`;

const configMap = (name: string, data: Record<string, string>): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });

/** Asks for a reconciliation now, as `flux reconcile --with-source` does. */
function reconcile(name: string): void {
  for (const kind of ['ocirepository', 'kustomization']) {
    kubectl(['annotate', '--overwrite', kind, name, '-n', 'flux-system', `reconcile.fluxcd.io/requestedAt=${Date.now()}`]);
  }
}

describe('the guide on a real API server', { timeout: 600_000 }, () => {
  let registry: Registry;
  let controller: Controller;
  const url = (repository: string): string => `oci://${registry.host}/${repository}`;

  before(async () => {
    installCrds();
    registry = await startDockerRegistry();
    controller = await startController(['--registry-mirror', `ghcr.io=${registry.host}`, '--requeue-dependency', '2s']);
  });
  after(async () => {
    await controller.stop();
    await registry.stop();
  });

  test("podinfo's real artifact goes Ready from the guide's YAML with its ghcr.io URL, through a mirror", async (t) => {
    const artifacts = corpus('artifacts');
    if (artifacts === undefined) return t.skip('needs the corpus');
    await loadLayout(join(artifacts, 'layouts', podinfo), registry.host, podinfo, ['latest', '6.14.1', '6.14.0', '6.13.0', '6.8.0']);
    apply(guide('podinfo', `oci://ghcr.io/${podinfo}`, '{tag: latest}'));
    const ready = await waitCondition('kustomization', 'podinfo', 'flux-system', 'Ready', 'True');
    const source = get('ocirepository', 'podinfo', 'flux-system');
    assert.match(source.status.artifact.revision, /^latest@sha256:[0-9a-f]{64}$/);
    assert.equal(condition(ready, 'Ready')?.message, `Applied revision: ${source.status.artifact.revision}`);
    assert.equal(ready.status.lastAppliedRevision, source.status.artifact.revision);
    assert.deepEqual(ready.status.inventory.entries.map((it: { id: string }) => it.id).sort(), [
      'default_podinfo__Service',
      'default_podinfo_apps_Deployment',
      'default_podinfo_autoscaling_HorizontalPodAutoscaler',
    ]);
    const deployment = get('deployment', 'podinfo', 'default');
    assert.equal(deployment.metadata.labels['kustomize.toolkit.fluxcd.io/name'], 'podinfo');
    assert.ok(
      deployment.metadata.managedFields.some(
        (it: { manager: string; operation: string }) => it.manager === 'kustomize-controller' && it.operation === 'Apply',
      ),
    );
    const table = sluice(['get', 'kustomizations']).stdout;
    assert.match(
      table,
      /^NAME\s+REVISION\s+SUSPENDED\s+READY\s+MESSAGE\s*\npodinfo\s+latest@sha256:[0-9a-f]{8}\s+False\s+True\s+Applied revision: latest@sha256:[0-9a-f]{8}\s*$/,
    );
    kubectl(['delete', 'kustomization', 'podinfo', '-n', 'flux-system', '--timeout=30s']);
    assert.equal(get('deployment', 'podinfo', 'default'), undefined, 'deletion prunes what was applied (KB90)');
    kubectl(['delete', 'ocirepository', 'podinfo', '-n', 'flux-system', '--timeout=30s']);
  });

  test('a digest pin and a semver range choose their artifacts (OB09, OB10, OB12)', async (t) => {
    if (corpus('artifacts') === undefined) return t.skip('needs the corpus');
    const head = await fetch(`http://${registry.host}/v2/${podinfo}/manifests/6.14.0`, {
      method: 'HEAD',
      headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
    });
    const digest = head.headers.get('docker-content-digest') ?? '';
    apply(guide('pinned', url(podinfo), `{digest: "${digest}"}`).split('---')[0] ?? '');
    apply(guide('ranged', url(podinfo), '{semver: ">=6.8.0 <6.14.0"}').split('---')[0] ?? '');
    const pinned = await waitCondition('ocirepository', 'pinned', 'flux-system', 'Ready', 'True');
    assert.equal(pinned.status.artifact.revision, digest);
    const ranged = await waitCondition('ocirepository', 'ranged', 'flux-system', 'Ready', 'True');
    assert.match(ranged.status.artifact.revision, /^6\.13\.0@sha256:/);
    kubectl(['delete', 'ocirepository', 'pinned', 'ranged', '-n', 'flux-system', '--timeout=30s']);
  });

  test('new content under the tag rolls out, what left the artifact is pruned, a broken artifact changes nothing and says why', async () => {
    const reference = `${registry.host}/manifests/roll:latest`;
    pushFiles(reference, { 'a.yaml': configMap('roll-a', { v: '1' }), 'b.yaml': configMap('roll-b', { v: '1' }) });
    apply(guide('roll', url('manifests/roll'), '{tag: latest}'));
    await waitCondition('kustomization', 'roll', 'flux-system', 'Ready', 'True');
    assert.equal(get('configmap', 'roll-a', 'default').data.v, '1');

    const second = pushFiles(reference, { 'a.yaml': configMap('roll-a', { v: '2' }) });
    reconcile('roll');
    await waitCondition(
      'kustomization',
      'roll',
      'flux-system',
      'Ready',
      'True',
      60_000,
      (it) => it.status.lastAppliedRevision === `latest@${second}`,
    );
    assert.equal(get('configmap', 'roll-a', 'default').data.v, '2');
    assert.equal(get('configmap', 'roll-b', 'default'), undefined, 'KB70');

    const cases: [string, Record<string, string>, string, RegExp][] = [
      ['invalid YAML', { 'a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: roll-a\n' }, 'BuildFailed', /a\.yaml/],
      [
        'an unknown kind',
        { 'a.yaml': configMap('roll-a', { v: '3' }), 'x.yaml': '{apiVersion: example.com/v1, kind: Nope, metadata: {name: x}}' },
        'ReconciliationFailed',
        /Nope\/default\/x|example\.com\/v1/,
      ],
      [
        'a field of the wrong type',
        {
          'a.yaml': configMap('roll-a', { v: '3' }),
          'x.yaml': '{apiVersion: v1, kind: Service, metadata: {name: x}, spec: {ports: [{port: "no"}]}}',
        },
        'ReconciliationFailed',
        /Service\/default\/x.*port/s,
      ],
    ];
    for (const [what, files, reason, message] of cases) {
      pushFiles(reference, files);
      reconcile('roll');
      const failed = await waitCondition(
        'kustomization',
        'roll',
        'flux-system',
        'Ready',
        'False',
        60_000,
        (it) => condition(it, 'Ready')?.reason === reason && message.test(condition(it, 'Ready')?.message ?? ''),
      );
      assert.equal(get('configmap', 'roll-a', 'default').data.v, '2', `${what}: the cluster is as it was`);
      assert.equal(failed.status.lastAppliedRevision, `latest@${second}`, what);
    }

    kubectl(['patch', 'kustomization', 'roll', '-n', 'flux-system', '--type=merge', '-p', '{"spec":{"path":"./no/such/folder"}}']);
    const missing = await waitCondition(
      'kustomization',
      'roll',
      'flux-system',
      'Ready',
      'False',
      60_000,
      (it) => condition(it, 'Ready')?.reason === 'ArtifactFailed',
    );
    assert.match(condition(missing, 'Ready')?.message ?? '', /no\/such\/folder/);
    assert.equal(get('configmap', 'roll-a', 'default').data.v, '2');
    kubectl(['delete', 'kustomization,ocirepository', 'roll', '-n', 'flux-system', '--timeout=30s']);
  });

  test('an immutable field is refused with the object and the field, and recreated with force (KB55)', async () => {
    const reference = `${registry.host}/manifests/immutable:latest`;
    const job = (command: string): string =>
      `{apiVersion: batch/v1, kind: Job, metadata: {name: immutable}, spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: busybox, command: [${command}]}]}}}}`;
    pushFiles(reference, { 'job.yaml': job('one') });
    apply(guide('immutable', url('manifests/immutable'), '{tag: latest}'));
    await waitCondition('kustomization', 'immutable', 'flux-system', 'Ready', 'True');
    const uid = get('job', 'immutable', 'default').metadata.uid;
    pushFiles(reference, { 'job.yaml': job('two') });
    reconcile('immutable');
    const failed = await waitCondition('kustomization', 'immutable', 'flux-system', 'Ready', 'False');
    assert.match(condition(failed, 'Ready')?.message ?? '', /Job\/default\/immutable.*immutable/s);
    assert.equal(get('job', 'immutable', 'default').metadata.uid, uid);
    kubectl(['patch', 'kustomization', 'immutable', '-n', 'flux-system', '--type=merge', '-p', '{"spec":{"force":true}}']);
    await waitCondition('kustomization', 'immutable', 'flux-system', 'Ready', 'True');
    assert.deepEqual(get('job', 'immutable', 'default').spec.template.spec.containers[0].command, ['two']);
    kubectl(['delete', 'kustomization,ocirepository', 'immutable', '-n', 'flux-system', '--timeout=30s']);
  });

  test('a private registry: a wrong secret is AuthenticationFailed, the right one goes Ready (OB05)', async () => {
    const hash = '$2b$05$abcdefghijklmnopqrstuuA0vov2GDneHB3.8.cv9UF9g.RdvScIW';
    const guarded = await startDockerRegistry({ htpasswd: `alice:${hash}\n` });
    try {
      pushFiles(`${guarded.host}/private/app:latest`, { 'a.yaml': configMap('private', { v: '1' }) }, ['--creds', 'alice:wonderland']);
      const login = (password: string): void => {
        const auths = { [guarded.host]: { username: 'alice', password } };
        apply(
          JSON.stringify({
            apiVersion: 'v1',
            kind: 'Secret',
            type: 'kubernetes.io/dockerconfigjson',
            metadata: { name: 'private', namespace: 'flux-system' },
            stringData: { '.dockerconfigjson': JSON.stringify({ auths }) },
          }),
        );
      };
      login('rabbit-hole');
      apply(
        `{apiVersion: source.toolkit.fluxcd.io/v1, kind: OCIRepository, metadata: {name: private, namespace: flux-system}, spec: {interval: 10m, url: "oci://${guarded.host}/private/app", ref: {tag: latest}, secretRef: {name: private}}}`,
      );
      const failed = await waitCondition(
        'ocirepository',
        'private',
        'flux-system',
        'Ready',
        'False',
        60_000,
        (it) => condition(it, 'FetchFailed') !== undefined,
      );
      assert.match(condition(failed, 'FetchFailed')?.message ?? '', /401|unauthorized|authentication/i);
      assert.ok(!JSON.stringify(failed.status).includes('rabbit-hole'), 'no secret in a status');
      assert.ok(!controller.log().includes('rabbit-hole'), 'no secret in the log');
      login('wonderland');
      kubectl([
        'annotate',
        '--overwrite',
        'ocirepository',
        'private',
        '-n',
        'flux-system',
        `reconcile.fluxcd.io/requestedAt=${Date.now()}`,
      ]);
      await waitCondition('ocirepository', 'private', 'flux-system', 'Ready', 'True');
      kubectl(['delete', 'ocirepository', 'private', '-n', 'flux-system', '--timeout=30s']);
    } finally {
      await guarded.stop();
    }
  });

  test('suspend, resume and reconcile through the command line; requestedAt is handled (C06, C07, C10)', async () => {
    const reference = `${registry.host}/manifests/pause:latest`;
    pushFiles(reference, { 'a.yaml': configMap('pause', { v: '1' }) });
    apply(guide('pause', url('manifests/pause'), '{tag: latest}'));
    await waitCondition('kustomization', 'pause', 'flux-system', 'Ready', 'True');
    sluice(['suspend', 'kustomization', 'pause']);
    pushFiles(reference, { 'a.yaml': configMap('pause', { v: '2' }) });
    sluice(['reconcile', 'source', 'oci', 'pause']);
    assert.equal(sluice(['reconcile', 'kustomization', 'pause'], { allowFailure: true }).status, 1, 'a suspended object is refused');
    assert.equal(get('configmap', 'pause', 'default').data.v, '1');
    const resumed = sluice(['resume', 'kustomization', 'pause']);
    assert.match(resumed.stderr, /applied revision latest@sha256:/);
    assert.equal(get('configmap', 'pause', 'default').data.v, '2');
    const stamp = new Date().toISOString();
    kubectl(['annotate', '--overwrite', 'kustomization', 'pause', '-n', 'flux-system', `reconcile.fluxcd.io/requestedAt=${stamp}`]);
    await waitCondition(
      'kustomization',
      'pause',
      'flux-system',
      'Ready',
      'True',
      30_000,
      (it) => it.status.lastHandledReconcileAt === stamp,
    );
    kubectl(['delete', 'kustomization,ocirepository', 'pause', '-n', 'flux-system', '--timeout=30s']);
  });

  test('dependsOn orders three Kustomizations (KB04)', async () => {
    const reference = `${registry.host}/manifests/order:latest`;
    const deployment = (name: string): string =>
      `{apiVersion: apps/v1, kind: Deployment, metadata: {name: ${name}}, spec: {selector: {matchLabels: {app: ${name}}}, template: {metadata: {labels: {app: ${name}}}, spec: {containers: [{name: main, image: nginx}]}}}}`;
    pushFiles(reference, {
      'common/a.yaml': configMap('order-common', {}),
      'backend/a.yaml': deployment('order-backend'),
      'frontend/a.yaml': deployment('order-frontend'),
    });
    const part = (name: string, dependsOn: readonly string[]): string => `
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: order-${name}, namespace: flux-system}
spec: {interval: 10m, wait: true, timeout: 1m, targetNamespace: default, prune: true, sourceRef: {kind: OCIRepository, name: order}, path: ./${name}, dependsOn: [${dependsOn.map((it) => `{name: order-${it}}`).join(', ')}]}`;
    apply(
      `${guide('order', url('manifests/order'), '{tag: latest}').split('---')[0]}${part('frontend', ['common', 'backend'])}${part('backend', ['common'])}${part('common', [])}`,
    );
    await waitCondition('kustomization', 'order-frontend', 'flux-system', 'Ready', 'True');
    const at = (kind: string, name: string): number => Date.parse(get(kind, name, 'default').metadata.creationTimestamp);
    assert.ok(at('configmap', 'order-common') <= at('deployment', 'order-backend'));
    assert.ok(at('deployment', 'order-backend') <= at('deployment', 'order-frontend'));
    const readyAt = (name: string): number =>
      Date.parse(
        (condition(get('kustomization', name, 'flux-system'), 'Ready') as unknown as { lastTransitionTime: string }).lastTransitionTime,
      );
    assert.ok(readyAt('order-backend') <= readyAt('order-frontend'));
    kubectl(['delete', 'kustomization', 'order-frontend', 'order-backend', 'order-common', '-n', 'flux-system', '--timeout=30s']);
    kubectl(['delete', 'ocirepository', 'order', '-n', 'flux-system', '--timeout=30s']);
  });

  test('two tenants: the one without rights is refused by name, the other goes Ready (KB91)', async () => {
    const reference = `${registry.host}/manifests/tenant:latest`;
    pushFiles(reference, { 'a.yaml': configMap('tenant', { v: '1' }) });
    for (const tenant of ['tenant-a', 'tenant-b']) {
      apply(`
apiVersion: v1
kind: Namespace
metadata: {name: ${tenant}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: reconciler, namespace: ${tenant}}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: app, namespace: ${tenant}}
spec: {interval: 10m, url: ${url('manifests/tenant')}, ref: {tag: latest}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: app, namespace: ${tenant}}
spec: {interval: 10m, serviceAccountName: reconciler, targetNamespace: tenant-a, prune: true, sourceRef: {kind: OCIRepository, name: app}}`);
    }
    kubectl(['create', 'rolebinding', 'reconciler', '-n', 'tenant-a', '--clusterrole=admin', '--serviceaccount=tenant-a:reconciler']);
    kubectl(['annotate', '--overwrite', 'kustomization', 'app', '-n', 'tenant-a', `reconcile.fluxcd.io/requestedAt=${Date.now()}`]);
    await waitCondition('kustomization', 'app', 'tenant-a', 'Ready', 'True');
    const refused = await waitCondition(
      'kustomization',
      'app',
      'tenant-b',
      'Ready',
      'False',
      60_000,
      (it) => condition(it, 'Ready')?.reason === 'ReconciliationFailed',
    );
    assert.match(condition(refused, 'Ready')?.message ?? '', /system:serviceaccount:tenant-b:reconciler/);
    assert.equal(get('configmap', 'tenant', 'tenant-a').metadata.labels['kustomize.toolkit.fluxcd.io/namespace'], 'tenant-a');
    for (const tenant of ['tenant-a', 'tenant-b']) {
      kubectl(['delete', 'kustomization,ocirepository', 'app', '-n', tenant, '--timeout=30s']);
    }
  });

  test("Flux's own end-to-end manifests that need no Git", async (t) => {
    const flux = corpus('flux');
    const artifacts = corpus('artifacts');
    if (flux === undefined || artifacts === undefined) return t.skip('needs the corpus');
    await loadLayout(join(artifacts, 'layouts', podinfo), registry.host, podinfo, ['6.13.0']);
    const manifest = await (
      await fetch(`http://${registry.host}/v2/${podinfo}/manifests/6.13.0`, {
        headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
      })
    ).text();
    for (const tag of ['6.1.6', '6.3.5']) {
      const put = await fetch(`http://${registry.host}/v2/${podinfo}/manifests/${tag}`, {
        method: 'PUT',
        body: manifest,
        headers: { 'content-type': 'application/vnd.oci.image.manifest.v1+json' },
      });
      assert.equal(put.status, 201);
    }
    const text = (path: string): string => readFileSync(join(flux, 'e2e', path), 'utf8');
    kubectl(['apply', '-n', 'default', '-f', '-'], { input: text('source/samples/source_v1_ocirepository.yaml') });
    await waitCondition('ocirepository', 'ocirepository-sample', 'default', 'Ready', 'True');
    apply('{apiVersion: v1, kind: Namespace, metadata: {name: oci}}');
    apply(text('kustomize/testdata/oci/podinfo.yaml'));
    await waitCondition('kustomization', 'oci', 'oci', 'Ready', 'True', 120_000);
    assert.equal(get('hpa', 'podinfo', 'oci').spec.minReplicas, 1, 'spec.patches reached the object');
    kubectl(['delete', 'kustomization,ocirepository', 'oci', '-n', 'oci', '--timeout=60s']);
    kubectl(['delete', 'ocirepository', 'ocirepository-sample', '-n', 'default', '--timeout=30s']);
  });

  test('a change made by hand is put back in moments, with no interval to wait for', async () => {
    pushFiles(`${registry.host}/manifests/drift:latest`, { 'a.yaml': configMap('drift', { v: '1' }) });
    apply(guide('drift', url('manifests/drift'), '{tag: latest}'));
    await waitCondition('kustomization', 'drift', 'flux-system', 'Ready', 'True');
    kubectl(['patch', 'configmap', 'drift', '-n', 'default', '--type=merge', '-p', '{"data":{"v":"tampered"}}']);
    await eventually('the field is put back', () => get('configmap', 'drift', 'default').data.v === '1', 10_000);
    kubectl(['delete', 'configmap', 'drift', '-n', 'default']);
    await eventually('the object is made again', () => get('configmap', 'drift', 'default') !== undefined, 10_000);
    kubectl(['delete', 'kustomization,ocirepository', 'drift', '-n', 'flux-system', '--timeout=30s']);
  });
});
