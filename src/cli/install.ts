import { type Command, Option } from 'commander';
import { CodedError } from '../std/index.ts';
import { customResourceDefinition, kinds } from '../api/index.ts';
import { type KubeObject, writeObjects } from '../manifest/index.ts';
import { packageVersion } from './version.ts';

/** What an installation can vary in. */
export type InstallOptions = {
  namespace: string;
  image: string;
  /** Without the leading `v`. */
  version: string;
  watchAllNamespaces: boolean;
  logLevel: string;
  networkPolicy: boolean;
  imagePullSecret?: string;
  clusterDomain: string;
};

type InstallFlags = {
  export?: boolean;
  namespace: string;
  image?: string;
  registry: string;
  imagePullSecret?: string;
  watchAllNamespaces: boolean;
  logLevel: string;
  networkPolicy: boolean;
  clusterDomain: string;
};

/** `sluice install --export`: the manifests of an installation, for `kubectl apply` or any other way to apply them. */
export function installCommand(program: Command): void {
  const install = program
    .command('install')
    .description('Print the manifests that install Sluice in a cluster')
    .option('--export', 'write the install manifests to stdout')
    .option('--image <image>', 'image of the controller (default: REGISTRY/sluice:vVERSION)')
    .option('--registry <registry>', 'container registry the image is pulled from', 'ghcr.io/sluice')
    .option('--image-pull-secret <name>', 'Kubernetes secret name used for pulling the image')
    .option('--watch-all-namespaces', 'watch for custom resources in all namespaces', true)
    .addOption(new Option('--log-level <level>', 'log level').choices(['trace', 'debug', 'info', 'error']).default('info'))
    .option('--network-policy', 'setup network policies to deny ingress access to the controller from other namespaces', true)
    .option('--cluster-domain <domain>', 'internal cluster domain', 'cluster.local');
  install.action(() => {
    const flags = install.optsWithGlobals<InstallFlags>();
    if (flags.export !== true) {
      throw new CodedError({
        code: 'UsageInvalid',
        message: 'install: only --export is supported',
        remedy: 'sluice install --export | kubectl apply --server-side -f -',
        retryable: false,
      });
    }
    const version = packageVersion();
    process.stdout.write(
      writeObjects(
        installObjects({
          namespace: flags.namespace,
          image: flags.image ?? `${flags.registry}/sluice:v${version}`,
          version,
          watchAllNamespaces: flags.watchAllNamespaces,
          logLevel: flags.logLevel,
          networkPolicy: flags.networkPolicy,
          clusterDomain: flags.clusterDomain,
          ...(flags.imagePullSecret === undefined ? {} : { imagePullSecret: flags.imagePullSecret }),
        }),
      ),
    );
  });
}

/**
 * Every object of an installation, in the order to apply them: namespace, CRDs, RBAC, Deployment, Services, network policies.
 * Labels and names are those the unmodified `flux` CLI looks for (K01–K05).
 */
export function installObjects(options: InstallOptions): KubeObject[] {
  const labels = {
    'app.kubernetes.io/instance': options.namespace,
    'app.kubernetes.io/part-of': 'flux',
    'app.kubernetes.io/version': `v${options.version}`,
  };
  const own = { ...labels, 'app.kubernetes.io/component': 'sluice', 'control-plane': 'controller' };
  const named = (name: string, extra: Record<string, string> = own): KubeObject['metadata'] => ({
    name,
    namespace: options.namespace,
    labels: extra,
  });
  return [
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: {
        name: options.namespace,
        labels: { ...labels, 'pod-security.kubernetes.io/warn': 'restricted', 'pod-security.kubernetes.io/warn-version': 'latest' },
      },
    },
    ...kinds.map((kind) => withLabels(customResourceDefinition(kind) as KubeObject, labels)),
    {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: named('sluice'),
      ...(options.imagePullSecret === undefined ? {} : { imagePullSecrets: [{ name: options.imagePullSecret }] }),
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: `cluster-reconciler-${options.namespace}`, labels: own },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name: 'sluice', namespace: options.namespace }],
    },
    ...aggregatedRoles(options.namespace, labels),
    deployment(options, own),
    service('source-controller', options, labels),
    ...(options.networkPolicy ? networkPolicies(options.namespace, labels) : []),
  ];
}

function withLabels(object: KubeObject, labels: Record<string, string>): KubeObject {
  return { ...object, metadata: { ...object.metadata, labels: { ...object.metadata.labels, ...labels } } };
}

