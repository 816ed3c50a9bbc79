import { X509Certificate } from 'node:crypto';
import { parseApiVersion, type KubeObject, type ObjectMeta } from '../manifest/index.ts';
import { isRecord } from './json.ts';

/** Labels and annotations to put on every object (KB26). */
export type CommonMetadata = { labels?: Readonly<Record<string, string>>; annotations?: Readonly<Record<string, string>> };

const POD_SPECS: Readonly<Record<string, readonly string[]>> = {
  '/Pod': ['spec'],
  'apps/Deployment': ['spec', 'template', 'spec'],
  'apps/StatefulSet': ['spec', 'template', 'spec'],
  'apps/DaemonSet': ['spec', 'template', 'spec'],
  'apps/ReplicaSet': ['spec', 'template', 'spec'],
  'batch/Job': ['spec', 'template', 'spec'],
  'batch/CronJob': ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
};

/** Groups whose kinds Flux passes through typed structs: unknown fields of theirs are dropped instead of refused (KB25). */
const BUILT_IN_GROUPS: ReadonlySet<string> = new Set([
  '',
  'admissionregistration.k8s.io',
  'apps',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'networking.k8s.io',
  'node.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'resource.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
]);

/** True when the kind is one of Kubernetes' own, which Flux normalises. Roles and ClusterRoles are left alone, as upstream. */
export function isBuiltIn(object: KubeObject): boolean {
  const { group } = parseApiVersion(object.apiVersion);
  return (
    BUILT_IN_GROUPS.has(group) && !(group === 'rbac.authorization.k8s.io' && (object.kind === 'Role' || object.kind === 'ClusterRole'))
  );
}

/**
 * Makes an object fit for server-side apply (KB25, KB58): a Secret's stringData moves into data, ports get their default protocol (a list key
 * must not be missing), `status` goes (CustomResourceDefinitions keep theirs), server-set metadata goes, an invalid conversion caBundle of a
 * CustomResourceDefinition goes. Quantities stay as written: the server's dry-run makes them canonical before anything is compared.
 * Returns a copy where it changes something; never changes its input.
 */
export function normalise(object: KubeObject): KubeObject {
  const { group } = parseApiVersion(object.apiVersion);
  const key = `${group}/${object.kind}`;
  let result: KubeObject = { ...object, metadata: cleanMetadata(object.metadata) };
  if (key === '/Secret') result = mergeStringData(result);
  if (key === '/Service') result = withPath(result, ['spec', 'ports'], withProtocols);
  const podSpec = Object.hasOwn(POD_SPECS, key) ? POD_SPECS[key] : undefined;
  if (podSpec !== undefined) result = withPath(result, [...podSpec, 'containers'], withContainerProtocols);
  if (key === 'apiextensions.k8s.io/CustomResourceDefinition') return withoutInvalidCaBundle(result);
  delete result['status'];
  return result;
}

/** A copy with common labels and annotations set last, over existing keys (KB26). */
export function withCommonMetadata(object: KubeObject, common: CommonMetadata): KubeObject {
  const metadata: ObjectMeta = { ...object.metadata };
  if (common.labels !== undefined) metadata.labels = { ...metadata.labels, ...common.labels };
  if (common.annotations !== undefined) metadata.annotations = { ...metadata.annotations, ...common.annotations };
  return { ...object, metadata };
}

/** What only the server may set: sent back it is refused (managedFields) or makes an apply conditional (resourceVersion, uid). */
const SERVER_SET = ['creationTimestamp', 'managedFields', 'resourceVersion', 'uid', 'generation', 'selfLink', 'deletionTimestamp'] as const;

function cleanMetadata(metadata: ObjectMeta): ObjectMeta {
  const clean: ObjectMeta = { ...metadata };
  for (const field of SERVER_SET) delete clean[field];
  return clean;
}

function mergeStringData(secret: KubeObject): KubeObject {
  const { stringData, ...rest } = secret;
  if (!isRecord(stringData)) return stringData === null ? (rest as KubeObject) : secret;
  const data: Record<string, unknown> = isRecord(rest['data']) ? { ...rest['data'] } : {};
  for (const [name, value] of Object.entries(stringData)) {
    // What is not text stays where it is, so that the server says what is wrong with it.
    if (typeof value !== 'string' && value !== null) return secret;
    data[name] = Buffer.from(value ?? '').toString('base64');
  }
  return { ...(rest as KubeObject), data };
}

function withContainerProtocols(containers: unknown): unknown {
  if (!Array.isArray(containers)) return containers;
  return containers.map((container) =>
    isRecord(container) && container['ports'] !== undefined ? { ...container, ports: withProtocols(container['ports']) } : container,
  );
}

function withProtocols(ports: unknown): unknown {
  if (!Array.isArray(ports)) return ports;
  return ports.map((port) => (isRecord(port) && (port['protocol'] ?? '') === '' ? { ...port, protocol: 'TCP' } : port));
}

/** Replaces the value at a path, copying what is above it; leaves the object alone when there is none. */
function withPath(object: KubeObject, path: readonly string[], change: (value: unknown) => unknown): KubeObject {
  const [head, ...rest] = path;
  if (head === undefined) return object;
  const value = object[head];
  if (value === undefined || value === null) return object;
  const changed = rest.length === 0 ? change(value) : isRecord(value) ? withPath(value as KubeObject, rest, change) : value;
  return changed === value ? object : { ...object, [head]: changed };
}

const CA_BUNDLE = ['spec', 'conversion', 'webhook', 'clientConfig'] as const;

/** KB58: charts ship a placeholder for cert-manager to fill; the server refuses a caBundle that is not PEM certificates. */
function withoutInvalidCaBundle(definition: KubeObject): KubeObject {
  return withPath(definition, CA_BUNDLE, (config) => {
    if (!isRecord(config) || typeof config['caBundle'] !== 'string' || config['caBundle'] === '' || isCertificates(config['caBundle']))
      return config;
    const { caBundle: _, ...rest } = config;
    return rest;
  });
}

function isCertificates(base64: string): boolean {
  if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(base64)) return false;
  const pem = Buffer.from(base64, 'base64');
  if (pem.length === 0) return true;
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    // Not a certificate: exactly what is being asked.
    return false;
  }
}
