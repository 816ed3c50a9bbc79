import {
  APPS,
  type Cases,
  CONFIG_MAPS,
  create,
  DEPLOYMENTS,
  deployment,
  mergePatch,
  NAMESPACE,
  PODS,
  quiet,
  RBAC,
  service,
  SERVICES,
  type Step,
} from './case.ts';

const container = { name: 'app', image: 'example.com/app' };
const labels = { app: 'a' };
const template = { metadata: { labels }, spec: { containers: [container] } };

function object(apiVersion: string, kind: string, rest: Record<string, unknown>): Record<string, unknown> {
  return { apiVersion, kind, metadata: { name: 'a' }, ...rest };
}

const pod = (spec: Record<string, unknown>): Record<string, unknown> => object('v1', 'Pod', { spec });
const dry = (path: string, body: Record<string, unknown>): Step => create(`${path}?dryRun=All`, body);

const BATCH = '/apis/batch/v1/namespaces/{ns}';
const NETWORK = '/apis/networking.k8s.io/v1/namespaces/{ns}';
const POLICY = '/apis/policy/v1/namespaces/{ns}';
const AUTOSCALING = '/apis/autoscaling/v2/namespaces/{ns}';
const CLUSTER_ROLES = `${RBAC}/clusterroles`;
const ROLES = `${RBAC}/namespaces/{ns}/roles`;
const BINDINGS = `${RBAC}/namespaces/{ns}/rolebindings`;

