import type { KubeObject, FileTree } from '../manifest/index.ts';
import { writeYaml, type YamlObject } from '../golang/index.ts';
import { Target } from './accumulate.ts';
import { BuildContext, DEFAULT_BUILD_LIMITS, type BuildLimits, type Diagnostic, type InflateHelmChart } from './build-context.ts';
import { KustomizeError } from './errors.ts';
import type { Kustomization } from './kustomization.ts';
import { Loader, type LoadContext, type LoadRestrictions, type RemoteLoader } from './loader.ts';
import { originText, transformationsText } from './origin.ts';
import { validObject } from './read-documents.ts';
import { makePlain } from './plain.ts';
import { ResourceList } from './resource-list.ts';
import { metaMap, setMetaMap, type Resource } from './resource.ts';
import { Schemas } from './schemas.ts';
import { setEntries } from './transform/entries.ts';
import { isMissing } from './value.ts';
import { addHashes } from './transform/hash.ts';
import { fixNameReferences } from './transform/name-references.ts';
import { sortByOptions, sortLegacy } from './transform/sort.ts';
import { resolveVars } from './transform/vars.ts';
import type { Accumulator } from './accumulator.ts';

export type BuildOptions = {
  /** `rootOnly` (default): a kustomization reads files in or below its own folder. `none`: all of the tree. */
  loadRestrictions?: LoadRestrictions;
  /** `legacy` (default, as the CLI): by kind. `none`: as loaded. A kustomization's sortOptions come first. */
  reorder?: 'legacy' | 'none';
  /** Add the label `app.kubernetes.io/managed-by`, as `--enable-managedby-label` does. */
  managedByLabel?: boolean;
  /** Fetches remote bases and files. Without it they are refused. */
  remote?: RemoteLoader;
  /** Renders `helmCharts`. Without it they are refused. */
  inflateHelmChart?: InflateHelmChart;
  limits?: Partial<BuildLimits>;
  /** The tree is a whole file system, whose root is its own parent. Otherwise a path that leaves the tree is an error. */
  isWholeFileSystem?: boolean;
  /** Where a path of the tree really is, if the tree has links. Load restrictions are about where files really are. */
  realPath?: (path: string) => string;
};

/** {@link BuildOptions} and what only this room sets. */
export type InnerBuildOptions = BuildOptions & {
  /** Read Kubernetes' own schema at once, as Flux does. */
  eagerSchema?: boolean;
};

/** What a build makes. */
export type Build = {
  objects: KubeObject[];
  /** The objects as `kustomize build` prints them. */
  text(): string;
  /** Paths of the tree that were read. The result depends on nothing else. */
  reads: ReadonlySet<string>;
  diagnostics: Diagnostic[];
};

/**
 * Builds the kustomization in a folder of a tree, as `kustomize build` 5.8.1 does.
 * Throws a CodedError (KustomizeErrorCode) with kustomize's text when the kustomization is wrong or a budget is crossed.
 */
export function build(tree: FileTree, path: string, options: BuildOptions = {}): Build {
  return buildKustomization(tree, path, options, undefined);
}

/** {@link build} with the kustomization of the outermost folder given instead of read. */
export function buildKustomization(tree: FileTree, path: string, options: InnerBuildOptions, given: Kustomization | undefined): Build {
  return withinStack(() => runBuild(tree, path, options, given));
}

function runBuild(tree: FileTree, path: string, options: InnerBuildOptions, given: Kustomization | undefined): Build {
  const limits = { ...DEFAULT_BUILD_LIMITS, ...options.limits };
  const context = new BuildContext(limits, options.inflateHelmChart, new Schemas(options.eagerSchema === true));
  const reads = new Set<string>();
  const loading: LoadContext = {
    remote: options.remote,
    reads,
    maxDepth: limits.maxBaseDepth,
    isWholeFileSystem: options.isWholeFileSystem === true,
    realPath: options.realPath,
    countBytes: (bytes) => context.count('bytes', bytes),
  };
  const loader = Loader.at(tree, path, options.loadRestrictions ?? 'rootOnly', loading);
  const target = Target.load(loader, context, given);
  target.useSchema(true);
  const accumulated = target.accumulateAll();
  finish(accumulated, context);
  order(accumulated.resources, target.kustomization, options, context);
  const objects = accumulated.resources.items.map((resource) => toObject(resource, target.kustomization, options));
  return { objects, text: () => objectsText(objects), reads, diagnostics: context.diagnostics };
}

/** Characters of the text of a build; a JavaScript string cannot be much longer. */
const MAX_TEXT = 500_000_000;

