import { CodedError, backoffDelay, milliseconds, seconds, sleep, type Backoff, type Clock } from '../std/index.ts';
import type { CredentialSource } from './credentials.ts';
import { KubeError, errorFromAnswer, isKubeError } from './errors.ts';
import { parseJson, writeJson } from './json.ts';
import type { RateLimiter } from './limiter.ts';
import type { HttpRequest, HttpStream, Transport } from './transport.ts';
import type { RequestRecord } from './kube-client.ts';

/** One logical call: sent once or, when that is safe, again. */
export type Call = {
  verb: string;
  group: string;
  /** Plural name, with `/subresource`. */
  resource: string;
  method: HttpRequest['method'];
  path: string;
  /** For people: `apply Deployment/default/web`. */
  what: string;
  subject: string;
  body?: unknown;
  contentType?: string;
  accept?: string | undefined;
  dryRun?: boolean | undefined;
  timeout?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Sending it twice has the effect of sending it once, so a lost answer is no reason to fail. */
  repeatable: boolean;
};

export type CallerOptions = {
  transport: Transport;
  credentials: CredentialSource;
  clock: Clock;
  random: () => number;
  userAgent: string;
  /** Milliseconds for a call with all its repetitions. */
  timeout: number;
  /** How often a call is sent at most. */
  attempts: number;
  limiter: RateLimiter | undefined;
  onRequest: ((record: RequestRecord) => void) | undefined;
};

const BACKOFF: Backoff = { base: milliseconds(100), max: seconds(5), factor: 2, jitter: 0.5 };
/** Errors in which the request never left this machine. */
const NOT_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT', 'EHOSTUNREACH', 'ENETUNREACH']);

/** Sends calls as some identity: credentials, limits, repetition, records. Everything above it speaks in objects, everything below in bytes. */
export class Caller {
  readonly #options: CallerOptions;

  constructor(options: CallerOptions) {
    this.#options = options;
  }

  /** The parsed JSON of the answer. @throws KubeError */
  async json(call: Call, identity: readonly string[]): Promise<unknown> {
    const text = await this.text(call, identity);
    return parseAnswer(text, call);
  }

  /** The text of a successful answer. @throws KubeError */
  async text(call: Call, identity: readonly string[]): Promise<string> {
    const { clock } = this.#options;
    const started = clock.now();
    const timeout = call.timeout ?? this.#options.timeout;
    const body = call.body === undefined ? undefined : typeof call.body === 'string' ? call.body : writeJson(call.body);
    for (let attempt = 0, renewed = false; ; attempt++) {
      let error: KubeError;
      try {
        const text = await this.#attempt(call, identity, body, Math.max(1, timeout - (clock.now() - started)));
        this.#record(call, 200, started, attempt);
        return text;
      } catch (caught) {
        error = asKubeError(caught, call);
      }
      if (error.code === 'Unauthorized' && !renewed && this.#options.credentials.rejected()) {
        renewed = true;
        continue;
      }
      const wait = attempt + 1 < this.#options.attempts ? this.#repeatAfter(call, error, attempt) : undefined;
      if (wait === undefined || clock.now() + wait - started >= timeout) {
        this.#record(call, error.httpStatus ?? 0, started, attempt);
        throw error;
      }
      await sleep(clock, milliseconds(wait), call.signal).catch(() => {
        this.#record(call, error.httpStatus ?? 0, started, attempt);
        throw new KubeError({ code: 'Aborted', message: `${call.what}: aborted`, subject: call.subject, cause: error });
      });
    }
  }

  /** Opens a stream (watch). Not repeated: the reflector decides. */
  async stream(call: Call, identity: readonly string[]): Promise<HttpStream> {
    const { clock, credentials, limiter, transport } = this.#options;
    const started = clock.now();
    try {
      await limiter?.turn(call.signal);
      const auth = await credentials.current();
      const answer = await transport.stream(
        this.#request(call, identity, undefined, call.timeout ?? this.#options.timeout),
        auth,
        call.what,
      );
      if (answer.status < 300) {
        this.#record(call, answer.status, started, 0);
        return answer;
      }
      if (answer.status === 401) credentials.rejected();
      const text = await readError(answer);
      throw answerError(call, answer.status, text, headerText(answer.headers['retry-after']));
    } catch (caught) {
      const error = asKubeError(caught, call);
      this.#record(call, error.httpStatus ?? 0, started, 0);
      throw error;
    }
  }

