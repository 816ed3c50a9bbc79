import { CodedError } from '../../std/index.ts';

/** One fault of an object, as `details.causes` lists it. */
export type StatusCause = { reason: string; message: string; field?: string };

/** What a failed request answers: a `v1` Status. */
export type Status = {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: Record<string, never>;
  status: 'Failure';
  message: string;
  reason?: string;
  details?: { name?: string; group?: string; kind?: string; uid?: string; causes?: readonly StatusCause[]; retryAfterSeconds?: number };
  code: number;
};

/** A request that fails the way the real API server fails it. */
export class StatusError extends CodedError<'RequestFailed'> {
  readonly status: Status;

  constructor(code: number, reason: string, message: string, details?: Status['details']) {
    super({ code: 'RequestFailed', message, retryable: code === 429 || code >= 500 });
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      ...(reason === '' ? {} : { reason }),
      ...(details === undefined ? {} : { details }),
      code,
    };
  }
}

/** How errors name what they are about. */
type About = { group: string; plural: string; kind?: string };

const qualified = (about: About): string => (about.group === '' ? about.plural : `${about.plural}.${about.group}`);

function detailsOf(about: About, name: string, more: Partial<NonNullable<Status['details']>> = {}): NonNullable<Status['details']> {
  return { ...(name === '' ? {} : { name }), ...(about.group === '' ? {} : { group: about.group }), kind: about.plural, ...more };
}

export function notFound(about: About, name: string): StatusError {
  return new StatusError(404, 'NotFound', `${qualified(about)} ${JSON.stringify(name)} not found`, detailsOf(about, name));
}

/** A path nothing is served at. */
export function pathNotFound(): StatusError {
  return new StatusError(404, 'NotFound', 'the server could not find the requested resource', {});
}

export function alreadyExists(about: About, name: string): StatusError {
  return new StatusError(409, 'AlreadyExists', `${qualified(about)} ${JSON.stringify(name)} already exists`, detailsOf(about, name));
}

export function conflict(about: About, name: string, cause: string): StatusError {
  return new StatusError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(about)} ${JSON.stringify(name)}: ${cause}`,
    detailsOf(about, name),
  );
}

/** The conflict of a write with an old resourceVersion. */
export function modified(about: About, name: string): StatusError {
  return conflict(about, name, 'the object has been modified; please apply your changes to the latest version and try again');
}

export function badRequest(message: string): StatusError {
  return new StatusError(400, 'BadRequest', message);
}

export function forbidden(about: About, name: string, cause: string, causes?: readonly StatusCause[]): StatusError {
  const what = name === '' ? qualified(about) : `${qualified(about)} ${JSON.stringify(name)}`;
  return new StatusError(
    403,
    'Forbidden',
    `${what} is forbidden: ${cause}`,
    detailsOf(about, name, causes === undefined ? {} : { causes }),
  );
}

export function methodNotAllowed(): StatusError {
  return new StatusError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
}

export function expired(message: string): StatusError {
  return new StatusError(410, 'Expired', message);
}

export function unsupportedMediaType(accepted: readonly string[]): StatusError {
  return new StatusError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );
}

export function notAcceptable(accepted: readonly string[]): StatusError {
  return new StatusError(406, 'NotAcceptable', `only the following media types are accepted: ${accepted.join(', ')}`);
}

export function tooLarge(limit: number): StatusError {
  return new StatusError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${limit}`);
}

/** One fault of a field: the field errors of apimachinery's validation. */
export type FieldFault = {
  type:
    | 'FieldValueInvalid'
    | 'FieldValueRequired'
    | 'FieldValueNotSupported'
    | 'FieldValueDuplicate'
    | 'FieldValueForbidden'
    | 'FieldValueTooLong'
    | 'FieldValueTypeInvalid'
    | 'FieldValueTooMany'
    | 'FieldValueNotFound'
    | 'InternalError';
  field: string;
  message: string;
};

/** An object that breaks its kind's rules (422); every fault is listed. */
export function invalid(group: string, kind: string, name: string, faults: readonly FieldFault[]): StatusError {
  const lines = faults.map((fault) => `${fault.field}: ${fault.message}`);
  const text = lines.length === 1 ? (lines[0] ?? '') : `[${lines.join(', ')}]`;
  const causes = faults.map((fault): StatusCause => ({ reason: fault.type, message: fault.message, field: fault.field }));
  const what = group === '' ? kind : `${kind}.${group}`;
  return new StatusError(422, 'Invalid', `${what} ${JSON.stringify(name)} is invalid: ${text}`, {
    ...(name === '' ? {} : { name }),
    ...(group === '' ? {} : { group }),
    ...(kind === '' ? {} : { kind }),
    causes,
  });
}
