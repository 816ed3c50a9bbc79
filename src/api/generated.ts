// Generated from the schemas in this folder by tools/generate.ts. Do not edit.
import type { ResourceMetadata } from './resource.ts';

/** What a source publishes: an archive, where it is and what it was made from. */
export type Artifact = {
  /** Path of the archive below the root of the store. */
  path: string;
  /** Address the archive can be downloaded from. */
  url: string;
  /** What the archive was made from, such as `latest@sha256:…`. */
  revision: string;
  /** Hash of the archive, `algorithm:hex`. */
  digest: string;
  /** When the archive was published. */
  lastUpdateTime: string;
  /** Size of the archive in bytes. */
  size?: number;
  /** Annotations of the artifact it was made from. */
  metadata?: Record<string, string>;
};

/** The source that publishes the chart. */
export type ChartReference = {
  /** Its API version. */
  apiVersion?: string;
  /** Its kind. */
  kind: 'OCIRepository' | 'HelmChart' | 'ExternalArtifact';
  /** Its name. */
  name: string;
  /** Its namespace; the same as ours when left out. */
  namespace?: string;
};

/** What the artifacts of the OCIRepositories of all namespaces must prove before they are fetched. */
export type ClusterVerificationPolicy = {
  apiVersion: 'source.sluice.dev/v1alpha1';
  kind: 'ClusterVerificationPolicy';
  metadata: ResourceMetadata;
  spec: ClusterVerificationPolicySpec;
  status: VerificationPolicyStatus;
};

/** What an artifact must prove. */
export type ClusterVerificationPolicySpec = {
  /** Which repositories it is about: globs over `host/path`, `*` within a part, `**` across parts. All when left out. */
  repositories?: string[];
  /** Who may sign. When left out, the OCIRepository must have `spec.verify`, and whoever that trusts counts. */
  signers?: PolicySigner[];
  /** How many distinct signers must have signed. Default 1. */
  threshold?: number;
  /** Statements about the artifact that must be there, each of them. */
  attestations?: PolicyAttestation[];
  /** `Deny` refuses an artifact that is older than the newest one accepted. Default `Allow`. */
  rollback: 'Allow' | 'Deny';
  /** `Warn` lets pass what does not satisfy the policy, and tells. Default `Enforce`. */
  enforcement: 'Enforce' | 'Warn';
  /** Which namespaces it is about: globs. All when left out. */
  namespaces?: string[];
};

/** Labels and annotations set on every object, over those it has. */
export type CommonMetadata = {
  /** Annotations to set. */
  annotations?: Record<string, string>;
  /** Labels to set. */
  labels?: Record<string, string>;
};

/** One aspect of the state of the object. */
export type Condition = {
  /** Which aspect, in CamelCase. */
  type: string;
  /** Whether it holds. */
  status: 'True' | 'False' | 'Unknown';
  /** The metadata.generation the condition speaks about. */
  observedGeneration?: number;
  /** When the status last changed. */
  lastTransitionTime: string;
  /** Why, in one CamelCase word a program can switch on. */
  reason: string;
  /** Why, for people. */
  message: string;
};

/** Tells the health of one kind. */
export type CustomHealthCheck = {
  /** API version of the kind. */
  apiVersion: string;
  /** Kind; every kind of the group when left out. */
  kind?: string;
  /** CEL expression that is true while the object is not ready yet. */
  inProgress?: string;
  /** CEL expression that is true when the object failed. */
  failed?: string;
  /** CEL expression that is true when the object is ready. */
  current: string;
};

/** How to decrypt the manifests. */
export type Decryption = {
  /** The format. */
  provider: 'sops';
  /** Secret with the keys. */
  secretRef?: LocalReference;
  /** ServiceAccount that logs in to the key management service. */
  serviceAccountName?: string;
};

/** Names an object that must be ready first. */
export type DependencyReference = {
  /** Name of the object. */
  name: string;
  /** Its namespace; the same as ours when left out. */
  namespace?: string;
  /** CEL expression over `self` and `dep` that says whether it is ready. */
  readyExpr?: string;
};

/** What to do about objects others changed. */
export type DriftDetection = {
  /** Put them right, only say so, or neither. Default `disabled`. */
  mode?: 'enabled' | 'warn' | 'disabled';
  /** Fields other managers may own. */
  ignore?: IgnoreRule[];
};

