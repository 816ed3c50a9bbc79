import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseKustomization, type Kustomization } from '../../api/index.ts';
import { ApplyError, type ApplyResult } from '../../apply/index.ts';
import { KubeError, type KubeErrorCode } from '../../kube/index.ts';
import { memoryTree } from '../../manifest/index.ts';
import type { ConfigReader } from '../../runtime/index.ts';
import { CodedError } from '../../std/index.ts';
import { evaluateReadyExpression, isPassing, parseReadyExpression } from '../applier/index.ts';
import { KustomizationFailure } from './failure.ts';
import { deletesObjects } from './finalize.ts';
import { buildFolder, contentHash } from './inputs.ts';
import { readVariables, substituteAll } from './variables.ts';

function kustomization(spec: Record<string, unknown> = {}, status: Record<string, unknown> = {}): Kustomization {
  return parseKustomization({
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'app', namespace: 'apps', uid: 'u', resourceVersion: '1', generation: 1 },
    spec: { interval: '10m', prune: true, sourceRef: { kind: 'OCIRepository', name: 'app' }, ...spec },
    status: { observedGeneration: 1, ...status },
  });
}

const tree = memoryTree({ 'a/x.yaml': '1', 'a/sub/y.yaml': '2', 'b/z.yaml': '3', file: '4' });

const folders: [path: string | undefined, folder: string, problem?: string][] = [
  [undefined, ''],
  ['./', ''],
  ['a', 'a'],
  ['./a/sub/', 'a/sub'],
  ['a/../b', 'b'],
  ['../../b', 'b'],
  ['c', 'c', 'missing'],
  ['a/c', 'a/c', 'missing'],
  ['file', 'file', 'not a folder'],
];
for (const [path, folder, problem] of folders) {
  test(`KB08: path ${path ?? '(none)'} is ${folder === '' ? 'the root' : folder}${problem === undefined ? '' : `, ${problem}`}`, () => {
    assert.deepEqual(buildFolder(tree, path), problem === undefined ? { folder } : { folder, problem });
  });
}

test('inputs: a change inside the folder counts, one outside only when it was read', () => {
  const hash = (files: Record<string, string>, reads: string[] = []): string => contentHash(memoryTree(files), 'a', reads);
  const files = { 'a/x.yaml': '1', 'b/z.yaml': '3' };
  const base = hash(files);
  assert.equal(hash({ ...files, 'b/z.yaml': '9' }), base);
  assert.notEqual(hash({ ...files, 'a/x.yaml': '9' }), base);
  assert.notEqual(hash({ ...files, 'a/new.yaml': '' }), base);
  const read = hash(files, ['b/z.yaml']);
  assert.notEqual(hash({ ...files, 'b/z.yaml': '9' }, ['b/z.yaml']), read);
  assert.notEqual(hash({ 'a/x.yaml': '1' }, ['b/z.yaml']), read);
});

const inventory = { inventory: { entries: [{ id: 'apps_a__ConfigMap', v: 'v1' }] } };
const deletions: [spec: Record<string, unknown>, status: Record<string, unknown>, want: boolean][] = [
  [{}, inventory, true],
  [{}, {}, false],
  [{ suspend: true }, inventory, false],
  [{ prune: false }, inventory, false],
  [{ deletionPolicy: 'MirrorPrune', prune: false }, inventory, false],
  [{ deletionPolicy: 'Delete', prune: false }, inventory, true],
  [{ deletionPolicy: 'WaitForTermination', prune: false }, inventory, true],
  [{ deletionPolicy: 'Orphan' }, inventory, false],
];
for (const [spec, status, want] of deletions) {
  test(`KB90: ${JSON.stringify(spec)}${status === inventory ? '' : ' with nothing applied'} ${want ? 'deletes' : 'leaves'} objects`, () => {
    assert.equal(deletesObjects(kustomization(spec, status)), want);
  });
}

const kubeError = (code: KubeErrorCode): KubeError => new KubeError({ code, message: code });
const applyError = (...codes: KubeErrorCode[]): ApplyError =>
  new ApplyError(
    'DryRunFailed',
    codes.map((code) => ({
      ref: { group: '', kind: 'A', namespace: '', name: 'a' },
      code: 'DryRunFailed',
      message: code,
      cause: kubeError(code),
    })),
    {} as ApplyResult,
  );
const causes: [name: string, error: unknown, want: boolean][] = [
  ['no connection', kubeError('ConnectionFailed'), true],
  ['a refused object', kubeError('Invalid'), false],
  ['a kind not there yet', applyError('NoMatch', 'NotFound'), true],
  ['one refused object among passing ones', applyError('NoMatch', 'Invalid'), false],
  ['a failure with a passing cause', new KustomizationFailure('ReconciliationFailed', 'x', { cause: applyError('Timeout') }), true],
  [
    'a build error',
    new KustomizationFailure('BuildFailed', 'x', { cause: new CodedError({ code: 'YamlMalformed', message: 'x' }) }),
    false,
  ],
  ['a bug', new TypeError('x'), false],
];
for (const [name, error, want] of causes) {
  test(`${name} ${want ? 'passes by itself' : 'waits for the retry interval'}`, () => assert.equal(isPassing(error), want));
}

test('KB05: readyExpr sees both objects; what goes wrong in it is told', () => {
  const expression = parseReadyExpression("dep.status.lastAppliedRevision == 'v1' && self.metadata.name == 'app'");
  assert.equal(evaluateReadyExpression(expression, kustomization(), kustomization({}, { lastAppliedRevision: 'v1' })), true);
  assert.equal(evaluateReadyExpression(expression, kustomization(), kustomization({}, { lastAppliedRevision: 'v2' })), false);
  assert.match(
    String(evaluateReadyExpression(parseReadyExpression("dep.status.nothing == 'x'"), kustomization(), kustomization())),
    /nothing/,
  );
  assert.match(String(evaluateReadyExpression(parseReadyExpression('dep.metadata.name'), kustomization(), kustomization())), /bool/);
  assert.throws(() => parseReadyExpression('self..'), { code: 'InvalidCELExpression' });
});

test('KB40 KB41: later sources win, inline wins over all, optional ones may be missing', async () => {
  const maps: Record<string, Record<string, string>> = { one: { a: '1', b: '1', c: '1' }, two: { b: '2', c: '2' } };
  const configs = {
    find: async (kind: string, namespace: string, name: string) =>
      maps[name] === undefined ? undefined : { apiVersion: 'v1', kind, metadata: { name, namespace }, data: maps[name] },
  } as unknown as ConfigReader;
  const from = (...names: string[]): unknown[] => names.map((name) => ({ kind: 'ConfigMap', name, optional: name === 'maybe' }));
  const object = kustomization({ postBuild: { substitute: { c: '3' }, substituteFrom: from('one', 'two', 'maybe') } });
  const postBuild = await readVariables(object, configs);
  assert.deepEqual(Object.fromEntries(postBuild?.variables ?? []), { a: '1', b: '2', c: '3' });
  const text = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, data: { v: 'x${a}${b}${c}' } };
  assert.deepEqual(substituteAll([text], object, postBuild, true)[0]?.['data'], { v: 'x123' });
  await assert.rejects(readVariables(kustomization({ postBuild: { substituteFrom: from('none') } }), configs), {
    code: 'ConfigNotFound',
    message: 'substitute from \'ConfigMap/none\' error: ConfigMap "apps/none" not found',
  });
  assert.equal(await readVariables(kustomization(), configs), undefined);
});
