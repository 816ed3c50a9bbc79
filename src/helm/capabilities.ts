import { quote } from '../golang/index.ts';
import { helmError } from './errors.ts';

/** A Kubernetes version as templates see it. */
export type KubeVersion = {
  /** With everything a provider adds: `v1.33.4-gke.1245000`. */
  readonly version: string;
  /** What a chart's kubeVersion is checked against, and how the version prints. Empty for a live cluster: then `version`. */
  readonly normalized: string;
  readonly major: string;
  readonly minor: string;
};

/** What the cluster can do. */
export type Capabilities = {
  readonly kubeVersion: KubeVersion;
  /** Group versions (`apps/v1`); of a live cluster also with kinds (`apps/v1/Deployment`). */
  readonly apiVersions: readonly string[];
  readonly helmVersion: HelmVersion;
};

/** What `.Capabilities.HelmVersion` says. */
export type HelmVersion = {
  readonly version: string;
  readonly gitCommit: string;
  readonly gitTreeState: string;
  readonly goVersion: string;
  readonly kubeClientVersion: string;
};

const HELM_VERSION: HelmVersion = {
  version: 'v4.2.4',
  gitCommit: '',
  gitTreeState: '',
  goVersion: 'go1.26.8',
  kubeClientVersion: 'v1.36',
};

/** The group versions Helm knows without a cluster, in its order. */
const KNOWN_API_VERSIONS: readonly string[] = [
  'v1',
  'admissionregistration.k8s.io/v1',
  'admissionregistration.k8s.io/v1alpha1',
  'admissionregistration.k8s.io/v1beta1',
  'internal.apiserver.k8s.io/v1alpha1',
  'apps/v1',
  'apps/v1beta1',
  'apps/v1beta2',
  'authentication.k8s.io/v1',
  'authentication.k8s.io/v1alpha1',
  'authentication.k8s.io/v1beta1',
  'authorization.k8s.io/v1',
  'authorization.k8s.io/v1beta1',
  'autoscaling/v1',
  'autoscaling/v2',
  'batch/v1',
  'batch/v1beta1',
  'certificates.k8s.io/v1',
  'certificates.k8s.io/v1beta1',
  'certificates.k8s.io/v1alpha1',
  'coordination.k8s.io/v1alpha2',
  'coordination.k8s.io/v1beta1',
  'coordination.k8s.io/v1',
  'discovery.k8s.io/v1',
  'discovery.k8s.io/v1beta1',
  'events.k8s.io/v1',
  'events.k8s.io/v1beta1',
  'extensions/v1beta1',
  'flowcontrol.apiserver.k8s.io/v1',
  'flowcontrol.apiserver.k8s.io/v1beta1',
  'flowcontrol.apiserver.k8s.io/v1beta2',
  'flowcontrol.apiserver.k8s.io/v1beta3',
  'networking.k8s.io/v1',
  'networking.k8s.io/v1beta1',
  'node.k8s.io/v1',
  'node.k8s.io/v1alpha1',
  'node.k8s.io/v1beta1',
  'policy/v1',
  'policy/v1beta1',
  'rbac.authorization.k8s.io/v1',
  'rbac.authorization.k8s.io/v1beta1',
  'rbac.authorization.k8s.io/v1alpha1',
  'resource.k8s.io/v1',
  'resource.k8s.io/v1beta2',
  'resource.k8s.io/v1beta1',
  'resource.k8s.io/v1alpha3',
  'scheduling.k8s.io/v1alpha2',
  'scheduling.k8s.io/v1beta1',
  'scheduling.k8s.io/v1',
  'storage.k8s.io/v1beta1',
  'storage.k8s.io/v1',
  'storage.k8s.io/v1alpha1',
  'storagemigration.k8s.io/v1beta1',
  'apiextensions.k8s.io/v1beta1',
  'apiextensions.k8s.io/v1',
];

/** What `helm template` assumes: Kubernetes v1.36.0 and the API versions Helm 4.2 is built with. */
export const defaultCapabilities: Capabilities = {
  kubeVersion: { version: 'v1.36.0', normalized: 'v1.36.0', major: '1', minor: '36' },
  apiVersions: KNOWN_API_VERSIONS,
  helmVersion: HELM_VERSION,
};

/** The same of Helm 3. */
export const defaultCapabilitiesHelm3: Capabilities = {
  ...defaultCapabilities,
  helmVersion: { ...HELM_VERSION, version: 'v3.21.4', kubeClientVersion: '' },
};

/** The capabilities as Helm 3 knows them: a version without what a provider adds. */
export function plainCapabilities(capabilities: Capabilities): Capabilities {
  const { kubeVersion } = capabilities;
  const version = kubeVersionText(kubeVersion);
  return version === kubeVersion.version ? capabilities : { ...capabilities, kubeVersion: { ...kubeVersion, version } };
}

/**
 * Reads a version for `--kube-version`: two or more numbers, what follows them is kept but does not count in checks.
 * @throws CodedError `KubeVersionIncompatible` with Helm's text
 */
export function parseKubeVersion(text: string): KubeVersion {
  const failed = (why: string): Error => helmError('KubeVersionIncompatible', why, { subject: text });
  const numbers = /^[\t\n\f\r ]*v?([0-9]+(?:\.[0-9]+)*)/.exec(text)?.[1];
  if (numbers === undefined || text.includes('\n')) throw failed(`could not parse ${quote(text)} as version`);
  const components = numbers.split('.');
  if (components.length < 2) throw failed(`illegal version string ${quote(text)}`);
  const [major = '', minor = ''] = components;
  if (major.length > 1 && major.startsWith('0')) throw failed(`illegal zero-prefixed version component ${quote(major)} in ${quote(text)}`);
  const tooBig = components.find((component) => BigInt(component) > 0xffff_ffff_ffff_ffffn);
  if (tooBig !== undefined) {
    const cause = `strconv.ParseUint: parsing ${quote(tooBig)}: value out of range`;
    throw failed(`illegal non-numeric version component ${quote(tooBig)} in ${quote(text)}: ${cause}`);
  }
  return {
    version: text.startsWith('v') ? text : `v${text}`,
    normalized: `v${components.map((component) => String(BigInt(component))).join('.')}`,
    major: String(BigInt(major)),
    minor: String(BigInt(minor)),
  };
}

/** The text of a version: what charts print and constraints see. */
export function kubeVersionText({ version, normalized }: KubeVersion): string {
  return normalized === '' ? version : normalized;
}
