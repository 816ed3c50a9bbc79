import { Readable } from 'node:stream';
import { type Dispatcher, request } from 'undici';
import { milliseconds, redact } from '../std/index.ts';
import type { RegistryClientsOptions, RegistryLimits, RegistryRequestEvent } from './client-types.ts';
import { RegistryError } from './errors.ts';
import { type Answer, abortError, header, transportError } from './http.ts';
import type { TokenBucket } from './rate-limit.ts';
import type { Transport } from './transport.ts';

/** A request body: bytes, or a stream that can be started again. */
export type Body = { bytes: Uint8Array } | { size: number; open: () => AsyncIterable<Uint8Array> };

/** One HTTP request before authorization. */
export type Ask = {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  url: URL;
  headers: Readonly<Record<string, string>>;
  body?: Body;
  /** False when the client certificate must not be shown there. */
  identify?: boolean;
  /** `do what to which thing`, for errors. */
  what: string;
  subject: string;
};

/** What every exchange needs, shared by all clients that use the same connections. */
export type Wire = {
  transport: Transport;
  limits: RegistryLimits;
  bucket: (host: string) => TokenBucket;
  options: Pick<RegistryClientsOptions, 'clock' | 'userAgent' | 'onRequest'>;
  insecure: boolean;
};

/** How many times longer a registry may take to answer a request with a body. */
const UPLOAD_PATIENCE = 10;

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * Sends one request and follows the redirects of reads. Authorization and the client certificate go to the origin that was asked and
 * nowhere else; a redirect from https to http is refused unless insecure; a write is never redirected.
 * @throws RegistryError for transport failures and refused redirects; any status is an answer
 */
export async function exchange(
  wire: Wire,
  ask: Ask,
  authorization: string | undefined,
  attempt: number,
  signal: AbortSignal,
): Promise<Answer> {
  const origin = ask.url.origin;
  let url = ask.url;
  for (let hops = 0; ; hops++) {
    const home = url.origin === origin;
    const answer = await sendOnce(wire, { ...ask, url }, home ? authorization : undefined, home && ask.identify !== false, attempt, signal);
    if (!REDIRECTS.has(answer.status) || (ask.method !== 'GET' && ask.method !== 'HEAD')) return answer;
    const location = header(answer.headers, 'location');
    await answer.discard();
    url = redirectTarget(wire, ask, url, location, hops);
  }
}

function redirectTarget(wire: Wire, ask: Ask, from: URL, location: string | undefined, hops: number): URL {
  const refuse = (code: 'RedirectRefused' | 'LimitExceeded', cause: string): RegistryError =>
    new RegistryError({ code, message: `${ask.what}: ${cause}`, subject: ask.subject, retryable: false });
  if (hops >= wire.limits.redirects) throw refuse('LimitExceeded', `more than ${wire.limits.redirects} redirects`);
  const target = location === undefined ? null : URL.parse(location, from.href);
  if (target === null) throw refuse('RedirectRefused', 'redirect without a usable Location');
  if (target.protocol !== 'https:' && target.protocol !== 'http:')
    throw refuse('RedirectRefused', `redirect to ${target.protocol} refused`);
  if (from.protocol === 'https:' && target.protocol === 'http:' && !wire.insecure)
    throw refuse('RedirectRefused', 'redirect from https to http refused');
  target.username = '';
  target.password = '';
  return target;
}

async function sendOnce(
  wire: Wire,
  ask: Ask,
  authorization: string | undefined,
  identify: boolean,
  attempt: number,
  signal: AbortSignal,
): Promise<Answer> {
  const { clock, onRequest } = wire.options;
  const bucket = wire.bucket(ask.url.host);
  if (bucket.pause > wire.limits.retryAfter) throw pausedError(ask, bucket.pause);
  await bucket.take(signal).catch(() => {
    throw abortError(signal, ask.what, ask.subject);
  });
  const started = clock.now();
  const report = (status: number): void => {
    onRequest?.(requestEvent(ask, status, attempt, clock.now() - started));
  };
  try {
    const response = await request(ask.url, requestOptions(wire, ask, authorization, identify, signal));
    report(response.statusCode);
    return toAnswer(response, ask, signal);
  } catch (error) {
    report(0);
    throw transportError(error, ask.what, ask.subject, signal, wire.transport.proxyHost(ask.url));
  }
}

function requestEvent(ask: Ask, status: number, attempt: number, elapsed: number): RegistryRequestEvent {
  return { registry: ask.url.host, method: ask.method, url: redact(ask.url.href), status, attempt, elapsed: milliseconds(elapsed) };
}

function pausedError(ask: Ask, pause: number): RegistryError {
  return new RegistryError({
    code: 'TooManyRequests',
    message: `${ask.what}: the registry asked to wait another ${Math.ceil(pause / 1000)} s`,
    subject: ask.subject,
    retryAfter: pause,
  });
}

function requestOptions(
  wire: Wire,
  ask: Ask,
  authorization: string | undefined,
  identify: boolean,
  signal: AbortSignal,
): NonNullable<Parameters<typeof request<null>>[1]> {
  const length = ask.body === undefined ? undefined : 'bytes' in ask.body ? ask.body.bytes.length : ask.body.size;
  return {
    dispatcher: wire.transport.dispatcher(ask.url, identify),
    method: ask.method,
    signal,
    // The clock of an upload starts before its body is sent.
    headersTimeout: ask.body === undefined ? wire.limits.idle : wire.limits.idle * UPLOAD_PATIENCE,
    bodyTimeout: wire.limits.idle,
    body: ask.body === undefined ? null : 'bytes' in ask.body ? ask.body.bytes : Readable.from(ask.body.open(), { objectMode: false }),
    headers: {
      'user-agent': wire.options.userAgent ?? 'sluice',
      ...ask.headers,
      ...(length === undefined ? {} : { 'content-length': String(length) }),
      ...(authorization === undefined ? {} : { authorization }),
    },
  };
}

/** Bytes of an unwanted body read so that its connection can be used again. */
const DISCARD = 64 * 1024;

function toAnswer(response: Dispatcher.ResponseData<null>, ask: Ask, signal: AbortSignal): Answer {
  return {
    status: response.statusCode,
    headers: response.headers,
    url: ask.url,
    body: bodyOf(response, ask, signal),
    discard: async () => {
      await response.body.dump({ limit: DISCARD }).catch(() => undefined);
    },
  };
}

async function* bodyOf(response: Dispatcher.ResponseData<null>, ask: Ask, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response.body) yield chunk as Uint8Array;
  } catch (error) {
    throw transportError(error, ask.what, ask.subject, signal);
  }
}
