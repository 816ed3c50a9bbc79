import type { KubeObject } from '../../manifest/index.ts';
import { type Cluster, controllerOf, Loop } from '../controllers/cluster.ts';
import { type Draft0, mapAt, mapsOf } from '../kinds/index.ts';
import { labelSelectorMatches } from '../request/selector.ts';
import { withCondition } from './conditions.ts';
import { isReady } from './pod-of.ts';
import { isFinished } from './pod-status.ts';
import { scaledValue } from './rolling.ts';

const BUDGETS = 'policy/poddisruptionbudgets';
const AUTOSCALERS = 'autoscaling/horizontalpodautoscalers';
const PODS = '/pods';
const SCALABLE: Readonly<Record<string, string>> = {
  Deployment: 'apps/deployments',
  StatefulSet: 'apps/statefulsets',
  ReplicaSet: 'apps/replicasets',
};

/** The controllers of PodDisruptionBudgets and of HorizontalPodAutoscalers, which keep their targets in bounds and find them well sized. */
export function runBudgets(cluster: Cluster): () => void {
  const { api } = cluster;
  const living = (collection: string, run: (cluster: Cluster, object: KubeObject) => void): Loop =>
    new Loop(api, (namespace, name) => {
      const object = cluster.get(collection, namespace, name);
      if (object !== undefined && object.metadata.deletionTimestamp === undefined) run(cluster, object);
    });
  const loops = { [BUDGETS]: living(BUDGETS, observeBudget), [AUTOSCALERS]: living(AUTOSCALERS, observeAutoscaler) };
  const touchAll = (collection: typeof BUDGETS | typeof AUTOSCALERS, namespace: string): void => {
    for (const it of cluster.list(collection, namespace)) loops[collection]?.touch(it);
  };
  const stops = [
    api.store.watch(BUDGETS, undefined, (change) => loops[BUDGETS]?.touch(change.object)),
    api.store.watch(AUTOSCALERS, undefined, (change) => loops[AUTOSCALERS]?.touch(change.object)),
    api.store.watch(PODS, undefined, (change) => touchAll(BUDGETS, change.object.metadata.namespace ?? '')),
    ...Object.values(SCALABLE).map((collection) =>
      api.store.watch(collection, undefined, (change) => touchAll(AUTOSCALERS, change.object.metadata.namespace ?? '')),
    ),
  ];
  touchAll(BUDGETS, '');
  touchAll(AUTOSCALERS, '');
  return () => {
    for (const stop of stops) stop?.();
    for (const loop of Object.values(loops)) loop.close();
  };
}

function observeBudget(cluster: Cluster, budget: KubeObject): void {
  const spec = mapAt(budget, 'spec') ?? {};
  const pods = cluster
    .list(PODS, budget.metadata.namespace ?? '')
    .filter((pod) => spec['selector'] !== undefined && labelSelectorMatches(spec['selector'], pod.metadata.labels) && !isFinished(pod));
  const byScale = spec['maxUnavailable'] !== undefined || String(spec['minAvailable'] ?? '').endsWith('%');
  const expected = byScale ? expectedPods(cluster, pods) : pods.length;
  const wanted =
    spec['maxUnavailable'] === undefined
      ? scaledValue(spec['minAvailable'] ?? 1, expected, true)
      : Math.max(0, expected - scaledValue(spec['maxUnavailable'], expected, true));
  const healthy = pods.filter((it) => isReady(it) && it.metadata.deletionTimestamp === undefined).length;
  const allowed = expected === 0 ? 0 : Math.max(0, healthy - wanted);
  const condition = {
    type: 'DisruptionAllowed',
    status: allowed > 0 ? 'True' : 'False',
    reason: allowed > 0 ? 'SufficientPods' : 'InsufficientPods',
    message: '',
    observedGeneration: budget.metadata.generation,
  };
  const conditions = withCondition(mapsOf(mapAt(budget, 'status'), 'conditions'), condition, cluster.now());
  cluster.setStatus(BUDGETS, budget, {
    observedGeneration: budget.metadata.generation,
    disruptionsAllowed: allowed,
    currentHealthy: healthy,
    desiredHealthy: wanted,
    expectedPods: expected,
    conditions: conditions.map(withoutUpdateTime),
  });
}

