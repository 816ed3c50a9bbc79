import { newNode, writeNode, type YamlNode } from '../golang/index.ts';
import type { Origin, Resource } from './resource.ts';
import { parseRepoUrl } from './remote.ts';

/** The origin of something at `path` seen from `origin`. */
export function appendOrigin(origin: Origin, path: string): Origin {
  const repo = parseRepoUrl(path);
  if (repo === undefined) return { ...origin, path: joinPath(origin.path ?? '', path) };
  return { repo: repo.clone, ...(repo.ref === '' ? {} : { ref: repo.ref }), ...(repo.path === '' ? {} : { path: repo.path }) };
}

/** filepath.Join. */
export function joinPath(...parts: readonly string[]): string {
  const joined = parts.filter((part) => part !== '').join('/');
  const result: string[] = [];
  for (const part of joined.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && result.length > 0 && result.at(-1) !== '..') result.pop();
    else if (part !== '..' || !joined.startsWith('/')) result.push(part);
  }
  const path = result.join('/');
  return joined.startsWith('/') ? `/${path}` : path;
}

/** The origin of what a plugin, itself a resource, makes or changes. */
export function pluginOrigin(plugin: Resource): Origin | undefined {
  const { origin } = plugin.state;
  if (origin === undefined) return undefined;
  const { repo, ref, path } = origin;
  return {
    ...(repo === undefined ? {} : { repo }),
    ...(ref === undefined ? {} : { ref }),
    ...(path === undefined ? {} : { configuredIn: path }),
    configuredBy: {
      apiVersion: plugin.apiVersion,
      kind: plugin.kind,
      name: plugin.name,
      ...(plugin.namespace === '' ? {} : { namespace: plugin.namespace }),
    },
  };
}

/** The text of the annotation `config.kubernetes.io/origin`. */
export function originText(origin: Origin): string {
  return writeNode(originNode(origin));
}

/** The text of the annotation `alpha.config.kubernetes.io/transformations`. */
export function transformationsText(transformations: readonly Origin[]): string {
  const list = newNode('sequence', '!!seq', '');
  list.content.push(...transformations.map(originNode));
  return writeNode(list);
}

/** The fields in the order of kustomize's struct. */
function originNode({ path, repo, ref, configuredIn, configuredBy }: Origin): YamlNode {
  const node = mappingNode({ path, repo, ref, configuredIn });
  if (configuredBy === undefined) return node;
  const { apiVersion, kind, name, namespace } = configuredBy;
  node.content.push(newNode('scalar', '!!str', 'configuredBy'), mappingNode({ apiVersion, kind, name, namespace }));
  return node;
}

function mappingNode(fields: Readonly<Record<string, string | undefined>>): YamlNode {
  const node = newNode('mapping', '!!map', '');
  for (const [key, value] of Object.entries(fields)) {
    if (value !== undefined && value !== '') node.content.push(newNode('scalar', '!!str', key), newNode('scalar', '!!str', value));
  }
  return node;
}