/**
 * `flux-view-NS` and `flux-edit-NS`, aggregated into Kubernetes' own view, edit and admin roles. Who may edit a namespace sees the policies
 * that concern it, and does not change them.
 */
function aggregatedRoles(namespace: string, labels: Record<string, string>): KubeObject[] {
  const apiGroups = [
    'notification.toolkit.fluxcd.io',
    'source.toolkit.fluxcd.io',
    'source.extensions.fluxcd.io',
    'helm.toolkit.fluxcd.io',
    'kustomize.toolkit.fluxcd.io',
  ];
  const role = (
    name: string,
    aggregate: readonly string[],
    verbs: readonly string[],
    groups: readonly string[] = apiGroups,
  ): KubeObject => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: {
      name: `${name}-${namespace}`,
      labels: { ...labels, ...Object.fromEntries(aggregate.map((to) => [`rbac.authorization.k8s.io/aggregate-to-${to}`, 'true'])) },
    },
    rules: [{ apiGroups: groups, resources: ['*'], verbs }],
  });
  return [
    role('flux-view', ['admin', 'edit', 'view'], ['get', 'list', 'watch'], [...apiGroups, 'source.sluice.dev']),
    role('flux-edit', ['admin', 'edit'], ['create', 'delete', 'deletecollection', 'patch', 'update']),
  ];
}

function deployment(options: InstallOptions, labels: Record<string, string>): KubeObject {
  const pod = { app: 'sluice', ...labels };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'sluice', namespace: options.namespace, labels },
    spec: {
      replicas: 1,
      strategy: { type: 'Recreate' },
      selector: { matchLabels: { app: 'sluice' } },
      template: {
        metadata: { labels: pod, annotations: { 'prometheus.io/port': '8080', 'prometheus.io/scrape': 'true' } },
        spec: {
          serviceAccountName: 'sluice',
          terminationGracePeriodSeconds: 60,
          priorityClassName: 'system-cluster-critical',
          nodeSelector: { 'kubernetes.io/os': 'linux' },
          securityContext: { fsGroup: 1337 },
          containers: [container(options)],
          volumes: [
            { name: 'data', emptyDir: {} },
            { name: 'tmp', emptyDir: {} },
          ],
        },
      },
    },
  };
}

function container(options: InstallOptions): Record<string, unknown> {
  return {
    name: 'manager',
    image: options.image,
    imagePullPolicy: 'IfNotPresent',
    args: [
      'controller',
      `--watch-all-namespaces=${options.watchAllNamespaces}`,
      `--log-level=${options.logLevel}`,
      '--log-encoding=json',
      '--enable-leader-election',
      '--storage-path=/data',
      `--storage-adv-addr=source-controller.$(RUNTIME_NAMESPACE).svc.${options.clusterDomain}.`,
    ],
    env: [
      { name: 'RUNTIME_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
      { name: 'TUF_ROOT', value: '/tmp/.sigstore' },
    ],
    ports: [
      { containerPort: 9090, name: 'http', protocol: 'TCP' },
      { containerPort: 8080, name: 'http-prom', protocol: 'TCP' },
      { containerPort: 9440, name: 'healthz', protocol: 'TCP' },
    ],
    livenessProbe: { httpGet: { path: '/healthz', port: 'healthz' } },
    readinessProbe: { httpGet: { path: '/readyz', port: 'healthz' } },
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '1Gi' } },
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    volumeMounts: [
      { mountPath: '/data', name: 'data' },
      { mountPath: '/tmp', name: 'tmp' },
    ],
  };
}

function service(name: string, options: InstallOptions, labels: Record<string, string>): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name,
      namespace: options.namespace,
      labels: { ...labels, 'app.kubernetes.io/component': name, 'control-plane': 'controller' },
    },
    spec: { type: 'ClusterIP', selector: { app: 'sluice' }, ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 'http' }] },
  };
}

function networkPolicies(namespace: string, labels: Record<string, string>): KubeObject[] {
  const policy = (name: string, spec: Record<string, unknown>): KubeObject => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, namespace, labels },
    spec,
  });
  return [
    policy('allow-egress', {
      podSelector: {},
      policyTypes: ['Ingress', 'Egress'],
      egress: [{}],
      ingress: [{ from: [{ podSelector: {} }] }],
    }),
    policy('allow-scraping', {
      podSelector: {},
      policyTypes: ['Ingress'],
      ingress: [{ from: [{ namespaceSelector: {} }], ports: [{ port: 8080, protocol: 'TCP' }] }],
    }),
  ];
}
