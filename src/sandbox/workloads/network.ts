import type { KubeObject } from '../../manifest/index.ts';
import { type Cluster, Loop, ownerReference } from '../controllers/cluster.ts';
import { mapAt, mapIn, mapsOf } from '../kinds/index.ts';
import { podsReady } from './conditions.ts';

const SERVICES = '/services';
const SLICES = 'discovery.k8s.io/endpointslices';
const PODS = '/pods';
const INGRESSES = 'networking.k8s.io/ingresses';
const CLAIMS = '/persistentvolumeclaims';
const VOLUMES = '/persistentvolumes';
const AUTOSCALERS = 'autoscaling/horizontalpodautoscalers';
const DISRUPTION_BUDGETS = 'policy/poddisruptionbudgets';

/** What the cloud, the storage and the endpoint controllers would do: addresses, bound claims, endpoints, autoscaler and budget status. */
export function runSurroundings(cluster: Cluster): () => void {
  const { api } = cluster;
  const loop = (collection: string, run: (object: KubeObject) => void): Loop => {
    const made = new Loop(api, (namespace, name) => {
      const object = cluster.get(collection, namespace, name);
      if (object !== undefined && object.metadata.deletionTimestamp === undefined) run(object);
    });
    stops.push(
      api.store.watch(collection, undefined, (change) => made.touch(change.object)),
      () => made.close(),
    );
    for (const it of cluster.list(collection)) made.touch(it);
    return made;
  };
  const stops: ((() => void) | undefined)[] = [];
  const services = loop(SERVICES, (service) => {
    if (mapAt(service, 'spec')?.['type'] === 'LoadBalancer') giveAddress(cluster, SERVICES, service);
    writeEndpoints(cluster, service);
  });
  loop(INGRESSES, (ingress) => giveAddress(cluster, INGRESSES, ingress));
  loop(CLAIMS, (claim) => bindClaim(cluster, claim));
  loop(AUTOSCALERS, (autoscaler) => observeAutoscaler(cluster, autoscaler));
  const budgets = loop(DISRUPTION_BUDGETS, (budget) => observeBudget(cluster, budget));
  stops.push(
    api.store.watch(PODS, undefined, (change) => {
      const namespace = change.object.metadata.namespace ?? '';
      for (const service of cluster.list(SERVICES, namespace))
        if (selects(mapAt(service, 'spec')?.['selector'], change.object)) services.touch(service);
      for (const budget of cluster.list(DISRUPTION_BUDGETS, namespace)) budgets.touch(budget);
    }),
  );
  return () => {
    for (const stop of stops) stop?.();
  };
}

function selects(selector: unknown, pod: KubeObject): boolean {
  const wanted = Object.entries((selector ?? {}) as Record<string, string>);
  return wanted.length > 0 && wanted.every(([key, value]) => pod.metadata.labels?.[key] === value);
}

function giveAddress(cluster: Cluster, collection: string, object: KubeObject): void {
  if (mapsOf(mapAt(mapAt(object, 'status'), 'loadBalancer'), 'ingress').length > 0) return;
  cluster.setStatus(collection, object, {
    loadBalancer: { ingress: [collection === SERVICES ? { ip: '203.0.113.10', ipMode: 'VIP' } : { ip: '203.0.113.10' }] },
  });
}

