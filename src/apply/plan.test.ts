import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { objectRef, type KubeObject, type ManagedFieldsEntry } from '../manifest/index.ts';
import { systemClock } from '../std/index.ts';
import { defaultTakeover } from './managed-fields.ts';
import { toLiveRecord } from './owned-objects.ts';
import { afterDryRun, cleanupPatch, driftOf, firstStep, prepare, toKnown, withLiveObject, type Policy, type Prepared } from './plan.ts';
import type { LiveRecord } from './request.ts';

const us = 'kustomize-controller';
const policy: Policy = { fieldManager: us, takeover: defaultTakeover(us), ignore: [] };
const ssa = 'kustomize.toolkit.fluxcd.io/ssa';

type Shape = {
  version?: string;
  uid?: string;
  data?: Record<string, string>;
  managers?: ManagedFieldsEntry[];
  annotations?: Record<string, string>;
};
const ownEntry: ManagedFieldsEntry = { manager: us, operation: 'Apply', apiVersion: 'v1', fieldsV1: { 'f:data': { 'f:k': {} } } };
const kubectl: ManagedFieldsEntry = { manager: 'kubectl-edit', operation: 'Update', fieldsV1: { 'f:data': { 'f:extra': {} } } };

function live({ version = '10', uid = 'u', data = { k: 'v' }, managers = [ownEntry], annotations }: Shape = {}): KubeObject {
  const metadata = {
    name: 'x',
    namespace: 'a',
    uid,
    resourceVersion: version,
    managedFields: managers,
    ...(annotations === undefined ? {} : { annotations }),
  };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
}

function desired(data: Record<string, string> = { k: 'v' }, annotations?: Record<string, string>): Prepared {
  const object: KubeObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'x', namespace: 'a', ...(annotations === undefined ? {} : { annotations }) },
    data,
  };
  return prepare(objectRef(object), object);
}

function record(shape: Shape = {}): LiveRecord {
  return toLiveRecord(live(shape), {
    fieldManager: us,
    takeover: policy.takeover,
    group: 'kustomize.toolkit.fluxcd.io',
    clock: systemClock,
  });
}

const known = toKnown(desired(), live(), us);

describe('first step: from memory and watches', () => {
  it('proves an object unchanged by its hashes alone', () => {
    assert.equal(firstStep(desired(), known, record()).kind, 'unchanged');
    assert.equal(
      firstStep(desired(), known, record({ version: '99', data: { k: 'v', theirs: 'x' } })).kind,
      'unchanged',
      'fields of others are theirs',
    );
  });

  it('asks the server whenever the proof has a hole', () => {
    const cases: [string, Parameters<typeof firstStep>][] = [
      ['nothing remembered', [desired(), undefined, record()]],
      ['not watched', [desired(), known, undefined]],
      ['gone', [desired(), known, 'absent']],
      ['other wish', [desired({ k: 'w' }), known, record()]],
      ['made anew', [desired(), known, record({ uid: 'other' })]],
      ['our field taken', [desired(), known, record({ version: '11', managers: [{ ...ownEntry, fieldsV1: {} }] })]],
      ['kubectl added a field', [desired(), known, record({ version: '11', managers: [ownEntry, kubectl] })]],
    ];
    for (const [name, args] of cases) assert.equal(firstStep(...args).kind, 'dry-run', name);
  });

  it('KB57 skips by marks on the desired or the live object', () => {
    assert.equal(firstStep(desired({}, { [ssa]: 'Ignore' }), undefined, undefined).kind, 'skipped');
    assert.equal(firstStep(desired({}, { 'kustomize.toolkit.fluxcd.io/reconcile': 'Disabled' }), undefined, undefined).kind, 'skipped');
    assert.equal(
      firstStep(desired(), known, record({ annotations: { 'kustomize.toolkit.fluxcd.io/reconcile': 'disabled' } })).kind,
      'skipped',
    );
    assert.equal(firstStep(desired({}, { [ssa]: 'IfNotPresent' }), undefined, record()).kind, 'skipped');
    assert.equal(firstStep(desired({}, { [ssa]: 'IfNotPresent' }), undefined, 'absent').kind, 'dry-run');
  });
});

