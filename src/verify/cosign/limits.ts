// Bounds on what a registry hands us as signatures. Whoever may push to the repository decides what is there, so nothing here is trusted.

/** Bytes of one simple-signing payload, or of one attestation envelope. */
export const MAX_PAYLOAD: number = 4 * 1024 * 1024;

/** Bytes of one Sigstore bundle. The largest seen in the wild hold SBOM attestations of a few megabytes. */
export const MAX_BUNDLE: number = 16 * 1024 * 1024;

/** Bytes of one annotation of an old signature: certificate, chain, log entry, timestamp. */
export const MAX_ANNOTATION: number = 256 * 1024;

/** Signatures looked at for one subject, good or bad. */
export const MAX_MATERIALS: number = 256;

/** Bytes of all signatures looked at for one subject. */
export const MAX_MATERIAL_BYTES: number = 64 * 1024 * 1024;

/** Subjects of one in-toto statement. */
export const MAX_SUBJECTS: number = 1024;

/** Public keys of one policy. */
export const MAX_KEYS: number = 64;

/** Bytes of one file of public keys. */
export const MAX_KEY_FILE: number = 64 * 1024;

/** Identities of one policy. */
export const MAX_IDENTITIES: number = 64;