function writeEndpoints(cluster: Cluster, service: KubeObject): void {
  const spec = mapAt(service, 'spec') ?? {};
  if (mapAt(spec, 'selector') === undefined) return;
  const namespace = service.metadata.namespace ?? '';
  const pods = cluster
    .list(PODS, namespace)
    .filter((pod) => selects(spec['selector'], pod) && mapAt(pod, 'status')?.['podIP'] !== undefined);
  const endpoints = pods.map((pod) => {
    const ready = podsReady([pod]) === 1 && pod.metadata.deletionTimestamp === undefined;
    return {
      addresses: [String(mapAt(pod, 'status')?.['podIP'])],
      conditions: { ready, serving: ready, terminating: pod.metadata.deletionTimestamp !== undefined },
      nodeName: 'sandbox',
      targetRef: { kind: 'Pod', name: pod.metadata.name, namespace, uid: pod.metadata.uid },
    };
  });
  const ports = mapsOf(spec, 'ports').map((port) => ({
    name: port['name'] ?? '',
    port: typeof port['targetPort'] === 'number' ? port['targetPort'] : port['port'],
    protocol: port['protocol'],
  }));
  const name = `${service.metadata.name}-sandbox`;
  const slice = cluster.get(SLICES, namespace, name);
  if (slice === undefined) {
    cluster.create(SLICES, {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      addressType: 'IPv4',
      endpoints,
      ports,
      metadata: {
        name,
        namespace,
        labels: {
          'kubernetes.io/service-name': service.metadata.name,
          'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        },
        ownerReferences: [ownerReference(service)],
      },
    });
    return;
  }
  cluster.update(SLICES, slice, (draft) => {
    draft['endpoints'] = endpoints;
    draft['ports'] = ports;
  });
}

/** Every claim is provisioned at once, whatever its class. */
function bindClaim(cluster: Cluster, claim: KubeObject): void {
  if (mapAt(claim, 'status')?.['phase'] === 'Bound') return;
  const spec = mapAt(claim, 'spec') ?? {};
  const volume = `pvc-${claim.metadata.uid}`;
  const capacity = { storage: mapAt(mapAt(spec, 'resources'), 'requests')?.['storage'] ?? '1Gi' };
  const { name, namespace = '', uid } = claim.metadata;
  if (cluster.get(VOLUMES, '', volume) === undefined) {
    const created = cluster.create(VOLUMES, {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: volume },
      spec: {
        capacity,
        accessModes: spec['accessModes'] ?? ['ReadWriteOnce'],
        claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name, namespace, uid },
        hostPath: { path: `/sandbox/${volume}`, type: '' },
        persistentVolumeReclaimPolicy: 'Delete',
        volumeMode: spec['volumeMode'] ?? 'Filesystem',
      },
    });
    if (created !== undefined) cluster.setStatus(VOLUMES, created, { phase: 'Bound' });
  }
  const bound = cluster.update(CLAIMS, claim, (draft) => {
    mapIn(draft, 'spec')['volumeName'] = volume;
  });
  if (bound !== undefined)
    cluster.setStatus(CLAIMS, bound, { phase: 'Bound', accessModes: spec['accessModes'] ?? ['ReadWriteOnce'], capacity });
}

function observeAutoscaler(cluster: Cluster, autoscaler: KubeObject): void {
  const reference = mapAt(mapAt(autoscaler, 'spec'), 'scaleTargetRef');
  const collection = reference?.['kind'] === 'StatefulSet' ? 'apps/statefulsets' : 'apps/deployments';
  const target = cluster.get(collection, autoscaler.metadata.namespace ?? '', String(reference?.['name']));
  if (target === undefined) return;
  const replicas = Number(mapAt(target, 'spec')?.['replicas'] ?? 1);
  const time = cluster.now();
  const condition = (type: string, reason: string, message: string): Record<string, string> => ({
    type,
    status: 'True',
    reason,
    message,
    lastTransitionTime: time,
  });
  if (mapAt(autoscaler, 'status')?.['desiredReplicas'] === replicas) return;
  cluster.setStatus(AUTOSCALERS, autoscaler, {
    currentReplicas: replicas,
    desiredReplicas: replicas,
    currentMetrics: null,
    conditions: [
      condition('AbleToScale', 'ReadyForNewScale', 'recommended size matches current size'),
      condition('ScalingActive', 'ValidMetricFound', 'the HPA was able to successfully calculate a replica count'),
    ],
  });
}

function observeBudget(cluster: Cluster, budget: KubeObject): void {
  const spec = mapAt(budget, 'spec') ?? {};
  const labels = mapAt(mapAt(spec, 'selector'), 'matchLabels');
  const pods = cluster.list(PODS, budget.metadata.namespace ?? '').filter((pod) => selects(labels, pod));
  const healthy = podsReady(pods);
  const min =
    spec['minAvailable'] === undefined
      ? pods.length - count(spec['maxUnavailable'] ?? 0, pods.length)
      : count(spec['minAvailable'], pods.length);
  const allowed = Math.max(0, healthy - min);
  const before = mapAt(budget, 'status');
  if (
    before?.['observedGeneration'] === budget.metadata.generation &&
    before?.['currentHealthy'] === healthy &&
    before?.['expectedPods'] === pods.length
  )
    return;
  cluster.setStatus(DISRUPTION_BUDGETS, budget, {
    observedGeneration: budget.metadata.generation,
    currentHealthy: healthy,
    desiredHealthy: min,
    disruptionsAllowed: allowed,
    expectedPods: pods.length,
    conditions: [
      {
        type: 'DisruptionAllowed',
        status: allowed > 0 ? 'True' : 'False',
        reason: allowed > 0 ? 'SufficientPods' : 'InsufficientPods',
        message: '',
        lastTransitionTime: cluster.now(),
        observedGeneration: budget.metadata.generation,
      },
    ],
  });
}

function count(value: unknown, total: number): number {
  return typeof value === 'string' && value.endsWith('%') ? Math.ceil((Number(value.slice(0, -1)) * total) / 100) : Number(value);
}
