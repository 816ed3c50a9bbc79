export { VerificationError, type Identity, type Rejection, type Subject, type VerificationErrorCode, type Verdict } from './verdict.ts';
export { describeIdentity, satisfies, type Party, type Satisfaction, type SignerPolicy } from './policy.ts';
export { cosignMediaTypes, type CosignMaterial } from './cosign/material.ts';
export type { CosignOptions, CosignPolicy } from './cosign/policy.ts';
export { parsePublicKeys, type PublicKey } from './cosign/public-key.ts';
export { matchIdentity, parseIdentities, type IdentityPattern, type ParseIdentitiesOptions } from './cosign/identity.ts';
export { verifyAllCosign, verifyCosign, type CosignFindings } from './cosign/verify.ts';
export { MAX_BUNDLE, MAX_MATERIAL_BYTES, MAX_MATERIALS, MAX_PAYLOAD } from './cosign/limits.ts';
export { parseTrustedRoot, type TrustedRoot } from './sigstore/trusted-root.ts';
export { publicGoodRoot } from './sigstore/public-good.ts';
export { RefreshingRoot, type RefreshingRootOptions } from './sigstore/refreshing-root.ts';
export { verifyAllNotation, verifyNotation, type NotationFindings, type NotationOptions, type NotationSkip } from './notation/verify.ts';
export { notationMediaTypes, type NotationMaterial, type SignatureEnvelope } from './notation/signature.ts';
export {
  everyTrustStore,
  namedTrustStores,
  parseCertificates,
  parseNotationSecret,
  type CertificateFiles,
  type TrustedCertificate,
  type TrustStores,
} from './notation/trust-store.ts';
export { parseTrustPolicy, type TrustPolicy, type TrustPolicyStatement } from './notation/trust-policy.ts';
export { CrlCache } from './notation/crl-cache.ts';
export type { RevocationSource } from './notation/revocation-source.ts';
export { MAX_CRL, MAX_ENVELOPE, MAX_OCSP_RESPONSE, MAX_SIGNATURES } from './notation/bounds.ts';
