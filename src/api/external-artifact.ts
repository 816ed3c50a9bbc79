import { artifact, conditions } from './common.ts';
import { ageColumn, readyColumn, statusColumn, type Kind } from './kind.ts';
import { groups } from './names.ts';
import { optional, record, required, text } from './schema.ts';

/** ExternalArtifact: an artifact a third party publishes. */
export const externalArtifactKind: Kind = {
  group: groups.source,
  version: 'v1',
  kind: 'ExternalArtifact',
  plural: 'externalartifacts',
  shortNames: ['ea'],
  categories: ['all', 'fluxcd', 'fluxcd-sources'],
  component: 'source-controller',
  description: 'An artifact a third party publishes.',
  spec: record('ExternalArtifactSpec', 'Where the artifact comes from.', {
    sourceRef: optional(
      record('ExternalArtifactSource', 'The object that publishes the artifact.', {
        apiVersion: optional(text('Its API version.')),
        kind: required(text('Its kind.')),
        name: required(text('Its name.')),
        namespace: optional(text('Its namespace; the same as ours when left out.')),
      }),
    ),
  }),
  status: record('ExternalArtifactStatus', 'What is published.', {
    artifact: optional(artifact),
    conditions: optional(conditions),
  }),
  columns: [ageColumn, readyColumn, statusColumn, { jsonPath: '.spec.sourceRef.name', name: 'Source', type: 'string' }],
};
