// kill -9 of the controller at random points of an install, an upgrade and a prune: after a restart the cluster converges to the
// same state, nothing orphaned, nothing deleted that should stay.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { apply, installCrds, kubectl, pushFiles, type Registry, startController, startDockerRegistry, waitCondition } from './harness.ts';

const ROUNDS = Number(process.env['SLUICE_CRASH_ROUNDS'] ?? 20);
const OBJECTS = 12;

/** A repeatable random number in [0, 1): the seed is printed when a round fails. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const files = (names: readonly string[], value: string): Record<string, string> =>
  Object.fromEntries(
    names.map((name) => [
      `${name}.yaml`,
      JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels: { 'crash-test': 'yes' } }, data: { value } }),
    ]),
  );

/** Name → value of every ConfigMap the artifacts have ever held. */
function live(namespace: string): Record<string, string> {
  const list = JSON.parse(kubectl(['get', 'configmaps', '-n', namespace, '-l', 'crash-test=yes', '-o', 'json'])) as {
    items: { metadata: { name: string }; data: { value: string } }[];
  };
  return Object.fromEntries(list.items.map((it) => [it.metadata.name, it.data.value]));
}

describe('kill -9 anywhere converges', { timeout: 900_000 }, () => {
  let registry: Registry;
  const seed = Number(process.env['SLUICE_SEED'] ?? Date.now() % 100_000);
  const random = randomFrom(seed);

  before(async () => {
    installCrds();
    registry = await startDockerRegistry();
    apply('{apiVersion: v1, kind: Namespace, metadata: {name: crash}}');
    apply(
      '{apiVersion: v1, kind: ConfigMap, metadata: {name: bystander, namespace: crash, labels: {crash-test: "yes"}}, data: {value: untouched}}',
    );
  });
  after(async () => await registry.stop());

  test(`${ROUNDS} kills over installs, upgrades and prunes`, async (t) => {
    let storage: string | undefined;
    const all = Array.from({ length: OBJECTS }, (_, i) => `object-${i}`);
    const installed = new Map<string, string>();
    let round = 0;
    const step = async (what: string, names: readonly string[], value: string, first: boolean): Promise<void> => {
      round += 1;
      const label = `round ${round} (${what}), seed ${seed}`;
      const digest = pushFiles(`${registry.host}/crash/app:latest`, files(names, value));
      const victim = await startController([], storage === undefined ? {} : { storage });
      storage = victim.storage;
      if (first) {
        apply(`
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: crash, namespace: crash}
spec: {interval: 10m, url: "oci://${registry.host}/crash/app", ref: {tag: latest}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: crash, namespace: crash}
spec: {interval: 10m, targetNamespace: crash, prune: true, sourceRef: {kind: OCIRepository, name: crash}}`);
      } else {
        kubectl(['annotate', '--overwrite', 'ocirepository', 'crash', '-n', 'crash', `reconcile.fluxcd.io/requestedAt=${Date.now()}`]);
      }
      await new Promise((resolve) => setTimeout(resolve, random() ** 2 * 400));
      await victim.kill();
      const survivor = await startController([], { storage });
      try {
        kubectl(['annotate', '--overwrite', 'ocirepository', 'crash', '-n', 'crash', `reconcile.fluxcd.io/requestedAt=${Date.now()}`]);
        const ready = await waitCondition(
          'kustomization',
          'crash',
          'crash',
          'Ready',
          'True',
          60_000,
          (it) => it.status.lastAppliedRevision === `latest@${digest}`,
        );
        installed.clear();
        for (const name of names) installed.set(name, value);
        assert.deepEqual(live('crash'), { ...Object.fromEntries(installed), bystander: 'untouched' }, label);
        assert.deepEqual(
          ready.status.inventory.entries.map((it: { id: string }) => it.id).sort(),
          names.map((name) => `crash_${name}__ConfigMap`).sort(),
          label,
        );
      } finally {
        await survivor.stop();
      }
    };
    while (round < ROUNDS) {
      await step('install', all, `v${round}`, round === 0 || installed.size === 0);
      if (round < ROUNDS) await step('upgrade', all, `v${round}`, false);
      if (round < ROUNDS)
        await step(
          'prune',
          all.filter((_, i) => i % 3 === round % 3),
          `v${round}`,
          false,
        );
    }
    t.diagnostic(`${round} rounds, seed ${seed}`);
    const last = await startController([], storage === undefined ? {} : { storage });
    kubectl(['delete', 'kustomization,ocirepository', 'crash', '-n', 'crash', '--timeout=60s']);
    await last.stop();
    assert.deepEqual(live('crash'), { bystander: 'untouched' });
  });
});
