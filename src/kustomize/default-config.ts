import type { FieldSpec } from './field-spec.ts';
import type { NameBackReference, TransformerConfig } from './transformer-config.ts';

/*
 * kustomize's built-in configuration: which fields each transformer works on. A kind is written `Kind`, `Kind.group` or
 * `Kind.group/version` (`Kind./version` without group); `` is every kind.
 */

function spec(kind: string, path: string, create = false): FieldSpec {
  const [name = '', rest = ''] = splitFirst(kind, '.');
  const [group = '', version = ''] = splitFirst(rest, '/');
  return { group, version, kind: name, path, create };
}

function splitFirst(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** Every path in every kind: `spec(kind, base/path)`. */
function each(bases: Readonly<Record<string, string>>, paths: readonly string[]): FieldSpec[] {
  return Object.entries(bases).flatMap(([kind, base]) => paths.map((path) => spec(kind, `${base}/${path}`)));
}

const POD_TEMPLATE = 'spec/template/spec';
const WORKLOADS: Readonly<Record<string, string>> = {
  Deployment: POD_TEMPLATE,
  ReplicaSet: POD_TEMPLATE,
  DaemonSet: POD_TEMPLATE,
  StatefulSet: POD_TEMPLATE,
  Job: POD_TEMPLATE,
  CronJob: 'spec/jobTemplate/spec/template/spec',
};
/** Where the pod of a kind is, for references to ConfigMaps and Secrets. */
const PODS: Readonly<Record<string, string>> = { 'Pod./v1': 'spec', PodTemplate: 'template/spec', ...WORKLOADS };
/** The same for references to what a pod runs with. */
const RUNNING_PODS: Readonly<Record<string, string>> = {
  Pod: 'spec',
  StatefulSet: POD_TEMPLATE,
  Deployment: POD_TEMPLATE,
  ReplicationController: POD_TEMPLATE,
  CronJob: 'spec/jobTemplate/spec/template/spec',
  Job: POD_TEMPLATE,
  DaemonSet: POD_TEMPLATE,
};

const TEMPLATE_LABELS: readonly FieldSpec[] = [
  spec('', 'metadata/labels', true),
  spec('ReplicationController./v1', 'spec/template/metadata/labels', true),
  ...['Deployment', 'ReplicaSet', 'DaemonSet', 'StatefulSet.apps'].map((kind) => spec(kind, 'spec/template/metadata/labels', true)),
  spec('StatefulSet.apps', 'spec/volumeClaimTemplates[]/metadata/labels', true),
  spec('Job.batch', 'spec/template/metadata/labels', true),
  spec('CronJob.batch', 'spec/jobTemplate/metadata/labels', true),
  spec('CronJob.batch', 'spec/jobTemplate/spec/template/metadata/labels', true),
];

const AFFINITY_LABELS: readonly string[] = [
  'affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels',
  'affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels',
  'affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels',
  'affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels',
  'topologySpreadConstraints/labelSelector/matchLabels',
];

const COMMON_LABELS: readonly FieldSpec[] = [
  spec('Service./v1', 'spec/selector', true),
  spec('ReplicationController./v1', 'spec/selector', true),
  spec('Deployment', 'spec/selector/matchLabels', true),
  ...each({ 'Deployment.apps': POD_TEMPLATE }, AFFINITY_LABELS),
  spec('ReplicaSet', 'spec/selector/matchLabels', true),
  spec('DaemonSet', 'spec/selector/matchLabels', true),
  spec('StatefulSet.apps', 'spec/selector/matchLabels', true),
  ...each({ 'StatefulSet.apps': POD_TEMPLATE }, AFFINITY_LABELS),
  spec('Job.batch', 'spec/selector/matchLabels'),
  spec('CronJob.batch', 'spec/jobTemplate/spec/selector/matchLabels'),
  spec('PodDisruptionBudget.policy', 'spec/selector/matchLabels'),
  spec('NetworkPolicy.networking.k8s.io', 'spec/podSelector/matchLabels'),
  spec('NetworkPolicy.networking.k8s.io', 'spec/ingress/from/podSelector/matchLabels'),
  spec('NetworkPolicy.networking.k8s.io', 'spec/egress/to/podSelector/matchLabels'),
  ...TEMPLATE_LABELS,
];

const COMMON_ANNOTATIONS: readonly FieldSpec[] = [
  spec('', 'metadata/annotations', true),
  spec('ReplicationController./v1', 'spec/template/metadata/annotations', true),
  ...['Deployment', 'ReplicaSet', 'DaemonSet', 'StatefulSet', 'Job.batch'].map((kind) =>
    spec(kind, 'spec/template/metadata/annotations', true),
  ),
  spec('CronJob.batch', 'spec/jobTemplate/metadata/annotations', true),
  spec('CronJob.batch', 'spec/jobTemplate/spec/template/metadata/annotations', true),
];

const IMAGES: readonly FieldSpec[] = ['spec', POD_TEMPLATE].flatMap((base) =>
  ['containers[]/image', 'initContainers[]/image', 'volumes[]/image/reference'].map((path) => spec('', `${base}/${path}`, true)),
);

const VAR_CONTAINER: readonly string[] = ['containers', 'initContainers'].flatMap((list) =>
  ['args', 'command', 'env/value', 'volumeMounts/mountPath'].map((path) => `${list}/${path}`),
);

const VAR_REFERENCES: readonly FieldSpec[] = [
  ...each({ ...WORKLOADS, Pod: 'spec' }, VAR_CONTAINER),
  ...['DaemonSet', 'Deployment', 'Job', 'ReplicaSet'].map((kind) => spec(kind, `${POD_TEMPLATE}/volumes/nfs/server`)),
  spec('CronJob', 'spec/jobTemplate/spec/template/volumes/nfs/server'),
  spec('Deployment', 'spec/template/metadata/annotations'),
  spec('Ingress', 'spec/rules/host'),
  spec('Ingress', 'spec/tls/hosts'),
  spec('Ingress', 'spec/tls/secretName'),
  spec('Pod', 'spec/volumes/nfs/server'),
  spec('Service', 'spec/ports/port'),
  spec('Service', 'spec/ports/targetPort'),
  spec('StatefulSet', 'spec/volumeClaimTemplates/spec/nfs/server'),
  spec('PersistentVolume', 'spec/nfs/server'),
  spec('', 'metadata/labels'),
  spec('', 'metadata/annotations'),
];

function refersTo(kind: string, referrers: readonly FieldSpec[]): NameBackReference {
  const { group, version, kind: name } = spec(kind, '');
  return { group, version, kind: name, referrers };
}

const RULE_NAMES: readonly FieldSpec[] = [spec('Role', 'rules/resourceNames'), spec('ClusterRole', 'rules/resourceNames')];
const SCALER: readonly FieldSpec[] = [spec('HorizontalPodAutoscaler', 'spec/scaleTargetRef/name')];
const ROLE_BINDING = 'RoleBinding.rbac.authorization.k8s.io';
const CLUSTER_ROLE_BINDING = 'ClusterRoleBinding.rbac.authorization.k8s.io';
const INGRESS_ANNOTATIONS: readonly string[] = [
  'ingress.kubernetes.io\\/auth-secret',
  'nginx.ingress.kubernetes.io\\/auth-secret',
  'nginx.ingress.kubernetes.io\\/auth-tls-secret',
];

const NAME_REFERENCES: readonly NameBackReference[] = [
  ...['Deployment', 'ReplicationController', 'ReplicaSet', 'StatefulSet'].map((kind) => refersTo(kind, SCALER)),
  refersTo('ConfigMap./v1', [
    ...each(PODS, [
      'volumes/configMap/name',
      'containers/env/valueFrom/configMapKeyRef/name',
      'initContainers/env/valueFrom/configMapKeyRef/name',
      'containers/envFrom/configMapRef/name',
      'initContainers/envFrom/configMapRef/name',
      'volumes/projected/sources/configMap/name',
    ]),
    spec('Node', 'spec/configSource/configMap'),
    ...RULE_NAMES,
    spec('Ingress', 'metadata/annotations/nginx.ingress.kubernetes.io\\/fastcgi-params-configmap'),
  ]),
  refersTo('Secret./v1', [
    ...each(PODS, [
      'volumes/secret/secretName',
      'containers/env/valueFrom/secretKeyRef/name',
      'initContainers/env/valueFrom/secretKeyRef/name',
      'containers/envFrom/secretRef/name',
      'initContainers/envFrom/secretRef/name',
      'imagePullSecrets/name',
      'volumes/projected/sources/secret/name',
    ]),
    spec('Ingress', 'spec/tls/secretName'),
    ...INGRESS_ANNOTATIONS.map((name) => spec('Ingress', `metadata/annotations/${name}`)),
    spec('ServiceAccount', 'imagePullSecrets/name'),
    ...['secretName', 'adminSecretName', 'userSecretName', 'secretRef'].map((name) => spec('StorageClass', `parameters/${name}`)),
    ...RULE_NAMES,
    spec('Service.serving.knative.dev/v1', 'spec/template/spec/containers/env/valueFrom/secretKeyRef/name'),
    spec('PersistentVolume', 'spec/azureFile/secretName'),
  ]),
  refersTo('Service./v1', [
    spec('StatefulSet.apps', 'spec/serviceName'),
    spec('Ingress', 'spec/rules/http/paths/backend/serviceName'),
    spec('Ingress', 'spec/backend/serviceName'),
    spec('Ingress', 'spec/rules/http/paths/backend/service/name'),
    spec('Ingress', 'spec/defaultBackend/service/name'),
    spec('APIService.apiregistration.k8s.io', 'spec/service/name'),
    spec('ValidatingWebhookConfiguration.admissionregistration.k8s.io', 'webhooks/clientConfig/service'),
    spec('MutatingWebhookConfiguration.admissionregistration.k8s.io', 'webhooks/clientConfig/service'),
  ]),
  refersTo('Role.rbac.authorization.k8s.io', [spec(ROLE_BINDING, 'roleRef/name')]),
  refersTo('ClusterRole.rbac.authorization.k8s.io', [spec(ROLE_BINDING, 'roleRef/name'), spec(CLUSTER_ROLE_BINDING, 'roleRef/name')]),
  refersTo('ServiceAccount./v1', [
    spec(ROLE_BINDING, 'subjects'),
    spec(CLUSTER_ROLE_BINDING, 'subjects'),
    ...each(RUNNING_PODS, ['serviceAccountName']),
  ]),
  refersTo('PersistentVolumeClaim./v1', each(RUNNING_PODS, ['volumes/persistentVolumeClaim/claimName'])),
  refersTo('PersistentVolume./v1', [spec('PersistentVolumeClaim', 'spec/volumeName'), spec('ClusterRole', 'rules/resourceNames')]),
  refersTo('StorageClass.storage.k8s.io/v1', [
    spec('PersistentVolume', 'spec/storageClassName'),
    spec('PersistentVolumeClaim', 'spec/storageClassName'),
    spec('StatefulSet', 'spec/volumeClaimTemplates/spec/storageClassName'),
  ]),
  refersTo('PriorityClass.scheduling.k8s.io/v1', each(RUNNING_PODS, ['priorityClassName'])),
  // The version stands in the group here, as in kustomize: it never matches an IngressClass.
  { group: 'networking.k8s.io/v1', version: 'v1', kind: 'IngressClass', referrers: [spec('Ingress', 'spec/ingressClassName')] },
  refersTo('ValidatingAdmissionPolicy.admissionregistration.k8s.io', [
    spec('ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io', 'spec/policyName'),
  ]),
];

/** The configuration every build begins with. */
export const DEFAULT_CONFIG: TransformerConfig = {
  namePrefix: [spec('', 'metadata/name')],
  nameSuffix: [spec('', 'metadata/name')],
  namespace: [
    spec('Namespace', 'metadata/name', true),
    spec('APIService.apiregistration.k8s.io', 'spec/service/namespace', true),
    spec('CustomResourceDefinition.apiextensions.k8s.io', 'spec/conversion/webhook/clientConfig/service/namespace'),
  ],
  commonLabels: COMMON_LABELS,
  labels: [],
  templateLabels: TEMPLATE_LABELS,
  commonAnnotations: COMMON_ANNOTATIONS,
  nameReference: NAME_REFERENCES,
  varReference: VAR_REFERENCES,
  images: IMAGES,
  replicas: ['Deployment', 'ReplicationController', 'ReplicaSet', 'StatefulSet'].map((kind) => spec(kind, 'spec/replicas', true)),
};
