/** API groups of the kinds Sluice reconciles. */
export const groups = {
  source: 'source.toolkit.fluxcd.io',
  sourceExtensions: 'source.extensions.fluxcd.io',
  /** Kinds Flux does not have. */
  sourcePolicies: 'source.sluice.dev',
  kustomize: 'kustomize.toolkit.fluxcd.io',
  helm: 'helm.toolkit.fluxcd.io',
  notification: 'notification.toolkit.fluxcd.io',
} as const;

/** Annotations a person or a program sets on Flux objects to ask for something (C06–C08). */
export const requestAnnotations = {
  requestedAt: 'reconcile.fluxcd.io/requestedAt',
  forceAt: 'reconcile.fluxcd.io/forceAt',
  resetAt: 'reconcile.fluxcd.io/resetAt',
} as const;

/** Annotations under this prefix are copied into the metadata of each event of the object. */
export const eventAnnotationPrefix = 'event.toolkit.fluxcd.io/';

/** Label that makes a change of a ConfigMap or Secret reconcile the objects that refer to it (C13). */
export const watchLabel = 'reconcile.fluxcd.io/watch';

/** Label that assigns an object to a shard (C12). */
export const shardLabel = 'sharding.fluxcd.io/shard';

/** The finalizer of every kind except ArtifactGenerator. */
export const finalizer = 'finalizers.fluxcd.io';

/** Names of the controllers, as they appear in events, leases, metrics and managedFields. */
export const controllerNames = {
  source: 'source-controller',
  kustomize: 'kustomize-controller',
  helm: 'helm-controller',
  notification: 'notification-controller',
} as const;

/** Field managers (reference: managedFields names). */
export const fieldManagers = {
  /** Server-side apply of users' objects by a Kustomization. */
  kustomizeApply: 'kustomize-controller',
  /** Status and finalizer patches on Kustomizations. */
  kustomizeStatus: 'gotk-kustomize-controller',
  source: 'source-controller',
  helm: 'helm-controller',
} as const;

/** Keys the kustomize group puts on, or reads from, users' objects. */
export const kustomizeKeys = {
  ownerName: 'kustomize.toolkit.fluxcd.io/name',
  ownerNamespace: 'kustomize.toolkit.fluxcd.io/namespace',
  reconcile: 'kustomize.toolkit.fluxcd.io/reconcile',
  prune: 'kustomize.toolkit.fluxcd.io/prune',
  ssa: 'kustomize.toolkit.fluxcd.io/ssa',
  force: 'kustomize.toolkit.fluxcd.io/force',
  substitute: 'kustomize.toolkit.fluxcd.io/substitute',
  decrypt: 'kustomize.toolkit.fluxcd.io/decrypt',
} as const;

/** Keys the helm group puts on, or reads from, users' objects. */
export const helmKeys = {
  ownerName: 'helm.toolkit.fluxcd.io/name',
  ownerNamespace: 'helm.toolkit.fluxcd.io/namespace',
  driftDetection: 'helm.toolkit.fluxcd.io/driftDetection',
} as const;

/** Keys of event metadata, to be prefixed with the involved object's API group and `/` (E04). */
export const eventKeys = {
  revision: 'revision',
  originRevision: 'originRevision',
  digest: 'digest',
  checksum: 'checksum',
  token: 'token',
  commit: 'commit',
  changeRequest: 'change_request',
  commitStatus: 'commit_status',
  ociDigest: 'oci-digest',
  appVersion: 'app-version',
} as const;

/** Annotations of an OCI manifest that say where its content comes from (OB17). */
export const originAnnotations = {
  source: 'org.opencontainers.image.source',
  revision: 'org.opencontainers.image.revision',
} as const;
