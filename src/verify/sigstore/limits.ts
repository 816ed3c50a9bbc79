/** Transparency-log entries, and RFC 3161 timestamps, of one bundle. */
export const MAX_PROOFS: number = 32;

/** Certificates of one chain in a bundle. */
export const MAX_CHAIN: number = 8;

/** Bytes of one certificate of a bundle. */
export const MAX_CERTIFICATE: number = 64 * 1024;

/** Bytes of one RFC 3161 timestamp. */
export const MAX_TIMESTAMP: number = 64 * 1024;

/** Bytes of the checkpoint of one inclusion proof: each of its lines may cost a signature check. */
export const MAX_CHECKPOINT: number = 16 * 1024;

/** Values in the JSON of a bundle, an annotation or a trusted root: each costs far more memory than its bytes. */
export const MAX_JSON_VALUES: number = 20_000;

/** Values in a signed payload, which may hold a bill of materials. */
export const MAX_PAYLOAD_VALUES: number = 1_000_000;

/** Nesting of JSON from a registry or a Secret. */
export const MAX_JSON_DEPTH: number = 64;

/** Bytes of a trusted_root.json; the public-good root has about 12 kB. */
export const MAX_TRUSTED_ROOT: number = 4 * 1024 * 1024;

/** How far ahead of our clock a vouched time may be, in milliseconds: more means a broken proof or a broken clock. */
export const MAX_CLOCK_SKEW: number = 60 * 60 * 1000;
