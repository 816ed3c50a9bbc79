import { compareUtf8, errorMessage } from '../../std/index.ts';
import { decodeJson } from '../../golang/index.ts';
import type { KubeObject } from '../../manifest/index.ts';
import { apiVersionOf, type ServedKind } from '../catalog/kind.ts';
import { listOptionsFault } from '../request/options.ts';
import { parseFieldSelector } from '../request/field-selector.ts';
import { parseLabelSelector, type Selector } from '../request/selector.ts';
import { badRequest, expired, StatusError } from '../request/status.ts';
import { type Change, keyOf } from '../storage/store.ts';
import type { Api } from './api.ts';
import { acceptedForm } from './accept.ts';
import { type ApiAnswer, type ApiReply, header, json, type ResourceCall } from './call.ts';
import { partialMetadata, tableOf } from './table.ts';
import { watchStream } from './watch.ts';
import { refuse } from './write-options.ts';

/** One object in the form the client accepts. */
export function present(api: Api, call: ResourceCall, object: KubeObject, status = 200, warnings: readonly string[] = []): ApiReply {
  const { request, kind, query } = call;
  const headers = warnings.length === 0 ? {} : { warning: warnings.map((it) => `299 - ${JSON.stringify(it)}`).join(', ') };
  const form = acceptedForm(header(request, 'accept'));
  if (form === 'table') {
    const metadata = { resourceVersion: object.metadata.resourceVersion };
    return json(tableOf(kind, [object], metadata, api.clock.now(), inclusion(query)), status, headers);
  }
  return json(form === 'metadata' ? partialMetadata(object) : object, status, headers);
}

/** Selects by the labels and fields of a query. @throws StatusError 400 */
export function selectorOf(kind: ServedKind, query: URLSearchParams): Selector {
  const labels = parseLabelSelector(query.get('labelSelector') ?? '');
  const fields = parseFieldSelector(
    query.get('fieldSelector') ?? '',
    kind.collection,
    kind.schemaName === undefined ? (kind.selectable ?? []) : undefined,
  );
  return (object) => labels(object) && fields(object);
}

/** One object as a GET wants it. @throws StatusError 404, 500, 504 */
export function read(api: Api, call: ResourceCall): ApiReply {
  const { kind, info, query } = call;
  const wanted = query.get('resourceVersion') ?? '';
  if (!/^\d*$/.test(wanted)) throw new StatusError(500, '', unreadableRevision(wanted));
  refuse(futureFault(wanted, api.store.revision));
  return present(api, call, api.objects.get(kind, info.namespace, info.name));
}

/** A list, or a page of one. @throws StatusError 400, 410, 504 */
export function list(api: Api, call: ResourceCall): ApiReply {
  const { request, kind, info, query } = call;
  refuse(listOptionsFault(query, false));
  const selects = selectorOf(kind, query);
  const limit = Number(query.get('limit') ?? 0);
  const resume = readContinue(query.get('continue'));
  const revision = revisionOf(api, query, resume);
  const all = snapshot(api, kind, info.namespace, revision).filter((object) => resume === undefined || isAfter(object, resume.after));
  const found = all.filter(selects).map((object) => api.objects.present(kind, object));
  const page = limit > 0 ? found.slice(0, limit) : found;
  const last = page.at(-1);
  // With a selector it is not known whether what is left matches: there is more as long as there is more to look at.
  const more = limit > 0 && page.length === limit && last !== undefined && all.at(-1)?.metadata.uid !== last.metadata.uid;
  const isWhole = query.get('labelSelector') === null && query.get('fieldSelector') === null;
  const metadata = {
    resourceVersion: String(revision),
    ...(more ? { continue: writeContinue(revision, keyOf(last.metadata.namespace ?? '', last.metadata.name)) } : {}),
    ...(more && isWhole ? { remainingItemCount: found.length - page.length } : {}),
  };
  const form = acceptedForm(header(request, 'accept'));
  if (form === 'table') return json(tableOf(kind, page, metadata, api.clock.now(), inclusion(query)));
  if (form === 'metadata')
    return json({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata, items: page.map(partialMetadata) });
  return json(listDocument(kind, kind.schemaName === undefined ? { continue: '', ...metadata } : metadata, page));
}

