import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rulesOf } from '../profile.ts';
import { isKept, sortHooksByWeight } from './hook.ts';
import { sortForUninstall } from './kind-order.ts';
import { sortManifests } from './sort.ts';
import { splitManifests } from './split.ts';

describe('splitManifests', () => {
  const text = '\n---\na: 1\n\n\n--- \n\nb: 2\n---c: 3\n  ---\n';
  it('of 4.2.4 cuts at lines and keeps blank ones', () => {
    assert.deepEqual(splitManifests(text, rulesOf('4.2')), ['a: 1\n\n\n', 'b: 2\n', 'c: 3\n  ---\n']);
  });

  it('of 4.2.0 cuts with the blank around, also before an indented separator’s line', () => {
    assert.deepEqual(splitManifests('a: 1\n\n\n---\n\nb: 2\n---c: 3\n', rulesOf('4.2.0')), ['a: 1', 'b: 2', 'c: 3\n']);
  });

  it('of 3.x trims every document', () => {
    assert.deepEqual(splitManifests('\na: 1\n\n---\n---\n\nb: 2\n\n', rulesOf('3.x')), ['a: 1', '---\n\nb: 2']);
  });

  it('takes no time on white space without end', () => {
    const start = performance.now();
    for (const profile of ['4.2', '4.2.0', '3.x'] as const) splitManifests(`a: 1${' \n'.repeat(500_000)}b`, rulesOf(profile));
    assert.ok(performance.now() - start < 2000);
  });
});

function object(kind: string, name: string, annotations: Record<string, string> = {}): string {
  return JSON.stringify({ apiVersion: 'v1', kind, metadata: { name, annotations } });
}

describe('sortManifests', () => {
  const files = new Map([
    [
      'c/templates/b.yaml',
      [object('ValidatingWebhookConfiguration', 'w'), object('Zebra', 'z'), object('Deployment', 'd')].join('\n---\n'),
    ],
    ['c/templates/a.yaml', [object('Apple', 'x'), object('Namespace', 'n'), object('APIService', 's')].join('\n---\n')],
    ['c/templates/_p.tpl', object('Namespace', 'partial')],
    [
      'c/templates/hooks.yaml',
      [
        object('Job', 'late', {
          'helm.sh/hook': 'post-install, Test-Success',
          'helm.sh/hook-weight': '5',
          'helm.sh/hook-delete-policy': 'hook-succeeded',
        }),
        object('Job', 'b', { 'helm.sh/hook': 'pre-install', 'helm.sh/hook-weight': '-1' }),
        object('Pod', 'a', { 'helm.sh/hook': 'pre-install', 'helm.sh/hook-weight': 'x' }),
        object('Pod', 'gone', { 'helm.sh/hook': 'no-such-event' }),
      ].join('\n---\n'),
    ],
  ]);

  it('orders kinds for installing, unknown ones last by name', () => {
    const kinds = (profile: '4.2' | '3.x'): string[] => sortManifests(files, rulesOf(profile)).manifests.map(({ head }) => head.kind);
    assert.deepEqual(kinds('4.2'), ['Namespace', 'Deployment', 'APIService', 'ValidatingWebhookConfiguration', 'Apple', 'Zebra']);
    assert.deepEqual(kinds('3.x'), ['Namespace', 'Deployment', 'APIService', 'Apple', 'ValidatingWebhookConfiguration', 'Zebra']);
  });

  it('tells hooks from manifests and drops those of unknown events', () => {
    const { hooks, unknownHooks } = sortManifests(files, rulesOf('4.2'));
    assert.deepEqual(
      hooks.map(({ name, events, weight }) => [name, events, weight]),
      [
        ['a', ['pre-install'], 0],
        ['late', ['post-install', 'test'], 5],
        ['b', ['pre-install'], -1],
      ],
    );
    assert.deepEqual(hooks[1]?.deletePolicies, ['hook-succeeded']);
    assert.deepEqual(unknownHooks, ['c/templates/hooks.yaml']);
    assert.deepEqual(
      sortHooksByWeight(hooks).map(({ name }) => name),
      ['b', 'a', 'late'],
    );
  });

  it('reads heads as encoding/json does', () => {
    const { manifests } = sortManifests(
      new Map([['x', 'Kind: Foo\napiversion: v7\nmetadata: {name: 5, annotations: {a: true, b: 1.50}}']]),
      rulesOf('4.2'),
    );
    assert.deepEqual(manifests[0]?.head, { apiVersion: 'v7', kind: 'Foo', name: '5', annotations: { a: 'true', b: '1.5' } });
  });

  it('keeps documents that are only comments', () => {
    assert.equal(sortManifests(new Map([['x', '# nothing here\n']]), rulesOf('4.2')).manifests[0]?.content, '# nothing here\n');
  });

  it('names the file of a document that is no object', () => {
    assert.throws(() => sortManifests(new Map([['c/templates/x.yaml', 'a: 1\n---\njust text']]), rulesOf('4.2')), {
      code: 'ManifestInvalid',
      message:
        'YAML parse error on c/templates/x.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go value of type util.SimpleHead',
    });
  });
});

describe('removing a release', () => {
  it('goes through kinds the other way, webhooks first', () => {
    const kinds = ['Namespace', 'Deployment', 'ValidatingWebhookConfiguration', 'Foo'];
    assert.deepEqual(
      sortForUninstall(kinds, (kind) => kind, rulesOf('4.2')),
      ['ValidatingWebhookConfiguration', 'Deployment', 'Namespace', 'Foo'],
    );
  });

  it('spares what says so', () => {
    assert.equal(isKept({ apiVersion: 'v1', kind: 'Secret', name: 's', annotations: { 'helm.sh/resource-policy': ' Keep ' } }), true);
    assert.equal(isKept({ apiVersion: 'v1', kind: 'Secret', name: 's', annotations: {} }), false);
  });
});
