/** Bytes of one signature envelope; real ones have 3 to 20 KiB. */
export const MAX_ENVELOPE: number = 1024 * 1024;

/** Certificates in one chain (signing or timestamping). */
export const MAX_CHAIN: number = 10;

/** Certificates that one timestamp token may carry. */
export const MAX_TOKEN_CERTIFICATES: number = 20;

/** Bytes of one certificate. */
export const MAX_CERTIFICATE: number = 64 * 1024;

/** Certificates of all trust stores together. */
export const MAX_TRUSTED_CERTIFICATES: number = 1000;

/** Bytes of one certificate file of a trust store. */
export const MAX_CERTIFICATE_FILE: number = 4 * 1024 * 1024;

/** Bytes of a trust policy document. */
export const MAX_TRUST_POLICY: number = 1024 * 1024;

/** Signatures of one artifact that are looked at, unless the caller says otherwise. Flux looks at 3 (OB15). */
export const MAX_SIGNATURES: number = 50;

/** Nesting of CBOR in a COSE envelope. */
export const MAX_CBOR_DEPTH: number = 16;

/** Elements of one DER sequence, except the entries of a CRL. */
export const MAX_DER_ELEMENTS: number = 1000;

/** Nesting of BER that is rewritten as DER. */
export const MAX_BER_DEPTH: number = 32;

/** Bytes of an OCSP response (notation's bound). */
export const MAX_OCSP_RESPONSE: number = 20 * 1024;

/** Bytes of a CRL (notation's bound). */
export const MAX_CRL: number = 32 * 1024 * 1024;

/** Bytes of all revocation lists that are kept. */
export const MAX_KEPT_CRLS: number = 64 * 1024 * 1024;

/** What the smallest list counts in {@link MAX_KEPT_CRLS}: no more than 1024 lists are kept. */
export const CRL_ENTRY_WEIGHT: number = 64 * 1024;

/** How long a list that holds for longer is not asked for again, in milliseconds: what is revoked must not stay unseen for weeks. */
export const MAX_CRL_AGE: number = 24 * 60 * 60 * 1000;

/** OCSP servers, or CRL distribution points, that one certificate may name. */
export const MAX_REVOCATION_URLS: number = 8;

/** How far a responder's clock may be ahead of ours, in milliseconds. */
export const MAX_CLOCK_SKEW: number = 5 * 60 * 1000;
