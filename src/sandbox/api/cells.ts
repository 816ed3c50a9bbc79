import type { KubeObject } from '../../manifest/index.ts';
import type { Column, ServedKind } from '../catalog/kind.ts';
import { type Draft0, mapAt, mapsOf } from '../kinds/index.ts';
import { quantityValue } from '../schema/quantity.ts';
import { budgetCell, endpointsCell, revisionController, sliceAddresses, slicePorts } from './network-cells.ts';

const NONE = '<none>';
const UNKNOWN = '<unknown>';

type Cell = (object: KubeObject, now: number) => unknown;

const spec = (object: KubeObject): Draft0 => mapAt(object, 'spec') ?? {};
const status = (object: KubeObject): Draft0 => mapAt(object, 'status') ?? {};
const number = (value: unknown): number => (typeof value === 'number' ? value : 0);
const textOf = (value: unknown): string => (value === undefined || value === null || value === '' ? NONE : String(value));
const list = (value: unknown): string => (Array.isArray(value) && value.length > 0 ? value.join(',') : NONE);
const keys = (value: unknown): number => (typeof value === 'object' && value !== null ? Object.keys(value).length : 0);

/** Cells of a row. Custom kinds read their columns' JSON paths; built-in kinds have a table of their own, by column name. */
export function cellsOf(kind: ServedKind, columns: readonly Column[], object: KubeObject, now: number): unknown[] {
  const table = CELLS[kind.collection] ?? {};
  return columns.map((column) => {
    if (column.jsonPath !== undefined) return customCell(column, object, now);
    return (table[column.name] ?? COMMON[column.name])?.(object, now) ?? NONE;
  });
}

const COMMON: Readonly<Record<string, Cell>> = {
  Name: (object) => object.metadata.name,
  Age: (object, now) => age(object.metadata.creationTimestamp, now),
  'Created At': (object) => object.metadata.creationTimestamp ?? UNKNOWN,
  Labels: (object) => labelText(object.metadata.labels),
  Containers: (object) => list(containers(object).map((it) => it['name'])),
  Images: (object) => list(containers(object).map((it) => it['image'])),
  Selector: (object) => selectorText(spec(object)['selector']),
};