/** An artifact a third party publishes. */
export type ExternalArtifact = {
  apiVersion: 'source.toolkit.fluxcd.io/v1';
  kind: 'ExternalArtifact';
  metadata: ResourceMetadata;
  spec: ExternalArtifactSpec;
  status?: ExternalArtifactStatus;
};

/** The object that publishes the artifact. */
export type ExternalArtifactSource = {
  /** Its API version. */
  apiVersion?: string;
  /** Its kind. */
  kind: string;
  /** Its name. */
  name: string;
  /** Its namespace; the same as ours when left out. */
  namespace?: string;
};

/** Where the artifact comes from. */
export type ExternalArtifactSpec = {
  /** The object that publishes the artifact. */
  sourceRef?: ExternalArtifactSource;
};

/** What is published. */
export type ExternalArtifactStatus = {
  /** What a source publishes: an archive, where it is and what it was made from. */
  artifact?: Artifact;
  /** What is currently true of the object. */
  conditions?: Condition[];
};

/** Names an object that must be ready. */
export type HealthCheckReference = {
  /** API version of the object; apps/v1 when left out. */
  apiVersion?: string;
  /** Its kind. */
  kind: string;
  /** Its name. */
  name: string;
  /** Its namespace; leave out for objects that have none. */
  namespace?: string;
};

/** The source the chart is in. */
export type HelmChartSourceReference = {
  /** Its API version. */
  apiVersion?: string;
  /** Its kind. */
  kind: 'HelmRepository' | 'GitRepository' | 'Bucket';
  /** Its name. */
  name: string;
  /** Its namespace; the same as ours when left out. */
  namespace?: string;
};

/** A chart of a Helm repository; see `chartRef` for charts of a registry. */
export type HelmChartTemplate = {
  /** Metadata of the HelmChart made from this. */
  metadata?: HelmChartTemplateMetadata;
  /** Which chart, and where from. */
  spec: HelmChartTemplateSpec;
};

/** Metadata of the HelmChart made from this. */
export type HelmChartTemplateMetadata = {
  /** Its annotations. */
  annotations?: Record<string, string>;
  /** Its labels. */
  labels?: Record<string, string>;
};

/** Which chart, and where from. */
export type HelmChartTemplateSpec = {
  /** Name or path of the chart. */
  chart: string;
  /** Range of versions. */
  version: string;
  /** The source the chart is in. */
  sourceRef: HelmChartSourceReference;
  /** How often to look for a newer chart; `spec.interval` when left out. */
  interval?: string;
  /** What makes a chart new. */
  reconcileStrategy: 'ChartVersion' | 'Revision';
  /** Files of the chart or source to take values from. */
  valuesFiles?: string[];
  /** Go on when one of them does not exist. */
  ignoreMissingValuesFiles?: boolean;
  /** How to verify who signed the chart. */
  verify?: HelmChartVerification;
};

/** How to verify who signed the chart. */
export type HelmChartVerification = {
  /** The kind of signature. */
  provider: 'cosign' | 'notation';
  /** Secret with the keys. */
  secretRef?: LocalReference;
};

/** How to install. */
export type HelmInstall = {
  /** How long each operation of it may take; `spec.timeout` when left out. */
  timeout?: string;
  /** Run no hooks. */
  disableHooks?: boolean;
  /** Do not wait for objects to be ready. */
  disableWait?: boolean;
  /** Do not wait for Jobs to complete. */
  disableWaitForJobs?: boolean;
  /** Do not check manifests against the schemas of the cluster. */
  disableOpenAPIValidation?: boolean;
  /** Do not check values against the chart's schema. */
  disableSchemaValidation?: boolean;
  /** Refuse objects that belong to another release. */
  disableTakeOwnership?: boolean;
  /** What to do with the CRDs of the chart. Default `Create`. */
  crds?: 'Skip' | 'Create' | 'CreateReplace';
  /** What to do after a failed install. */
  remediation?: HelmInstallRemediation;
  /** What to do after a failure. */
  strategy?: HelmInstallStrategy;
  /** Use the name of a deleted release that is still in the history again. */
  replace?: boolean;
  /** Deprecated and without effect: use `crds`. */
  skipCRDs?: boolean;
  /** Create the target namespace when it does not exist. */
  createNamespace?: boolean;
  /** Use server-side apply. Default true. */
  serverSideApply?: boolean;
};