  async #attempt(call: Call, identity: readonly string[], body: string | undefined, timeout: number): Promise<string> {
    const { credentials, limiter, transport } = this.#options;
    if (limiter !== undefined) await limiter.turn(call.signal);
    const held = credentials.current();
    const auth = held instanceof Promise ? await held : held;
    const answer = await transport.send(this.#request(call, identity, body, timeout), auth, call.what);
    if (answer.status >= 300) throw answerError(call, answer.status, answer.text, headerText(answer.headers['retry-after']));
    return answer.text;
  }

  #request(call: Call, identity: readonly string[], body: string | undefined, timeout: number): HttpRequest {
    const headers = ['accept', call.accept ?? 'application/json', 'user-agent', this.#options.userAgent, ...identity];
    if (body !== undefined) headers.push('content-type', call.contentType ?? 'application/json');
    return { method: call.method, path: call.path, headers, body, timeout, signal: call.signal };
  }

  /** Milliseconds to wait before sending again; undefined when the failure is final. */
  #repeatAfter(call: Call, error: KubeError, attempt: number): number | undefined {
    const backoff = backoffDelay(BACKOFF, attempt, this.#options.random);
    const { code } = error;
    // The server refused before doing anything, so every verb may be sent again.
    if (code === 'TooManyRequests') return Math.max(error.retryAfter ?? 1000, backoff);
    if (code === 'Unavailable' || code === 'Timeout') {
      if (error.retryAfter !== undefined) return Math.max(error.retryAfter, backoff);
      return call.repeatable && error.httpStatus !== undefined ? backoff : undefined;
    }
    if (code === 'ConnectionFailed') return call.repeatable || NOT_SENT.has(causeCode(error.cause)) ? backoff : undefined;
    return code === 'InternalError' && call.method === 'GET' ? backoff : undefined;
  }

  #record(call: Call, status: number, started: number, retries: number): void {
    const { onRequest, clock } = this.#options;
    if (onRequest === undefined) return;
    const { verb, group, resource } = call;
    onRequest({ verb, group, resource, dryRun: call.dryRun === true, status, duration: clock.now() - started, retries });
  }
}

function parseAnswer(text: string, call: Call): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw new KubeError({
      code: 'ResponseInvalid',
      message: `${call.what}: answer is not JSON: ${JSON.stringify(text.slice(0, 80))}`,
      subject: call.subject,
      cause: error,
    });
  }
}

function answerError(call: Call, status: number, text: string, retryAfter: string | undefined): KubeError {
  let body: unknown;
  try {
    body = text === '' ? undefined : parseJson(text);
  } catch {
    // A proxy's HTML or plain text: quoted as it is.
    body = undefined;
  }
  return errorFromAnswer(call.what, call.subject, status, body, text, retryAfter);
}

const ERROR_TEXT_LIMIT = 64 << 10;

async function readError(answer: HttpStream): Promise<string> {
  let text = '';
  for await (const chunk of answer.body) {
    text += String(chunk);
    if (text.length > ERROR_TEXT_LIMIT) break;
  }
  return text;
}

function asKubeError(error: unknown, call: Call): KubeError {
  if (isKubeError(error)) return error;
  if (call.signal?.aborted === true)
    return new KubeError({ code: 'Aborted', message: `${call.what}: aborted`, subject: call.subject, cause: error });
  const text = error instanceof CodedError || error instanceof Error ? error.message : String(error);
  return new KubeError({ code: 'ConnectionFailed', message: `${call.what}: ${text}`, subject: call.subject, cause: error });
}

function causeCode(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.every((each) => NOT_SENT.has(causeCode(each))) ? 'ECONNREFUSED' : '';
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function headerText(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
