import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import {
  archiveTree,
  compileIgnore,
  defaultPushIgnore,
  parseIgnoreText,
  isGzip,
  readArchive,
  readFolder,
  writeArchive,
  writeFolder,
  type ArchiveTree,
} from '../artifact/index.ts';
import {
  annotationKeys,
  type Descriptor,
  formatReference,
  formatRepository,
  mediaTypes,
  pushArtifact,
  type Reference,
  type RegistryClient,
} from '../oci/index.ts';
import { readBounded } from '../std/index.ts';
import { diffTrees, type TreeChange } from './artifact-diff.ts';
import { listArtifacts } from './artifact-list.ts';
import { artifactReference, openRegistry, type RegistryFlags, usage, withRegistryFlags } from './artifact-registry.ts';
import { collectList } from './argv.ts';
import { progress } from './progress.ts';
import { formatTable } from './table.ts';

/** Largest layer the commands read, and largest manifest taken from stdin; bytes. */
const MAX_LAYER = 512 * 1024 * 1024;
const MAX_STDIN = 64 * 1024 * 1024;

/** `sluice push|pull|tag|list|diff artifact` with Flux's flags (A01–A11). */
export function artifactCommands(program: Command): void {
  pushCommand(program.command('push').description('Push artifacts'));
  pullCommand(program.command('pull').description('Pull artifacts'));
  tagCommand(program.command('tag').description('Tag artifacts'));
  listCommand(program.command('list').description('List artifacts'));
  diffCommand(program.command('diff').description('Diff a local folder against a published artifact'));
}

type ContentFlags = { path?: string; ignorePaths?: string[]; resolveSymlinks?: boolean };

function withContentFlags(command: Command): Command {
  return command.option(
    '--ignore-paths <patterns>',
    `set paths to ignore in .gitignore format (default ${defaultPushIgnore.join(',')})`,
    collectList,
  );
}

type PushFlags = RegistryFlags &
  ContentFlags & { source?: string; revision?: string; annotations?: string[]; output?: string; debug?: boolean; reproducible?: boolean };

function pushCommand(parent: Command): void {
  const command = parent
    .command('artifact [url]')
    .description('Create an archive from a folder or file and push it to an OCI repository')
    .option('-f, --path <path>', 'path to the directory where the Kubernetes manifests are located, - for stdin')
    .option('--source <url>', 'the source address, e.g. the Git URL')
    .option('--revision <revision>', "the source revision in the format '<branch|tag>@sha1:<commit-sha>'")
    .option('-a, --annotations <key=value>', 'set custom OCI annotations, repeatable', (value: string, previous?: string[]) => [
      ...(previous ?? []),
      value,
    ])
    .option('-o, --output <format>', "the format in which the artifact digest should be printed, can be 'json' or 'yaml'")
    .option('--debug', 'print every request to the registry')
    .option('--reproducible', "ensure reproducible image digests by setting the created timestamp to '1970-01-01T00:00:00Z'")
    .option('--resolve-symlinks', 'resolve symlinks by copying their targets into the artifact');
  withContentFlags(withRegistryFlags(command)).action(
    async (url: string | undefined) => await push(url, command.optsWithGlobals<PushFlags>()),
  );
}

async function push(url: string | undefined, flags: PushFlags): Promise<void> {
  if (url === undefined) throw usage('artifact URL is required');
  if (flags.source === undefined) throw usage('--source is required');
  if (flags.revision === undefined) throw usage('--revision is required');
  if (flags.path === undefined || flags.path === '') throw usage('invalid path ""', 'give the folder or file to push with --path');
  if (flags.output !== undefined && flags.output !== '' && flags.output !== 'json' && flags.output !== 'yaml')
    throw usage(`--output ${JSON.stringify(flags.output)}: want json or yaml`);
  const reference = artifactReference(url);
  const annotations = {
    [annotationKeys.created]: flags.reproducible === true ? '1970-01-01T00:00:00Z' : new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
    [annotationKeys.source]: flags.source,
    [annotationKeys.revision]: flags.revision,
    ...parseAnnotations(flags.annotations ?? []),
  };
  const tree = await readContent(flags);
  await using registry = await openRegistry(flags, reference.registry);
  if (flags.output === undefined || flags.output === '') progress.action(`pushing artifact to ${url.replace(/^oci:\/\//, '')}`);
  const { digest } = await pushArtifact(
    registry.client,
    reference,
    { layer: await writeArchive(tree, 'kept'), annotations },
    registry.signal,
  );
  await printPushed(reference, digest, flags.output);
}