/** What to do after a failed install. */
export type HelmInstallRemediation = {
  /** How often to try again after a failure; −1 for ever. Default 0. */
  retries?: number;
  /** A failed test is no failure. Default `test.ignoreFailures`. */
  ignoreTestFailures?: boolean;
  /** Also put right what the last attempt left behind. */
  remediateLastFailure?: boolean;
};

/** What to do after a failure. */
export type HelmInstallStrategy = {
  /** Put it right, or try again with what is there. */
  name: 'RemediateOnFailure' | 'RetryOnFailure';
  /** When to try again. Default 5m. */
  retryInterval?: string;
};

/** A chart with values, released and kept as published. */
export type HelmRelease = {
  apiVersion: 'helm.toolkit.fluxcd.io/v2';
  kind: 'HelmRelease';
  metadata: ResourceMetadata;
  spec: HelmReleaseSpec;
  status: HelmReleaseStatus;
};

/** Which chart to release, and how. */
export type HelmReleaseSpec = {
  /** A chart of a Helm repository; see `chartRef` for charts of a registry. */
  chart?: HelmChartTemplate;
  /** The source that publishes the chart. */
  chartRef?: ChartReference;
  /** How often to look that everything is as published. */
  interval: string;
  /** Stop reconciling this object. */
  suspend?: boolean;
  /** Name of the release; `[targetNamespace-]name` when left out. */
  releaseName?: string;
  /** Namespace of the released objects; ours when left out. */
  targetNamespace?: string;
  /** Namespace of the records of the release; ours when left out. */
  storageNamespace?: string;
  /** Objects of the same kind that must be ready first. */
  dependsOn?: DependencyReference[];
  /** How long each operation may take. Default 5m. */
  timeout?: string;
  /** How many revisions to keep; 0 for all. Default 5. */
  maxHistory?: number;
  /** ServiceAccount to act as. */
  serviceAccountName?: string;
  /** Without effect: what kinds there are is learnt as they appear. */
  persistentClient?: boolean;
  /** The cluster to apply to, when not the one the object is in. */
  kubeConfig?: KubeConfigReference;
  /** What to do about objects others changed. */
  driftDetection?: DriftDetection;
  /** How to install. */
  install?: HelmInstall;
  /** How to upgrade. */
  upgrade?: HelmUpgrade;
  /** Whether and how to run the tests of the chart. */
  test?: HelmTest;
  /** How to roll back. */
  rollback?: HelmRollback;
  /** How to uninstall. */
  uninstall?: HelmUninstall;
  /** Where to take values from; a later one wins over an earlier one, `values` over all. */
  valuesFrom?: ValuesReference[];
  /** Values for the chart. */
  values?: Record<string, unknown>;
  /** Labels and annotations set on every object, over those it has. */
  commonMetadata?: CommonMetadata;
  /** What to change in what the chart rendered, in this order. */
  postRenderers?: PostRenderer[];
  /** Which manifests they see. Default `combined`. */
  postRenderStrategy?: 'nohooks' | 'combined' | 'separate';
  /** How to wait for objects to be ready. */
  waitStrategy?: HelmWaitStrategy;
  /** CEL expressions that tell the health of kinds the standard rules do not know. */
  healthCheckExprs?: CustomHealthCheck[];
};

