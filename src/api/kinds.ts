import { externalArtifactKind } from './external-artifact.ts';
import { helmReleaseKind } from './helm-release.ts';
import type { Kind } from './kind.ts';
import { kustomizationKind } from './kustomization.ts';
import { ociRepositoryKind } from './oci-repository.ts';
import { clusterVerificationPolicyKind, verificationPolicyKind } from './verification-policy.ts';

/** Every kind Sluice defines. */
export const kinds: readonly Kind[] = [
  ociRepositoryKind,
  externalArtifactKind,
  kustomizationKind,
  helmReleaseKind,
  verificationPolicyKind,
  clusterVerificationPolicyKind,
];
