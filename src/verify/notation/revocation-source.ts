import type { CrlCache } from './crl-cache.ts';

/**
 * How revocation lists and responders are reached; the room opens no socket. Rejects when the server cannot be reached or answers with
 * anything but 200.
 */
export interface RevocationSource {
  /** POSTs a DER OCSP request (`application/ocsp-request`) and returns the body; should stop reading at MAX_OCSP_RESPONSE bytes. */
  ocsp(url: string, request: Uint8Array, signal?: AbortSignal): Promise<Uint8Array>;
  /** GETs a DER CRL; should stop reading at MAX_CRL bytes. */
  crl(url: string, signal?: AbortSignal): Promise<Uint8Array>;
  /** Where lists are kept between verifications; without it each verification gets them anew. */
  readonly lists?: CrlCache;
  /** Random bytes for OCSP's nonce; without it none is sent, as notation does. */
  nonce?(): Uint8Array;
}
