import assert from 'node:assert/strict';
import { test } from 'node:test';
import { installObjects } from './install.ts';

const objects = installObjects({
  namespace: 'flux-system',
  image: 'registry.test/sluice:v1.2.3',
  version: '1.2.3',
  watchAllNamespaces: true,
  logLevel: 'info',
  networkPolicy: true,
  clusterDomain: 'cluster.local',
});

test('every object carries the labels the flux CLI looks for (K02)', () => {
  for (const object of objects)
    assert.equal(object.metadata.labels?.['app.kubernetes.io/part-of'], 'flux', `${object.kind}/${object.metadata.name}`);
});

test('the namespace and the CRDs come before what needs them', () => {
  const kinds = objects.map((it) => it.kind);
  assert.equal(kinds[0], 'Namespace');
  assert.ok(kinds.lastIndexOf('CustomResourceDefinition') < kinds.indexOf('Deployment'));
});

test('everybody may see verification policies, and whoever edits a namespace may not change them', () => {
  const groupsOf = (name: string): string => JSON.stringify(objects.find((it) => it.metadata.name === name)?.['rules']);
  assert.match(groupsOf('flux-view-flux-system'), /"source\.sluice\.dev"/);
  assert.doesNotMatch(groupsOf('flux-edit-flux-system'), /sluice/);
  const specOf = (name: string): string => JSON.stringify(objects.find((it) => it.metadata.name === `${name}.source.sluice.dev`)?.['spec']);
  assert.match(specOf('verificationpolicies'), /"scope":"Namespaced"/);
  assert.match(specOf('clusterverificationpolicies'), /"scope":"Cluster"/);
});

test('the Deployment has a container named manager with a tagged image (K04, K05)', () => {
  const deployment = objects.find((it) => it.kind === 'Deployment');
  const text = JSON.stringify(deployment);
  assert.match(text, /"name":"manager","image":"registry\.test\/sluice:v1\.2\.3"/);
  assert.match(text, /--storage-adv-addr=source-controller\.\$\(RUNTIME_NAMESPACE\)\.svc\.cluster\.local\./);
});
