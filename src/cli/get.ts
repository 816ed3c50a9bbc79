import { type Command, Option } from 'commander';
import type { KubeClient } from '../kube/index.ts';
import type { KubeObject } from '../manifest/index.ts';
import { type ClusterFlags, connect, namespaceOf } from './cluster.ts';
import { isSuspended, OBJECT_KINDS, type ObjectKind, readiness } from './object-kinds.ts';
import { progress } from './progress.ts';
import { formatTable } from './table.ts';

type GetFlags = ClusterFlags & {
  allNamespaces?: boolean;
  header: boolean;
  watch?: boolean;
  labelSelector?: string;
  statusSelector?: string;
  showSource?: boolean;
};

/** `sluice get sources oci|kustomizations|all [NAME]` (K09): the tables of `flux get`. */
export function getCommands(program: Command): void {
  const get = program.command('get').description('Print the status of resources');
  const sources = get.command('sources').alias('source').description('Print the status of sources');
  for (const kind of OBJECT_KINDS) {
    const [word = '', ...aliases] = kind.words;
    const plural = kind.below === undefined ? `${word}s` : word;
    const command = (kind.below === undefined ? get : sources)
      .command(`${plural} [name]`)
      .description(`Print the status of ${kind.kind} objects`);
    command.aliases([word, ...aliases].filter((alias) => alias !== plural));
    withGetFlags(command).action(async (name: string | undefined) => await getOne(kind, name, command.optsWithGlobals<GetFlags>()));
  }
  const all = withGetFlags(get.command('all').description('Print the status of all resources'));
  all.action(async () => await getAll(all.optsWithGlobals<GetFlags>()));
  const allSources = withGetFlags(sources.command('all').description('Print the status of all sources'));
  allSources.action(async () => await getAll(allSources.optsWithGlobals<GetFlags>(), 'source'));
}

function withGetFlags(command: Command): Command {
  return command
    .option('-A, --all-namespaces', 'list the requested object(s) across all namespaces')
    .option('--no-header', 'skip the header when printing the results')
    .option('-w, --watch', 'after listing/getting the requested object, watch for changes')
    .option('-l, --label-selector <selector>', 'filter objects by label selector')
    .option('--show-source', 'show the source reference of each object')
    .addOption(
      new Option(
        '--status-selector <selector>',
        'specify the status condition name and the desired state to filter the get result, e.g. ready=false',
      ),
    );
}

async function getOne(kind: ObjectKind, name: string | undefined, flags: GetFlags): Promise<void> {
  await using session = await connect(flags);
  const { client } = session;
  const objects = await select(client, kind, name, flags);
  if (objects.length === 0) {
    const where = flags.allNamespaces === true ? 'all namespaces' : `"${namespaceOf(flags, client)}" namespace`;
    progress.failure(
      name === undefined ? `no ${kind.kind} objects found in ${where}` : `${kind.kind} object '${name}' not found in ${where}`,
    );
    if (name !== undefined) process.exitCode = 1;
    if (flags.watch !== true) return;
  }
  process.stdout.write(tableOf(kind, objects, flags, flags.header));
  if (flags.watch === true) await follow(client, kind, name, flags);
}

async function getAll(flags: GetFlags, below?: 'source'): Promise<void> {
  await using session = await connect(flags);
  let first = true;
  for (const kind of OBJECT_KINDS.filter((it) => below === undefined || it.below === below)) {
    const objects = await select(session.client, kind, undefined, flags);
    if (objects.length === 0) continue;
    if (!first) process.stdout.write('\n');
    first = false;
    const named = objects.map((object) => ({
      ...object,
      metadata: { ...object.metadata, name: `${kind.kind.toLowerCase()}/${object.metadata.name}` },
    }));
    process.stdout.write(tableOf(kind, named, flags, flags.header));
  }
}

async function select(client: KubeClient, kind: ObjectKind, name: string | undefined, flags: GetFlags): Promise<KubeObject[]> {
  const list = await client.list(kind, listOptions(client, name, flags));
  return list.items.filter((object) => matchesStatus(object, flags.statusSelector));
}

function listOptions(
  client: KubeClient,
  name: string | undefined,
  flags: GetFlags,
): { namespace?: string; labelSelector?: string; fieldSelector?: string } {
  return {
    ...(flags.allNamespaces === true ? {} : { namespace: namespaceOf(flags, client) }),
    ...(flags.labelSelector === undefined ? {} : { labelSelector: flags.labelSelector }),
    ...(name === undefined ? {} : { fieldSelector: `metadata.name=${name}` }),
  };
}

function matchesStatus(object: KubeObject, selector: string | undefined): boolean {
  if (selector === undefined) return true;
  const negate = selector.includes('!=');
  const [type = '', value = ''] = selector.split(negate ? '!=' : '=');
  const conditions = (object['status'] as { conditions?: { type: string; status: string }[] } | undefined)?.conditions ?? [];
  const found = conditions.some((it) => it.type.toLowerCase() === type.toLowerCase() && it.status.toLowerCase() === value.toLowerCase());
  return found !== negate;
}

function tableOf(kind: ObjectKind, objects: readonly KubeObject[], flags: GetFlags, withHeader: boolean): string {
  const options = { showSource: flags.showSource === true };
  const namespace = flags.allNamespaces === true;
  const header = [...(namespace ? ['Namespace'] : []), 'Name', ...kind.header(options), 'Suspended', 'Ready', 'Message'].map((cell) =>
    cell.toUpperCase(),
  );
  const rows = objects.map((object) => {
    const ready = readiness(object);
    const suspended = isSuspended(object) ? 'True' : 'False';
    const lead = namespace ? [object.metadata.namespace ?? ''] : [];
    return [...lead, object.metadata.name, ...kind.columns(object, options), suspended, ready.status, ready.message];
  });
  return formatTable(withHeader ? header : undefined, rows);
}

async function follow(client: KubeClient, kind: ObjectKind, name: string | undefined, flags: GetFlags): Promise<void> {
  for await (const event of client.watch(kind, listOptions(client, name, flags))) {
    if (event.type === 'bookmark' || event.type === 'deleted' || !matchesStatus(event.object, flags.statusSelector)) continue;
    process.stdout.write(tableOf(kind, [event.object], flags, false));
  }
}
