import { CodedError } from '../std/index.ts';

/** Every way a call to the Kubernetes API can fail. Names follow the API's own Status reasons where it has one. */
export type KubeErrorCode =
  | 'NotFound'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Invalid'
  | 'BadRequest'
  | 'Unauthorized'
  | 'Forbidden'
  | 'Gone'
  | 'TooManyRequests'
  | 'Timeout'
  | 'Unavailable'
  | 'InternalError'
  | 'MethodNotAllowed'
  | 'UnsupportedMediaType'
  | 'RequestEntityTooLarge'
  | 'UnexpectedStatus'
  | 'NoMatch'
  | 'ConnectionFailed'
  | 'ResponseInvalid'
  | 'LimitExceeded'
  | 'CredentialFailed'
  | 'KubeconfigInvalid'
  | 'Aborted';

/** One cause out of a Status: which field, which rule. */
export type StatusCause = { reason: string; message: string; field: string };

export type KubeErrorDetails = {
  code: KubeErrorCode;
  message: string;
  subject?: string;
  cause?: unknown;
  remedy?: string;
  /** The HTTP status, when an answer came. */
  httpStatus?: number;
  /** `Status.reason` as the server wrote it, such as `FieldManagerConflict`'s parent `Conflict`. */
  reason?: string;
  /** `Status.message` as the server wrote it. */
  serverMessage?: string;
  causes?: readonly StatusCause[];
  /** What the server asked to wait before another try, in milliseconds. */
  retryAfter?: number;
  retryable?: boolean;
};

/** A failed call to the Kubernetes API. `message` names the verb, the object and the cause. */
export class KubeError extends CodedError<KubeErrorCode> {
  override readonly name: string = 'KubeError';
  readonly httpStatus: number | undefined;
  readonly reason: string | undefined;
  readonly serverMessage: string;
  readonly causes: readonly StatusCause[];
  readonly retryAfter: number | undefined;

  constructor(details: KubeErrorDetails) {
    super({ ...details, retryable: details.retryable ?? isTransient(details.code) });
    this.httpStatus = details.httpStatus;
    this.reason = details.reason;
    this.serverMessage = details.serverMessage ?? '';
    this.causes = details.causes ?? [];
    this.retryAfter = details.retryAfter;
  }
}

/** True when `error` is a {@link KubeError}, optionally with one of `codes`. */
export function isKubeError(error: unknown, ...codes: readonly KubeErrorCode[]): error is KubeError {
  return error instanceof KubeError && (codes.length === 0 || codes.includes(error.code));
}

const FINAL: ReadonlySet<KubeErrorCode> = new Set([
  'Invalid',
  'BadRequest',
  'MethodNotAllowed',
  'UnsupportedMediaType',
  'RequestEntityTooLarge',
  'KubeconfigInvalid',
]);

function isTransient(code: KubeErrorCode): boolean {
  return !FINAL.has(code);
}

const BY_REASON: Readonly<Record<string, KubeErrorCode>> = {
  NotFound: 'NotFound',
  AlreadyExists: 'AlreadyExists',
  Conflict: 'Conflict',
  Invalid: 'Invalid',
  BadRequest: 'BadRequest',
  Unauthorized: 'Unauthorized',
  Forbidden: 'Forbidden',
  Gone: 'Gone',
  Expired: 'Gone',
  TooManyRequests: 'TooManyRequests',
  Timeout: 'Timeout',
  ServerTimeout: 'Timeout',
  ServiceUnavailable: 'Unavailable',
  InternalError: 'InternalError',
  MethodNotAllowed: 'MethodNotAllowed',
  NotAcceptable: 'UnsupportedMediaType',
  UnsupportedMediaType: 'UnsupportedMediaType',
  RequestEntityTooLarge: 'RequestEntityTooLarge',
};

const BY_STATUS: Readonly<Record<number, KubeErrorCode>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'UnsupportedMediaType',
  408: 'Timeout',
  409: 'Conflict',
  410: 'Gone',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  502: 'Unavailable',
  503: 'Unavailable',
  504: 'Timeout',
};

/** The fields of a meta/v1 Status that matter. */
export type StatusBody = {
  message: string;
  reason: string;
  code: number | undefined;
  causes: readonly StatusCause[];
  retryAfterSeconds: number | undefined;
};

/** Reads a meta/v1 Status out of an answer's JSON; undefined when it is not one. */
export function readStatus(value: unknown): StatusBody | undefined {
  if (!isRecord(value) || value['kind'] !== 'Status') return undefined;
  const details = isRecord(value['details']) ? value['details'] : {};
  const causes = Array.isArray(details['causes']) ? details['causes'].filter(isRecord) : [];
  return {
    message: text(value['message']),
    reason: text(value['reason']),
    code: typeof value['code'] === 'number' ? value['code'] : undefined,
    causes: causes.map((cause) => ({ reason: text(cause['reason']), message: text(cause['message']), field: text(cause['field']) })),
    retryAfterSeconds: typeof details['retryAfterSeconds'] === 'number' ? details['retryAfterSeconds'] : undefined,
  };
}

/** The code of a Status or, without a known reason, of the HTTP status. */
export function statusCode(status: StatusBody | undefined, httpStatus: number): KubeErrorCode {
  return BY_REASON[status?.reason ?? ''] ?? BY_STATUS[httpStatus] ?? (httpStatus >= 500 ? 'InternalError' : 'UnexpectedStatus');
}

const TEXT_LIMIT = 4096;

/**
 * The error for an answer that is not a success.
 * @param what the call for people: `apply Deployment/default/web`
 * @param retryAfter value of the Retry-After header (whole seconds), when there was one
 */
export function errorFromAnswer(
  what: string,
  subject: string,
  httpStatus: number,
  body: unknown,
  rawText: string,
  retryAfter?: string,
): KubeError {
  const status = readStatus(body);
  const code = statusCode(status, httpStatus);
  const serverMessage = (status?.message ?? rawText.trim()).slice(0, TEXT_LIMIT);
  const seconds = status?.retryAfterSeconds ?? (retryAfter !== undefined && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) : undefined);
  return new KubeError({
    code,
    message: `${what}: ${serverMessage === '' ? `server answered ${httpStatus}` : serverMessage}`,
    subject,
    httpStatus,
    ...(status === undefined ? {} : { reason: status.reason }),
    serverMessage,
    causes: status?.causes ?? [],
    ...(seconds === undefined ? {} : { retryAfter: seconds * 1000 }),
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