/** What was released. */
export type HelmReleaseStatus = {
  /** What is currently true of the object. */
  conditions?: Condition[];
  /** Failures in a row of any kind. */
  failures?: number;
  /** The HelmChart made from `chart`, namespace/name. */
  helmChart?: string;
  /** The latest revisions, newest first. */
  history?: Snapshot[];
  /** Failed installs in a row. */
  installFailures?: number;
  /** The objects that were applied. */
  inventory?: ResourceInventory;
  /** Hash of the values of the last attempt. */
  lastAttemptedConfigDigest?: string;
  /** metadata.generation of the last attempt. */
  lastAttemptedGeneration?: number;
  /** What the last attempt did. */
  lastAttemptedReleaseAction?: 'install' | 'upgrade';
  /** How long that took. */
  lastAttemptedReleaseActionDuration?: string;
  /** Chart version of the last attempt. */
  lastAttemptedRevision?: string;
  /** Digest of the chart of the last attempt. */
  lastAttemptedRevisionDigest?: string;
  /** Deprecated: see `lastAttemptedConfigDigest`. */
  lastAttemptedValuesChecksum?: string;
  /** The last value of the annotation `reconcile.fluxcd.io/forceAt` that was acted on. */
  lastHandledForceAt?: string;
  /** The last value of the annotation `reconcile.fluxcd.io/requestedAt` that was acted on. */
  lastHandledReconcileAt?: string;
  /** The last value of the annotation `reconcile.fluxcd.io/resetAt` that was acted on. */
  lastHandledResetAt?: string;
  /** Deprecated: see `history`. */
  lastReleaseRevision?: number;
  /** Hash of the `commonMetadata` that was applied. */
  observedCommonMetadataDigest?: string;
  /** The last metadata.generation that was reconciled. */
  observedGeneration?: number;
  /** Hash of the `postRenderers` that were applied. */
  observedPostRenderersDigest?: string;
  /** Namespace of the records of the release. */
  storageNamespace?: string;
  /** Failed upgrades in a row. */
  upgradeFailures?: number;
};

/** How to roll back. */
export type HelmRollback = {
  /** How long each operation of it may take; `spec.timeout` when left out. */
  timeout?: string;
  /** Run no hooks. */
  disableHooks?: boolean;
  /** Do not wait for objects to be ready. */
  disableWait?: boolean;
  /** Do not wait for Jobs to complete. */
  disableWaitForJobs?: boolean;
  /** Without effect. */
  recreate?: boolean;
  /** Replace objects that cannot be changed in place. */
  force?: boolean;
  /** After a failure delete the objects it created. */
  cleanupOnFail?: boolean;
  /** Use server-side apply; `auto` does what the last revision did. */
  serverSideApply?: 'enabled' | 'disabled' | 'auto';
};

/** Whether and how to run the tests of the chart. */
export type HelmTest = {
  /** Run them after each install and upgrade. */
  enable?: boolean;
  /** How long each of them may take; `spec.timeout` when left out. */
  timeout?: string;
  /** A failed test is no failure. */
  ignoreFailures?: boolean;
  /** Which tests to run. */
  filters?: HelmTestFilter[];
};

/** Selects a test, or leaves one out. */
export type HelmTestFilter = {
  /** Its name. */
  name: string;
  /** Leave it out. */
  exclude?: boolean;
};

/** How to uninstall. */
export type HelmUninstall = {
  /** How long each operation of it may take; `spec.timeout` when left out. */
  timeout?: string;
  /** Run no hooks. */
  disableHooks?: boolean;
  /** Keep the records of the release. */
  keepHistory?: boolean;
  /** Do not wait for objects to be gone. */
  disableWait?: boolean;
  /** What becomes of the dependents of deleted objects. */
  deletionPropagation: 'background' | 'foreground' | 'orphan';
};

/** How to upgrade. */
export type HelmUpgrade = {
  /** How long each operation of it may take; `spec.timeout` when left out. */
  timeout?: string;
  /** Run no hooks. */
  disableHooks?: boolean;
  /** Do not wait for objects to be ready. */
  disableWait?: boolean;
  /** Do not wait for Jobs to complete. */
  disableWaitForJobs?: boolean;
  /** Do not check manifests against the schemas of the cluster. */
  disableOpenAPIValidation?: boolean;
  /** Do not check values against the chart's schema. */
  disableSchemaValidation?: boolean;
  /** Refuse objects that belong to another release. */
  disableTakeOwnership?: boolean;
  /** What to do with the CRDs of the chart. Default `Create`. */
  crds?: 'Skip' | 'Create' | 'CreateReplace';
  /** What to do after a failed upgrade. */
  remediation?: HelmUpgradeRemediation;
  /** What to do after a failure. */
  strategy?: HelmUpgradeStrategy;
  /** Replace objects that cannot be changed in place. */
  force?: boolean;
  /** Keep the values of the last revision and put ours on top. */
  preserveValues?: boolean;
  /** After a failure delete the objects it created. */
  cleanupOnFail?: boolean;
  /** Use server-side apply; `auto` does what the last revision did. */
  serverSideApply?: 'enabled' | 'disabled' | 'auto';
  /** What to do when the chart gets another name. Default `Reinstall`. */
  chartNameChangeStrategy?: 'InPlaceUpdate' | 'Reinstall';
};

