// HelmReleases on a real API server, with podinfo's real charts (pushed by the real helm) on docker-registry.
import assert from 'node:assert/strict';
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
  type Registry,
  sluice,
  startController,
  startDockerRegistry,
  waitCondition,
} from './harness.ts';

const charts = 'stefanprodan/charts/podinfo';

/** The guide's YAML for a chart in a registry. */
const release = (name: string, namespace: string, url: string, semver: string, spec: Record<string, unknown> = {}): string => `
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  interval: 10m
  url: ${url}
  ref: {semver: "${semver}"}
  layerSelector: {mediaType: application/vnd.cncf.helm.chart.content.v1.tar+gzip, operation: copy}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: ${name}, namespace: ${namespace}}
spec: ${JSON.stringify({ interval: '10m', chartRef: { kind: 'OCIRepository', name }, ...spec })}
`;

describe('HelmReleases of charts in a registry', { timeout: 600_000 }, () => {
  const artifacts = corpus('artifacts');
  const skip = artifacts === undefined ? 'needs the corpus' : false;
  let registry: Registry;
  let controller: Controller;

  before(async () => {
    if (artifacts === undefined) return;
    installCrds();
    registry = await startDockerRegistry();
    await loadLayout(join(artifacts, 'layouts', charts), registry.host, charts, ['6.14.1', '6.14.0', '6.13.0', '6.9.4', '6.8.0']);
    await loadLayout(join(artifacts, 'layouts/fleet/apps'), registry.host, 'fleet/apps');
    controller = await startController(['--registry-mirror', `ghcr.io=${registry.host}`, '--requeue-dependency', '2s']);
  });
  after(async () => {
    await controller?.stop();
    await registry?.stop();
  });

  test('HB04 HB05: podinfo of a semver range is installed from the guide’s YAML, with its ghcr.io URL', { skip }, async () => {
    apply('{apiVersion: v1, kind: Namespace, metadata: {name: chart-one}}');
    apply(release('podinfo', 'chart-one', `oci://ghcr.io/${charts}`, '6.14.x', { values: { replicaCount: 2 } }));
    const ready = await waitCondition('helmrelease', 'podinfo', 'chart-one', 'Ready', 'True');
    const [latest] = ready.status.history;
    assert.match(latest.chartVersion, /^6\.14\.1\+[0-9a-f]{12}$/);
    assert.equal(latest.status, 'deployed');
    assert.equal(condition(ready, 'Ready')?.reason, 'InstallSucceeded');
    assert.equal(
      condition(ready, 'Ready')?.message,
      `Helm install succeeded for release chart-one/podinfo.v1 with chart podinfo@${latest.chartVersion}`,
    );
    assert.equal(condition(ready, 'Released')?.status, 'True');
    assert.ok(ready.status.inventory.entries.some((it: { id: string }) => it.id === 'chart-one_podinfo_apps_Deployment'));
    assert.equal(ready.status.observedGeneration, ready.metadata.generation);
    const deployment = get('deployment', 'podinfo', 'chart-one');
    assert.equal(deployment.spec.replicas, 2);
    assert.equal(deployment.metadata.labels['helm.toolkit.fluxcd.io/name'], 'podinfo');
  });

  test('HB33: changed values upgrade it', { skip }, async () => {
    apply(release('podinfo', 'chart-one', `oci://ghcr.io/${charts}`, '6.14.x', { values: { replicaCount: 1 } }));
    const ready = await waitCondition(
      'helmrelease',
      'podinfo',
      'chart-one',
      'Ready',
      'True',
      60_000,
      (it) => it.status.history[0].version === 2,
    );
    assert.equal(condition(ready, 'Ready')?.reason, 'UpgradeSucceeded');
    assert.equal(get('deployment', 'podinfo', 'chart-one').spec.replicas, 1);
  });

  test('HB64: deleting it uninstalls the release', { skip }, async () => {
    kubectl(['delete', 'helmrelease', 'podinfo', '-n', 'chart-one', '--timeout=60s']);
    assert.equal(get('deployment', 'podinfo', 'chart-one')?.metadata.deletionTimestamp ?? 'gone', 'gone');
    assert.equal(kubectl(['get', 'secrets', '-n', 'chart-one', '-l', 'owner=helm', '-o', 'name']).trim(), '');
  });

  test('one artifact carries Namespace, OCIRepository and HelmRelease, applied by a Kustomization', { skip }, async () => {
    apply(`
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: apps, namespace: flux-system}
spec: {interval: 10m, url: "oci://ghcr.io/fleet/apps", ref: {tag: v1}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec: {interval: 10m, prune: true, wait: true, timeout: 2m, sourceRef: {kind: OCIRepository, name: apps}, path: ./}
`);
    await waitCondition('kustomization', 'apps', 'flux-system', 'Ready', 'True', 90_000);
    const all = JSON.parse(kubectl(['get', 'helmreleases', '-A', '-o', 'json']));
    assert.ok(all.items.length > 0);
    for (const item of all.items) assert.equal(condition(item, 'Ready')?.status, 'True');
    assert.match(sluice(['get', 'helmreleases', '-A']).stdout, /podinfo/);
  });

  test('spec.chart says how to move to chartRef', { skip }, async () => {
    apply(`
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: classic, namespace: flux-system}
spec: {interval: 10m, chart: {spec: {chart: podinfo, sourceRef: {kind: HelmRepository, name: podinfo}}}}
`);
    const stalled = await eventually('stalled', () => {
      const object = get('helmrelease', 'classic', 'flux-system');
      return condition(object, 'Stalled')?.status === 'True' ? object : undefined;
    });
    assert.match(condition(stalled, 'Ready')?.message ?? '', /spec\.chartRef/);
  });
});
