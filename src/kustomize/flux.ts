import { joinTreePath, type FileTree, type KubeObject } from '../manifest/index.ts';
import { buildKustomization, objectsText, type Build, type BuildOptions } from './build.ts';
import { DEFAULT_COMPOSE_LIMITS } from './compose.ts';
import { KustomizeError, wrapError } from './errors.ts';
import {
  KUSTOMIZATION_API_VERSION,
  KUSTOMIZATION_FILES,
  parseKustomization,
  type ImageFields,
  type Kustomization,
  type PatchFields,
  type SelectorFields,
} from './kustomization.ts';
import { absolute } from './loader.ts';
import { fileText, readObjects } from './read-documents.ts';

/** The fields of a Flux Kustomization's spec that change what is built (KB21, KB22). */
export type FluxKustomizationSpec = {
  targetNamespace?: string | undefined;
  namePrefix?: string | undefined;
  nameSuffix?: string | undefined;
  patches?: readonly { patch: string; target?: SelectorFields | undefined }[] | undefined;
  /** v1beta1 fields, still honoured. */
  patchesStrategicMerge?: readonly unknown[] | undefined;
  patchesJson6902?: readonly { patch: unknown; target: SelectorFields }[] | undefined;
  images?: readonly { name: string; newName?: string | undefined; newTag?: string | undefined; digest?: string | undefined }[] | undefined;
  components?: readonly string[] | undefined;
  ignoreMissingComponents?: boolean | undefined;
  buildMetadata?: readonly string[] | undefined;
};

export type FluxBuildOptions = Pick<BuildOptions, 'remote' | 'limits'> & {
  /**
   * Leaves files out of a generated kustomization, and entries out of the resources, components and crds of one that is there. Given a path
   * from the folder that is built. An artifact needs none: what it leaves out is not in it.
   */
  ignore?: ((path: string, isFolder: boolean) => boolean) | undefined;
};

/**
 * Builds a folder of an artifact as kustomize-controller does: a kustomization is generated where there is none (KB20), the spec is laid
 * over it (KB21, KB22), files may be anywhere in the tree but nowhere else (KB23), plugins and Helm charts are refused. The objects
 * are in load order.
 * Throws a CodedError (KustomizeErrorCode).
 */
export function buildFlux(tree: FileTree, path: string, spec: FluxKustomizationSpec = {}, options: FluxBuildOptions = {}): Build {
  const root = joinTreePath('', path);
  if (root === undefined) throw new KustomizeError('PathDenied', `'${path}' leaves the root of the files`, { subject: path });
  const reads = new Set<string>();
  const { ignore = () => false, ...limits } = options;
  const found = withoutIgnored(findOrGenerate(tree, root, reads, ignore), tree, root, ignore);
  const kustomization = overlay(tree, root, found, spec);
  const built = buildKustomization(tree, root, { ...limits, loadRestrictions: 'none', reorder: 'none', eagerSchema: true }, kustomization);
  const objects = built.objects.flatMap(toApplied);
  return { ...built, objects, text: () => objectsText(objects), reads: new Set([...reads, ...built.reads]) };
}

/** What Flux applies of a resource (KB24): the items of a list, nothing of what is no Kubernetes object or kustomize's own. */
function toApplied(object: KubeObject): KubeObject[] {
  const { items, apiVersion, kind } = object;
  if (Array.isArray(items)) return (items as unknown[]).filter(isKubeObject);
  if (!isKubeObject(object)) return [];
  return kind.toLowerCase() === 'kustomization' && apiVersion.startsWith('kustomize.config.k8s.io/') ? [] : [object];
}

