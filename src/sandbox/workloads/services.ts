import type { KubeObject } from '../../manifest/index.ts';
import { type Cluster, Loop, ownerReference } from '../controllers/cluster.ts';
import { type Draft0, mapAt, mapsOf } from '../kinds/index.ts';
import { isReady } from './pod-of.ts';
import { isFinished } from './pod-status.ts';

const SERVICES = '/services';
const ENDPOINTS = '/endpoints';
const SLICES = 'discovery.k8s.io/endpointslices';
const PODS = '/pods';
const INGRESSES = 'networking.k8s.io/ingresses';
const ADDRESS = '203.0.113.10';

/** What the endpoint controllers and the cloud do: Endpoints and EndpointSlices of Services, addresses of load balancers and Ingresses. */
export function runServices(cluster: Cluster): () => void {
  const { api } = cluster;
  const living = (collection: string, run: (object: KubeObject) => void): Loop =>
    new Loop(api, (namespace, name) => {
      const object = cluster.get(collection, namespace, name);
      if (object !== undefined && object.metadata.deletionTimestamp === undefined) run(object);
    });
  const services = living(SERVICES, (service) => {
    if (mapAt(service, 'spec')?.['type'] === 'LoadBalancer') giveAddress(cluster, SERVICES, service, { ip: ADDRESS, ipMode: 'VIP' });
    writeEndpoints(cluster, service);
  });
  const ingresses = living(INGRESSES, (ingress) => giveAddress(cluster, INGRESSES, ingress, { ip: ADDRESS }));
  const stops = [
    api.store.watch(SERVICES, undefined, (change) => services.touch(change.object)),
    api.store.watch(INGRESSES, undefined, (change) => ingresses.touch(change.object)),
    api.store.watch(PODS, undefined, ({ object, previous }) => {
      for (const service of cluster.list(SERVICES, object.metadata.namespace ?? '')) {
        const selector = mapAt(service, 'spec')?.['selector'];
        if (selects(selector, object) || (previous !== undefined && selects(selector, previous))) services.touch(service);
      }
    }),
  ];
  for (const it of cluster.list(SERVICES)) services.touch(it);
  for (const it of cluster.list(INGRESSES)) ingresses.touch(it);
  return () => {
    for (const stop of stops) stop?.();
    services.close();
    ingresses.close();
  };
}

function selects(selector: unknown, pod: KubeObject): boolean {
  const wanted = Object.entries((selector ?? {}) as Record<string, string>);
  return wanted.length > 0 && wanted.every(([key, value]) => pod.metadata.labels?.[key] === value);
}

function giveAddress(cluster: Cluster, collection: string, object: KubeObject, address: Draft0): void {
  if (mapsOf(mapAt(mapAt(object, 'status'), 'loadBalancer'), 'ingress').length > 0) return;
  cluster.setStatus(collection, object, { loadBalancer: { ingress: [address] } });
}

function writeEndpoints(cluster: Cluster, service: KubeObject): void {
  const spec = mapAt(service, 'spec') ?? {};
  if (mapAt(spec, 'selector') === undefined || spec['type'] === 'ExternalName') return;
  const pods = cluster
    .list(PODS, service.metadata.namespace ?? '')
    .filter((pod) => !isFinished(pod) && selects(spec['selector'], pod) && mapAt(pod, 'status')?.['podIP'] !== undefined);
  const always = spec['publishNotReadyAddresses'] === true;
  const serving = (pod: KubeObject): boolean => always || isReady(pod);
  writeSlice(cluster, service, pods, serving);
  writeLegacy(cluster, service, pods, serving);
}

function writeSlice(cluster: Cluster, service: KubeObject, pods: readonly KubeObject[], serving: (pod: KubeObject) => boolean): void {
  const namespace = service.metadata.namespace ?? '';
  const endpoints = pods.map((pod) => {
    const ending = pod.metadata.deletionTimestamp !== undefined;
    return {
      addresses: [String(mapAt(pod, 'status')?.['podIP'])],
      conditions: { ready: serving(pod) && !ending, serving: serving(pod), terminating: ending },
      nodeName: 'sandbox',
      targetRef: { kind: 'Pod', name: pod.metadata.name, namespace, uid: pod.metadata.uid },
    };
  });
  const ports = portsOf(service, pods[0]);
  const [slice] = cluster.ownedBy(SLICES, service);
  if (slice !== undefined) {
    cluster.update(SLICES, slice, (draft) => {
      draft['endpoints'] = endpoints;
      draft['ports'] = ports;
    });
    return;
  }
  const labels = {
    ...service.metadata.labels,
    'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
    'kubernetes.io/service-name': service.metadata.name,
  };
  const metadata = { name: '', generateName: `${service.metadata.name}-`, namespace, labels, ownerReferences: [ownerReference(service)] };
  cluster.create(SLICES, { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType: 'IPv4', endpoints, ports, metadata });
}

/** The `Endpoints` of a Service; they go with it by name, not by owner. */
function writeLegacy(cluster: Cluster, service: KubeObject, pods: readonly KubeObject[], serving: (pod: KubeObject) => boolean): void {
  const { name, namespace = '' } = service.metadata;
  const living = pods.filter((it) => it.metadata.deletionTimestamp === undefined);
  const address = (pod: KubeObject): Draft0 => ({
    ip: mapAt(pod, 'status')?.['podIP'],
    nodeName: 'sandbox',
    targetRef: { kind: 'Pod', name: pod.metadata.name, namespace, uid: pod.metadata.uid },
  });
  const [addresses, notReadyAddresses] = [living.filter(serving), living.filter((it) => !serving(it))].map((it) => it.map(address));
  const subsets =
    living.length === 0
      ? undefined
      : [
          {
            ...(addresses?.length === 0 ? {} : { addresses }),
            ...(notReadyAddresses?.length === 0 ? {} : { notReadyAddresses }),
            ports: portsOf(service, living[0]).map((port) => Object.fromEntries(Object.entries(port).filter(([, value]) => value !== ''))),
          },
        ];
  const present = cluster.get(ENDPOINTS, namespace, name);
  const labels = { ...service.metadata.labels, 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' };
  const content = subsets === undefined ? {} : { subsets };
  if (present === undefined) {
    cluster.create(ENDPOINTS, { apiVersion: 'v1', kind: 'Endpoints', metadata: { name, namespace, labels }, ...content });
    return;
  }
  cluster.update(ENDPOINTS, present, (draft) => {
    if (subsets === undefined) delete draft['subsets'];
    else draft['subsets'] = subsets;
  });
}

/** A Service's ports as its pods have them: a named one is looked up. */
function portsOf(service: KubeObject, pod: KubeObject | undefined): Draft0[] {
  const containers = mapsOf(mapAt(pod, 'spec'), 'containers');
  return mapsOf(mapAt(service, 'spec'), 'ports').map((port) => {
    const { targetPort } = port;
    const named = containers.flatMap((it) => mapsOf(it, 'ports')).find((it) => it['name'] === targetPort);
    const number = typeof targetPort === 'number' ? targetPort : (named?.['containerPort'] ?? port['port']);
    return { name: port['name'] ?? '', port: number, protocol: port['protocol'] };
  });
}
