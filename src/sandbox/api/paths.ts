import { recordedVersion } from '../catalog/built-in.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { aggregated, coreVersions, groupDocumentOf, groupList, resourceList } from '../discovery/discovery.ts';
import { notAcceptable, pathNotFound } from '../request/status.ts';
import type { Store } from '../storage/store.ts';
import { type ApiReply, type ApiRequest, header, json, nothingThere, text } from './call.ts';
import { openApiV2, openApiV3, openApiV3Index } from './openapi.ts';

/** What the paths that are no resources tell about. */
export type Served = { store: Store; catalog: Catalog; address: string };

/** Answers what is not a resource: version, health, discovery, OpenAPI. @throws StatusError 404, 406 */
export function answerPath(served: Served, request: ApiRequest, url: URL): ApiReply {
  const { catalog } = served;
  const accept = header(request, 'accept') ?? '';
  const parts = url.pathname.split('/').filter((part) => part !== '');
  const [first, second] = parts;
  if (first === 'version') return json(recordedVersion());
  if (first !== undefined && HEALTH.includes(first)) return health(first, parts.slice(1).join('/'), url.searchParams.has('verbose'));
  if (first === 'openapi') return openApi(served, accept, parts);
  const wantsAggregated = /as=APIGroupDiscoveryList/.test(accept);
  const document = discoveryDocument(served, parts, wantsAggregated);
  if (document === undefined) {
    if (first === 'api' || (first === 'apis' && catalog.groups().has(second ?? ''))) throw pathNotFound();
    return nothingThere();
  }
  const isAggregated = wantsAggregated && second === undefined;
  return json(
    document,
    200,
    isAggregated ? { 'content-type': 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' } : {},
  );
}

const HEALTH = ['healthz', 'livez', 'readyz'];
const CHECKS = [
  'ping',
  'log',
  'etcd',
  'informer-sync',
  'poststarthook/start-apiextensions-controllers',
  'poststarthook/rbac/bootstrap-roles',
];

/** All checks pass: whoever answers is well. */
function health(what: string, check: string, verbose: boolean): ApiReply {
  if (check !== '') return CHECKS.includes(check) ? text('ok') : nothingThere();
  return text(verbose ? `${CHECKS.map((it) => `[+]${it} ok\n`).join('')}${what} check passed\n` : 'ok');
}

function discoveryDocument(served: Served, parts: readonly string[], wantsAggregated: boolean): Record<string, unknown> | undefined {
  const { catalog } = served;
  const [first, second, third] = parts;
  switch (first) {
    case undefined:
      return { paths: ['/api', '/apis', '/healthz', '/openapi/v2', '/openapi/v3', '/version'] };
    case 'api':
      if (second !== undefined) return resourceList(catalog, '', second);
      return wantsAggregated ? aggregated(catalog, true) : coreVersions(catalog, served.address);
    case 'apis':
      if (second === undefined) return wantsAggregated ? aggregated(catalog, false) : groupList(catalog);
      return third === undefined ? groupDocumentOf(catalog, second) : resourceList(catalog, second, third);
    default:
      return undefined;
  }
}

function openApi({ store, catalog }: Served, accept: string, parts: readonly string[]): ApiReply {
  if (parts[1] === 'v2') {
    if (accept !== '' && !/application\/json|\*\/\*/.test(accept)) throw notAcceptable(['application/json']);
    return json(openApiV2(store));
  }
  if (parts.length === 2) return json(openApiV3Index(store, catalog));
  const document = openApiV3(store, parts.slice(2).join('/'));
  return document === undefined ? text('', 404) : json(document);
}
