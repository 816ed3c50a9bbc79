export type { Identities } from './access.ts';
export { sourceAnnotations, sourceAnnotationsChanged } from './annotations.ts';
export { OciRepositoryController, ociRepositoryConditions, type OciRepositoryOptions } from './controller.ts';
export { PushIndex } from './push-index.ts';
export { parsePushNotification, type Push } from './push-notification.ts';
export { SourceFailure, type SourceReason } from './failure.ts';
export { formatRevision, revisionDigest } from './revision.ts';
export { httpRevocation } from './revocation.ts';
export { describeSigner, verifySignature, type Trust, type VerificationContext, type Wanted } from './verification.ts';
