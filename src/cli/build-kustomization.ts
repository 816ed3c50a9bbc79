import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { kustomizeKeys } from '../api/index.ts';
import { compileIgnore, ignoreSets, parseIgnoreText, type Ignore, type IgnorePattern } from '../artifact/index.ts';
import { isYamlObject, readYamlDocuments, writeYaml, type YamlObject, type YamlValue } from '../golang/index.ts';
import { buildFlux, type Diagnostic, type FluxKustomizationSpec } from '../kustomize/index.ts';
import type { FileTree, KubeObject } from '../manifest/index.ts';
import { prepareVariables, substituteObject } from '../substitute/index.ts';
import { collectList } from './argv.ts';
import { usage } from './artifact-registry.ts';
import { directoryTree, diskPath, diskTree } from './directory-tree.ts';
import { maskSops } from './mask-sops.ts';
import { progress } from './progress.ts';

type Flags = {
  path?: string;
  kustomizationFile?: string;
  ignorePaths?: string[];
  dryRun?: boolean;
  strictSubstitute?: boolean;
  recursive?: boolean;
  localSources?: string[];
  namespace: string;
};

/** `sluice build kustomization`: what a Kustomization would apply, from local folders, without a cluster. */
export function buildKustomizationCommand(parent: Command): void {
  const command = parent
    .command('kustomization <name>')
    .alias('ks')
    .description('Print the objects a Kustomization would apply, built from a local folder')
    .option('--path <folder>', 'path to the manifests')
    .option('--kustomization-file <file>', 'path to the Flux Kustomization file')
    .option('--ignore-paths <patterns>', 'set paths to ignore in .gitignore format', collectList)
    .option('--dry-run', 'do not ask a cluster (this command never does)')
    .option('--strict-substitute', 'fail on variables that are not set')
    .option('-r, --recursive', 'build the Kustomizations among the objects too')
    .option('--local-sources <sources>', 'folders of their sources: Kind/namespace/name=path,…', collectList)
    .option('--in-memory-build', 'build in memory (this command always does)');
  command.action((name: string) => {
    const flags = command.optsWithGlobals<Flags>();
    const objects = new LocalBuild(flags).build(rootKustomization(name, flags), checkedPath(flags.path));
    process.stdout.write(objects.map((object) => `${writeYaml(object as YamlObject)}---\n`).join(''));
  });
}

/** Shows what a build warns of, beside its output. */
export function showWarnings(diagnostics: readonly Diagnostic[]): void {
  for (const { message } of diagnostics) process.stderr.write(`${message.trimEnd()}\n`);
}

function checkedPath(path = ''): string {
  if (path === '') throw usage('invalid resource path ""', 'give the folder to build with --path');
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) throw usage(`invalid resource path ${JSON.stringify(path)}`);
  return path;
}

/** The part of a Kustomization a local build needs. */
type LocalKustomization = { readonly name: string; readonly namespace: string; readonly spec: YamlObject };

function rootKustomization(name: string, { kustomizationFile: file, dryRun, namespace }: Flags): LocalKustomization {
  if (file === undefined) {
    if (dryRun === true) throw usage('dry-run mode requires a kustomization file', 'give one with --kustomization-file');
    return { name, namespace, spec: {} };
  }
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) throw usage(`invalid kustomization file ${JSON.stringify(file)}`);
  const found = readYamlDocuments(readFileSync(file))
    .filter(isYamlObject)
    .filter(isKustomization)
    .map((document) => toLocal(document, namespace))
    .find((each) => each.name === name && each.namespace === namespace);
  if (found === undefined) throw usage(`failed find kustomization with name '${name}' and namespace '${namespace}' in file '${file}'`);
  return found;
}

function isKustomization({ apiVersion, kind }: { readonly [field: string]: unknown }): boolean {
  return kind === 'Kustomization' && typeof apiVersion === 'string' && apiVersion.startsWith('kustomize.toolkit.fluxcd.io/');
}

function toLocal(document: YamlObject, defaultNamespace: string): LocalKustomization {
  const metadata = asObject(document['metadata']);
  return {
    name: asText(metadata['name']),
    namespace: asText(metadata['namespace']) || defaultNamespace,
    spec: asObject(document['spec']),
  };
}

/** Kustomizations inside Kustomizations that are built, one inside the other. */
const MAX_DEPTH = 50;

/** Builds Kustomizations from folders of the disk. */
class LocalBuild {
  readonly #flags: Flags;
  readonly #sources: ReadonlyMap<string, string>;

  constructor(flags: Flags) {
    this.#flags = flags;
    this.#sources = new Map((flags.localSources ?? []).map(toSource));
  }