/** Objects as `kustomize build` prints them. */
export function objectsText(objects: readonly KubeObject[]): string {
  let length = 0;
  const texts = withinStack(() =>
    objects.map((object) => {
      const text = writeYaml(object as YamlObject);
      length += text.length + 4;
      if (length > MAX_TEXT) throw new KustomizeError('LimitExceeded', `print the objects: their text exceeds ${MAX_TEXT} characters`);
      return text;
    }),
  );
  return texts.join('---\n');
}

/** Patches can nest values deeper, and join texts longer, than any document may be: JavaScript's own bounds stop that. */
function withinStack<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new KustomizeError('LimitExceeded', `build kustomization: values are nested too deeply or too long: ${error.message}`, {
      cause: error,
    });
  }
}

/** What is done once, at the very end: hashes, references to names, vars. */
function finish({ resources, config, vars }: Accumulator, context: BuildContext): void {
  addHashes(resources);
  fixNameReferences(resources, config.nameReference);
  const unused = resolveVars(resources, vars.sorted, config.varReference, context.spend);
  if (unused.length > 0) {
    const message = `well-defined vars that were never replaced: ${unused.join(',')}\n`;
    context.diagnostics.push({ severity: 'warning', code: 'UnusedVar', message });
  }
  dropLocal(resources);
}

const LOCAL = 'config.kubernetes.io/local-config';

/** Resources marked as local are for the build only. */
function dropLocal(resources: ResourceList): void {
  const kept = resources.items.filter((resource) => {
    const { object } = resource;
    // A patch may have taken what makes it an object.
    if (resource.kind === '' || isMissing(object['kind']) || resource.name === '') validObject(resource.describe());
    const mark = metaMap(object, 'annotations').get(LOCAL);
    return mark === undefined || mark === 'false';
  });
  if (kept.length < resources.size) resources.setItems([...kept]);
}

function order(resources: ResourceList, { sortOptions }: Kustomization, options: BuildOptions, context: BuildContext): void {
  if (sortOptions !== undefined) {
    if (options.reorder !== undefined) {
      const message =
        "Warning: Sorting order is set both in 'kustomization.yaml' ('sortOptions') and in a CLI flag ('--reorder'). Using the kustomization file over the CLI flag.";
      context.diagnostics.push({ severity: 'warning', code: 'SortOrderOverridden', message });
    }
    sortByOptions(resources, sortOptions);
  } else if (options.reorder !== 'none') {
    sortLegacy(resources);
  }
}

const INTERNAL: readonly string[] = [
  'previousKinds',
  'previousNames',
  'prefixes',
  'suffixes',
  'previousNamespaces',
  'allowNameChange',
  'allowKindChange',
  'refBy',
  'generatorBehavior',
  'needsHashSuffix',
  'path',
  'index',
  'seqindent',
  'id',
  'annotations-migration-resource-id',
  'helm-generated',
].map((name) => `internal.config.kubernetes.io/${name}`);
/** Annotations of kustomize's own that never reach a cluster. */
const REMOVED: readonly string[] = [...INTERNAL, 'config.kubernetes.io/path', 'config.kubernetes.io/index', 'config.k8s.io/id'];
const ORIGIN = 'config.kubernetes.io/origin';
const TRANSFORMATIONS = 'alpha.config.kubernetes.io/transformations';
const METADATA_LABELS = [{ group: '', version: '', kind: '', path: 'metadata/labels', create: true }];
const MANAGED_BY = new Map([['app.kubernetes.io/managed-by', 'kustomize-v5.8.1']]);

/** The finished object: annotations are texts, those of the build are gone or written as buildMetadata says. */
function toObject(resource: Resource, { buildMetadata = [] }: Kustomization, options: BuildOptions): KubeObject {
  const { object, state } = resource;
  if (options.managedByLabel === true || buildMetadata.includes('managedByLabel')) setManagedBy(resource);
  const annotations = metaMap(object, 'annotations');
  for (const name of REMOVED) annotations.delete(name);
  annotations.delete(ORIGIN);
  annotations.delete(TRANSFORMATIONS);
  if (buildMetadata.includes('originAnnotations') && state.origin !== undefined) annotations.set(ORIGIN, originText(state.origin));
  if (buildMetadata.includes('transformerAnnotations') && state.transformations.length > 0) {
    annotations.set(TRANSFORMATIONS, transformationsText(state.transformations));
  }
  setMetaMap(object, 'annotations', annotations);
  return makePlain(object) as unknown as KubeObject;
}

function setManagedBy(resource: Resource): void {
  setEntries(new ResourceList([resource]), MANAGED_BY, METADATA_LABELS);
}