/** How many pods the controllers of these pods want together; a pod without a controller counts for itself. */
function expectedPods(cluster: Cluster, pods: readonly KubeObject[]): number {
  const wanted = new Map<string, number>();
  for (const pod of pods) {
    const owner = controllerOf(pod);
    const collection = SCALABLE[owner?.kind ?? ''];
    const object =
      owner === undefined || collection === undefined ? undefined : cluster.get(collection, pod.metadata.namespace ?? '', owner.name);
    const above = object === undefined ? undefined : controllerOf(object);
    const top = above?.kind === 'Deployment' ? cluster.get('apps/deployments', pod.metadata.namespace ?? '', above.name) : object;
    const uid = top?.metadata.uid ?? pod.metadata.uid ?? '';
    wanted.set(uid, top === undefined ? 1 : Number(mapAt(top, 'spec')?.['replicas'] ?? 1));
  }
  return [...wanted.values()].reduce((sum, it) => sum + it, 0);
}

function withoutUpdateTime(condition: Draft0): Draft0 {
  return Object.fromEntries(Object.entries(condition).filter(([key]) => key !== 'lastUpdateTime'));
}

function observeAutoscaler(cluster: Cluster, autoscaler: KubeObject): void {
  const spec = mapAt(autoscaler, 'spec') ?? {};
  const reference = mapAt(spec, 'scaleTargetRef');
  const collection = SCALABLE[String(reference?.['kind'])];
  const name = String(reference?.['name']);
  const target = collection === undefined ? undefined : cluster.get(collection, autoscaler.metadata.namespace ?? '', name);
  if (target === undefined || collection === undefined) {
    const message = `the HPA controller was unable to get the target's current scale: ${String(reference?.['kind'])} "${name}" not found`;
    writeScaling(cluster, autoscaler, {}, [{ type: 'AbleToScale', status: 'False', reason: 'FailedGetScale', message }]);
    return;
  }
  const replicas = Number(mapAt(target, 'spec')?.['replicas'] ?? 1);
  const [least, most] = [Number(spec['minReplicas'] ?? 1), Number(spec['maxReplicas'] ?? Infinity)];
  // A target of size zero is not autoscaled.
  const desired = replicas === 0 ? 0 : Math.min(most, Math.max(least, replicas));
  if (desired !== replicas)
    cluster.update(
      collection,
      target,
      (draft) => {
        (draft['spec'] as Draft0)['replicas'] = desired;
      },
      'scale',
    );
  const limit =
    desired <= least
      ? {
          type: 'ScalingLimited',
          status: 'True',
          reason: 'TooFewReplicas',
          message: 'the desired replica count is less than the minimum replica count',
        }
      : {
          type: 'ScalingLimited',
          status: 'False',
          reason: 'DesiredWithinRange',
          message: 'the desired count is within the acceptable range',
        };
  const counts = { currentReplicas: Number(mapAt(target, 'status')?.['replicas'] ?? 0), desiredReplicas: desired, currentMetrics: null };
  writeScaling(cluster, autoscaler, counts, [
    { type: 'AbleToScale', status: 'True', reason: 'ReadyForNewScale', message: 'recommended size matches current size' },
    {
      type: 'ScalingActive',
      status: 'True',
      reason: 'ValidMetricFound',
      message: 'the HPA was able to successfully calculate a replica count',
    },
    limit,
  ]);
}

function writeScaling(cluster: Cluster, autoscaler: KubeObject, counts: Draft0, wanted: readonly Draft0[]): void {
  let conditions = mapsOf(mapAt(autoscaler, 'status'), 'conditions');
  for (const condition of wanted) conditions = withCondition(conditions, condition, cluster.now()).map(withoutUpdateTime);
  cluster.setStatus(AUTOSCALERS, autoscaler, { ...counts, conditions });
}
