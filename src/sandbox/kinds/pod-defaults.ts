import type { Draft0 } from './rules.ts';

/** The maps of a list field; nothing when there is none. */
export function mapsOf(owner: Draft0 | undefined, field: string): Draft0[] {
  const list = owner?.[field];
  return Array.isArray(list) ? (list as Draft0[]) : [];
}

/** A map field, made when it is absent. */
export function mapIn(owner: Draft0, field: string): Draft0 {
  const value = owner[field];
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Draft0;
  const made: Draft0 = {};
  owner[field] = made;
  return made;
}

/** A map field; undefined when it is absent. */
export function mapAt(owner: Draft0 | undefined, field: string): Draft0 | undefined {
  const value = owner?.[field];
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Draft0) : undefined;
}

/** Sets a field that is absent or, as a Go string is when it is not set, empty. */
export function setDefault(owner: Draft0, field: string, value: unknown): void {
  if (owner[field] === undefined || owner[field] === null || owner[field] === '') owner[field] = value;
}

/** The defaults of a PodSpec (core/v1 SetDefaults_PodSpec and the containers'). */
export function podSpecDefaults(spec: Draft0): void {
  setDefault(spec, 'restartPolicy', 'Always');
  setDefault(spec, 'terminationGracePeriodSeconds', 30);
  setDefault(spec, 'dnsPolicy', 'ClusterFirst');
  setDefault(spec, 'securityContext', {});
  setDefault(spec, 'schedulerName', 'default-scheduler');
  if (spec['serviceAccountName'] !== undefined) setDefault(spec, 'serviceAccount', spec['serviceAccountName']);
  else if (spec['serviceAccount'] !== undefined) setDefault(spec, 'serviceAccountName', spec['serviceAccount']);
  for (const field of ['initContainers', 'containers', 'ephemeralContainers'])
    for (const container of mapsOf(spec, field)) containerDefaults(container, spec['hostNetwork'] === true);
  for (const volume of mapsOf(spec, 'volumes')) volumeDefaults(volume);
}

function containerDefaults(container: Draft0, hostNetwork: boolean): void {
  const image = typeof container['image'] === 'string' ? container['image'] : '';
  setDefault(container, 'imagePullPolicy', imagePullPolicy(image));
  setDefault(container, 'terminationMessagePath', '/dev/termination-log');
  setDefault(container, 'terminationMessagePolicy', 'File');
  setDefault(container, 'resources', {});
  for (const port of mapsOf(container, 'ports')) {
    setDefault(port, 'protocol', 'TCP');
    if (hostNetwork) setDefault(port, 'hostPort', port['containerPort']);
  }
  for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    const probe = mapAt(container, name);
    if (probe === undefined) continue;
    setDefault(probe, 'timeoutSeconds', 1);
    setDefault(probe, 'periodSeconds', 10);
    setDefault(probe, 'successThreshold', 1);
    setDefault(probe, 'failureThreshold', 3);
    handlerDefaults(probe);
  }
  const lifecycle = mapAt(container, 'lifecycle');
  for (const name of ['postStart', 'preStop']) {
    const handler = mapAt(lifecycle, name);
    if (handler !== undefined) handlerDefaults(handler);
  }
  for (const env of mapsOf(container, 'env')) {
    const field = mapAt(mapAt(env, 'valueFrom'), 'fieldRef');
    if (field !== undefined) setDefault(field, 'apiVersion', 'v1');
    const resource = mapAt(mapAt(env, 'valueFrom'), 'resourceFieldRef');
    if (resource !== undefined) setDefault(resource, 'divisor', '0');
  }
}

function handlerDefaults(handler: Draft0): void {
  const http = mapAt(handler, 'httpGet');
  if (http !== undefined) {
    setDefault(http, 'path', '/');
    setDefault(http, 'scheme', 'HTTP');
  }
  const grpc = mapAt(handler, 'grpc');
  if (grpc !== undefined) setDefault(grpc, 'service', '');
}

/** `Always` for `latest` and untagged images, else `IfNotPresent`. */
export function imagePullPolicy(image: string): string {
  if (image.includes('@')) return 'IfNotPresent';
  const last = image.slice(image.lastIndexOf('/') + 1);
  const tag = last.includes(':') ? last.slice(last.indexOf(':') + 1) : 'latest';
  return tag === 'latest' ? 'Always' : 'IfNotPresent';
}

const VOLUME_SOURCES = ['configMap', 'secret', 'projected', 'downwardAPI'];

function volumeDefaults(volume: Draft0): void {
  if (Object.keys(volume).every((key) => key === 'name')) volume['emptyDir'] = {};
  for (const name of VOLUME_SOURCES) {
    const source = mapAt(volume, name);
    if (source !== undefined) setDefault(source, 'defaultMode', 420);
  }
  const hostPath = mapAt(volume, 'hostPath');
  if (hostPath !== undefined) setDefault(hostPath, 'type', '');
  for (const source of mapsOf(mapAt(volume, 'projected'), 'sources')) {
    const token = mapAt(source, 'serviceAccountToken');
    if (token !== undefined) setDefault(token, 'expirationSeconds', 3600);
    for (const item of mapsOf(mapAt(source, 'downwardAPI'), 'items')) fieldRefDefaults(item);
  }
  for (const item of mapsOf(mapAt(volume, 'downwardAPI'), 'items')) fieldRefDefaults(item);
  const iscsi = mapAt(volume, 'iscsi');
  if (iscsi !== undefined) setDefault(iscsi, 'iscsiInterface', 'default');
  const claim = mapAt(mapAt(mapAt(volume, 'ephemeral'), 'volumeClaimTemplate'), 'spec');
  if (claim !== undefined) setDefault(claim, 'volumeMode', 'Filesystem');
}

function fieldRefDefaults(item: Draft0): void {
  const field = mapAt(item, 'fieldRef');
  if (field !== undefined) setDefault(field, 'apiVersion', 'v1');
}
