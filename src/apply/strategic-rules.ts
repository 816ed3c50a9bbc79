import { parseApiVersion, type KubeObject } from '../manifest/index.ts';

/**
 * How strategic merge treats one field (the `patchStrategy` and `patchMergeKey` tags of k8s.io/api v0.36): `merge` a list by a key of its items,
 * or as a set when `key` is absent; `retainKeys` drops what the new value does not name; `replace` takes it whole. A list without a rule is
 * replaced, an object without one is merged.
 */
export type FieldRule = { list?: 'merge'; key?: string; retainKeys?: boolean; replace?: boolean; fields?: FieldRules };
export type FieldRules = Readonly<Record<string, FieldRule>>;

const BY_NAME: FieldRule = { list: 'merge', key: 'name' };
const CONTAINERS: FieldRule = {
  ...BY_NAME,
  fields: {
    env: BY_NAME,
    ports: { list: 'merge', key: 'containerPort' },
    volumeDevices: { list: 'merge', key: 'devicePath' },
    volumeMounts: { list: 'merge', key: 'mountPath' },
  },
};
const POD_SPEC: FieldRules = {
  containers: CONTAINERS,
  initContainers: CONTAINERS,
  ephemeralContainers: CONTAINERS,
  hostAliases: { list: 'merge', key: 'ip' },
  imagePullSecrets: BY_NAME,
  resourceClaims: { ...BY_NAME, retainKeys: true },
  schedulingGates: BY_NAME,
  topologySpreadConstraints: { list: 'merge', key: 'topologyKey' },
  volumes: { ...BY_NAME, retainKeys: true },
};
const METADATA: FieldRule = { fields: { finalizers: { list: 'merge' }, ownerReferences: { list: 'merge', key: 'uid' } } };
const TEMPLATE: FieldRule = { fields: { metadata: METADATA, spec: { fields: POD_SPEC } } };
const WEBHOOKS: FieldRule = { ...BY_NAME, fields: { matchConditions: BY_NAME } };

/** Rules of the body of each kind that has any, by `group/kind`; they are the same in all versions served today. */
const KINDS: Readonly<Record<string, FieldRules>> = {
  '/Pod': { spec: { fields: POD_SPEC } },
  '/PodTemplate': { template: TEMPLATE },
  '/ReplicationController': { spec: { fields: { template: TEMPLATE } } },
  '/Service': { spec: { fields: { ports: { list: 'merge', key: 'port' } } } },
  '/ServiceAccount': { secrets: BY_NAME },
  '/Node': { spec: { fields: { podCIDRs: { list: 'merge' } } } },
  'apps/Deployment': { spec: { fields: { template: TEMPLATE, strategy: { retainKeys: true } } } },
  'apps/StatefulSet': { spec: { fields: { template: TEMPLATE } } },
  'apps/DaemonSet': { spec: { fields: { template: TEMPLATE } } },
  'apps/ReplicaSet': { spec: { fields: { template: TEMPLATE } } },
  'batch/Job': { spec: { fields: { template: TEMPLATE } } },
  'batch/CronJob': {
    spec: { fields: { jobTemplate: { fields: { metadata: METADATA, spec: { fields: { template: TEMPLATE } } } } } },
  },
  'policy/PodDisruptionBudget': { spec: { fields: { selector: { replace: true } } } },
  'storage.k8s.io/CSINode': { spec: { fields: { drivers: BY_NAME } } },
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': { webhooks: WEBHOOKS },
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': { webhooks: WEBHOOKS },
  'admissionregistration.k8s.io/MutatingAdmissionPolicy': { spec: { fields: { matchConditions: BY_NAME } } },
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy': { spec: { fields: { matchConditions: BY_NAME, variables: BY_NAME } } },
};

/** Groups of Kubernetes' own kinds; everything else is a custom resource to Helm. */
const BUILT_IN_GROUPS: ReadonlySet<string> = new Set([
  '',
  'admissionregistration.k8s.io',
  'apps',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'extensions',
  'flowcontrol.apiserver.k8s.io',
  'internal.apiserver.k8s.io',
  'networking.k8s.io',
  'node.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'resource.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
  'storagemigration.k8s.io',
]);

/** Rules for a kind of Kubernetes' own; undefined for custom resources (and the old definitions of them), which know only JSON merge. */
export function strategicRules({ apiVersion, kind }: Pick<KubeObject, 'apiVersion' | 'kind'>): FieldRules | undefined {
  const { group, version } = parseApiVersion(apiVersion);
  const isDefinition = group === 'apiextensions.k8s.io' && version === 'v1';
  if (!isDefinition && !BUILT_IN_GROUPS.has(group)) return undefined;
  const key = `${group}/${kind}`;
  return { metadata: METADATA, ...(Object.hasOwn(KINDS, key) ? KINDS[key] : undefined) };
}
