import { CodedError } from '../std/index.ts';
import type {
  ClusterVerificationPolicy,
  ExternalArtifact,
  HelmRelease,
  Kustomization,
  OCIRepository,
  VerificationPolicy,
} from './generated.ts';
import { externalArtifactKind } from './external-artifact.ts';
import { helmReleaseKind } from './helm-release.ts';
import type { Kind } from './kind.ts';
import { kustomizationKind } from './kustomization.ts';
import { ociRepositoryKind } from './oci-repository.ts';
import { readKind } from './validate.ts';
import { clusterVerificationPolicyKind, verificationPolicyKind } from './verification-policy.ts';

/** What reading an object of one of our kinds can fail with. */
export type ApiErrorCode = 'ObjectInvalid';

/**
 * Reads an OCIRepository: defaults filled in, unknown fields left out.
 * @throws CodedError `ObjectInvalid` naming every fault
 */
export function parseOCIRepository(object: Readonly<Record<string, unknown>>): OCIRepository {
  return parse<OCIRepository>(ociRepositoryKind, object);
}

/** Reads a Kustomization. @throws CodedError `ObjectInvalid` naming every fault */
export function parseKustomization(object: Readonly<Record<string, unknown>>): Kustomization {
  return parse<Kustomization>(kustomizationKind, object);
}

/** Reads a HelmRelease. @throws CodedError `ObjectInvalid` naming every fault */
export function parseHelmRelease(object: Readonly<Record<string, unknown>>): HelmRelease {
  return parse<HelmRelease>(helmReleaseKind, object);
}

/** Reads an ExternalArtifact. @throws CodedError `ObjectInvalid` naming every fault */
export function parseExternalArtifact(object: Readonly<Record<string, unknown>>): ExternalArtifact {
  return parse<ExternalArtifact>(externalArtifactKind, object);
}

/** Reads a VerificationPolicy. @throws CodedError `ObjectInvalid` naming every fault */
export function parseVerificationPolicy(object: Readonly<Record<string, unknown>>): VerificationPolicy {
  return parse<VerificationPolicy>(verificationPolicyKind, object);
}

/** Reads a ClusterVerificationPolicy; its namespace is empty. @throws CodedError `ObjectInvalid` naming every fault */
export function parseClusterVerificationPolicy(object: Readonly<Record<string, unknown>>): ClusterVerificationPolicy {
  const policy = parse<ClusterVerificationPolicy>(clusterVerificationPolicyKind, object);
  return { ...policy, metadata: { ...policy.metadata, namespace: '' } };
}

function parse<T>(kind: Kind, object: Readonly<Record<string, unknown>>): T {
  const { value, faults } = readKind(kind, object);
  if (faults.length > 0) {
    const metadata = object['metadata'] as { namespace?: string; name?: string } | undefined;
    const subject = `${kind.kind}/${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`;
    throw new CodedError<ApiErrorCode>({
      code: 'ObjectInvalid',
      message: `read ${subject}: ${faults.map((fault) => `${fault.path}: ${fault.message}`).join('; ')}`,
      subject,
      retryable: false,
    });
  }
  return value as T;
}
