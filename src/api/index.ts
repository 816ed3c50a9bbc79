export * from './generated.ts';
export {
  controllerNames,
  eventAnnotationPrefix,
  eventKeys,
  fieldManagers,
  finalizer,
  groups,
  helmKeys,
  kustomizeKeys,
  originAnnotations,
  requestAnnotations,
  shardLabel,
  watchLabel,
} from './names.ts';
export { conditionTypes, reasons, type ConditionType, type Reason } from './reasons.ts';
export { findCondition, isConditionTrue, removeConditions, setCondition, summarize, type ConditionUpdate } from './condition.ts';
export { customResourceDefinition, openApiSchema, type JsonObject } from './crd.ts';
export { externalArtifactKind } from './external-artifact.ts';
export { helmReleaseKind } from './helm-release.ts';
export { kindApiVersion, type Kind, type PrinterColumn } from './kind.ts';
export { kinds } from './kinds.ts';
export { kustomizationKind } from './kustomization.ts';
export { ociRepositoryKind } from './oci-repository.ts';
export {
  parseClusterVerificationPolicy,
  parseExternalArtifact,
  parseHelmRelease,
  parseKustomization,
  parseOCIRepository,
  parseVerificationPolicy,
  type ApiErrorCode,
} from './parse.ts';
export type { ResourceMetadata } from './resource.ts';
export { formatTimestamp } from './timestamp.ts';
export { typeText } from './type-text.ts';
export { clusterVerificationPolicyKind, verificationPolicyKind } from './verification-policy.ts';
export { readKind, type Fault, type Reading } from './validate.ts';
