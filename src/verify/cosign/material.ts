import type { VerificationErrorCode } from '../verdict.ts';

/** One signature as the registry stores it. `name` (a digest or a tag) is what messages call it. */
export type CosignMaterial =
  /**
   * A layer of the manifest tagged `sha256-….sig` (cosign's SIGNATURE_SPEC): the blob is the payload, signature and proofs are the
   * layer descriptor's annotations.
   */
  | { name: string; kind: 'simple-signing'; payload: Uint8Array; annotations: Readonly<Record<string, string>> }
  /** A layer of the manifest tagged `sha256-….att`: the blob is a DSSE envelope, proofs are the layer descriptor's annotations. */
  | { name: string; kind: 'envelope'; payload: Uint8Array; annotations: Readonly<Record<string, string>> }
  /** The layer of a referrer whose artifactType is a Sigstore bundle (cosign's BUNDLE_SPEC): the blob is the bundle. */
  | { name: string; kind: 'bundle'; json: Uint8Array }
  /** What the caller could not or would not read (a blob over a bound, a broken manifest): it counts as a rejection and is told. */
  | { name: string; kind: 'unread'; code: VerificationErrorCode; found: string; wanted: string };

/** Media types of the layers that hold cosign material, and of referrers' artifactType. */
export const cosignMediaTypes = {
  simpleSigning: 'application/vnd.dev.cosign.simplesigning.v1+json',
  /** artifactType of a referrer that holds what is otherwise under the tag `sha256-….sig` (cosign's oci-1-1 mode). */
  signatureArtifact: 'application/vnd.dev.cosign.artifact.sig.v1+json',
  envelope: 'application/vnd.dsse.envelope.v1+json',
  /** Every bundle type starts so: `.v0.3+json`, `+json;version=0.1`. */
  bundlePrefix: 'application/vnd.dev.sigstore.bundle',
} as const;
