import { CodedError, type ErrorDetails } from '../std/index.ts';

/** Every way a registry operation can fail. */
export type RegistryErrorCode =
  /** The text is not a reference, repository, tag or digest. */
  | 'ReferenceInvalid'
  /** The registry wants credentials we do not have, or refuses those we sent (401, 403, token endpoint). */
  | 'AuthenticationFailed'
  /** The docker config, a credential helper or a cloud login could not be used. */
  | 'CredentialsInvalid'
  /** No such repository, tag, manifest or blob (404). */
  | 'NotFound'
  /** The registry does not allow or implement the operation (405, 501). */
  | 'Unsupported'
  /** The registry refused the request as malformed or in conflict (other 4xx). */
  | 'RequestRefused'
  /** 429 after every retry. */
  | 'TooManyRequests'
  /** The bytes do not hash to the digest that was asked for or promised. */
  | 'DigestMismatch'
  /** More or fewer bytes than the descriptor says. */
  | 'SizeMismatch'
  /** The connection ended before all bytes arrived, and resuming did not help. */
  | 'Truncated'
  /** A named bound was crossed (bytes, pages, redirects, entries). */
  | 'LimitExceeded'
  /** A manifest, index, image layout, tag list or token answer is not what the specification says. */
  | 'ManifestInvalid'
  /** An index has no image for the wanted platform. */
  | 'PlatformNotFound'
  /** 5xx, refused or reset connection, unknown host, after every retry. */
  | 'RegistryUnavailable'
  /** No answer in time. */
  | 'Timeout'
  /** The certificate or the TLS handshake was refused. */
  | 'TlsFailed'
  /** A redirect leaves for somewhere we do not follow. */
  | 'RedirectRefused'
  /** The caller's signal ended the operation. */
  | 'Aborted';

/** One entry of a registry's own error body (distribution-spec, error codes), bounded and redacted. */
export type RegistryErrorEntry = { code: string; message: string; detail?: string };

/** What {@link RegistryError} carries beyond a {@link CodedError}. */
export type RegistryErrorDetails = ErrorDetails<RegistryErrorCode> & {
  status?: number;
  entries?: readonly RegistryErrorEntry[];
  /** Milliseconds the registry asked us to wait. */
  retryAfter?: number;
};

/** A failed registry operation: the code, the HTTP status and what the registry itself said. */
export class RegistryError extends CodedError<RegistryErrorCode> {
  override readonly name = 'RegistryError';
  /** The HTTP status; undefined when no answer came. */
  readonly status: number | undefined;
  /** The registry's own words. */
  readonly entries: readonly RegistryErrorEntry[];
  /** Milliseconds the registry asked us to wait (Retry-After). */
  readonly retryAfter: number | undefined;

  constructor(details: RegistryErrorDetails) {
    super(details);
    this.status = details.status;
    this.entries = details.entries ?? [];
    this.retryAfter = details.retryAfter;
  }
}

/** True when `error` is a {@link RegistryError}, optionally with one of `codes`. */
export function isRegistryError(error: unknown, ...codes: readonly RegistryErrorCode[]): error is RegistryError {
  return error instanceof RegistryError && (codes.length === 0 || codes.includes(error.code));
}
