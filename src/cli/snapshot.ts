import { writeFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { apiVersionOf } from '../apply/index.ts';
import { groups } from '../api/index.ts';
import { isKubeError, type KindRef, type KubeClient, type Resource, type Target } from '../kube/index.ts';
import type { KubeObject } from '../manifest/index.ts';
import { collectList } from './argv.ts';
import { openRegistry, type RegistryFlags, usage, withRegistryFlags } from './artifact-registry.ts';
import { type ClusterFlags, connect } from './cluster.ts';
import { inventoryOf } from './preview-changes.ts';
import { each, isRecord, type KeptManagers, keyOf, portable, textAt, valueAt } from './preview-objects.ts';
import { formatSnapshot, pushSnapshot } from './preview-snapshot.ts';
import { progress } from './progress.ts';

type Flags = ClusterFlags &
  RegistryFlags & {
    output?: string;
    push?: string;
    kinds?: string[];
    namespaces?: string[];
    withSecrets?: boolean;
    managedFields: KeptManagers;
  };

/** What is taken whole, namespaces apart. */
const CLUSTER_KINDS: readonly KindRef[] = [
  { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' },
  { apiVersion: 'v1', kind: 'Namespace' },
  { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass' },
  { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass' },
  { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass' },
];
/** Objects the cluster makes itself. */
const BORN = new Set(['ConfigMap/kube-root-ca.crt', 'ServiceAccount/default']);

/** `sluice snapshot`: what `sluice preview` needs to know of a cluster. */
export function snapshotCommand(program: Command): void {
  const command = program
    .command('snapshot')
    .description('Export what a preview needs of a cluster: definitions, namespaces, Flux objects, what they applied and refer to')
    .option('-o, --output <file>', 'where to write it; stdout when neither this nor --push is given')
    .option('--push <url>', 'push it as an artifact, oci://host/name:tag')
    .option('--kinds <list>', 'more kinds to export whole, Kind or Kind.group, repeatable', collectList)
    .option('--namespaces <list>', 'only objects of these namespaces, repeatable', collectList)
    .option('--with-secrets', 'export the values of Secrets; they are masked otherwise')
    .addOption(
      new Option('--managed-fields <which>', 'whose field ownership to keep').choices(['applied', 'all', 'none']).default('applied'),
    );
  withRegistryFlags(command).action(async () => await snapshot(command.optsWithGlobals<Flags>()));
}

async function snapshot(flags: Flags): Promise<void> {
  if (flags.output !== undefined && flags.push !== undefined) throw usage('--output and --push: give one of them');
  await using session = await connect(flags);
  progress.action('reading the cluster');
  const { objects, applied } = await collect(session.client, flags);
  const isKept = (object: KubeObject): boolean =>
    flags.managedFields === 'all' || (flags.managedFields === 'applied' && applied.has(keyOf(object)));
  const text = formatSnapshot(objects.map((object) => portable(object, { managers: isKept(object), secrets: flags.withSecrets === true })));
  if (flags.push !== undefined) {
    await using registry = await openRegistry(flags);
    progress.success(`${objects.length} objects pushed to ${await pushSnapshot(registry.client, flags.push, text, registry.signal)}`);
  } else if (flags.output === undefined || flags.output === '-') {
    process.stdout.write(text);
    progress.success(`${objects.length} objects`);
  } else {
    await writeFile(flags.output, text, { mode: 0o600 });
    progress.success(`${objects.length} objects written to ${flags.output}`);
  }
  const secrets = objects.filter((object) => object.kind === 'Secret').length;
  if (secrets > 0 && flags.withSecrets === true) progress.warning(`values of ${secrets} Secrets are in it: keep it as safe as the cluster`);
}

type Collected = { objects: KubeObject[]; applied: ReadonlySet<string> };

async function collect(client: KubeClient, flags: Flags): Promise<Collected> {
  const found = new Map<string, KubeObject>();
  const add = (object: KubeObject | undefined): void => {
    if (object !== undefined && !BORN.has(`${object.kind}/${object.metadata.name}`)) found.set(keyOf(object), object);
  };
  const spaces = flags.namespaces === undefined ? undefined : new Set(flags.namespaces);
  const isWanted = (object: KubeObject): boolean => {
    const namespace = object.kind === 'Namespace' ? object.metadata.name : object.metadata.namespace;
    return spaces === undefined || namespace === undefined || spaces.has(namespace);
  };
  const takeAll = async (kind: KindRef): Promise<KubeObject[]> => {
    const items = (await listKind(client, kind)).filter(isWanted);
    items.forEach(add);
    return items;
  };
  const flux = [
    { apiVersion: `${groups.source}/v1`, kind: 'OCIRepository' },
    { apiVersion: `${groups.kustomize}/v1`, kind: 'Kustomization' },
  ];
  const extra = await kindsOf(client, flags.kinds ?? []);
  await Promise.all([...CLUSTER_KINDS, ...extra].map(takeAll));
  const roots = (await Promise.all(flux.map(takeAll))).flat();
  const targets = roots.flatMap((object) => [...appliedBy(object), ...referencesOf(object)]);
  (await each(targets, async (target) => await client.find(target))).forEach(add);
  await takeAccess(client, roots, add);
  const applied = new Set([...roots.map(keyOf), ...roots.flatMap(inventoryKeys)]);
  return { objects: [...found.values()], applied };
}

async function listKind(client: KubeClient, kind: KindRef): Promise<KubeObject[]> {
  try {
    return (await client.list(kind)).items.map((object) => ({ ...object, apiVersion: kind.apiVersion, kind: kind.kind }));
  } catch (error) {
    if (isKubeError(error, 'NoMatch', 'NotFound')) return [];
    throw error;
  }
}

/** @throws CodedError `UsageInvalid` for a kind the cluster does not serve */
async function kindsOf(client: KubeClient, names: readonly string[]): Promise<KindRef[]> {
  if (names.length === 0) return [];
  const all = await client.mapper.all();
  return names.map((name) => {
    const dot = name.indexOf('.');
    const [kind, group] = dot < 0 ? [name, undefined] : [name.slice(0, dot), name.slice(dot + 1)];
    const matches = (resource: Resource): boolean =>
      [resource.kind.toLowerCase(), resource.name, resource.singular].includes(kind.toLowerCase()) &&
      (group === undefined || resource.group === group);
    const resource = all.find(matches);
    if (resource === undefined)
      throw usage(`--kinds ${JSON.stringify(name)}: the cluster serves no such kind`, 'sluice takes Kind or Kind.group');
    return { apiVersion: resource.group === '' ? resource.version : `${resource.group}/${resource.version}`, kind: resource.kind };
  });
}

function appliedBy(object: KubeObject): Target[] {
  return inventoryOf(object).map((it) => ({
    apiVersion: apiVersionOf(it),
    kind: it.ref.kind,
    namespace: it.ref.namespace,
    name: it.ref.name,
  }));
}

function inventoryKeys(object: KubeObject): string[] {
  return inventoryOf(object).map(({ ref }) => `${ref.group}/${ref.kind}/${ref.namespace}/${ref.name}`);
}

/** ConfigMaps, Secrets and the ServiceAccount a Flux object names. */
function referencesOf(object: KubeObject): Target[] {
  const { namespace = '' } = object.metadata;
  const variables = valueAt(object, 'spec', 'postBuild', 'substituteFrom');
  const named = (Array.isArray(variables) ? variables : []).map((it): [string, string] => [textAt(it, 'kind'), textAt(it, 'name')]);
  const secrets = [['secretRef'], ['certSecretRef'], ['proxySecretRef'], ['verify', 'secretRef'], ['verify', 'trustedRootSecretRef']];
  const more = [...secrets, ['decryption', 'secretRef'], ['kubeConfig', 'secretRef']];
  return [
    ...named,
    ...more.map((path): [string, string] => ['Secret', textAt(object, 'spec', ...path, 'name')]),
    ['ConfigMap', textAt(object, 'spec', 'kubeConfig', 'configMapRef', 'name')] as const,
    ['ServiceAccount', textAt(object, 'spec', 'serviceAccountName')] as const,
  ]
    .filter(([kind, name]) => kind !== '' && name !== '')
    .map(([kind, name]) => ({ apiVersion: 'v1', kind, namespace, name }));
}

/** Bindings of the accounts that Flux objects act as, and the roles they bind. */
async function takeAccess(client: KubeClient, roots: readonly KubeObject[], add: (object: KubeObject) => void): Promise<void> {
  const accounts = new Set(
    roots
      .filter((object) => object.kind === 'Kustomization' && textAt(object, 'spec', 'serviceAccountName') !== '')
      .map((object) => `${object.metadata.namespace ?? ''}/${textAt(object, 'spec', 'serviceAccountName')}`),
  );
  if (accounts.size === 0) return;
  const rbac = 'rbac.authorization.k8s.io/v1';
  const kinds = ['RoleBinding', 'ClusterRoleBinding', 'Role', 'ClusterRole'].map((kind) => ({ apiVersion: rbac, kind }));
  const [inNamespaces = [], everywhere = [], roles = [], clusterRoles = []] = await Promise.all(
    kinds.map(async (kind) => await listKind(client, kind)),
  );
  const bindings = [...inNamespaces, ...everywhere].filter((binding) => bindsOne(binding, accounts));
  const wanted = new Set(
    bindings.map((it) => roleKey(textAt(it, 'roleRef', 'kind'), it.metadata.namespace, textAt(it, 'roleRef', 'name'))),
  );
  bindings.forEach(add);
  [...roles, ...clusterRoles].filter((role) => wanted.has(roleKey(role.kind, role.metadata.namespace, role.metadata.name))).forEach(add);
}

function roleKey(kind: string, namespace: string | undefined, name: string): string {
  return kind === 'ClusterRole' ? `ClusterRole/${name}` : `Role/${namespace ?? ''}/${name}`;
}

function bindsOne(binding: KubeObject, accounts: ReadonlySet<string>): boolean {
  const { subjects } = binding;
  if (!Array.isArray(subjects)) return false;
  return subjects.filter(isRecord).some((subject) => {
    const name = textAt(subject, 'name');
    if (textAt(subject, 'kind') === 'ServiceAccount') return accounts.has(`${textAt(subject, 'namespace')}/${name}`);
    const [, namespace, account] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name) ?? [];
    if (namespace !== undefined) return accounts.has(`${namespace}/${account}`);
    const [, group] = /^system:serviceaccounts:(.+)$/.exec(name) ?? [];
    return name === 'system:serviceaccounts' || [...accounts].some((it) => group !== undefined && it.startsWith(`${group}/`));
  });
}
