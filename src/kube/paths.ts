import type { Resource } from './kube-client.ts';

/** Query parameters; undefined and empty values are left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** URL path of a collection, an object (`name` given) or a subresource, with its query. Every segment is percent-encoded. */
export function resourcePath(
  resource: Pick<Resource, 'group' | 'version' | 'name' | 'namespaced'>,
  at: { namespace?: string | undefined; name?: string; subresource?: string | undefined },
  query: Query = {},
): string {
  let path = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  if (resource.namespaced && at.namespace !== undefined && at.namespace !== '') path += `/namespaces/${encodeURIComponent(at.namespace)}`;
  path += `/${resource.name}`;
  if (at.name !== undefined) path += `/${encodeURIComponent(at.name)}`;
  if (at.subresource !== undefined) path += `/${at.subresource}`;
  return path + queryText(query);
}

/** `?a=b&c=d`, or nothing. */
export function queryText(query: Query): string {
  let text = '';
  for (const [key, value] of Object.entries(query)) {
    if (value === undefined || value === '' || value === false) continue;
    text += `${text === '' ? '?' : '&'}${key}=${encodeURIComponent(value)}`;
  }
  return text;
}
