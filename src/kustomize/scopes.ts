import { apiVersionOf, type Gvk, type ResId } from './gvk.ts';
import type { MergeSchema } from './openapi.ts';
import { BUILTIN_MERGE_SCHEMA } from './openapi-data.ts';

/** What a build knows of the kinds beyond Kubernetes' own: a custom OpenAPI schema, if it was given one. */
export type Scopes = { custom: MergeSchema | undefined };

const builtin: ReadonlyMap<string, boolean> = new Map(Object.entries(BUILTIN_MERGE_SCHEMA.namespaced));

/** True when a kind is known to live outside namespaces. */
export function isClusterScopedIn(scopes: Scopes, gvk: Gvk): boolean {
  const key = `${apiVersionOf(gvk)}/${gvk.kind}`;
  const namespaced = builtin.get(key) ?? scopes.custom?.namespaced[key];
  return namespaced === false;
}

/** Makes an id, looking its scope up. */
export function makeId(gvk: Gvk, name: string, namespace: string, scopes: Scopes): ResId {
  const { group, version, kind } = gvk;
  return { group, version, kind, name, namespace, clusterScoped: isClusterScopedIn(scopes, gvk) };
}
