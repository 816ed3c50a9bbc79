import { CodedError, type Digest } from '../std/index.ts';

/** What a signature must be about: the digest we are about to pull, and what the registry calls it. */
export type Subject = {
  digest: Digest;
  mediaType: string;
  /** Bytes. */
  size: number;
  /** `registry/path`, for scopes of trust policies and messages. */
  repository: string;
};

/** Who signed. */
export type Identity =
  /** A bare public key; `fingerprint` is `sha256:` and the hash of its SubjectPublicKeyInfo. */
  | { kind: 'key'; fingerprint: Digest; name: string }
  /** A short-lived certificate of an OIDC identity (keyless). */
  | { kind: 'oidc'; issuer: string; subject: string }
  /** A certificate whose chain ends in a trust store; `subject` is its distinguished name (RFC 4514). */
  | { kind: 'x509'; subject: string; issuer: string; fingerprint: Digest };

/** What a verification found. */
export type Verdict = {
  provider: 'cosign' | 'notation';
  digest: Digest;
  signer: Identity;
  /** `bundle`, `signature tag`, `JWS`, `COSE`, … */
  format: string;
  /** Entries of transparency logs that were checked. */
  log: readonly { id: string; index: number; integrated?: Date }[];
  /** When it was signed, as a countersignature or the log vouches; undefined when only the signer says. */
  timestamp?: Date;
  /** The attestation's predicate, when the signature is one. */
  attestation?: { predicateType: string; predicate: unknown };
  /** What was forgiven because the policy says so (notation's audit, permissive). */
  warnings: readonly string[];
};

export type VerificationErrorCode =
  /** There is no signature of this kind at all. */
  | 'SignatureMissing'
  /** There are signatures, none by whom we trust. */
  | 'SignerUntrusted'
  /** A signature is broken, or about other content. */
  | 'SignatureInvalid'
  /** Certificate or timestamp outside its time. */
  | 'SignatureExpired'
  | 'CertificateRevoked'
  /** The log, timestamp or certificate transparency proof is missing or wrong. */
  | 'ProofInvalid'
  /** A key, trust root or trust policy that cannot be used. */
  | 'TrustInvalid'
  /** More or larger than a named bound. */
  | 'LimitExceeded';

/** Why one signature was not accepted. */
export type Rejection = { signature: string; code: VerificationErrorCode; found: string; wanted: string };

/** No signature satisfied the policy; `rejections` has each that was looked at. */
export class VerificationError extends CodedError<VerificationErrorCode> {
  readonly rejections: readonly Rejection[];

  constructor(code: VerificationErrorCode, message: string, subject: string, rejections: readonly Rejection[], remedy?: string) {
    super({ code, message, subject, ...(remedy === undefined ? {} : { remedy }) });
    this.rejections = rejections;
  }
}

const INDEX = /^application\/vnd\.(oci\.image\.index|docker\.distribution\.manifest\.list)\./;

/** What to mind when nothing signed was found: the parts of an index are signed apart from it. */
export function missingNote({ mediaType }: Subject): string {
  return INDEX.test(mediaType) ? '; it is an index, and a signature of one of its images is none of the index' : '';
}