/** What to do after a failed upgrade. */
export type HelmUpgradeRemediation = {
  /** How often to try again after a failure; −1 for ever. Default 0. */
  retries?: number;
  /** A failed test is no failure. Default `test.ignoreFailures`. */
  ignoreTestFailures?: boolean;
  /** Also put right what the last attempt left behind. */
  remediateLastFailure?: boolean;
  /** How to put it right. Default `rollback`. */
  strategy?: 'rollback' | 'uninstall';
};

/** What to do after a failure. */
export type HelmUpgradeStrategy = {
  /** Put it right, or try again with what is there. */
  name: 'RemediateOnFailure' | 'RetryOnFailure';
  /** When to try again. Default 5m. */
  retryInterval?: string;
};

/** How to wait for objects to be ready. */
export type HelmWaitStrategy = {
  /** By health, or as Helm 3 did. Default `poller`. */
  name: 'poller' | 'legacy';
};

/** One build and how applying it ended. */
export type HistoryEntry = {
  /** Hash of the built manifests. */
  digest: string;
  /** When it was first applied. */
  firstReconciled: string;
  /** When it was last applied. */
  lastReconciled: string;
  /** How long that took. */
  lastReconciledDuration: string;
  /** The reason of the Ready condition after that. */
  lastReconciledStatus: string;
  /** How often it was applied. */
  totalReconciliations: number;
  /** Revisions it was built from. */
  metadata?: Record<string, string>;
};

/** Fields of the selected objects that other managers may own. */
export type IgnoreRule = {
  /** JSON pointers. */
  paths: string[];
  /** Selects objects; every field given must match. */
  target?: Selector;
};

/** What to replace an image with. */
export type ImageOverride = {
  /** The image, without its tag. */
  name: string;
  /** The new name. */
  newName?: string;
  /** The new tag. */
  newTag?: string;
  /** The new digest; wins over the tag. */
  digest?: string;
};

/** The cluster to apply to, when not the one the object is in. */
export type KubeConfigReference = {
  /** Names an object in the same namespace. */
  configMapRef?: LocalReference;
  /** Names a Secret in the same namespace, and a key in it. */
  secretRef?: SecretKeyReference;
};

/** Manifests of an artifact, built, applied and kept as published. */
export type Kustomization = {
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1';
  kind: 'Kustomization';
  metadata: ResourceMetadata;
  spec: KustomizationSpec;
  status: KustomizationStatus;
};

/** The source the manifests come from. */
export type KustomizationSourceReference = {
  /** API version of the source. */
  apiVersion?: string;
  /** Kind of the source. */
  kind: 'OCIRepository' | 'GitRepository' | 'Bucket' | 'ExternalArtifact';
  /** Name of the source. */
  name: string;
  /** Its namespace; the same as ours when left out. */
  namespace?: string;
};

