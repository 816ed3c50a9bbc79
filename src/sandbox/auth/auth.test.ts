import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock, seconds } from '../../std/index.ts';
import type { KubeObject } from '../../manifest/index.ts';
import { Store } from '../storage/store.ts';
import { type Attributes, isAllowed, refusal, uncovered } from './rbac.ts';
import { Tokens } from './tokens.ts';
import { admin, anonymous, serviceAccountUser } from './user.ts';

const rbac = (kind: string, name: string, namespace: string | undefined, body: object): KubeObject => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind,
  metadata: namespace === undefined ? { name } : { name, namespace },
  ...body,
});
const want = (verb: string, plural: string, namespace: string, name = '', subresource = ''): Attributes => ({
  verb,
  group: '',
  plural,
  namespace,
  name,
  subresource,
});

function cluster(): Store {
  const store = new Store();
  store.create(
    'rbac.authorization.k8s.io/clusterroles',
    rbac('ClusterRole', 'reader', undefined, { rules: [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['pods', 'pods/log'] }] }),
  );
  store.create(
    'rbac.authorization.k8s.io/roles',
    rbac('Role', 'one', 'a', { rules: [{ verbs: ['*'], apiGroups: [''], resources: ['secrets'], resourceNames: ['only'] }] }),
  );
  store.create(
    'rbac.authorization.k8s.io/rolebindings',
    rbac('RoleBinding', 'r', 'a', { roleRef: { kind: 'ClusterRole', name: 'reader' }, subjects: [{ kind: 'ServiceAccount', name: 'sa' }] }),
  );
  store.create(
    'rbac.authorization.k8s.io/rolebindings',
    rbac('RoleBinding', 'o', 'a', {
      roleRef: { kind: 'Role', name: 'one' },
      subjects: [{ kind: 'ServiceAccount', name: 'sa', namespace: 'a' }],
    }),
  );
  store.create(
    'rbac.authorization.k8s.io/clusterroles',
    rbac('ClusterRole', 'health', undefined, { rules: [{ verbs: ['get'], nonResourceURLs: ['/healthz*'] }] }),
  );
  store.create(
    'rbac.authorization.k8s.io/clusterrolebindings',
    rbac('ClusterRoleBinding', 'h', undefined, {
      roleRef: { kind: 'ClusterRole', name: 'health' },
      subjects: [{ kind: 'Group', name: 'system:unauthenticated' }],
    }),
  );
  return store;
}

test('roles and bindings decide, by namespace, subresource and name', () => {
  const store = cluster();
  const sa = serviceAccountUser('a', 'sa');
  assert.ok(isAllowed(store, admin, want('delete', 'nodes', '')));
  assert.ok(isAllowed(store, sa, want('list', 'pods', 'a')));
  assert.ok(isAllowed(store, sa, want('get', 'pods', 'a', 'x', 'log')));
  assert.ok(!isAllowed(store, sa, want('get', 'pods', 'a', 'x', 'exec')));
  assert.ok(!isAllowed(store, sa, want('list', 'pods', 'b')));
  assert.ok(!isAllowed(store, sa, want('list', 'pods', '')));
  assert.ok(isAllowed(store, sa, want('update', 'secrets', 'a', 'only')));
  assert.ok(!isAllowed(store, sa, want('list', 'secrets', 'a')));
  assert.ok(!isAllowed(store, serviceAccountUser('b', 'sa'), want('list', 'pods', 'a')));
  assert.ok(
    isAllowed(store, anonymous, { verb: 'get', group: '', plural: '', subresource: '', namespace: '', name: '', path: '/healthz/ready' }),
  );
  assert.equal(
    refusal(sa, want('get', 'pods', 'b', 'x', 'log')),
    'User "system:serviceaccount:a:sa" cannot get resource "pods/log" in API group "" in the namespace "b"',
  );
});

test('what a role would escalate to is found rule by rule', () => {
  const held = [{ verbs: ['get', 'list'], apiGroups: ['apps'], resources: ['*'] }];
  assert.deepEqual(uncovered(held, [{ verbs: ['get'], apiGroups: ['apps'], resources: ['deployments', 'deployments/scale'] }]), []);
  assert.deepEqual(uncovered(held, [{ verbs: ['get', 'delete'], apiGroups: ['apps'], resources: ['deployments'] }]), [
    { verbs: ['delete'], apiGroups: ['apps'], resources: ['deployments'] },
  ]);
});

test('tokens stand for who they were issued to, until they expire or are altered', () => {
  const clock = new FakeClock();
  const tokens = new Tokens(clock);
  const { token } = tokens.issue({ namespace: 'a', name: 'sa', uid: 'u' }, ['api'], 600);
  assert.equal(tokens.user(token)?.name, 'system:serviceaccount:a:sa');
  assert.equal(tokens.user(tokens.admin)?.name, 'admin');
  assert.equal(tokens.user(`${token.slice(0, -2)}xx`), undefined);
  assert.equal(tokens.user(new Tokens(clock).issue({ namespace: 'a', name: 'sa', uid: 'u' }, [], 600).token), undefined);
  clock.advance(seconds(601));
  assert.equal(tokens.user(token), undefined);
});