function parseAnnotations(pairs: readonly string[]): Record<string, string> {
  const annotations: Record<string, string> = {};
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    if (equals < 1) throw usage(`invalid annotation ${pair}, must be in the format key=value`);
    annotations[pair.slice(0, equals)] = pair.slice(equals + 1);
  }
  return annotations;
}

/** A07. */
async function printPushed(reference: Reference, digest: string, output: string | undefined): Promise<void> {
  const repository = formatRepository(reference);
  const info = { url: `oci://${repository}@${digest}`, repository, tag: reference.tag ?? 'latest', digest };
  if (output === 'json') process.stdout.write(`${JSON.stringify(info, undefined, 2)}\n`);
  else if (output === 'yaml') process.stdout.write((await import('../golang/index.ts')).writeYaml(info));
  else progress.success(`artifact successfully pushed to ${repository}@${digest}`);
}

/** What `--path` names, as the tree that goes into the archive (A05, A06). */
async function readContent(flags: ContentFlags): Promise<ArchiveTree> {
  const path = flags.path ?? '';
  if (path === '-') {
    const text = Buffer.from(await readBounded(process.stdin, MAX_STDIN, 'stdin')).toString('utf8');
    return archiveTree({ 'manifests.yaml': text.replace(/[\r\n]+$/, '') }, 0o600);
  }
  const exists = await stat(path).catch(() => undefined);
  if (exists === undefined) throw usage(`invalid path '${path}', must point to an existing directory or file`);
  const patterns = (flags.ignorePaths ?? defaultPushIgnore).flatMap((line) => parseIgnoreText(line));
  return readFolder(path, { ignore: compileIgnore(patterns), ...(flags.resolveSymlinks === true ? { resolveSymlinks: true } : {}) });
}

type PullFlags = RegistryFlags & { output?: string };

function pullCommand(parent: Command): void {
  const command = parent
    .command('artifact [url]')
    .description('Download an artifact and extract it to a folder')
    .option('-o, --output <path>', 'path where the artifact content should be extracted');
  withRegistryFlags(command).action(async (url: string | undefined) => await pull(url, command.optsWithGlobals<PullFlags>()));
}

async function pull(url: string | undefined, flags: PullFlags): Promise<void> {
  if (url === undefined) throw usage('artifact URL is required');
  const output = flags.output ?? '';
  if (output === '') throw usage('output path cannot be empty');
  const folder = await stat(output).catch(() => undefined);
  if (folder?.isDirectory() !== true) throw usage(`invalid output path ${JSON.stringify(output)}`, 'create the folder first');
  const reference = artifactReference(url);
  await using registry = await openRegistry(flags, reference.registry);
  progress.action(`pulling artifact from ${url.replace(/^oci:\/\//, '')}`);
  const pulled = await pullLayer(registry.client, reference, registry.signal);
  await writeFolder(await layerTree(pulled), output);
  const { annotations, descriptor } = pulled;
  if (annotations[annotationKeys.source] !== undefined) progress.success(`source ${annotations[annotationKeys.source]}`);
  if (annotations[annotationKeys.revision] !== undefined) progress.success(`revision ${annotations[annotationKeys.revision]}`);
  progress.success(`digest ${formatRepository(reference)}@${descriptor.digest}`);
  progress.success(`artifact content extracted to ${output}`);
}

type PulledLayer = {
  name: string;
  descriptor: Descriptor;
  layer: Descriptor;
  annotations: Readonly<Record<string, string>>;
  bytes: Uint8Array;
};

/** The first layer of an artifact (A08). */
async function pullLayer(client: RegistryClient, reference: Reference, signal: AbortSignal): Promise<PulledLayer> {
  const { descriptor, manifest } = await client.fetchImage(reference, signal);
  const [layer] = manifest.layers;
  if (layer === undefined) throw usage(`read ${JSON.stringify(formatReference(reference))}: no layers found in artifact`);
  return {
    name: formatReference(reference),
    descriptor,
    layer,
    annotations: manifest.annotations,
    bytes: await client.readBlob(reference, layer, MAX_LAYER, signal),
  };
}

/** A layer's files: an archive unpacked, or the one file it is. */
async function layerTree({ name, layer, bytes }: PulledLayer): Promise<ArchiveTree> {
  if (isGzip(bytes)) return readArchive(bytes, { subject: `layer of ${JSON.stringify(name)}`, links: 'skip', caseCollisions: 'reject' });
  const title = basename(layer.annotations?.[annotationKeys.title] ?? '');
  const extension = layer.mediaType.startsWith(`${mediaTypes.fluxStatic}.`) ? layer.mediaType.slice(mediaTypes.fluxStatic.length) : '';
  const plain = /^[\w.-]{1,100}$/.test(extension) ? `artifact${extension}` : 'artifact';
  return archiveTree({ [/^[^\\\0/]{1,255}$/.test(title) && title !== '.' && title !== '..' ? title : plain]: bytes });
}