function isKubeObject(value: unknown): value is KubeObject {
  if (typeof value !== 'object' || value === null) return false;
  const { apiVersion, kind, metadata } = value as Partial<KubeObject>;
  return isText(apiVersion) && isText(kind) && typeof metadata === 'object' && isText(metadata.name);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function inFolder(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

type Ignore = NonNullable<FluxBuildOptions['ignore']>;

function findOrGenerate(tree: FileTree, root: string, reads: Set<string>, ignore: Ignore): Kustomization {
  for (const name of KUSTOMIZATION_FILES) {
    const content = tree.read(inFolder(root, name));
    if (content === undefined) continue;
    reads.add(inFolder(root, name));
    const found = parseKustomization(content, 'lenient');
    const { resources = [] } = found;
    return resources.length === 0 ? { ...found, buildMetadata: ['originAnnotations'] } : found;
  }
  const resources = [...manifests(tree, root, '', reads, ignore)];
  const generated: Kustomization = { apiVersion: KUSTOMIZATION_API_VERSION, kind: 'Kustomization' };
  return resources.length === 0 ? { ...generated, namespace: '_placeholder' } : { ...generated, resources };
}

/** The manifests of a folder, and the folders in it that have a kustomization of their own. */
function* manifests(tree: FileTree, root: string, below: string, reads: Set<string>, ignore: Ignore): Generator<string> {
  for (const entry of tree.list(inFolder(root, below).replace(/\/$/, ''))) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    const full = inFolder(root, path);
    if (entry.kind === 'directory') {
      if (KUSTOMIZATION_FILES.some((name) => tree.read(`${full}/${name}`) !== undefined)) yield `./${path}`;
      else yield* manifests(tree, root, path, reads, ignore);
    } else if (/\.ya?ml$/.test(entry.name) && !ignore(path, false)) {
      checkManifest(tree, full, reads);
      yield `./${path}`;
    }
  }
}

/** The kustomization without the local resources, components and crds that are ignored. */
function withoutIgnored(kustomization: Kustomization, tree: FileTree, root: string, ignore: Ignore): Kustomization {
  const result = { ...kustomization };
  for (const key of ['resources', 'components', 'crds'] as const) {
    const kept = result[key]?.filter((entry) => !isIgnored(entry, tree, root, ignore));
    if (kept !== undefined) result[key] = kept;
  }
  return result;
}

function isIgnored(entry: string, tree: FileTree, root: string, ignore: Ignore): boolean {
  const full = /^[a-z][a-z0-9+.-]*:/i.test(entry) ? undefined : joinTreePath(root, entry);
  const start = root === '' ? '' : `${root}/`;
  if (full === undefined || full === root || !full.startsWith(start)) return false;
  return ignore(full.slice(start.length), tree.read(full) === undefined);
}

/** A file that is no Kubernetes YAML fails the build (KB20). */
function checkManifest(tree: FileTree, path: string, reads: Set<string>): void {
  reads.add(path);
  try {
    readObjects(fileText(tree.read(path) ?? new Uint8Array()), DEFAULT_COMPOSE_LIMITS);
  } catch (error) {
    throw wrapError(error, `failed to decode Kubernetes YAML from ${absolute(path)}`, 'YamlMalformed');
  }
}

function overlay(tree: FileTree, root: string, kustomization: Kustomization, spec: FluxKustomizationSpec): Kustomization {
  const result: Kustomization = { apiVersion: KUSTOMIZATION_API_VERSION, kind: 'Kustomization', ...kustomization };
  if (spec.targetNamespace !== undefined) result.namespace = spec.targetNamespace;
  if (spec.namePrefix !== undefined) result.namePrefix = spec.namePrefix;
  if (spec.nameSuffix !== undefined) result.nameSuffix = spec.nameSuffix;
  append(result, 'patches', (spec.patches ?? []).map(toPatch));
  append(result, 'components', components(tree, root, spec));
  append(
    result,
    'patchesStrategicMerge',
    (spec.patchesStrategicMerge ?? []).map((patch) => JSON.stringify(patch)),
  );
  append(
    result,
    'patchesJson6902',
    (spec.patchesJson6902 ?? []).map(({ patch, target }) => ({ patch: JSON.stringify(patch), target })),
  );
  if (spec.images !== undefined && spec.images.length > 0) result.images = mergeImages(result.images ?? [], spec.images);
  if (spec.buildMetadata !== undefined && spec.buildMetadata.length > 0) result.buildMetadata = [...spec.buildMetadata];
  return result;
}

function append<K extends 'patches' | 'components' | 'patchesStrategicMerge' | 'patchesJson6902'>(
  result: Kustomization,
  key: K,
  added: NonNullable<Kustomization[K]>,
): void {
  if (added.length > 0) Object.assign(result, { [key]: [...(result[key] ?? []), ...added] });
}

function toPatch({ patch, target }: { patch: string; target?: SelectorFields | undefined }): PatchFields {
  return target === undefined ? { patch } : { patch, target };
}

function components(tree: FileTree, root: string, { components: paths = [], ignoreMissingComponents }: FluxKustomizationSpec): string[] {
  return paths.filter((path) => {
    if (!isLocalRelative(path)) {
      throw new KustomizeError('PathDenied', `component path '${path}' must be local and relative`, { subject: path });
    }
    return ignoreMissingComponents !== true || exists(tree, joinTreePath(root, path));
  });
}

const REMOTE: readonly string[] = ['git::', 'gh:', 'ssh://', 'https://', 'http://', 'git@', 'github.com:', 'github.com/'];

function isLocalRelative(path: string): boolean {
  const lower = path.toLowerCase();
  if (REMOTE.some((prefix) => lower.length > prefix.length && lower.startsWith(prefix))) return false;
  return !path.startsWith('/') && !lower.replace(/^file:\/\//, '').startsWith('/');
}

function exists(tree: FileTree, path: string | undefined): boolean {
  return path !== undefined && (path === '' || tree.list(path).length > 0 || tree.read(path) !== undefined);
}

/** Images of the spec win over those of the file with the same name; tag and digest go together (KB21). */
function mergeImages(images: readonly ImageFields[], added: NonNullable<FluxKustomizationSpec['images']>): ImageFields[] {
  const result = images.map((image) => ({ ...image }));
  for (const { name, newName = '', newTag = '', digest = '' } of added) {
    const image = result.find((each) => each.name === name);
    if (image === undefined) {
      result.push({ name, newName, newTag, digest });
      continue;
    }
    if (newName !== '') image.newName = newName;
    if (newTag !== '' || digest !== '') Object.assign(image, { newTag, digest });
  }
  return result;
}
