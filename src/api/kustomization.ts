import {
  commonMetadata,
  conditions,
  dependsOn,
  healthCheckExprs,
  ignoreRules,
  images,
  inventory,
  kubeConfig,
  lastHandledReconcileAt,
  localReference,
  observedGeneration,
  patches,
  variables,
} from './common.ts';
import { ageColumn, readyColumn, statusColumn, type Kind } from './kind.ts';
import { groups } from './names.ts';
import {
  choice,
  describedAs,
  duration,
  flag,
  int64,
  list,
  optional,
  record,
  required,
  stringMap,
  text,
  timestamp,
  type RecordSchema,
} from './schema.ts';

const sourceReference = record('KustomizationSourceReference', 'The source the manifests come from.', {
  apiVersion: optional(text('API version of the source.')),
  kind: required(choice('Kind of the source.', ['OCIRepository', 'GitRepository', 'Bucket', 'ExternalArtifact'])),
  name: required(text('Name of the source.')),
  namespace: optional(text('Its namespace; the same as ours when left out.')),
});

const healthCheck = record('HealthCheckReference', 'Names an object that must be ready.', {
  apiVersion: optional(text('API version of the object; apps/v1 when left out.')),
  kind: required(text('Its kind.')),
  name: required(text('Its name.')),
  namespace: optional(text('Its namespace; leave out for objects that have none.')),
});

const postBuild = record('PostBuild', 'Variables to substitute in the built manifests.', {
  substitute: optional(variables),
  substituteFrom: optional(
    list(
      'Objects with more variables; a later one wins over an earlier one, `substitute` over all.',
      record('SubstituteReference', 'Names a ConfigMap or Secret with variables.', {
        kind: required(choice('Its kind.', ['Secret', 'ConfigMap'])),
        name: required(text('Its name.', { minLength: 1, maxLength: 253 })),
        optional: optional(flag('Go on when the object does not exist.', false)),
      }),
    ),
  ),
  substituteStrategy: optional(
    choice('Whether to substitute when there are no variables. Default `WithVariables`.', ['WithVariables', 'Always']),
  ),
});

const decryption = record('Decryption', 'How to decrypt the manifests.', {
  provider: required(choice('The format.', ['sops'])),
  secretRef: optional(describedAs('Secret with the keys.', localReference)),
  serviceAccountName: optional(text('ServiceAccount that logs in to the key management service.')),
});

const spec = record('KustomizationSpec', 'What to apply, and how.', {
  interval: required(duration('How often to look that everything is as published.')),
  retryInterval: optional(duration('When to try again after a failure; the interval when left out.')),
  timeout: optional(duration('How long applying and becoming healthy may take.')),
  sourceRef: required(sourceReference),
  path: optional(text('Folder of the artifact to build; its root when left out.')),
  prune: required(flag('Delete objects that were applied and are no longer in the artifact.')),
  deletionPolicy: optional(
    choice('What becomes of the objects when this one is deleted. Default `MirrorPrune`.', [
      'MirrorPrune',
      'Delete',
      'WaitForTermination',
      'Orphan',
    ]),
  ),
  dependsOn: optional(dependsOn),
  wait: optional(flag('Be ready only when every applied object is.')),
  healthChecks: optional(list('Objects that must be ready; ignored with `wait`.', healthCheck)),
  healthCheckExprs: optional(healthCheckExprs),
  targetNamespace: optional(text('Namespace to put every object in.', { minLength: 1, maxLength: 63 })),
  namePrefix: optional(text('Text to put before every name.', { minLength: 1, maxLength: 200 })),
  nameSuffix: optional(text('Text to put after every name.', { minLength: 1, maxLength: 200 })),
  commonMetadata: optional(commonMetadata),
  components: optional(list('Components to add, as paths relative to `path`.', { type: 'string' })),
  ignoreMissingComponents: optional(flag('Leave out components whose folder does not exist.')),
  patches: optional(patches),
  images: optional(images),
  buildMetadata: optional(
    list('Annotations kustomize should leave on what it built.', { type: 'string', enum: ['originAnnotations', 'transformerAnnotations'] }),
  ),
  postBuild: optional(postBuild),
  decryption: optional(decryption),
  force: optional(flag('Delete and create again what cannot be changed in place.', false)),
  ignore: optional(ignoreRules),
  serviceAccountName: optional(text('ServiceAccount to act as.')),
  kubeConfig: optional(kubeConfig),
  suspend: optional(flag('Stop reconciling this object.')),
});

const history = list(
  'What was applied lately, newest first.',
  record('HistoryEntry', 'One build and how applying it ended.', {
    digest: required(text('Hash of the built manifests.')),
    firstReconciled: required(timestamp('When it was first applied.')),
    lastReconciled: required(timestamp('When it was last applied.')),
    lastReconciledDuration: required(text('How long that took.')),
    lastReconciledStatus: required(text('The reason of the Ready condition after that.')),
    totalReconciliations: required(int64('How often it was applied.')),
    metadata: optional(stringMap('Revisions it was built from.')),
  }),
);

const status: RecordSchema = record(
  'KustomizationStatus',
  'What was applied.',
  {
    conditions: optional(conditions),
    history: optional(history),
    inventory: optional(inventory),
    lastAppliedOriginRevision: optional(text('Revision of the origin of the artifact that was last applied.')),
    lastAppliedRevision: optional(text('Revision that was last applied and became healthy.')),
    lastAttemptedRevision: optional(text('Revision of the last attempt.')),
    lastHandledReconcileAt: optional(lastHandledReconcileAt),
    observedGeneration: optional(observedGeneration),
  },
  { default: { observedGeneration: -1 } },
);

/** Kustomization: manifests of an artifact, built, applied and kept. */
export const kustomizationKind: Kind = {
  group: groups.kustomize,
  version: 'v1',
  kind: 'Kustomization',
  plural: 'kustomizations',
  shortNames: ['ks'],
  categories: ['all', 'fluxcd', 'fluxcd-appliers'],
  component: 'kustomize-controller',
  description: 'Manifests of an artifact, built, applied and kept as published.',
  spec,
  status,
  columns: [ageColumn, readyColumn, statusColumn],
};
