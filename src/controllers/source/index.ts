export { OciRepositoryController, ociRepositoryConditions, type OciRepositoryOptions } from './controller.ts';
export { SourceFailure, type SourceReason } from './failure.ts';
export { formatRevision, revisionDigest } from './revision.ts';