/** What a new object looks like: the defaults of its kind, or what is wrong with it. Nothing is stored. */
const created: Readonly<Record<string, readonly [path: string, body: Record<string, unknown>]>> = {
  'a deployment': [DEPLOYMENTS, deployment('a')],
  'a deployment with probes': [
    DEPLOYMENTS,
    deployment(
      'a',
      {},
      {
        livenessProbe: { httpGet: { path: '/', port: 80 } },
        readinessProbe: { tcpSocket: { port: 'http' } },
        startupProbe: { grpc: { port: 1 } },
        lifecycle: { preStop: { httpGet: { port: 80 } } },
      },
    ),
  ],
  'a deployment with volumes': [
    DEPLOYMENTS,
    deployment('a', {
      template: {
        metadata: { labels },
        spec: {
          containers: [container],
          initContainers: [{ name: 'init', image: 'x:latest' }],
          volumes: [
            { name: 'a', configMap: { name: 'x' } },
            { name: 'b', secret: { secretName: 'x' } },
            { name: 'c', emptyDir: {} },
            { name: 'd', hostPath: { path: '/' } },
            { name: 'e', downwardAPI: { items: [{ path: 'x', fieldRef: { fieldPath: 'metadata.name' } }] } },
            { name: 'f', projected: { sources: [{ serviceAccountToken: { path: 'x' } }] } },
          ],
        },
      },
    }),
  ],
  'a deployment with environment from fields': [
    DEPLOYMENTS,
    deployment(
      'a',
      {},
      {
        env: [
          { name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          { name: 'B', value: '' },
        ],
      },
    ),
  ],
  'a deployment that recreates': [DEPLOYMENTS, deployment('a', { strategy: { type: 'Recreate' } })],
  'a deployment without a selector': [DEPLOYMENTS, deployment('a', { selector: null })],
  'a deployment whose selector does not match': [DEPLOYMENTS, deployment('a', { selector: { matchLabels: { x: 'y' } } })],
  'a deployment without containers': [DEPLOYMENTS, deployment('a', { template: { metadata: { labels }, spec: { containers: [] } } })],
  'a deployment without a spec': [DEPLOYMENTS, object('apps/v1', 'Deployment', {})],
  'a deployment with negative replicas': [DEPLOYMENTS, deployment('a', { replicas: -1 })],
  'a deployment with a bad container name': [DEPLOYMENTS, deployment('a', {}, { name: 'A_b' })],
  'a deployment without an image': [DEPLOYMENTS, deployment('a', {}, { image: '' })],
  'a deployment with a bad pull policy': [DEPLOYMENTS, deployment('a', {}, { imagePullPolicy: 'Often' })],
  'a deployment with a bad port': [DEPLOYMENTS, deployment('a', {}, { ports: [{ containerPort: 70000 }] })],
  'a deployment with a bad environment name': [DEPLOYMENTS, deployment('a', {}, { env: [{ name: '', value: 'x' }] })],
  'a deployment with a bad quantity': [DEPLOYMENTS, deployment('a', {}, { resources: { limits: { cpu: 'much' } } })],
  'a deployment that requests more than its limit': [
    DEPLOYMENTS,
    deployment('a', {}, { resources: { limits: { cpu: '1' }, requests: { cpu: '2' } } }),
  ],
  'a deployment with an unknown mount': [DEPLOYMENTS, deployment('a', {}, { volumeMounts: [{ name: 'x', mountPath: '/x' }] })],
  'a deployment with a bad restart policy': [
    DEPLOYMENTS,
    deployment('a', { template: { metadata: { labels }, spec: { containers: [container], restartPolicy: 'Never' } } }),
  ],
  'a stateful set': [
    `${APPS}/statefulsets`,
    object('apps/v1', 'StatefulSet', { spec: { serviceName: 'a', selector: { matchLabels: labels }, template } }),
  ],
  'a stateful set with claims': [
    `${APPS}/statefulsets`,
    object('apps/v1', 'StatefulSet', {
      spec: {
        serviceName: 'a',
        selector: { matchLabels: labels },
        template,
        volumeClaimTemplates: [
          { metadata: { name: 'd' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
        ],
      },
    }),
  ],
  'a daemon set': [`${APPS}/daemonsets`, object('apps/v1', 'DaemonSet', { spec: { selector: { matchLabels: labels }, template } })],
  'a replica set': [`${APPS}/replicasets`, object('apps/v1', 'ReplicaSet', { spec: { selector: { matchLabels: labels }, template } })],
  'a job': [
    `${BATCH}/jobs`,
    object('batch/v1', 'Job', {
      spec: {
        manualSelector: true,
        selector: { matchLabels: labels },
        template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } },
      },
    }),
  ],
  'a job that always restarts': [
    `${BATCH}/jobs`,
    object('batch/v1', 'Job', { spec: { manualSelector: true, selector: { matchLabels: labels }, template } }),
  ],
  'a cron job': [
    `${BATCH}/cronjobs`,
    object('batch/v1', 'CronJob', {
      spec: {
        schedule: '* * * * *',
        jobTemplate: { spec: { template: { spec: { containers: [container], restartPolicy: 'OnFailure' } } } },
      },
    }),
  ],
  'a cron job with a bad schedule': [
    `${BATCH}/cronjobs`,
    object('batch/v1', 'CronJob', {
      spec: { schedule: 'often', jobTemplate: { spec: { template: { spec: { containers: [container], restartPolicy: 'OnFailure' } } } } },
    }),
  ],
  'a headless service': [SERVICES, service('a', { clusterIP: 'None' })],
  'a service of an external name': [
    SERVICES,
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' }, spec: { type: 'ExternalName', externalName: 'example.com' } },
  ],
  'a service with two unnamed ports': [SERVICES, service('a', { ports: [{ port: 80 }, { port: 81 }] })],
  'a service without ports': [SERVICES, service('a', { ports: [] })],
  'a service with a bad port': [SERVICES, service('a', { ports: [{ port: 0 }] })],
  'a service of an unknown type': [SERVICES, service('a', { type: 'Door' })],
  'a service with a bad name': [SERVICES, { ...service('a'), metadata: { name: '1a' } }],
  'a pod': [PODS, pod({ containers: [container], serviceAccountName: 'default', automountServiceAccountToken: false })],
  'a pod without containers': [PODS, pod({ containers: [] })],
  'an ingress': [
    `${NETWORK}/ingresses`,
    object('networking.k8s.io/v1', 'Ingress', {
      spec: {
        rules: [
          {
            host: 'a.example.com',
            http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'a', port: { number: 80 } } } }] },
          },
        ],
      },
    }),
  ],
  'an ingress without a path type': [
    `${NETWORK}/ingresses`,
    object('networking.k8s.io/v1', 'Ingress', {
      spec: { rules: [{ http: { paths: [{ path: '/', backend: { service: { name: 'a', port: { number: 80 } } } }] } }] },
    }),
  ],
  'a network policy': [
    `${NETWORK}/networkpolicies`,
    object('networking.k8s.io/v1', 'NetworkPolicy', { spec: { podSelector: {}, ingress: [{ ports: [{ port: 80 }] }] } }),
  ],
  'a disruption budget': [
    `${POLICY}/poddisruptionbudgets`,
    object('policy/v1', 'PodDisruptionBudget', { spec: { minAvailable: 1, selector: { matchLabels: labels } } }),
  ],
  'an autoscaler': [
    `${AUTOSCALING}/horizontalpodautoscalers`,
    object('autoscaling/v2', 'HorizontalPodAutoscaler', {
      spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a' }, maxReplicas: 3 },
    }),
  ],
  'an autoscaler without a maximum': [
    `${AUTOSCALING}/horizontalpodautoscalers`,
    object('autoscaling/v2', 'HorizontalPodAutoscaler', {
      spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a' } },
    }),
  ],
  'a claim': [
    `${NAMESPACE}/persistentvolumeclaims`,
    object('v1', 'PersistentVolumeClaim', { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }),
  ],
  'a claim without a size': [
    `${NAMESPACE}/persistentvolumeclaims`,
    object('v1', 'PersistentVolumeClaim', { spec: { accessModes: ['ReadWriteOnce'] } }),
  ],
  'a service account': [`${NAMESPACE}/serviceaccounts`, object('v1', 'ServiceAccount', {})],
  'a role': [ROLES, object('rbac.authorization.k8s.io/v1', 'Role', { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] })],
  'a role without verbs': [ROLES, object('rbac.authorization.k8s.io/v1', 'Role', { rules: [{ apiGroups: [''], resources: ['pods'] }] })],
  'a role without rules': [ROLES, object('rbac.authorization.k8s.io/v1', 'Role', {})],
  'a cluster role that aggregates': [
    CLUSTER_ROLES,
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: '{ns}' },
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { x: 'y' } }] },
    },
  ],
  'a role binding': [
    BINDINGS,
    object('rbac.authorization.k8s.io/v1', 'RoleBinding', {
      roleRef: { kind: 'ClusterRole', name: 'view' },
      subjects: [
        { kind: 'User', name: 'u' },
        { kind: 'ServiceAccount', name: 's', namespace: 'n' },
        { kind: 'Group', name: 'g' },
      ],
    }),
  ],
  'a role binding without a role': [BINDINGS, object('rbac.authorization.k8s.io/v1', 'RoleBinding', { subjects: [] })],
  'a quota': [`${NAMESPACE}/resourcequotas`, object('v1', 'ResourceQuota', { spec: { hard: { pods: 3, 'requests.cpu': '1000m' } } })],
  'a limit range': [
    `${NAMESPACE}/limitranges`,
    object('v1', 'LimitRange', { spec: { limits: [{ type: 'Container', default: { cpu: 1 } }] } }),
  ],
  'a priority class': [
    '/apis/scheduling.k8s.io/v1/priorityclasses',
    { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name: '{ns}' }, value: 10 },
  ],
  'a storage class': [
    '/apis/storage.k8s.io/v1/storageclasses',
    { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: '{ns}' }, provisioner: 'example.com/p' },
  ],
  'a persistent volume': [
    '/api/v1/persistentvolumes',
    {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: '{ns}' },
      spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' } },
    },
  ],
  'a lease': [
    '/apis/coordination.k8s.io/v1/namespaces/{ns}/leases',
    object('coordination.k8s.io/v1', 'Lease', { spec: { holderIdentity: 'x', leaseDurationSeconds: 15 } }),
  ],
  'a lease of no time': [
    '/apis/coordination.k8s.io/v1/namespaces/{ns}/leases',
    object('coordination.k8s.io/v1', 'Lease', { spec: { leaseDurationSeconds: 0 } }),
  ],
  'an event': [
    `${NAMESPACE}/events`,
    object('v1', 'Event', {
      involvedObject: { kind: 'ConfigMap', namespace: '{ns}', name: 'a' },
      reason: 'R',
      message: 'm',
      type: 'Normal',
    }),
  ],
  'an event of another namespace': [
    `${NAMESPACE}/events`,
    object('v1', 'Event', { involvedObject: { kind: 'ConfigMap', namespace: 'x', name: 'a' } }),
  ],
  'an endpoint slice': [
    '/apis/discovery.k8s.io/v1/namespaces/{ns}/endpointslices',
    object('discovery.k8s.io/v1', 'EndpointSlice', {
      addressType: 'IPv4',
      endpoints: [{ addresses: ['192.0.2.1'] }],
      ports: [{ port: 80 }],
    }),
  ],
  'a webhook configuration': [
    '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: '{ns}' },
      webhooks: [
        {
          name: 'a.example.com',
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
          clientConfig: { service: { name: 'a', namespace: 'b' } },
          rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
        },
      ],
    },
  ],
};

