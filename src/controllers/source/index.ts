export type { Identities } from './access.ts';
export { sourceAnnotations, sourceAnnotationsChanged } from './annotations.ts';
export { OciRepositoryController, ociRepositoryConditions, type OciRepositoryOptions } from './controller.ts';
export {
  concerns,
  concernsUrl,
  Policies,
  policyName,
  policySecrets,
  readPolicy,
  toPolicy,
  usualHome,
  type Policy,
  type PolicyKind,
  type ReadPolicy,
  type SecretReader,
} from './policies.ts';
export { judgePolicies, type Judgement } from './judgement.ts';
export { Materials } from './materials.ts';
export { VerificationPolicyController, verificationPolicyConditions } from './policy-controller.ts';
export { newestAnnotation } from './rollback.ts';
export { PushIndex } from './push-index.ts';
export { parsePushNotification, type Push } from './push-notification.ts';
export { SourceFailure, type SourceReason } from './failure.ts';
export { formatRevision, revisionDigest } from './revision.ts';
export { httpRevocation } from './revocation.ts';
export { describeSigner, readWanted, verifySignature, type Trust, type VerificationContext, type Wanted } from './verification.ts';