const CELLS: Readonly<Record<string, Readonly<Record<string, Cell>>>> = {
  '/pods': {
    Ready: (pod) =>
      `${mapsOf(status(pod), 'containerStatuses').filter((it) => it['ready'] === true).length}/${mapsOf(spec(pod), 'containers').length}`,
    Status: podStatus,
    Restarts: (pod) => String(mapsOf(status(pod), 'containerStatuses').reduce((sum, it) => sum + number(it['restartCount']), 0)),
    IP: (pod) => textOf(status(pod)['podIP']),
    Node: (pod) => textOf(spec(pod)['nodeName']),
    'Nominated Node': (pod) => textOf(status(pod)['nominatedNodeName']),
    'Readiness Gates': () => NONE,
  },
  'apps/deployments': {
    Ready: (it) => `${number(status(it)['readyReplicas'])}/${number(spec(it)['replicas'])}`,
    'Up-to-date': (it) => number(status(it)['updatedReplicas']),
    Available: (it) => number(status(it)['availableReplicas']),
  },
  'apps/replicasets': {
    Desired: (it) => number(spec(it)['replicas']),
    Current: (it) => number(status(it)['replicas']),
    Ready: (it) => number(status(it)['readyReplicas']),
  },
  '/replicationcontrollers': {
    Desired: (it) => number(spec(it)['replicas']),
    Current: (it) => number(status(it)['replicas']),
    Ready: (it) => number(status(it)['readyReplicas']),
    Selector: (it) => labelText(mapAt(spec(it), 'selector')),
  },
  'apps/controllerrevisions': { Controller: revisionController, Revision: (it) => number(it['revision']) },
  'apps/statefulsets': { Ready: (it) => `${number(status(it)['readyReplicas'])}/${number(spec(it)['replicas'])}` },
  'apps/daemonsets': {
    Desired: (it) => number(status(it)['desiredNumberScheduled']),
    Current: (it) => number(status(it)['currentNumberScheduled']),
    Ready: (it) => number(status(it)['numberReady']),
    'Up-to-date': (it) => number(status(it)['updatedNumberScheduled']),
    Available: (it) => number(status(it)['numberAvailable']),
    'Node Selector': (it) => labelText(mapAt(mapAt(mapAt(spec(it), 'template'), 'spec'), 'nodeSelector')),
  },
  'batch/jobs': {
    Status: jobStatus,
    Completions: (it) => `${number(status(it)['succeeded'])}/${number(spec(it)['completions'] ?? 1)}`,
    Duration: (it, now) => duration(status(it)['startTime'], status(it)['completionTime'], now),
  },
  'batch/cronjobs': {
    Schedule: (it) => textOf(spec(it)['schedule']),
    Timezone: (it) => textOf(spec(it)['timeZone']),
    Suspend: (it) => (spec(it)['suspend'] === true ? 'True' : 'False'),
    Active: (it) => mapsOf(status(it), 'active').length,
    'Last Schedule': (it, now) =>
      typeof status(it)['lastScheduleTime'] === 'string' ? age(String(status(it)['lastScheduleTime']), now) : NONE,
  },
  '/services': {
    Type: (it) => textOf(spec(it)['type']),
    'Cluster-IP': (it) => textOf(spec(it)['clusterIP']),
    'External-IP': externalIp,
    'Port(s)': (it) =>
      list(
        mapsOf(spec(it), 'ports').map(
          (port) =>
            `${String(port['port'])}${port['nodePort'] === undefined ? '' : `:${String(port['nodePort'])}`}/${String(port['protocol'] ?? 'TCP')}`,
        ),
      ),
    Selector: (it) => labelText(mapAt(spec(it), 'selector')),
  },
  '/endpoints': { Endpoints: endpointsCell },
  'discovery.k8s.io/endpointslices': { AddressType: (it) => textOf(it['addressType']), Ports: slicePorts, Endpoints: sliceAddresses },
  '/persistentvolumes': {
    Capacity: (it) => (mapAt(spec(it), 'capacity')?.['storage'] ?? '') as string,
    'Access Modes': (it) => accessModes(spec(it)['accessModes']),
    'Reclaim Policy': (it) => textOf(spec(it)['persistentVolumeReclaimPolicy']),
    Status: (it) => textOf(status(it)['phase']),
    Claim: (it) =>
      ['namespace', 'name']
        .map((field) => mapAt(spec(it), 'claimRef')?.[field])
        .filter((part) => part !== undefined)
        .join('/'),
    StorageClass: (it) => (spec(it)['storageClassName'] ?? '') as string,
    VolumeAttributesClass: () => '<unset>',
    Reason: (it) => (status(it)['reason'] ?? '') as string,
    VolumeMode: (it) => textOf(spec(it)['volumeMode']),
  },
  'policy/poddisruptionbudgets': {
    'Min Available': (it) => budgetCell(it, 'minAvailable'),
    'Max Unavailable': (it) => budgetCell(it, 'maxUnavailable'),
    'Allowed Disruptions': (it) => number(status(it)['disruptionsAllowed']),
  },
  '/configmaps': { Data: (it) => keys(it['data']) + keys(it['binaryData']) },
  '/secrets': { Type: (it) => textOf(it['type']), Data: (it) => keys(it['data']) },
  '/namespaces': { Status: (it) => textOf(status(it)['phase']) },
  '/nodes': { Status: nodeStatus, Roles: () => NONE, Version: (it) => textOf(mapAt(status(it), 'nodeInfo')?.['kubeletVersion']) },
  '/serviceaccounts': { Secrets: (it) => mapsOf(it, 'secrets').length },
  '/persistentvolumeclaims': {
    Status: (it) => textOf(status(it)['phase']),
    Volume: (it) => (spec(it)['volumeName'] ?? '') as string,
    Capacity: (it) => (mapAt(status(it), 'capacity')?.['storage'] ?? '') as string,
    'Access Modes': (it) => accessModes(status(it)['accessModes']),
    StorageClass: (it) => (spec(it)['storageClassName'] ?? '') as string,
    VolumeAttributesClass: () => '<unset>',
    VolumeMode: (it) => textOf(spec(it)['volumeMode']),
  },
  '/events': {
    'Last Seen': (it, now) => age(String(it['lastTimestamp'] ?? it['eventTime'] ?? it.metadata.creationTimestamp), now),
    Type: (it) => textOf(it['type']),
    Reason: (it) => textOf(it['reason']),
    Object: (it) => `${String(mapAt(it, 'involvedObject')?.['kind']).toLowerCase()}/${String(mapAt(it, 'involvedObject')?.['name'])}`,
    Message: (it) => String(it['message'] ?? '').trim(),
    Source: (it) => textOf(mapAt(it, 'source')?.['component'] ?? it['reportingComponent']),
    Count: (it) => number(it['count']),
  },
  'networking.k8s.io/ingresses': {
    Class: (it) => textOf(spec(it)['ingressClassName']),
    Hosts: (it) => {
      const hosts = mapsOf(spec(it), 'rules')
        .map((rule) => rule['host'])
        .filter((host) => typeof host === 'string' && host !== '');
      return hosts.length === 0 ? '*' : hosts.join(',');
    },
    Address: (it) => addresses(it),
    Ports: (it) => (mapsOf(spec(it), 'tls').length > 0 ? '80, 443' : '80'),
  },
  'autoscaling/horizontalpodautoscalers': {
    Reference: (it) => `${String(mapAt(spec(it), 'scaleTargetRef')?.['kind'])}/${String(mapAt(spec(it), 'scaleTargetRef')?.['name'])}`,
    Targets: hpaTargets,
    MinPods: (it) => String(spec(it)['minReplicas'] ?? '<unset>'),
    MaxPods: (it) => number(spec(it)['maxReplicas']),
    Replicas: (it) => number(status(it)['currentReplicas']),
  },
  'rbac.authorization.k8s.io/rolebindings': { Role: roleText, ...subjectCells() },
  'rbac.authorization.k8s.io/clusterrolebindings': { Role: roleText, ...subjectCells() },
  'coordination.k8s.io/leases': { Holder: (it) => textOf(spec(it)['holderIdentity']) },
};

