import { conditions, observedGeneration } from './common.ts';
import { groups } from './names.ts';
import { ageColumn, readyColumn, statusColumn, type Kind } from './kind.ts';
import { verification } from './oci-repository.ts';
import { choice, int64, list, optional, record, required, text, type Field, type RecordSchema } from './schema.ts';

const signer = record('PolicySigner', 'One party, whatever keys or identities it has: its signatures count once.', {
  name: required(text('What messages call it.', { minLength: 1, maxLength: 63 })),
  ...verification.fields,
});

const attestation = record('PolicyAttestation', 'A statement about the artifact that a signer who counts must have made.', {
  predicateType: required(text('Type of its predicate, such as `https://slsa.dev/provenance/v1`.', { minLength: 1, maxLength: 512 })),
  expressions: optional(
    list(
      'CEL expressions that must all be true. They see `predicate`, `predicateType`, `builder`, `sources`, `signer`, `digest`, `repository`.',
      text('A CEL expression.', { minLength: 1, maxLength: 4096 }),
      { maxItems: 16 },
    ),
  ),
  threshold: optional(int64('How many distinct signers must have made one. Default 1.', { minimum: 1 })),
});

const fields: Readonly<Record<string, Field>> = {
  repositories: optional(
    list(
      'Which repositories it is about: globs over `host/path`, `*` within a part, `**` across parts. All when left out.',
      text('A glob, such as `ghcr.io/org/**`.', {
        maxLength: 512,
        pattern: '^(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9.*?_-]+)(:[0-9*?]+)?(/[A-Za-z0-9.*?_-]+)*$',
      }),
      { minItems: 1, maxItems: 64 },
    ),
  ),
  signers: optional(
    list('Who may sign. When left out, the OCIRepository must have `spec.verify`, and whoever that trusts counts.', signer, {
      minItems: 1,
      maxItems: 16,
      mapKeys: ['name'],
    }),
  ),
  threshold: optional(int64('How many distinct signers must have signed. Default 1.', { minimum: 1 })),
  attestations: optional(list('Statements about the artifact that must be there, each of them.', attestation, { maxItems: 16 })),
  rollback: optional(
    choice('`Deny` refuses an artifact that is older than the newest one accepted. Default `Allow`.', ['Allow', 'Deny'], 'Allow'),
  ),
  enforcement: optional(
    choice('`Warn` lets pass what does not satisfy the policy, and tells. Default `Enforce`.', ['Enforce', 'Warn'], 'Enforce'),
  ),
};

const status: RecordSchema = record(
  'VerificationPolicyStatus',
  'Whether the policy can be used.',
  { conditions: optional(conditions), observedGeneration: optional(observedGeneration) },
  { default: { observedGeneration: -1 } },
);

/** VerificationPolicy: what artifacts of the OCIRepositories of its namespace must prove. */
export const verificationPolicyKind: Kind = {
  group: groups.sourcePolicies,
  version: 'v1alpha1',
  kind: 'VerificationPolicy',
  plural: 'verificationpolicies',
  shortNames: ['vpol'],
  categories: ['sluice'],
  component: 'source-controller',
  description: 'What the artifacts of the OCIRepositories of a namespace must prove before they are fetched.',
  spec: record('VerificationPolicySpec', 'What an artifact must prove.', fields),
  status,
  columns: [readyColumn, statusColumn, ageColumn],
};

/** ClusterVerificationPolicy: the same for every namespace. */
export const clusterVerificationPolicyKind: Kind = {
  ...verificationPolicyKind,
  kind: 'ClusterVerificationPolicy',
  plural: 'clusterverificationpolicies',
  scope: 'Cluster',
  shortNames: ['cvpol'],
  description: 'What the artifacts of the OCIRepositories of all namespaces must prove before they are fetched.',
  spec: record('ClusterVerificationPolicySpec', 'What an artifact must prove.', {
    ...fields,
    namespaces: optional(
      list(
        'Which namespaces it is about: globs. All when left out.',
        text('A glob, such as `team-*`.', { maxLength: 253, pattern: '^[a-z0-9*?-]+$' }),
        {
          minItems: 1,
          maxItems: 64,
        },
      ),
    ),
  }),
};