/** What to apply, and how. */
export type KustomizationSpec = {
  /** How often to look that everything is as published. */
  interval: string;
  /** When to try again after a failure; the interval when left out. */
  retryInterval?: string;
  /** How long applying and becoming healthy may take. */
  timeout?: string;
  /** The source the manifests come from. */
  sourceRef: KustomizationSourceReference;
  /** Folder of the artifact to build; its root when left out. */
  path?: string;
  /** Delete objects that were applied and are no longer in the artifact. */
  prune: boolean;
  /** What becomes of the objects when this one is deleted. Default `MirrorPrune`. */
  deletionPolicy?: 'MirrorPrune' | 'Delete' | 'WaitForTermination' | 'Orphan';
  /** Objects of the same kind that must be ready first. */
  dependsOn?: DependencyReference[];
  /** Be ready only when every applied object is. */
  wait?: boolean;
  /** Objects that must be ready; ignored with `wait`. */
  healthChecks?: HealthCheckReference[];
  /** CEL expressions that tell the health of kinds the standard rules do not know. */
  healthCheckExprs?: CustomHealthCheck[];
  /** Namespace to put every object in. */
  targetNamespace?: string;
  /** Text to put before every name. */
  namePrefix?: string;
  /** Text to put after every name. */
  nameSuffix?: string;
  /** Labels and annotations set on every object, over those it has. */
  commonMetadata?: CommonMetadata;
  /** Components to add, as paths relative to `path`. */
  components?: string[];
  /** Leave out components whose folder does not exist. */
  ignoreMissingComponents?: boolean;
  /** Patches to apply to the built objects. */
  patches?: Patch[];
  /** Images to replace. */
  images?: ImageOverride[];
  /** Annotations kustomize should leave on what it built. */
  buildMetadata?: ('originAnnotations' | 'transformerAnnotations')[];
  /** Variables to substitute in the built manifests. */
  postBuild?: PostBuild;
  /** How to decrypt the manifests. */
  decryption?: Decryption;
  /** Delete and create again what cannot be changed in place. */
  force: boolean;
  /** Fields other managers may own. */
  ignore?: IgnoreRule[];
  /** ServiceAccount to act as. */
  serviceAccountName?: string;
  /** The cluster to apply to, when not the one the object is in. */
  kubeConfig?: KubeConfigReference;
  /** Stop reconciling this object. */
  suspend?: boolean;
};

/** What was applied. */
export type KustomizationStatus = {
  /** What is currently true of the object. */
  conditions?: Condition[];
  /** What was applied lately, newest first. */
  history?: HistoryEntry[];
  /** The objects that were applied. */
  inventory?: ResourceInventory;
  /** Revision of the origin of the artifact that was last applied. */
  lastAppliedOriginRevision?: string;
  /** Revision that was last applied and became healthy. */
  lastAppliedRevision?: string;
  /** Revision of the last attempt. */
  lastAttemptedRevision?: string;
  /** The last value of the annotation `reconcile.fluxcd.io/requestedAt` that was acted on. */
  lastHandledReconcileAt?: string;
  /** The last metadata.generation that was reconciled. */
  observedGeneration?: number;
};

/** Changes it as kustomize does. */
export type KustomizePostRenderer = {
  /** Patches to apply to the built objects. */
  patches?: Patch[];
  /** Images to replace. */
  images?: ImageOverride[];
};

/** Secret of type kubernetes.io/dockerconfigjson with the credentials. */
export type LocalReference = {
  /** Name of the object. */
  name: string;
};

/** Which layer of the artifact to use, and how; the first one when left out. */
export type OCILayerSelector = {
  /** Media type of the layer; the first that has it is taken. */
  mediaType?: string;
  /** `extract` unpacks the layer, `copy` publishes it as it is. Default `extract`. */
  operation?: 'extract' | 'copy';
};

/** An artifact in an OCI registry, fetched and published. */
export type OCIRepository = {
  apiVersion: 'source.toolkit.fluxcd.io/v1';
  kind: 'OCIRepository';
  metadata: ResourceMetadata;
  spec: OCIRepositorySpec;
  status: OCIRepositoryStatus;
};

/** Which artifact of the repository; the tag `latest` when left out. */
export type OCIRepositoryReference = {
  /** A digest, `sha256:…`. Wins over `semver` and `tag`. */
  digest?: string;
  /** A range of versions; the highest tag in it is taken. Wins over `tag`. */
  semver?: string;
  /** A regular expression a tag must match before `semver` looks at it. */
  semverFilter?: string;
  /** A tag. */
  tag?: string;
};

