import { writeYamlV3 } from '../golang/index.ts';
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
  return writeYamlV3(ordered(origin), { compactSequences: true });
}

/** The text of the annotation `alpha.config.kubernetes.io/transformations`. */
export function transformationsText(transformations: readonly Origin[]): string {
  return writeYamlV3(transformations.map(ordered), { compactSequences: true });
}

/** The fields in the order of kustomize's struct. */
function ordered({ path, repo, ref, configuredIn, configuredBy }: Origin): { [key: string]: string | { [key: string]: string } } {
  const entries = Object.entries({ path, repo, ref, configuredIn, configuredBy }).filter(
    (entry): entry is [string, string | { apiVersion: string; kind: string }] => entry[1] !== undefined && entry[1] !== '',
  );
  return Object.fromEntries(entries);
}