function containers(object: KubeObject): Draft0[] {
  const pod =
    mapAt(mapAt(spec(object), 'template'), 'spec') ?? mapAt(mapAt(mapAt(mapAt(spec(object), 'jobTemplate'), 'spec'), 'template'), 'spec');
  return mapsOf(pod, 'containers');
}

function podStatus(pod: KubeObject): string {
  let reason = String(status(pod)['reason'] ?? status(pod)['phase'] ?? 'Unknown');
  for (const container of mapsOf(status(pod), 'containerStatuses')) {
    const state = mapAt(container, 'state');
    const waiting = mapAt(state, 'waiting')?.['reason'];
    const terminated = mapAt(state, 'terminated');
    if (typeof waiting === 'string' && waiting !== '') reason = waiting;
    else if (terminated !== undefined) reason = String(terminated['reason'] ?? `ExitCode:${String(terminated['exitCode'])}`);
  }
  return pod.metadata.deletionTimestamp === undefined ? reason : 'Terminating';
}

function jobStatus(job: KubeObject): string {
  const has = (type: string): boolean => mapsOf(status(job), 'conditions').some((it) => it['type'] === type && it['status'] === 'True');
  if (has('Complete')) return 'Complete';
  if (has('Failed')) return 'Failed';
  if (job.metadata.deletionTimestamp !== undefined) return 'Terminating';
  return has('Suspended') ? 'Suspended' : 'Running';
}

function nodeStatus(node: KubeObject): string {
  const ready = mapsOf(status(node), 'conditions').find((it) => it['type'] === 'Ready');
  return ready?.['status'] === 'True' ? 'Ready' : 'NotReady';
}

function addresses(object: KubeObject): string {
  return mapsOf(mapAt(status(object), 'loadBalancer'), 'ingress')
    .map((it) => String(it['ip'] ?? it['hostname']))
    .join(',');
}

function externalIp(service: KubeObject): string {
  if (spec(service)['type'] === 'ExternalName') return textOf(spec(service)['externalName']);
  const found = addresses(service);
  return found === '' ? (spec(service)['type'] === 'LoadBalancer' ? '<pending>' : list(spec(service)['externalIPs'])) : found;
}

function hpaTargets(hpa: KubeObject): string {
  const metrics = mapsOf(spec(hpa), 'metrics');
  if (metrics.length === 0) return NONE;
  return metrics
    .map((metric) => {
      const target = mapAt(mapAt(metric, 'resource'), 'target');
      const name = String(mapAt(metric, 'resource')?.['name'] ?? 'metric');
      return `${name}: ${UNKNOWN}/${target?.['averageUtilization'] === undefined ? String(target?.['averageValue'] ?? '') : `${String(target['averageUtilization'])}%`}`;
    })
    .join(', ');
}

