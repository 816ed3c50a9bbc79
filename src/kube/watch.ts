import type { Readable } from 'node:stream';
import type { KubeObject } from '../manifest/index.ts';
import { errorMessage } from '../std/index.ts';
import { KubeError, readStatus, statusCode } from './errors.ts';
import { isRecord, parseJson } from './json.ts';
import { toObject } from './objects.ts';
import type { KindRef, WatchEvent } from './kube-client.ts';

/** A single event larger than this ends the watch. etcd itself refuses objects over 1.5 MiB. */
export const EVENT_LIMIT: number = 32 << 20;

const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

/**
 * Reads the JSON lines of a watch. Ends without an error when the server ended it (its timeout).
 * @throws KubeError `Gone` and others for an ERROR event, `ResponseInvalid` for a line that is not an event, `LimitExceeded`, `ConnectionFailed`
 */
export async function* readWatch(
  body: Readable,
  kind: KindRef,
  what: string,
  signal?: AbortSignal,
): AsyncGenerator<WatchEvent, void, undefined> {
  try {
    for await (const line of lines(body, what)) {
      const event = toEvent(line, kind, what);
      if (event !== undefined) yield event;
    }
  } catch (error) {
    if (signal?.aborted === true) return;
    if (error instanceof KubeError) throw error;
    throw new KubeError({ code: 'ConnectionFailed', message: `${what}: ${errorMessage(error)}`, subject: what, cause: error });
  } finally {
    body.destroy();
  }
}

/** Splits a byte stream at newlines. Incomplete text at the end is dropped: the connection broke inside an event. */
async function* lines(body: Readable, what: string): AsyncGenerator<string, void, undefined> {
  let held: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    if (!Buffer.isBuffer(chunk)) continue;
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      const piece = chunk.subarray(start, end);
      start = end + 1;
      const line = held.length === 0 ? piece : Buffer.concat([...held, piece]);
      held = [];
      size = 0;
      if (line.length > 0) yield line.toString('utf8');
    }
    if (start < chunk.length) {
      held.push(chunk.subarray(start));
      size += chunk.length - start;
    }
    if (size > EVENT_LIMIT)
      throw new KubeError({ code: 'LimitExceeded', message: `${what}: event is larger than ${EVENT_LIMIT} bytes`, subject: what });
  }
}

function toEvent(line: string, kind: KindRef, what: string): WatchEvent | undefined {
  let value: unknown;
  try {
    value = parseJson(line);
  } catch (error) {
    throw malformed(what, line, error);
  }
  if (!isRecord(value)) throw malformed(what, line);
  const { type, object } = value;
  switch (type) {
    case 'ADDED':
      return { type: 'added', object: toObject(object, what, kind) };
    case 'MODIFIED':
      return { type: 'modified', object: toObject(object, what, kind) };
    case 'DELETED':
      return { type: 'deleted', object: toObject(object, what, kind) };
    case 'BOOKMARK':
      return bookmark(toObject(object, what, kind));
    case 'ERROR':
      throw errorEvent(object, what);
    default:
      throw malformed(what, line);
  }
}

function bookmark(object: KubeObject): WatchEvent | undefined {
  const { resourceVersion, annotations } = object.metadata;
  if (resourceVersion === undefined) return undefined;
  return { type: 'bookmark', resourceVersion, initialEventsEnd: annotations?.[INITIAL_EVENTS_END] === 'true' };
}

function errorEvent(object: unknown, what: string): KubeError {
  const status = readStatus(object);
  const code = statusCode(status, status?.code ?? 500);
  return new KubeError({
    code,
    message: `${what}: ${status?.message ?? 'the server ended it with an error event'}`,
    subject: what,
    ...(status?.code === undefined ? {} : { httpStatus: status.code }),
    ...(status === undefined ? {} : { reason: status.reason, serverMessage: status.message }),
    ...(status?.retryAfterSeconds === undefined ? {} : { retryAfter: status.retryAfterSeconds * 1000 }),
  });
}

function malformed(what: string, line: string, cause?: unknown): KubeError {
  return new KubeError({
    code: 'ResponseInvalid',
    message: `${what}: malformed event ${JSON.stringify(line.slice(0, 80))}`,
    subject: what,
    ...(cause === undefined ? {} : { cause }),
  });
}