/** What to fetch, and how. */
export type OCIRepositorySpec = {
  /** The repository, `oci://host/name`, without tag or digest. */
  url: string;
  /** How often to look for a new revision. */
  interval: string;
  /** Which artifact of the repository; the tag `latest` when left out. */
  ref?: OCIRepositoryReference;
  /** Which layer of the artifact to use, and how; the first one when left out. */
  layerSelector?: OCILayerSelector;
  /** Whose login to use when there are no credentials in the cluster. */
  provider: 'generic' | 'aws' | 'azure' | 'gcp';
  /** Secret of type kubernetes.io/dockerconfigjson with the credentials. */
  secretRef?: LocalReference;
  /** ServiceAccount whose image pull secrets are used, or that logs in to the cloud provider. */
  serviceAccountName?: string;
  /** Secret with `ca.crt`, or `tls.crt` and `tls.key`, for the connection to the registry. */
  certSecretRef?: LocalReference;
  /** Secret with the `address`, `username` and `password` of a proxy. */
  proxySecretRef?: LocalReference;
  /** Whose signature the artifact must carry. */
  verify?: OCIRepositoryVerification;
  /** How long one operation on the registry may take. */
  timeout: string;
  /** Patterns as in .gitignore of files to leave out; replaces the default ones. */
  ignore?: string;
  /** Allow plain HTTP and certificates that do not verify. */
  insecure?: boolean;
  /** Stop reconciling this object. */
  suspend?: boolean;
};

/** What was fetched. */
export type OCIRepositoryStatus = {
  /** What a source publishes: an archive, where it is and what it was made from. */
  artifact?: Artifact;
  /** What is currently true of the object. */
  conditions?: Condition[];
  /** The last value of the annotation `reconcile.fluxcd.io/requestedAt` that was acted on. */
  lastHandledReconcileAt?: string;
  /** The last metadata.generation that was reconciled. */
  observedGeneration?: number;
  /** The value of `spec.ignore` the artifact was made with. */
  observedIgnore?: string;
  /** The value of `spec.layerSelector` the artifact was made with. */
  observedLayerSelector?: OCILayerSelector;
  /** Address of the latest artifact. */
  url?: string;
};

/** Whose signature the artifact must carry. */
export type OCIRepositoryVerification = {
  /** The kind of signature. */
  provider: 'cosign' | 'notation';
  /** Secret with the public keys, or with the trust policy and certificates. */
  secretRef?: LocalReference;
  /** Identities of which one must have made a keyless signature. */
  matchOIDCIdentity?: OIDCIdentityMatch[];
  /** Secret whose key `trusted_root.json` names a private Sigstore. */
  trustedRootSecretRef?: LocalReference;
};

/** Patterns for the identity in the signing certificate. */
export type OIDCIdentityMatch = {
  /** Regular expression for the issuer. */
  issuer: string;
  /** Regular expression for the subject. */
  subject: string;
};

/** One patch and what it applies to. */
export type Patch = {
  /** A strategic-merge patch, or a list of JSON 6902 operations, in YAML. */
  patch: string;
  /** Selects objects; every field given must match. */
  target?: Selector;
};

/** A statement about the artifact that a signer who counts must have made. */
export type PolicyAttestation = {
  /** Type of its predicate, such as `https://slsa.dev/provenance/v1`. */
  predicateType: string;
  /** CEL expressions that must all be true. They see `predicate`, `predicateType`, `builder`, `sources`, `signer`, `digest`, `repository`. */
  expressions?: string[];
  /** How many distinct signers must have made one. Default 1. */
  threshold?: number;
};

/** One party, whatever keys or identities it has: its signatures count once. */
export type PolicySigner = {
  /** What messages call it. */
  name: string;
  /** The kind of signature. */
  provider: 'cosign' | 'notation';
  /** Secret with the public keys, or with the trust policy and certificates. */
  secretRef?: LocalReference;
  /** Identities of which one must have made a keyless signature. */
  matchOIDCIdentity?: OIDCIdentityMatch[];
  /** Secret whose key `trusted_root.json` names a private Sigstore. */
  trustedRootSecretRef?: LocalReference;
};

/** Variables to substitute in the built manifests. */
export type PostBuild = {
  /** Variables and their values. */
  substitute?: Record<string, string>;
  /** Objects with more variables; a later one wins over an earlier one, `substitute` over all. */
  substituteFrom?: SubstituteReference[];
  /** Whether to substitute when there are no variables. Default `WithVariables`. */
  substituteStrategy?: 'WithVariables' | 'Always';
};

/** Changes what the chart rendered. */
export type PostRenderer = {
  /** Changes it as kustomize does. */
  kustomize?: KustomizePostRenderer;
};

/** The objects that were applied. */
export type ResourceInventory = {
  /** One entry for each object. */
  entries: ResourceRef[];
};

