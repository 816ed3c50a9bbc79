import { artifact, conditions, lastHandledReconcileAt, localReference, observedGeneration } from './common.ts';
import { groups } from './names.ts';
import { choice, describedAs, duration, flag, list, optional, record, required, shortDuration, text, type RecordSchema } from './schema.ts';
import { ageColumn, readyColumn, statusColumn, type Kind } from './kind.ts';

const reference = record('OCIRepositoryReference', 'Which artifact of the repository; the tag `latest` when left out.', {
  digest: optional(text('A digest, `sha256:…`. Wins over `semver` and `tag`.')),
  semver: optional(text('A range of versions; the highest tag in it is taken. Wins over `tag`.')),
  semverFilter: optional(text('A regular expression a tag must match before `semver` looks at it.')),
  tag: optional(text('A tag.')),
});

const layerSelector = record('OCILayerSelector', 'Which layer of the artifact to use, and how; the first one when left out.', {
  mediaType: optional(text('Media type of the layer; the first that has it is taken.')),
  operation: optional(choice('`extract` unpacks the layer, `copy` publishes it as it is. Default `extract`.', ['extract', 'copy'])),
});

/** spec.verify; a signer of a policy has the same fields. */
export const verification: RecordSchema = record('OCIRepositoryVerification', 'Whose signature the artifact must carry.', {
  provider: required(choice('The kind of signature.', ['cosign', 'notation'], 'cosign')),
  secretRef: optional(describedAs('Secret with the public keys, or with the trust policy and certificates.', localReference)),
  matchOIDCIdentity: optional(
    list(
      'Identities of which one must have made a keyless signature.',
      record('OIDCIdentityMatch', 'Patterns for the identity in the signing certificate.', {
        issuer: required(text('Regular expression for the issuer.')),
        subject: required(text('Regular expression for the subject.')),
      }),
    ),
  ),
  trustedRootSecretRef: optional(describedAs('Secret whose key `trusted_root.json` names a private Sigstore.', localReference)),
});

const spec = record('OCIRepositorySpec', 'What to fetch, and how.', {
  url: required(text('The repository, `oci://host/name`, without tag or digest.', { pattern: '^oci://.*$' })),
  interval: required(duration('How often to look for a new revision.')),
  ref: optional(reference),
  layerSelector: optional(layerSelector),
  provider: optional(
    choice('Whose login to use when there are no credentials in the cluster.', ['generic', 'aws', 'azure', 'gcp'], 'generic'),
  ),
  secretRef: optional(describedAs('Secret of type kubernetes.io/dockerconfigjson with the credentials.', localReference)),
  serviceAccountName: optional(text('ServiceAccount whose image pull secrets are used, or that logs in to the cloud provider.')),
  certSecretRef: optional(
    describedAs('Secret with `ca.crt`, or `tls.crt` and `tls.key`, for the connection to the registry.', localReference),
  ),
  proxySecretRef: optional(describedAs('Secret with the `address`, `username` and `password` of a proxy.', localReference)),
  verify: optional(verification),
  timeout: optional(shortDuration('How long one operation on the registry may take.', '60s')),
  ignore: optional(text('Patterns as in .gitignore of files to leave out; replaces the default ones.')),
  insecure: optional(flag('Allow plain HTTP and certificates that do not verify.')),
  suspend: optional(flag('Stop reconciling this object.')),
});

const status: RecordSchema = record(
  'OCIRepositoryStatus',
  'What was fetched.',
  {
    artifact: optional(artifact),
    conditions: optional(conditions),
    lastHandledReconcileAt: optional(lastHandledReconcileAt),
    observedGeneration: optional(observedGeneration),
    observedIgnore: optional(text('The value of `spec.ignore` the artifact was made with.')),
    observedLayerSelector: optional(describedAs('The value of `spec.layerSelector` the artifact was made with.', layerSelector)),
    url: optional(text('Address of the latest artifact.')),
  },
  { default: { observedGeneration: -1 } },
);

/** OCIRepository: an artifact in a registry, fetched and published. */
export const ociRepositoryKind: Kind = {
  group: groups.source,
  version: 'v1',
  kind: 'OCIRepository',
  plural: 'ocirepositories',
  shortNames: ['ocirepo'],
  categories: ['all', 'fluxcd', 'fluxcd-sources'],
  component: 'source-controller',
  description: 'An artifact in an OCI registry, fetched and published.',
  spec,
  status,
  columns: [{ jsonPath: '.spec.url', name: 'URL', type: 'string' }, readyColumn, statusColumn, ageColumn],
};