/** What of each object comes along with a table. @throws StatusError 400 */
function inclusion(query: URLSearchParams): string {
  const include = query.get('includeObject') ?? '';
  if (['', 'None', 'Metadata', 'Object'].includes(include)) return include === '' ? 'Metadata' : include;
  throw badRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(include)}: must be 'Metadata', 'Object', 'None', or empty`,
  );
}

/** The revision a list is of. @throws StatusError 400, 504 */
function revisionOf(api: Api, query: URLSearchParams, resume: { revision: number } | undefined): number {
  const wanted = query.get('resourceVersion') ?? '';
  if (!/^\d*$/.test(wanted)) throw badRequest(`invalid resource version: ${unreadableRevision(wanted)}`);
  if (resume !== undefined) {
    if (wanted !== '' && wanted !== '0') throw badRequest('specifying resource version is not allowed when using continue');
    return resume.revision;
  }
  refuse(futureFault(wanted, api.store.revision));
  return query.get('resourceVersionMatch') === 'Exact' ? Number(wanted) : api.store.revision;
}

function unreadableRevision(text: string): string {
  return `resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`;
}

function futureFault(wanted: string, current: number): StatusError | undefined {
  return wanted !== '' && Number(wanted) > current ? tooLargeRevision(wanted, current) : undefined;
}

function isAfter({ metadata }: KubeObject, key: string): boolean {
  return compareUtf8(keyOf(metadata.namespace ?? '', metadata.name), key) > 0;
}

/** The objects of a collection as they were at a revision: what has changed since is taken back. @throws StatusError 410 */
function snapshot(api: Api, kind: ServedKind, namespace: string, revision: number): readonly KubeObject[] {
  const current = api.store.list(kind.collection, namespace);
  if (revision >= api.store.revision) return current;
  const changes: Change[] = [];
  const stop = api.store.watch(kind.collection, revision, (change) => changes.push(change));
  if (stop === undefined)
    throw expired(
      `The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.`,
    );
  stop();
  if (changes.length === 0) return current;
  const objects = new Map(
    current.map((object): [string, KubeObject] => [keyOf(object.metadata.namespace ?? '', object.metadata.name), object]),
  );
  for (const { object, previous } of changes.reverse()) {
    const key = keyOf(object.metadata.namespace ?? '', object.metadata.name);
    if (previous === undefined) objects.delete(key);
    else objects.set(key, previous);
  }
  return [...objects.entries()]
    .filter(([, { metadata }]) => namespace === '' || metadata.namespace === namespace)
    .sort(([a], [b]) => compareUtf8(a, b))
    .map(([, object]) => object);
}

/** The list of a kind. As from the real server, items of a built-in kind's list do not repeat apiVersion and kind. */
export function listDocument(kind: ServedKind, metadata: Record<string, unknown>, objects: readonly KubeObject[]): Record<string, unknown> {
  const items = kind.schemaName === undefined ? objects : objects.map(({ apiVersion: _version, kind: _kind, ...rest }) => rest);
  return { kind: kind.listKind, apiVersion: apiVersionOf(kind), metadata, items };
}

/** A watch of a collection, a namespace of it, or one object. */
export function watch(api: Api, call: ResourceCall): ApiAnswer {
  const { request, kind, info, query } = call;
  refuse(listOptionsFault(query, true));
  const selects = selectorOf(kind, query);
  return watchStream({
    store: api.store,
    kind,
    clock: api.clock,
    form: acceptedForm(header(request, 'accept')),
    query,
    include: inclusion(query),
    present: (object) => api.objects.present(kind, object),
    selects: (object) =>
      (info.namespace === '' || object.metadata.namespace === info.namespace) &&
      (info.name === '' || object.metadata.name === info.name) &&
      selects(object),
  });
}

function tooLargeRevision(wanted: string, current: number): StatusError {
  return new StatusError(504, 'Timeout', `Timeout: Too large resource version: ${wanted}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
}

function writeContinue(revision: number, after: string): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start: `${after}\u0000` })).toString('base64url');
}

const BAD_TOKEN = 'invalid continue token: continue key is not valid: ';

/** Where the next page begins. @throws StatusError 400 */
function readContinue(token: string | null): { revision: number; after: string } | undefined {
  if (token === null || token === '') return undefined;
  const bad = /[^\w-]/.exec(token)?.index ?? (token.length % 4 === 1 ? token.length - 1 : undefined);
  if (bad !== undefined) throw badRequest(`${BAD_TOKEN}illegal base64 data at input byte ${bad}`);
  let value: unknown;
  try {
    value = decodeJson(Buffer.from(token, 'base64url').toString());
  } catch (error) {
    throw badRequest(`${BAD_TOKEN}${errorMessage(error)}`);
  }
  const { v, rv, start } = (typeof value === 'object' && value !== null ? value : {}) as { v?: unknown; rv?: unknown; start?: unknown };
  if (v !== 'meta.k8s.io/v1') throw badRequest(`${BAD_TOKEN}server does not recognize this encoded version ${JSON.stringify(v ?? '')}`);
  if (typeof start !== 'string' || start === '') throw badRequest(`${BAD_TOKEN}encoded start key empty (version meta.k8s.io/v1)`);
  return { revision: Number(rv), after: start.replace(/\u0000$/, '') };
}