export const kindCases: Cases = {
  ...Object.fromEntries(Object.entries(created).map(([name, [path, body]]) => [`create ${name}`, [dry(path, body)]])),
  'service keeps its address': [
    quiet(create(SERVICES, service('a'))),
    mergePatch(`${SERVICES}/a`, { spec: { ports: [{ port: 81 }] } }),
    mergePatch(`${SERVICES}/a`, { spec: { clusterIP: '' } }),
    mergePatch(`${SERVICES}/a`, { spec: { type: 'NodePort' } }),
  ],
  'role binding keeps its role': [
    quiet(create(BINDINGS, object('rbac.authorization.k8s.io/v1', 'RoleBinding', { roleRef: { kind: 'ClusterRole', name: 'view' } }))),
    mergePatch(`${BINDINGS}/a`, { roleRef: { name: 'edit' } }),
  ],
  'stateful set keeps its service name': [
    quiet(
      create(
        `${APPS}/statefulsets`,
        object('apps/v1', 'StatefulSet', { spec: { replicas: 0, serviceName: 'a', selector: { matchLabels: labels }, template } }),
      ),
    ),
    mergePatch(`${APPS}/statefulsets/a`, { spec: { serviceName: 'b' } }),
  ],
  'access review of oneself': [
    create('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { verb: 'get', resource: 'pods', namespace: '{ns}' } },
    }),
  ],
  'access review of another': [
    create('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: { user: 'nobody', resourceAttributes: { verb: 'get', resource: 'pods', namespace: '{ns}' } },
    }),
  ],
  'access by a role binding': [
    quiet(
      create(
        ROLES,
        object('rbac.authorization.k8s.io/v1', 'Role', {
          rules: [{ apiGroups: [''], resources: ['configmaps'], resourceNames: ['x'], verbs: ['get'] }],
        }),
      ),
    ),
    quiet(
      create(
        BINDINGS,
        object('rbac.authorization.k8s.io/v1', 'RoleBinding', {
          roleRef: { kind: 'Role', name: 'a' },
          subjects: [{ kind: 'User', name: '{ns}-user' }],
        }),
      ),
    ),
    { method: 'GET', path: `${CONFIG_MAPS}/x`, headers: { 'impersonate-user': '{ns}-user' }, until: 404 },
    { method: 'GET', path: `${CONFIG_MAPS}/y`, headers: { 'impersonate-user': '{ns}-user' } },
    { method: 'GET', path: CONFIG_MAPS, headers: { 'impersonate-user': '{ns}-user' } },
  ],
};
