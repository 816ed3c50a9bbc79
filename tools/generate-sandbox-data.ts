// Records what the sandbox must know of a real Kubernetes API server: discovery, OpenAPI documents, table columns and the objects
// every cluster starts with. Usage: node tools/node24.mjs tools/generate-sandbox-data.ts [--kubeconfig FILE]
// Without --kubeconfig it starts the control plane of test/control-plane. Writes src/sandbox/data/*.json.br.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { brotliCompressSync, constants } from 'node:zlib';
import { createKubeClient, loadClusterConfig, nodeHost } from '../src/kube/index.ts';
import { startControlPlane } from '../test/control-plane/start.ts';

type Json = { [key: string]: unknown };
type DiscoveryResource = { resource: string; verbs: string[]; scope: string };
type DiscoveryGroup = { metadata?: { name?: string }; versions: { version: string; resources: DiscoveryResource[] }[] };

const { values: flags } = parseArgs({ options: { kubeconfig: { type: 'string' } } });
const controlPlane = flags.kubeconfig === undefined ? await startControlPlane() : undefined;
const kubeconfig = flags.kubeconfig ?? controlPlane?.kubeconfig ?? '';
const client = createKubeClient(await loadClusterConfig(nodeHost, { kubeconfig }), { userAgent: 'generate-sandbox-data' });

async function read(path: string, accept = 'application/json'): Promise<Json> {
  const { status, text } = await client.raw({ method: 'GET', path, accept, timeout: 60_000 });
  if (status !== 200) throw new Error(`GET ${path}: ${status} ${text.slice(0, 200)}`);
  return JSON.parse(text) as Json;
}

function write(name: string, value: unknown): void {
  const text = Buffer.from(JSON.stringify(value));
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: 11,
    [constants.BROTLI_PARAM_LGWIN]: 24,
    [constants.BROTLI_PARAM_SIZE_HINT]: text.length,
  };
  const packed = brotliCompressSync(text, { params });
  writeFileSync(join(import.meta.dirname, '..', 'src/sandbox/data', `${name}.json.br`), packed);
  process.stdout.write(`${name}: ${text.length} bytes, ${packed.length} packed\n`);
}

const AGGREGATED = 'application/json;v=v2;g=apidiscovery.k8s.io;as=APIGroupDiscoveryList';
const discovery = { api: await read('/api', AGGREGATED), apis: await read('/apis', AGGREGATED), version: await read('/version') };

const index = (await read('/openapi/v3')) as { paths: Record<string, { serverRelativeURL: string }> };
const openApiV3: Json = {};
for (const [path, { serverRelativeURL }] of Object.entries(index.paths)) openApiV3[path] = await read(serverRelativeURL);

const columns: Json = {};
const groups = [discovery.api, discovery.apis].flatMap((it) => it['items'] as DiscoveryGroup[]);
for (const group of groups) {
  for (const { version, resources } of group.versions) {
    const name = group.metadata?.name ?? '';
    for (const { resource } of resources.filter((it) => it.verbs.includes('list'))) {
      const root = name === '' ? `/api/${version}` : `/apis/${name}/${version}`;
      const table = await read(`${root}/${resource}?limit=1`, 'application/json;as=Table;v=v1;g=meta.k8s.io');
      columns[`${name}/${version}/${resource}`] = table['columnDefinitions'];
    }
  }
}

const BOOTSTRAP = [
  '/apis/rbac.authorization.k8s.io/v1/clusterroles',
  '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
  '/apis/rbac.authorization.k8s.io/v1/roles',
  '/apis/rbac.authorization.k8s.io/v1/rolebindings',
  '/apis/scheduling.k8s.io/v1/priorityclasses',
  '/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas',
  '/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations',
];
const bootstrap: Json[] = [];
for (const path of BOOTSTRAP) {
  const list = (await read(path)) as { apiVersion: string; kind: string; items: (Json & { metadata: Json })[] };
  for (const item of list.items) {
    const { name, namespace, labels, annotations } = item.metadata;
    const { status: _, ...rest } = item;
    bootstrap.push({
      ...rest,
      apiVersion: list.apiVersion,
      kind: list.kind.replace(/List$/, ''),
      metadata: { name, namespace, labels, annotations },
    });
  }
}

write('discovery', discovery);
write('openapi-v3', openApiV3);
write('openapi-v2', await read('/openapi/v2'));
write('columns', columns);
write('bootstrap', bootstrap);
await client.close();
await controlPlane?.stop();
