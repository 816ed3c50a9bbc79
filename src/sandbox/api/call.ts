import type { User } from '../auth/user.ts';

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

/** The one value of a header. */
export function header(request: ApiRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

/** A JSON answer. */
export function json(body: unknown, status = 200, headers: Record<string, string> = {}): ApiReply {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: { json: body } };
}

/** A text answer. */
export function text(body: string, status = 200): ApiReply {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: { text: body } };
}

export type Form = 'object' | 'table' | 'metadata';

/** How the client wants objects (`Accept`): as themselves, as a table, or their metadata only. The first form we know wins. */
export function acceptedForm(accept: string | undefined): Form {
  for (const part of (accept ?? '').split(',')) {
    const type = part.trim();
    if (!type.startsWith('application/json') && type !== '*/*' && type !== '') continue;
    if (/;\s*as=Table/.test(type)) return 'table';
    if (/;\s*as=PartialObjectMetadata/.test(type)) return 'metadata';
    return 'object';
  }
  return 'object';
}
