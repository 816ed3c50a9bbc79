import {
  choice,
  type dictionary,
  int64,
  list,
  optional,
  record,
  required,
  stringMap,
  text,
  timestamp,
  type ListSchema,
  type RecordSchema,
  type StringSchema,
} from './schema.ts';

/** A reference to an object of the same namespace by name (C05). */
export const localReference: RecordSchema = record('LocalReference', 'Names an object in the same namespace.', {
  name: required(text('Name of the object.')),
});

/** A key of a Secret of the same namespace (C05). */
export const secretKeyReference: RecordSchema = record('SecretKeyReference', 'Names a Secret in the same namespace, and a key in it.', {
  name: required(text('Name of the Secret.')),
  key: optional(text('Key in the Secret; when left out, the default of the field that refers to it.')),
});

/** status.conditions (C04). */
export const conditions: ListSchema = list(
  'What is currently true of the object.',
  record('Condition', 'One aspect of the state of the object.', {
    type: required(
      text('Which aspect, in CamelCase.', {
        maxLength: 316,
        pattern: '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$',
      }),
    ),
    status: required(choice('Whether it holds.', ['True', 'False', 'Unknown'])),
    observedGeneration: optional(int64('The metadata.generation the condition speaks about.', { minimum: 0 })),
    lastTransitionTime: required(timestamp('When the status last changed.')),
    reason: required(
      text('Why, in one CamelCase word a program can switch on.', {
        minLength: 1,
        maxLength: 1024,
        pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
      }),
    ),
    message: required(text('Why, for people.', { maxLength: 32768 })),
  }),
);

/** status.artifact (C14). */
export const artifact: RecordSchema = record('Artifact', 'What a source publishes: an archive, where it is and what it was made from.', {
  path: required(text('Path of the archive below the root of the store.')),
  url: required(text('Address the archive can be downloaded from.')),
  revision: required(text('What the archive was made from, such as `latest@sha256:…`.')),
  digest: required(text('Hash of the archive, `algorithm:hex`.', { pattern: '^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$' })),
  lastUpdateTime: required(timestamp('When the archive was published.')),
  size: optional(int64('Size of the archive in bytes.')),
  metadata: optional(stringMap('Annotations of the artifact it was made from.')),
});

/** status.observedGeneration. */
export const observedGeneration: ReturnType<typeof int64> = int64('The last metadata.generation that was reconciled.');

/** status.lastHandledReconcileAt (C07). */
export const lastHandledReconcileAt: StringSchema = text(
  'The last value of the annotation `reconcile.fluxcd.io/requestedAt` that was acted on.',
);

/** status.inventory: what was applied. */
export const inventory: RecordSchema = record('ResourceInventory', 'The objects that were applied.', {
  entries: required(
    list(
      'One entry for each object.',
      record('ResourceRef', 'Names one object.', {
        id: required(text('`<namespace>_<name>_<group>_<kind>`.')),
        v: required(text('API version, without the group.')),
      }),
    ),
  ),
});

/** Selects objects for a patch or an ignore rule, as kustomize does. */
export const selector: RecordSchema = record('Selector', 'Selects objects; every field given must match.', {
  group: optional(text('API group.')),
  version: optional(text('API version.')),
  kind: optional(text('Kind.')),
  name: optional(text('Name, a regular expression.')),
  namespace: optional(text('Namespace, a regular expression.')),
  labelSelector: optional(text('Label selector, as kubectl takes it.')),
  annotationSelector: optional(text('The same for annotations.')),
});

/** spec.commonMetadata. */
export const commonMetadata: RecordSchema = record('CommonMetadata', 'Labels and annotations set on every object, over those it has.', {
  annotations: optional(stringMap('Annotations to set.')),
  labels: optional(stringMap('Labels to set.')),
});

const oneKubeConfig = 'exactly one of spec.kubeConfig.configMapRef or spec.kubeConfig.secretRef must be specified';

/** spec.kubeConfig: another cluster to apply to. */
export const kubeConfig: RecordSchema = record(
  'KubeConfigReference',
  'The cluster to apply to, when not the one the object is in.',
  {
    configMapRef: optional(localReference),
    secretRef: optional(secretKeyReference),
  },
  {
    rules: [
      {
        rule: 'has(self.configMapRef) || has(self.secretRef)',
        message: oneKubeConfig,
        holds: (self) => self['configMapRef'] !== undefined || self['secretRef'] !== undefined,
      },
      {
        rule: '!has(self.configMapRef) || !has(self.secretRef)',
        message: oneKubeConfig,
        holds: (self) => self['configMapRef'] === undefined || self['secretRef'] === undefined,
      },
    ],
  },
);

/** spec.dependsOn. */
export const dependsOn: ListSchema = list(
  'Objects of the same kind that must be ready first.',
  record('DependencyReference', 'Names an object that must be ready first.', {
    name: required(text('Name of the object.')),
    namespace: optional(text('Its namespace; the same as ours when left out.')),
    readyExpr: optional(text('CEL expression over `self` and `dep` that says whether it is ready.')),
  }),
);

/** spec.healthCheckExprs. */
export const healthCheckExprs: ListSchema = list(
  'CEL expressions that tell the health of kinds the standard rules do not know.',
  record('CustomHealthCheck', 'Tells the health of one kind.', {
    apiVersion: required(text('API version of the kind.')),
    kind: optional(text('Kind; every kind of the group when left out.')),
    inProgress: optional(text('CEL expression that is true while the object is not ready yet.')),
    failed: optional(text('CEL expression that is true when the object failed.')),
    current: required(text('CEL expression that is true when the object is ready.')),
  }),
);

/** spec.ignore of Kustomization and driftDetection.ignore of HelmRelease. */
export const ignoreRules: ListSchema = list(
  'Fields other managers may own.',
  record('IgnoreRule', 'Fields of the selected objects that other managers may own.', {
    paths: required(list('JSON pointers.', { type: 'string' })),
    target: optional(selector),
  }),
);

/** spec.images and postRenderers' images. */
export const images: ListSchema = list(
  'Images to replace.',
  record('ImageOverride', 'What to replace an image with.', {
    name: required(text('The image, without its tag.')),
    newName: optional(text('The new name.')),
    newTag: optional(text('The new tag.')),
    digest: optional(text('The new digest; wins over the tag.')),
  }),
);

/** spec.patches and postRenderers' patches. */
export const patches: ListSchema = list(
  'Patches to apply to the built objects.',
  record('Patch', 'One patch and what it applies to.', {
    patch: required(text('A strategic-merge patch, or a list of JSON 6902 operations, in YAML.')),
    target: optional(selector),
  }),
);

/** A map of variables. */
export const variables: ReturnType<typeof dictionary> = stringMap('Variables and their values.');
