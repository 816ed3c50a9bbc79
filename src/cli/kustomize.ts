import { readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { kustomizeKeys } from '../api/index.ts';
import { compileIgnore, parseIgnoreText } from '../artifact/index.ts';
import { isYamlObject, readYamlDocuments, writeYaml, type YamlObject, type YamlValue } from '../golang/index.ts';
import { build, buildFlux, type BuildOptions, type Diagnostic, type FluxKustomizationSpec } from '../kustomize/index.ts';
import type { FileTree, KubeObject } from '../manifest/index.ts';
import { prepareVariables, substituteObject } from '../substitute/index.ts';
import { usage } from './artifact-registry.ts';
import { collectList } from './argv.ts';
import { directoryTree } from './directory-tree.ts';
import { inflateVendoredChart } from './kustomize-charts.ts';
import { progress } from './progress.ts';

/** `sluice kustomize build` and `sluice build kustomization`: both offline, both the engine the controller runs. */
export function kustomizeCommands(program: Command): void {
  buildCommand(program.command('kustomize').description('Build kustomizations'));
  fluxBuildCommand(program.command('build').description('Build resources locally'));
}

type BuildFlags = {
  output?: string;
  loadRestrictor: string;
  reorder?: 'legacy' | 'none';
  enableHelm?: boolean;
  enableManagedbyLabel?: boolean;
};

function buildCommand(parent: Command): void {
  const command = parent
    .command('build [folder]')
    .description('Print what `kustomize build` prints for a folder')
    .option('-o, --output <file>', 'write the result to a file')
    .addOption(
      new Option('--load-restrictor <restriction>', 'which files a kustomization may read')
        .choices(['LoadRestrictionsRootOnly', 'LoadRestrictionsNone'])
        .default('LoadRestrictionsRootOnly'),
    )
    .addOption(new Option('--reorder <order>', 'order of the resources').choices(['legacy', 'none']))
    .option('--enable-helm', 'inflate vendored charts of helmCharts')
    .option('--enable-managedby-label', 'add the label app.kubernetes.io/managed-by');
  command.action((folder: string | undefined) => {
    const flags = command.optsWithGlobals<BuildFlags>();
    const options: BuildOptions = {
      isWholeFileSystem: true,
      realPath,
      loadRestrictions: flags.loadRestrictor === 'LoadRestrictionsNone' ? 'none' : 'rootOnly',
      managedByLabel: flags.enableManagedbyLabel === true,
      ...(flags.reorder === undefined ? {} : { reorder: flags.reorder }),
      ...(flags.enableHelm === true ? { inflateHelmChart: inflateVendoredChart } : {}),
    };
    const built = build(directoryTree('/'), treePath(folder ?? '.'), options);
    warn(built.diagnostics);
    if (flags.output === undefined) process.stdout.write(built.text());
    else writeFileSync(flags.output, built.text());
  });
}

/** A folder given on the command line as a path of the whole disk's tree. */
function treePath(folder: string): string {
  return realPath(resolve(folder).slice(1));
}

/** Where a path of the whole disk's tree really is; the path itself if nothing is there. */
function realPath(path: string): string {
  const full = `/${path}`;
  return statSync(full, { throwIfNoEntry: false }) === undefined ? path : realpathSync(full).slice(1);
}

function warn(diagnostics: readonly Diagnostic[]): void {
  for (const { message } of diagnostics) process.stderr.write(`${message.trimEnd()}\n`);
}

type FluxBuildFlags = {
  path?: string;
  kustomizationFile?: string;
  ignorePaths?: string[];
  dryRun?: boolean;
  strictSubstitute?: boolean;
  namespace: string;
};

function fluxBuildCommand(parent: Command): void {
  const command = parent
    .command('kustomization <name>')
    .alias('ks')
    .description('Print the objects a Kustomization would apply, built from a local folder')
    .option('--path <folder>', 'path to the manifests')
    .option('--kustomization-file <file>', 'path to the Flux Kustomization file')
    .option('--ignore-paths <patterns>', 'set paths to ignore in .gitignore format', collectList)
    .option('--dry-run', 'do not ask a cluster (this command never does)')
    .option('--strict-substitute', 'fail on variables that are not set')
    .option('--in-memory-build', 'build in memory (this command always does)');
  command.action((name: string) => {
    const flags = command.optsWithGlobals<FluxBuildFlags>();
    if (flags.path === undefined || flags.path === '') throw usage('invalid resource path ""', 'give the folder to build with --path');
    if (statSync(flags.path, { throwIfNoEntry: false })?.isDirectory() !== true)
      throw usage(`invalid resource path ${JSON.stringify(flags.path)}`);
    const kustomization = flags.kustomizationFile === undefined ? undefined : readKustomization(flags.kustomizationFile, name);
    process.stdout.write(fluxBuild(name, flags, kustomization));
  });
}

function fluxBuild(name: string, flags: FluxBuildFlags, kustomization: YamlObject | undefined): string {
  const spec = asObject(kustomization?.['spec']);
  const root = treePath(flags.path ?? '.');
  const tree = withoutIgnored(directoryTree('/'), root, flags.ignorePaths ?? []);
  const built = buildFlux(tree, root, spec as FluxKustomizationSpec);
  warn(built.diagnostics);
  const postBuild = asObject(spec['postBuild']);
  const values = Object.entries(asObject(postBuild['substitute'])).map(([key, value]): [string, string] => [key, String(value)]);
  if (postBuild['substituteFrom'] !== undefined) progress.warning('substituteFrom is not read: this build asks no cluster');
  const variables = prepareVariables([values]);
  const always = postBuild['substituteStrategy'] === 'Always';
  const metadata = asObject(kustomization?.['metadata']);
  const namespace = typeof metadata['namespace'] === 'string' ? metadata['namespace'] : flags.namespace;
  return built.objects
    .map((object) =>
      substituteObject(object, variables, { strict: flags.strictSubstitute === true, always }, `${object.kind}/${object.metadata.name}`),
    )
    .map((object) => `---\n${writeYaml(owned(object, name, namespace) as YamlObject)}`)
    .join('');
}

/** The object with the labels that say which Kustomization owns it. */
function owned(object: KubeObject, name: string, namespace: string): KubeObject {
  const { metadata } = object;
  return {
    ...object,
    metadata: { ...metadata, labels: { ...metadata.labels, [kustomizeKeys.ownerName]: name, [kustomizeKeys.ownerNamespace]: namespace } },
  };
}

function readKustomization(file: string, name: string): YamlObject {
  const found = readYamlDocuments(readFileSync(file))
    .filter(isYamlObject)
    .find((document) => document['kind'] === 'Kustomization' && asObject(document['metadata'])['name'] === name);
  if (found === undefined) throw usage(`failed find kustomization with name '${name}' in file '${file}'`);
  return found;
}

function asObject(value: YamlValue | undefined): YamlObject {
  return isYamlObject(value) ? value : {};
}

/** The tree without what `--ignore-paths` names, seen from the folder that is built. */
function withoutIgnored(tree: FileTree, root: string, patterns: readonly string[]): FileTree {
  if (patterns.length === 0) return tree;
  const ignore = compileIgnore(parseIgnoreText(patterns.join('\n')));
  const inside = (path: string): string | undefined => (path.startsWith(`${root}/`) ? path.slice(root.length + 1) : undefined);
  return {
    read: (path) => tree.read(path),
    list: (folder) =>
      tree.list(folder).filter(({ name, kind }) => {
        const path = inside(`${folder}/${name}`);
        return path === undefined || !ignore(path, kind === 'directory');
      }),
  };
}