/** Names one object. */
export type ResourceRef = {
  /** `<namespace>_<name>_<group>_<kind>`. */
  id: string;
  /** API version, without the group. */
  v: string;
};

/** Names a Secret in the same namespace, and a key in it. */
export type SecretKeyReference = {
  /** Name of the Secret. */
  name: string;
  /** Key in the Secret; when left out, the default of the field that refers to it. */
  key?: string;
};

/** Selects objects; every field given must match. */
export type Selector = {
  /** API group. */
  group?: string;
  /** API version. */
  version?: string;
  /** Kind. */
  kind?: string;
  /** Name, a regular expression. */
  name?: string;
  /** Namespace, a regular expression. */
  namespace?: string;
  /** Label selector, as kubectl takes it. */
  labelSelector?: string;
  /** The same for annotations. */
  annotationSelector?: string;
};

/** One revision of the release, as it was left. */
export type Snapshot = {
  /** Version of the way the digest is computed. */
  apiVersion?: string;
  /** Hash of what the record of the revision holds. */
  digest: string;
  /** Name of the release. */
  name: string;
  /** Its namespace. */
  namespace: string;
  /** Its revision. */
  version: number;
  /** Its status, in the words of Helm. */
  status: string;
  /** Name of the chart. */
  chartName: string;
  /** Version of the chart. */
  chartVersion: string;
  /** Version of the application. */
  appVersion?: string;
  /** Hash of the values. */
  configDigest: string;
  /** When the release was first deployed. */
  firstDeployed: string;
  /** When this revision was deployed. */
  lastDeployed: string;
  /** When it was deleted. */
  deleted?: string;
  /** What made it. */
  action?: string;
  /** Digest of the artifact the chart came from. */
  ociDigest?: string;
  /** How its tests went, by name. */
  testHooks?: Record<string, TestHookStatus>;
};

/** Names a ConfigMap or Secret with variables. */
export type SubstituteReference = {
  /** Its kind. */
  kind: 'Secret' | 'ConfigMap';
  /** Its name. */
  name: string;
  /** Go on when the object does not exist. */
  optional: boolean;
};

/** How a test went. */
export type TestHookStatus = {
  /** When it was last started. */
  lastStarted?: string;
  /** When it last ended. */
  lastCompleted?: string;
  /** How it ended. */
  phase?: string;
};

/** Values out of a ConfigMap or Secret. */
export type ValuesReference = {
  /** Its kind. */
  kind: 'Secret' | 'ConfigMap';
  /** Its name. */
  name: string;
  /** Its key. Default `values.yaml`. */
  valuesKey?: string;
  /** Where in the values to put it, as one text; at the top and as YAML when left out. */
  targetPath?: string;
  /** Go on when it does not exist. */
  optional?: boolean;
  /** Take it as it is, without the syntax of `helm --set`. */
  literal?: boolean;
};

/** What the artifacts of the OCIRepositories of a namespace must prove before they are fetched. */
export type VerificationPolicy = {
  apiVersion: 'source.sluice.dev/v1alpha1';
  kind: 'VerificationPolicy';
  metadata: ResourceMetadata;
  spec: VerificationPolicySpec;
  status: VerificationPolicyStatus;
};

/** What an artifact must prove. */
export type VerificationPolicySpec = {
  /** Which repositories it is about: globs over `host/path`, `*` within a part, `**` across parts. All when left out. */
  repositories?: string[];
  /** Who may sign. When left out, the OCIRepository must have `spec.verify`, and whoever that trusts counts. */
  signers?: PolicySigner[];
  /** How many distinct signers must have signed. Default 1. */
  threshold?: number;
  /** Statements about the artifact that must be there, each of them. */
  attestations?: PolicyAttestation[];
  /** `Deny` refuses an artifact that is older than the newest one accepted. Default `Allow`. */
  rollback: 'Allow' | 'Deny';
  /** `Warn` lets pass what does not satisfy the policy, and tells. Default `Enforce`. */
  enforcement: 'Enforce' | 'Warn';
};

/** Whether the policy can be used. */
export type VerificationPolicyStatus = {
  /** What is currently true of the object. */
  conditions?: Condition[];
  /** The last metadata.generation that was reconciled. */
  observedGeneration?: number;
};
