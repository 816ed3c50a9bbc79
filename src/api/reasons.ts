/** Types of the conditions Sluice writes. */
export const conditionTypes = {
  ready: 'Ready',
  reconciling: 'Reconciling',
  stalled: 'Stalled',
  healthy: 'Healthy',
  artifactInStorage: 'ArtifactInStorage',
  artifactOutdated: 'ArtifactOutdated',
  fetchFailed: 'FetchFailed',
  storageOperationFailed: 'StorageOperationFailed',
  sourceVerified: 'SourceVerified',
  released: 'Released',
  testSuccess: 'TestSuccess',
  remediated: 'Remediated',
  drifted: 'Drifted',
} as const;

/** A condition type Sluice writes. */
export type ConditionType = (typeof conditionTypes)[keyof typeof conditionTypes];

/** Every reason a condition or event of Sluice can carry, with what it means. */
export const reasons = {
  /** The operation the condition is about succeeded. */
  Succeeded: 'Succeeded',
  /** The operation failed and nothing more specific is known. */
  Failed: 'Failed',
  /** Work is under way. */
  Progressing: 'Progressing',
  /** The last attempt failed; another one follows. */
  ProgressingWithRetry: 'ProgressingWithRetry',
  /** The object asks not to be reconciled. */
  Suspended: 'Suspended',
  /** An object named in `dependsOn` is not ready, or its `readyExpr` is false. */
  DependencyNotReady: 'DependencyNotReady',
  /** A CEL expression in the spec does not parse or does not evaluate to what it should. */
  InvalidCELExpression: 'InvalidCELExpression',
  /** The spec asks for something a feature gate keeps off. */
  FeatureGateDisabled: 'FeatureGateDisabled',
  /** The object refers to something it may not refer to. */
  AccessDenied: 'AccessDenied',
  /** The source does not exist, has no artifact, or its artifact cannot be read. */
  ArtifactFailed: 'ArtifactFailed',
  /** The manifests could not be built, decrypted or substituted. */
  BuildFailed: 'BuildFailed',
  /** The manifests were applied and, when asked for, became healthy. */
  ReconciliationSucceeded: 'ReconciliationSucceeded',
  /** The API server refused a manifest, or could not be reached. */
  ReconciliationFailed: 'ReconciliationFailed',
  /** Objects that left the inventory could not be deleted. */
  PruneFailed: 'PruneFailed',
  /** Applied objects failed or did not become ready in time. */
  HealthCheckFailed: 'HealthCheckFailed',
  /** The health check was given up because something newer asked for a reconcile. */
  HealthCheckCanceled: 'HealthCheckCanceled',
  /** A new artifact was stored. */
  NewArtifact: 'NewArtifact',
  /** The registry holds a revision that is not stored yet. */
  NewRevision: 'NewRevision',
  /** Nothing changed. */
  ArtifactUpToDate: 'ArtifactUpToDate',
  /** `spec.url` is not a repository. */
  URLInvalid: 'URLInvalid',
  /** Credentials are missing, malformed or refused. */
  AuthenticationFailed: 'AuthenticationFailed',
  /** Tags could not be listed or none matches. */
  ReadOperationFailed: 'ReadOperationFailed',
  /** The manifest or a layer could not be pulled. */
  OCIArtifactPullFailed: 'OCIArtifactPullFailed',
  /** The artifact has no layer that fits, or its layer cannot be unpacked. */
  OCIArtifactLayerOperationFailed: 'OCIArtifactLayerOperationFailed',
  /** The signature could not be verified. */
  VerificationError: 'VerificationError',
  /** A verification policy cannot be used: what it names is missing or wrong. */
  PolicyInvalid: 'PolicyInvalid',
  /** The stored artifact does not have the digest it was published with. */
  ArtifactVerificationFailed: 'ArtifactVerificationFailed',
  /** The archive could not be written. */
  ArchiveOperationFailed: 'ArchiveOperationFailed',
  /** The store's folder could not be written. */
  DirectoryCreationFailed: 'DirectoryCreationFailed',
  /** The stored artifact could not be examined. */
  StatOperationFailed: 'StatOperationFailed',
  /** The object's status could not be written. */
  PatchOperationFailed: 'PatchOperationFailed',
  /** Old artifacts were removed from the store. */
  GarbageCollectionSucceeded: 'GarbageCollectionSucceeded',
  /** Old artifacts could not be removed from the store. */
  GarbageCollectionFailed: 'GarbageCollectionFailed',
  /** An ignore file of the artifact cannot be read. */
  SourceIgnoreError: 'SourceIgnoreError',
  /** The source of the chart is not ready. */
  SourceNotReady: 'SourceNotReady',
  /** The values could not be put together. */
  ValuesError: 'ValuesError',
  /** The chart is not what its artifact says it is. */
  ChartMutateError: 'ChartMutateError',
  /** The cluster to release to cannot be reached. */
  RESTClientError: 'RESTClientError',
  /** The records of the release cannot be reached. */
  FactoryError: 'FactoryError',
  /** The state of the release cannot be told. */
  StateError: 'StateError',
  /** The release could not be reconciled. */
  ReconcileError: 'ReconcileError',
  /** The release was installed. */
  InstallSucceeded: 'InstallSucceeded',
  /** Installing the release failed. */
  InstallFailed: 'InstallFailed',
  /** The release was upgraded. */
  UpgradeSucceeded: 'UpgradeSucceeded',
  /** Upgrading the release failed. */
  UpgradeFailed: 'UpgradeFailed',
  /** An action on the release was interrupted; its record was unlocked. */
  PendingRelease: 'PendingRelease',
  /** The tests of the release passed. */
  TestSucceeded: 'TestSucceeded',
  /** A test of the release failed. */
  TestFailed: 'TestFailed',
  /** The tests of the release have not run yet. */
  AwaitingTests: 'AwaitingTests',
  /** The release was rolled back. */
  RollbackSucceeded: 'RollbackSucceeded',
  /** Rolling the release back failed. */
  RollbackFailed: 'RollbackFailed',
  /** The release was uninstalled. */
  UninstallSucceeded: 'UninstallSucceeded',
  /** Uninstalling the release failed. */
  UninstallFailed: 'UninstallFailed',
  /** The release failed as often as it may. */
  RetriesExceeded: 'RetriesExceeded',
  /** There is no earlier revision to roll back to. */
  MissingRollbackTarget: 'MissingRollbackTarget',
  /** Objects of the release were changed by others. */
  DriftDetected: 'DriftDetected',
  /** No object of the release was changed by others. */
  NoDriftDetected: 'NoDriftDetected',
  /** Objects others changed were put right. */
  DriftCorrected: 'DriftCorrected',
  /** Objects others changed could not be put right. */
  DriftCorrectionFailed: 'DriftCorrectionFailed',
  /** The objects of the release could not be listed. */
  InventoryBuildFailed: 'InventoryBuildFailed',
  /** The chart comes from a kind of source this version does not serve. */
  UnsupportedChartSource: 'UnsupportedChartSource',
} as const;

/** A reason of a condition or event. */
export type Reason = (typeof reasons)[keyof typeof reasons];