describe('drift', () => {
  it('is told apart: gone, changed, foreign, none', () => {
    assert.equal(driftOf(known, 'absent'), 'gone');
    assert.equal(driftOf(known, record({ uid: 'other', version: '11' })), 'gone');
    assert.equal(driftOf(known, record({ version: '11', managers: [] })), 'changed');
    assert.equal(driftOf(known, record({ version: '11', managers: [ownEntry, kubectl] })), 'foreign');
    assert.equal(driftOf(known, record({ version: '11', managers: [ownEntry, kubectl] }), true), undefined);
    assert.equal(driftOf(known, record({ version: '11' })), undefined);
  });

  it('is not seen in a record older than our own write', () => {
    assert.equal(driftOf({ ...known, resourceVersion: '100' }, record({ version: '99', managers: [] })), undefined);
    assert.equal(driftOf({ ...known, resourceVersion: '99' }, record({ version: '100', managers: [] })), 'changed');
  });
});

describe('after the dry-run', () => {
  const { resourceVersion: _version, uid: _uid, ...fresh } = live().metadata;
  const created: KubeObject = { ...live(), metadata: { ...fresh, name: 'x' } };

  it('KB60 an answer without resourceVersion is a creation', () => {
    const next = afterDryRun(desired(), created, undefined, undefined, policy);
    assert.deepEqual(next, { kind: 'write', write: { action: 'created', payload: desired().desired, base: '' } });
  });

  it('KB53 compares with the watch’s record of the same state', () => {
    assert.equal(afterDryRun(desired(), live(), undefined, record(), policy).kind, 'unchanged');
    assert.equal(afterDryRun(desired(), live({ data: { k: 'w' } }), undefined, record(), policy).kind, 'write');
    assert.equal(afterDryRun(desired(), live({ version: '11' }), undefined, record(), policy).kind, 'needs-live');
    assert.equal(afterDryRun(desired(), live(), undefined, record({ managers: [] }), policy).kind, 'needs-live', 'equal, but not ours yet');
  });

  it('reads the live object only when a question is left', () => {
    assert.equal(
      afterDryRun(desired({ k: 'w' }), live({ data: { k: 'w' } }), known, undefined, policy).kind,
      'write',
      'a new wish is written',
    );
    assert.equal(afterDryRun(desired(), live(), known, undefined, policy).kind, 'needs-live');
    assert.equal(afterDryRun(desired(), live({ managers: [ownEntry, kubectl] }), known, record(), policy).kind, 'needs-live');
  });

  it('KB57 sees marks the live object has', () => {
    const answer = live({ annotations: { [ssa]: 'ignore' } });
    assert.equal(afterDryRun(desired(), answer, undefined, undefined, policy).kind, 'skipped');
    assert.equal(afterDryRun(desired({}, { [ssa]: 'IfNotPresent' }), live(), undefined, undefined, policy).kind, 'skipped');
  });
});

describe('with the live object', () => {
  it('takes over kubectl’s fields unless ssa=Merge (KB56, KB57)', () => {
    const mixed = live({ managers: [ownEntry, kubectl], annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' } });
    const next = withLiveObject(desired(), mixed, mixed, policy);
    assert.ok(next.kind === 'write' && next.write.cleanup === mixed);
    assert.deepEqual(
      cleanupPatch(mixed, policy).map(({ op, path }) => `${op} ${path}`),
      [
        'replace /metadata/resourceVersion',
        'remove /metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration',
        'replace /metadata/managedFields',
      ],
    );
    assert.equal(withLiveObject(desired({}, { [ssa]: 'Merge' }), mixed, mixed, policy).kind, 'unchanged');
  });

  it('becomes owner of equal content that is nobody’s, without calling it a change', () => {
    const next = withLiveObject(desired(), live(), live({ managers: [] }), policy);
    assert.ok(next.kind === 'write' && next.write.action === 'unchanged');
    const more: ManagedFieldsEntry = { ...ownEntry, fieldsV1: { 'f:data': { 'f:k': {} }, 'f:immutable': {} } };
    assert.equal(
      withLiveObject(desired(), live(), live({ managers: [more] }), policy).kind,
      'unchanged',
      'owning more is enough: what Flux applied stays untouched',
    );
  });
});
