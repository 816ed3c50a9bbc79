import type { User } from '../auth/user.ts';
import type { ServedKind } from '../catalog/kind.ts';
import type { Json } from '../fields/index.ts';
import type { ResourceInfo } from '../request/request-info.ts';

/** One request to the API, from a socket or from inside the process. Header names are lower-case. */
export type ApiRequest = {
  method: string;
  /** Path and query. */
  url: string;
  headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  body: Uint8Array | undefined;
  /** Known already; otherwise the `Authorization` header tells. */
  user?: User;
};

/** A finished answer: JSON, or text as it is. */
export type ApiReply = { status: number; headers: Record<string, string>; body: { json: unknown } | { text: string } };

/** A watch: lines go to `send` until `stop` is called or the server calls `end`. */
export type ApiStream = {
  status: number;
  headers: Record<string, string>;
  start: (send: (line: string) => void, end: () => void) => () => void;
};

export type ApiAnswer = ApiReply | ApiStream;

/** A request for a resource, understood: what kind it is about, and what came with it. */
export type ResourceCall = {
  request: ApiRequest;
  kind: ServedKind;
  info: ResourceInfo;
  query: URLSearchParams;
  user: User;
  body: Json | undefined;
};

/** The one value of a header. */
export function header(request: ApiRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

/** The values of a header that may come more than once. */
export function headerList(request: ApiRequest, name: string): readonly string[] {
  const value = request.headers[name];
  if (value === undefined) return [];
  return typeof value === 'string' ? value.split(',').map((it) => it.trim()) : value;
}

/** A JSON answer. */
export function json(body: unknown, status = 200, headers: Record<string, string> = {}): ApiReply {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: { json: body } };
}

/** A text answer. */
export function text(body: string, status = 200): ApiReply {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: { text: body } };
}

/** The answer where nothing is served. */
export function nothingThere(): ApiReply {
  return text('404 page not found\n', 404);
}