type TagFlags = RegistryFlags & { tag?: string[] };

function tagCommand(parent: Command): void {
  const command = parent
    .command('artifact [url]')
    .description('Create tags for an artifact')
    .option('--tag <name>', 'tag name, repeatable', collectList);
  withRegistryFlags(command).action(async (url: string | undefined) => {
    const flags = command.optsWithGlobals<TagFlags>();
    if (url === undefined) throw usage('artifact name is required');
    if (flags.tag === undefined || flags.tag.length === 0) throw usage('--tag is required');
    const reference = artifactReference(url);
    await using registry = await openRegistry(flags, reference.registry);
    progress.action('tagging artifact');
    for (const tag of flags.tag) {
      await registry.client.tag(reference, tag, registry.signal);
      progress.success(`artifact tagged as ${formatRepository(reference)}:${tag}`);
    }
  });
}

type ListFlags = RegistryFlags & { filterSemver?: string; filterRegex?: string };

function listCommand(parent: Command): void {
  const command = parent
    .command('artifacts [url]')
    .alias('artifact')
    .description('List the tags of an OCI repository with their metadata')
    .option('--filter-semver <range>', 'filter tags returned from the oci repository using semver')
    .option('--filter-regex <regex>', 'filter tags returned from the oci repository using regex');
  withRegistryFlags(command).action(async (url: string | undefined) => {
    const flags = command.optsWithGlobals<ListFlags>();
    if (url === undefined) throw usage('artifact repository URL is required');
    const repository = artifactReference(url);
    await using registry = await openRegistry(flags, repository.registry);
    const filters = {
      ...(flags.filterSemver === undefined ? {} : { semver: flags.filterSemver }),
      ...(flags.filterRegex === undefined ? {} : { regex: flags.filterRegex }),
    };
    const rows = await listArtifacts(registry.client, repository, filters, registry.signal);
    process.stdout.write(
      formatTable(
        ['ARTIFACT', 'DIGEST', 'SOURCE', 'REVISION'],
        rows.map((row) => [row.artifact, row.digest, row.source, row.revision]),
      ),
    );
  });
}

type DiffFlags = RegistryFlags & ContentFlags;

function diffCommand(parent: Command): void {
  const command = parent
    .command('artifact [url]')
    .description('Compare a local folder or file with a published artifact')
    .option('--path <path>', 'path to the directory where the Kubernetes manifests are located');
  withContentFlags(withRegistryFlags(command)).action(async (url: string | undefined) => {
    const flags = command.optsWithGlobals<DiffFlags>();
    if (url === undefined) throw usage('artifact URL is required');
    if (flags.path === undefined || flags.path === '') throw usage('invalid path ""');
    const reference = artifactReference(url);
    const local = await readContent(flags);
    await using registry = await openRegistry(flags, reference.registry);
    const remote = await layerTree(await pullLayer(registry.client, reference, registry.signal));
    const changes = diffTrees(remote, local);
    if (changes.length === 0) progress.success('no changes detected');
    else reportChanges(changes);
  });
}

/** A10, and more than Flux says: which files. */
function reportChanges(changes: readonly TreeChange[]): void {
  const signs = { added: '+', removed: '-', changed: '~', mode: '~' } as const;
  for (const change of changes)
    process.stdout.write(`${signs[change.kind]} ${change.path}${change.kind === 'mode' ? ' (permissions)' : ''}\n`);
  progress.failure('the remote artifact contents differs from the local one');
  process.exitCode = 1;
}

/** `sluice build artifact`, for the `build` command of another file: writes the archive a push would upload. */
export function buildArtifactCommand(build: Command): void {
  const command = build
    .command('artifact')
    .description('Build an archive from a folder or file')
    .option('-p, --path <path>', 'path to the directory where the Kubernetes manifests are located')
    .option('-o, --output <path>', 'path to where the artifact tgz file should be written', 'artifact.tgz')
    .option('--resolve-symlinks', 'resolve symlinks by copying their targets into the artifact');
  withContentFlags(command).action(async () => {
    const flags = command.optsWithGlobals<ContentFlags & { output: string }>();
    if (flags.path === undefined || flags.path === '') throw usage('invalid path ""');
    progress.action(`building artifact from ${flags.path}`);
    const tree = await readContent(flags);
    await writeFolder(archiveTree({ [basename(flags.output)]: await writeArchive(tree, 'kept') }, 0o640), join(flags.output, '..'));
    progress.success(`artifact created at ${flags.output}`);
  });
}
