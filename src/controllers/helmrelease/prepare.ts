import { helmKeys, type Artifact, type HelmRelease } from '../../api/index.ts';
import type { YamlObject } from '../../golang/index.ts';
import type { Release } from '../../helm/index.ts';
import type { ConfigReader, FeatureGates } from '../../runtime/index.ts';
import { digestOf, errorMessage, isCodedError } from '../../std/index.ts';
import type { Cluster, Clusters, SourceKey } from '../applier/index.ts';
import type { ReleaseTarget } from './actions/index.ts';
import type { Charts, LoadedChart } from './charts.ts';
import { HelmReleaseFailure, step } from './failure.ts';
import { failurePolicies, releaseName, releaseNamespace, storageNamespace } from './settings.ts';
import { tracksRevision } from './source.ts';
import { commonMetadataDigest, postRenderersDigest } from './spec-digest.ts';
import type { Desired } from './state.ts';
import { readValues } from './values.ts';
import { configDigest } from './values-digest.ts';

/** What preparing works with. */
export type PrepareOptions = {
  configs: ConfigReader;
  charts: Charts;
  clusters: Clusters;
  gates: FeatureGates;
  defaultServiceAccount: string;
};

/** Everything a release is made from. */
export type Prepared = {
  chart: LoadedChart;
  values: YamlObject;
  desired: Desired;
  cluster: Cluster;
  target: ReleaseTarget;
  /** Who releases, and where. */
  identity: string;
  /** Hash of all of it: an action under way for other inputs is out of date. */
  inputs: string;
};

/** Brings together what a release is made from (HB04, HB05, HB20–HB24). @throws HelmReleaseFailure */
export async function prepare(
  object: HelmRelease,
  source: SourceKey,
  artifact: Artifact,
  options: PrepareOptions,
  signal: AbortSignal,
): Promise<Prepared> {
  const { configs, gates } = options;
  const values = await step('ValuesError', () => readValues(object, configs));
  const chart = await loadChart(source, artifact, options.charts, signal);
  const { cluster, target, identity } = await reach(object, options);
  const digest = configDigest(values);
  const { generation } = object.metadata;
  const desired: Desired = {
    chartName: chart.name,
    chartVersion: chart.version,
    configDigest: digest,
    postRenderersDigest: postRenderersDigest(object),
    commonMetadataDigest: commonMetadataDigest(object),
    tests: object.spec.test?.enable === true,
    policies: failurePolicies(object, gates.enabled('DefaultToRetryOnFailure')),
    generation,
    isOurs: (release) => bearsOwner(release, object),
  };
  const inputs = digestOf([object.metadata.uid, String(generation), chart.version, chart.digest, digest, identity].join('\n'));
  return { chart, values, desired, cluster, target, identity, inputs };
}

async function loadChart(source: SourceKey, artifact: Artifact, charts: Charts, signal: AbortSignal): Promise<LoadedChart> {
  try {
    return await charts.load(artifact, tracksRevision(source), signal);
  } catch (error) {
    if (isCodedError(error, 'ChartMutateError'))
      throw new HelmReleaseFailure('ChartMutateError', error.message, { cause: error, tell: false });
    if (isCodedError(error, 'ArtifactNotFound')) {
      const message = 'Source not ready: artifact not found';
      throw new HelmReleaseFailure('ArtifactFailed', message, { cause: error, follow: 'dependency', tell: false });
    }
    throw new HelmReleaseFailure('ArtifactFailed', `Could not load chart: ${errorMessage(error)}`, { cause: error });
  }
}

/** The cluster a release goes to, and who it acts as there. @throws HelmReleaseFailure */
export async function reach(
  object: HelmRelease,
  { clusters, defaultServiceAccount }: Pick<PrepareOptions, 'clusters' | 'defaultServiceAccount'>,
): Promise<Pick<Prepared, 'cluster' | 'target' | 'identity'>> {
  const { name, namespace } = object.metadata;
  const cluster = await clusterOf(object, clusters);
  const account = object.spec.serviceAccountName ?? defaultServiceAccount;
  const client = account === '' ? cluster.kube : cluster.kube.impersonate({ user: `system:serviceaccount:${namespace}:${account}` });
  const target: ReleaseTarget = {
    name: releaseName(object),
    namespace: releaseNamespace(object),
    storageNamespace: storageNamespace(object),
    client,
    owned: cluster.owned,
    owner: { name, namespace },
  };
  return { cluster, target, identity: `${cluster.id} ${account}` };
}

async function clusterOf(object: HelmRelease, clusters: Clusters): Promise<Cluster> {
  try {
    return await clusters.of(object);
  } catch (error) {
    if (isCodedError(error, 'KubeconfigUnsupported')) {
      throw new HelmReleaseFailure('FeatureGateDisabled', error.message, { cause: error, follow: 'stall' });
    }
    throw new HelmReleaseFailure('RESTClientError', errorMessage(error), { cause: error, tell: false });
  }
}

/** True when the manifests of a record carry the labels that name this object. */
export function bearsOwner({ manifest, hooks }: Release, { metadata }: HelmRelease): boolean {
  const texts = [manifest, ...hooks.map((hook) => hook.manifest)];
  const has = (key: string, value: string): boolean => texts.some((text) => new RegExp(`^ +${key}: ["']?${value}["']?$`, 'm').test(text));
  return has(helmKeys.ownerName, metadata.name) && has(helmKeys.ownerNamespace, metadata.namespace);
}
