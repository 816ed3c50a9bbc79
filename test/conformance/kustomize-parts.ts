/* The parts of the engine that the cases of single plugins and filters run. */
import { isYamlObject, readYaml, writeYaml, type YamlObject } from '../../src/golang/index.ts';
import { BuildContext, DEFAULT_BUILD_LIMITS } from '../../src/kustomize/build-context.ts';
import { Loader } from '../../src/kustomize/loader.ts';
import { loadGeneratorPlugins, loadTransformerPlugins } from '../../src/kustomize/plugins.ts';
import { readObjects } from '../../src/kustomize/read-documents.ts';
import { ResourceList } from '../../src/kustomize/resource-list.ts';
import { metaMap, setMetaMap, toResource } from '../../src/kustomize/resource.ts';
import { Schemas } from '../../src/kustomize/schemas.ts';
import { sortByOptions } from '../../src/kustomize/transform/sort.ts';
import { toPlainObject } from '../../src/kustomize/plain.ts';
import type { SortOptionFields } from '../../src/kustomize/kustomization.ts';
import type { FileTree } from '../../src/manifest/index.ts';

export function newContext(): BuildContext {
  return new BuildContext(DEFAULT_BUILD_LIMITS, undefined, new Schemas());
}

export function newLoader(tree: FileTree): Loader {
  return Loader.at(tree, '', 'rootOnly', {
    remote: undefined,
    reads: new Set(),
    maxDepth: 100,
    isWholeFileSystem: true,
    realPath: undefined,
    countBytes: () => undefined,
  });
}

/** The resources of a text, as a transformer gets them. */
export function resourcesOf(text: string, context: BuildContext): ResourceList {
  const list = new ResourceList();
  list.appendAll(readObjects(text).map((object) => toResource(object, context.schemas)));
  return list;
}

/** Runs a plugin: a transformer over resources, or a generator when there are none. */
export function pluginRun(tree: FileTree, config: string, input: string | undefined): ResourceList {
  const context = newContext();
  const loader = newLoader(tree);
  const plugins = resourcesOf(config, context).items;
  if (input === undefined) {
    return new ResourceList(loadGeneratorPlugins(plugins, loader, context).flatMap(({ generate }) => generate()));
  }
  const list = resourcesOf(input, context);
  if (plugins[0]?.kind === 'SortOrderTransformer') {
    sortByOptions(list, sortOptionsOf(config));
    return list;
  }
  for (const step of loadTransformerPlugins(plugins, loader, context)) step.transform(list);
  return new ResourceList(list.items.filter((resource) => !resource.removed));
}

function sortOptionsOf(config: string): SortOptionFields {
  const value = readYaml(config);
  const options: YamlObject =
    isYamlObject(value) && isYamlObject(value['sortOptions'] ?? null) ? (value['sortOptions'] as YamlObject) : { order: 'fifo' };
  return options as SortOptionFields;
}

/** The resources as text, without the annotations of the build. */
export function outputOf(list: ResourceList): string {
  return list.items
    .map(({ object }) => {
      const annotations = metaMap(object, 'annotations');
      for (const name of annotations.keys()) if (name.startsWith('internal.config.kubernetes.io/')) annotations.delete(name);
      setMetaMap(object, 'annotations', annotations);
      return writeYaml(toPlainObject(object));
    })
    .join('---\n');
}