  build(kustomization: LocalKustomization, folder: string, depth = 0): KubeObject[] {
    if (depth > MAX_DEPTH) throw usage(`Kustomizations inside Kustomizations are more than ${MAX_DEPTH} deep`);
    const objects = this.#buildOne(kustomization, folder);
    if (this.#flags.recursive !== true) return objects;
    const inner = objects
      .filter(isKustomization)
      .map((object) => toLocal(object as YamlObject, kustomization.namespace))
      .filter(({ name, namespace }) => name !== kustomization.name || namespace !== kustomization.namespace);
    return [...objects, ...inner.flatMap((each) => this.build(each, this.#folderOf(each), depth + 1))];
  }

  #buildOne({ name, namespace, spec }: LocalKustomization, folder: string): KubeObject[] {
    const ignore = ignoreIn(folder, this.#flags.ignorePaths ?? []);
    const built = buildFlux(diskTree(), diskPath(folder), spec as FluxKustomizationSpec, { ignore });
    showWarnings(built.diagnostics);
    const postBuild = asObject(spec['postBuild']);
    if (postBuild['substituteFrom'] !== undefined) progress.warning('substituteFrom is not read: this build asks no cluster');
    const variables = prepareVariables([textEntries(postBuild['substitute'])]);
    const options = { strict: this.#flags.strictSubstitute === true, always: postBuild['substituteStrategy'] === 'Always' };
    const common = asObject(spec['commonMetadata']);
    return built.objects
      .map((object) => substituteObject(object, variables, options, `${object.kind}/${object.metadata.name}`))
      .map((object) => withMetadata(object, { [kustomizeKeys.ownerName]: name, [kustomizeKeys.ownerNamespace]: namespace }, {}))
      .map(maskSops)
      .map((object) =>
        withMetadata(object, Object.fromEntries(textEntries(common['labels'])), Object.fromEntries(textEntries(common['annotations']))),
      );
  }

  #folderOf({ name, namespace, spec }: LocalKustomization): string {
    const source = asObject(spec['sourceRef']);
    const key = `${asText(source['kind'])}/${asText(source['namespace']) || namespace}/${asText(source['name'])}`;
    const folder = this.#sources.get(key);
    if (folder === undefined) throw usage(`cannot get local path for ${key} of kustomization ${name}`, 'give one with --local-sources');
    return checkedPath(join(folder, asText(spec['path'])));
  }
}

function toSource(text: string): [string, string] {
  const equals = text.indexOf('=');
  if (equals < 0) throw usage(`invalid local source ${JSON.stringify(text)}`, 'write Kind/namespace/name=path');
  return [text.slice(0, equals), text.slice(equals + 1)];
}

type Texts = Readonly<Record<string, string>>;

function withMetadata(object: KubeObject, labels: Texts, annotations: Texts): KubeObject {
  const { metadata } = object;
  const merged = { labels: { ...metadata.labels, ...labels }, annotations: { ...metadata.annotations, ...annotations } };
  const kept = Object.entries(merged).filter(([, texts]) => Object.keys(texts).length > 0);
  return { ...object, metadata: { ...metadata, ...Object.fromEntries(kept) } };
}

/** What a build of a folder leaves out: the files' own `.sourceignore`, and what `--ignore-paths` adds to it, over Flux's default sets. */
function ignoreIn(folder: string, patterns: readonly string[]): Ignore {
  const defaults = [...ignoreSets.vcs, ...ignoreSets.extensions, ...ignoreSets.ci, ...ignoreSets.extra];
  const own = patternsIn(directoryTree(folder), []);
  return compileIgnore([...parseIgnoreText(defaults.join('\n')), ...own, ...parseIgnoreText(patterns.join('\n'))]);
}

const MAX_FOLDER_DEPTH = 100;

/** The patterns of every `.sourceignore` in a folder and below, outer ones first. */
function patternsIn(tree: FileTree, domain: readonly string[]): IgnorePattern[] {
  const folder = domain.join('/');
  const file = tree.read(folder === '' ? '.sourceignore' : `${folder}/.sourceignore`);
  const own = file === undefined ? [] : parseIgnoreText(Buffer.from(file).toString('utf8'), domain);
  if (domain.length >= MAX_FOLDER_DEPTH) return own;
  const inner = tree.list(folder).filter(({ name, kind }) => kind === 'directory' && name !== '.git');
  return [...own, ...inner.flatMap(({ name }) => patternsIn(tree, [...domain, name]))];
}

function textEntries(value: YamlValue | undefined): [string, string][] {
  return Object.entries(asObject(value)).map(([key, text]) => [key, String(text)]);
}

function asObject(value: YamlValue | undefined): YamlObject {
  return isYamlObject(value) ? value : {};
}

function asText(value: YamlValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
