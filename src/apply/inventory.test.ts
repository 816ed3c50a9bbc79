import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ObjectRef } from '../manifest/index.ts';
import {
  apiVersionOf,
  formatInventoryId,
  inventoryEntry,
  inventoryObjects,
  mergeInventories,
  parseInventoryId,
  staleEntries,
} from './inventory.ts';

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/);
const kindName = fc.stringMatching(/^[A-Z][A-Za-z]{0,20}$/);
const group = fc.oneof(
  fc.constant(''),
  fc.constant('apps'),
  fc.array(label, { minLength: 2, maxLength: 3 }).map((parts) => parts.join('.')),
);
const plain: fc.Arbitrary<ObjectRef> = fc.record(
  {
    namespace: fc.oneof(fc.constant(''), label),
    name: fc.array(label, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('.')),
    group,
    kind: kindName,
  },
  { noNullPrototype: true },
);
const rbac: fc.Arbitrary<ObjectRef> = fc.record(
  {
    namespace: fc.oneof(fc.constant(''), label),
    name: fc.array(label, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(':')),
    group: fc.constant('rbac.authorization.k8s.io'),
    kind: fc.constantFrom('Role', 'ClusterRole', 'RoleBinding', 'ClusterRoleBinding'),
  },
  { noNullPrototype: true },
);

describe('inventory', () => {
  it('writes ids as Flux does', () => {
    const id = (namespace: string, name: string, groupName: string, kind: string): string =>
      formatInventoryId({ namespace, name, group: groupName, kind });
    assert.equal(id('apps', 'web', 'apps', 'Deployment'), 'apps_web_apps_Deployment');
    assert.equal(id('', 'apps', '', 'Namespace'), '_apps__Namespace');
    assert.equal(
      id('', 'system:metrics', 'rbac.authorization.k8s.io', 'ClusterRole'),
      '_system__metrics_rbac.authorization.k8s.io_ClusterRole',
    );
    assert.deepEqual(inventoryEntry({ namespace: 'a', name: 'b', group: 'apps', kind: 'Deployment' }, 'apps/v1'), {
      id: 'a_b_apps_Deployment',
      v: 'v1',
    });
  });

  it('reads back every id it writes', () => {
    fc.assert(fc.property(fc.oneof(plain, rbac), (ref) => assert.deepEqual(parseInventoryId(formatInventoryId(ref)), ref)));
  });

  it('refuses what is no id', () => {
    for (const id of ['', 'a', 'a_b', 'a_b_c', '___'.slice(1)]) assert.throws(() => parseInventoryId(id), { code: 'InventoryInvalid' }, id);
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          assert.equal(typeof parseInventoryId(text).kind, 'string');
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'InventoryInvalid');
        }
      }),
    );
  });

  it('KB70 finds what left, whatever its version', () => {
    const old = {
      entries: [
        { id: 'a_x_apps_Deployment', v: 'v1' },
        { id: 'a_y__ConfigMap', v: 'v1' },
        { id: '_z__Namespace', v: 'v1' },
      ],
    };
    const next = { entries: [{ id: 'a_x_apps_Deployment', v: 'v2' }] };
    assert.deepEqual(
      staleEntries(old, next).map(({ ref }) => ref.kind),
      ['Namespace', 'ConfigMap'],
    );
    assert.deepEqual(staleEntries(next, old), []);
    assert.deepEqual(inventoryObjects(old).map(apiVersionOf), ['v1', 'v1', 'apps/v1']);
  });

  it('KB71 merges survivors without doubling', () => {
    const merged = mergeInventories(
      { entries: [{ id: 'a', v: 'v2' }] },
      {
        entries: [
          { id: 'a', v: 'v1' },
          { id: 'b', v: 'v1' },
          { id: 'b', v: 'v1' },
        ],
      },
    );
    assert.deepEqual(merged.entries, [
      { id: 'a', v: 'v2' },
      { id: 'b', v: 'v1' },
    ]);
  });
});