function accessModes(modes: unknown): string {
  const short: Record<string, string> = { ReadWriteOnce: 'RWO', ReadOnlyMany: 'ROX', ReadWriteMany: 'RWX', ReadWriteOncePod: 'RWOP' };
  return Array.isArray(modes) ? modes.map((mode) => short[String(mode)] ?? String(mode)).join(',') : '';
}

function roleText(binding: KubeObject): string {
  const ref = mapAt(binding, 'roleRef');
  return `${String(ref?.['kind'])}/${String(ref?.['name'])}`;
}

function subjectCells(): Record<string, Cell> {
  const of = (kind: string) => (binding: KubeObject) =>
    mapsOf(binding, 'subjects')
      .filter((it) => it['kind'] === kind)
      .map((it) => (kind === 'ServiceAccount' ? `${String(it['namespace'])}/${String(it['name'])}` : String(it['name'])))
      .join(', ');
  return { Users: of('User'), Groups: of('Group'), ServiceAccounts: of('ServiceAccount') };
}

function labelText(labels: unknown): string {
  const entries = Object.entries((labels ?? {}) as Record<string, unknown>);
  return entries.length === 0 ? NONE : entries.map(([key, value]) => `${key}=${String(value)}`).join(',');
}

function selectorText(selector: unknown): string {
  const { matchLabels = {}, matchExpressions = [] } = (selector ?? {}) as {
    matchLabels?: Record<string, string>;
    matchExpressions?: { key: string; operator: string; values?: string[] }[];
  };
  const parts = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`);
  for (const { key, operator, values = [] } of matchExpressions) {
    if (operator === 'Exists') parts.push(key);
    else if (operator === 'DoesNotExist') parts.push(`!${key}`);
    else parts.push(`${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`);
  }
  return parts.length === 0 ? NONE : parts.join(',');
}

function duration(start: unknown, end: unknown, now: number): string {
  if (typeof start !== 'string') return '';
  return humanDuration((typeof end === 'string' ? Date.parse(end) : now) - Date.parse(start));
}

function age(time: string | undefined, now: number): string {
  const since = time === undefined ? Number.NaN : Date.parse(time);
  return Number.isNaN(since) ? UNKNOWN : humanDuration(now - since);
}

/** A span as kubectl prints ages (apimachinery's HumanDuration): two units at most, coarser the longer. */
export function humanDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m${seconds % 60}s`;
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return minutes % 60 === 0 ? `${hours}h` : `${hours}h${minutes % 60}m`;
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (hours < 192) return hours % 24 === 0 ? `${days}d` : `${days}d${hours % 24}h`;
  if (days < 730) return `${days}d`;
  const years = Math.floor(days / 365);
  return years < 8 && days % 365 !== 0 ? `${years}y${days % 365}d` : `${years}y`;
}

/** A CRD's column: a simple JSON path into the object, shaped by the column's type. */
function customCell(column: Column, object: KubeObject, now: number): unknown {
  const found = readJsonPath(object, column.jsonPath ?? '');
  // Of several values the first is shown.
  const value: unknown = column.jsonPath?.endsWith('[*]') === true && Array.isArray(found) ? found[0] : found;
  if (value === undefined || value === null) return null;
  if (column.type === 'date') return age(String(value), now);
  if (column.type === 'integer' || column.type === 'number') return typeof value === 'string' ? quantityValue(value) : value;
  return typeof value === 'object' ? JSON.stringify(value) : column.type === 'string' ? String(value) : value;
}

/** Reads `.a.b[0].c`, `.a['x.y']` and `.list[?(@.type=="Ready")].status`. */
export function readJsonPath(root: unknown, path: string): unknown {
  let at: unknown = root;
  for (const match of path.matchAll(/\.([A-Za-z0-9_-]+)|\[(\d+)\]|\['([^']+)'\]|\[\?\(@\.([A-Za-z0-9_]+)\s*==\s*["']([^"']*)["']\)\]/g)) {
    const [, field, index, quoted, filterField, filterValue] = match;
    if (filterField !== undefined)
      at = Array.isArray(at) ? (at as unknown[]).find((it) => (it as Draft0 | null)?.[filterField] === filterValue) : undefined;
    else if (index !== undefined) at = Array.isArray(at) ? (at as unknown[])[Number(index)] : undefined;
    else at = typeof at === 'object' && at !== null ? (at as Draft0)[field ?? quoted ?? ''] : undefined;
    if (at === undefined) return undefined;
  }
  return at;
}
