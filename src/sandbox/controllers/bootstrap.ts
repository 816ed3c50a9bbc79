import type { KubeObject } from '../../manifest/index.ts';
import type { Api } from '../api/api.ts';
import type { WriteOptions } from '../api/objects.ts';
import type { Json } from '../fields/index.ts';
import { recorded } from '../data/load.ts';

const OPTIONS: WriteOptions = { dryRun: false, fieldManager: 'kube-apiserver', fieldValidation: 'Ignore', subresource: '' };
const SYSTEM_NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

/** Puts in a store what every cluster starts with: namespaces, default RBAC, the `kubernetes` Service, one node. Repeating it changes nothing. */
export function bootstrap(api: Api): void {
  for (const name of SYSTEM_NAMESPACES) ensure(api, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  for (const object of recorded<KubeObject[]>('bootstrap')) ensure(api, object);
  ensure(api, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'kubernetes', namespace: 'default', labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: { clusterIP: '10.96.0.1', ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 6443 }] },
  });
  ensure(api, {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: 'sandbox',
      labels: { 'kubernetes.io/hostname': 'sandbox', 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' },
    },
  });
  markNodeReady(api);
}

function ensure(api: Api, object: KubeObject): void {
  const slash = object.apiVersion.indexOf('/');
  const [group, version] = slash < 0 ? ['', object.apiVersion] : [object.apiVersion.slice(0, slash), object.apiVersion.slice(slash + 1)];
  const kind = api.catalog.kind(group, version, object.kind);
  if (kind === undefined || api.store.get(kind.collection, object.metadata.namespace ?? '', object.metadata.name) !== undefined) return;
  api.objects.create(kind, object.metadata.namespace ?? '', JSON.parse(JSON.stringify(object)) as Json, OPTIONS);
}

function markNodeReady(api: Api): void {
  const kind = api.catalog.resource('', 'v1', 'nodes');
  if (kind === undefined) return;
  const time = `${new Date(api.clock.now()).toISOString().slice(0, 19)}Z`;
  const capacity = { cpu: '64', memory: '256Gi', pods: '5k', 'ephemeral-storage': '1Ti' };
  const condition = {
    type: 'Ready',
    status: 'True',
    reason: 'KubeletReady',
    message: 'simulated',
    lastHeartbeatTime: time,
    lastTransitionTime: time,
  };
  const status = {
    capacity,
    allocatable: capacity,
    conditions: [condition],
    addresses: [
      { type: 'InternalIP', address: '127.0.0.1' },
      { type: 'Hostname', address: 'sandbox' },
    ],
    nodeInfo: {
      kubeletVersion: 'v1.37.2',
      architecture: 'amd64',
      operatingSystem: 'linux',
      bootID: '',
      containerRuntimeVersion: 'simulated://1',
      kernelVersion: '',
      kubeProxyVersion: '',
      machineID: '',
      osImage: '',
      systemUUID: '',
    },
  };
  api.objects.patch(kind, '', 'sandbox', (live) => ({ ...live, status }) as unknown as Json, {
    ...OPTIONS,
    fieldManager: 'kubelet',
    subresource: 'status',
  });
}
