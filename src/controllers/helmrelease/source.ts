import { findCondition, isConditionTrue, type Artifact, type HelmRelease } from '../../api/index.ts';
import { isKubeError } from '../../kube/index.ts';
import { errorMessage } from '../../std/index.ts';
import { formatSourceKey, type SourceKey, type SourceObject } from '../applier/index.ts';
import { HelmReleaseFailure } from './failure.ts';

/** The source of the chart; undefined for a chart that is described in the spec itself. */
export function sourceKey({ spec, metadata }: HelmRelease): SourceKey | undefined {
  const { chartRef } = spec;
  if (chartRef === undefined) return undefined;
  return { kind: chartRef.kind, name: chartRef.name, namespace: chartRef.namespace ?? metadata.namespace };
}

/** What a HelmRelease may not refer to. */
export type SourceRules = { noCrossNamespaceRefs: boolean; externalArtifacts: boolean };

/**
 * The source a HelmRelease may take its chart from.
 * @throws HelmReleaseFailure that stalls: `UnsupportedChartSource`, `AccessDenied`
 */
export function allowedSource(object: HelmRelease, rules: SourceRules): SourceKey {
  const source = sourceKey(object);
  if (source === undefined) throw unsupported(object);
  const name = formatSourceKey(source);
  if (rules.noCrossNamespaceRefs && source.namespace !== object.metadata.namespace) {
    throw denied(`can't access '${name}', cross-namespace references have been blocked`);
  }
  if (source.kind === 'ExternalArtifact' && !rules.externalArtifacts) {
    throw denied(`can't access '${name}', ExternalArtifact feature gate is disabled`);
  }
  return source;
}

function denied(message: string): HelmReleaseFailure {
  return new HelmReleaseFailure('AccessDenied', message, { follow: 'stall' });
}

function unsupported({ spec }: HelmRelease): HelmReleaseFailure {
  const { kind, name } = spec.chart?.spec.sourceRef ?? { kind: 'HelmRepository', name: '' };
  const chart = spec.chart?.spec.chart ?? '';
  const remedy = howToMove(chart, 'spec.chart');
  const message = `spec.chart: charts of a ${kind} ('${name}') are not served, only those of a registry: ${remedy}`;
  return new HelmReleaseFailure('UnsupportedChartSource', message, { follow: 'stall', remedy });
}

function howToMove(chart: string, from: string): string {
  return (
    `push the chart to a registry (helm push ${chart}-VERSION.tgz oci://REGISTRY/charts), describe it with an OCIRepository whose ` +
    `layerSelector is {mediaType: application/vnd.cncf.helm.chart.content.v1.tar+gzip, operation: copy}, and replace ${from} by ` +
    'spec.chartRef: {kind: OCIRepository, name: …}'
  );
}

/** Why a source could not be looked up; where its kind is not served it may be later. */
export function lookupFailure(key: SourceKey, error: unknown): HelmReleaseFailure {
  const prefix = 'could not get Source object: ';
  if (key.kind !== 'HelmChart' || !isKubeError(error, 'NoMatch')) {
    return new HelmReleaseFailure('ArtifactFailed', `${prefix}${errorMessage(error)}`, { cause: error, tell: false });
  }
  const remedy = howToMove('CHART', 'it');
  const message = `${prefix}${formatSourceKey(key)}: this cluster has no HelmCharts (Flux's source-controller makes them): ${remedy}`;
  return new HelmReleaseFailure('ArtifactFailed', message, { cause: error, follow: 'dependency', remedy });
}

/** The artifact of a source that is ready (HB02), or why it is not. */
export function readyArtifact({ kind, namespace, name }: SourceKey, source: SourceObject): Artifact | string {
  const unready = (why: string): string => `${kind} '${namespace}/${name}' is not ready: ${why}`;
  const { metadata, status } = source;
  const { artifact, conditions = [] } = status;
  if (kind !== 'ExternalArtifact') {
    if (metadata.generation !== status.observedGeneration) {
      const ready = findCondition(conditions, 'Ready');
      return unready(ready?.status === 'False' ? ready.message : 'latest generation of object has not been reconciled');
    }
    if (isConditionTrue(conditions, 'Stalled')) return unready(findCondition(conditions, 'Stalled')?.message ?? '');
  }
  return artifact ?? unready('does not have an artifact');
}

/** True when the chart's version follows the revision of its source (HB05). */
export function tracksRevision({ kind }: SourceKey): boolean {
  return kind === 'OCIRepository' || kind === 'ExternalArtifact';
}
