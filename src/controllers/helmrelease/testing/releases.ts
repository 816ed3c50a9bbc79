import { parseHelmRelease, type HelmRelease, type HelmReleaseStatus } from '../../../api/index.ts';
import type { YamlObject } from '../../../golang/index.ts';
import type { Release, ReleaseStatus } from '../../../helm/index.ts';
import { failurePolicies } from '../settings.ts';
import type { Desired } from '../state.ts';
import { configDigest } from '../values-digest.ts';

/** Makes a HelmRelease for a test. */
export function helmRelease(spec: Record<string, unknown> = {}, status: Partial<HelmReleaseStatus> = {}, annotations = {}): HelmRelease {
  return parseHelmRelease({
    apiVersion: 'helm.toolkit.fluxcd.io/v2',
    kind: 'HelmRelease',
    metadata: { name: 'app', namespace: 'apps', uid: 'u', resourceVersion: '1', generation: 1, annotations },
    spec: { interval: '10m', chartRef: { kind: 'OCIRepository', name: 'app' }, ...spec },
    status: { observedGeneration: 1, ...status },
  });
}

/** Makes a stored revision for a test. */
export function storedRelease(
  version: number,
  status: ReleaseStatus,
  extra: { chart?: string; config?: YamlObject; ours?: boolean } = {},
): Release {
  const { chart = '1.0.0', config, ours = false } = extra;
  return {
    name: 'app',
    namespace: 'apps',
    version,
    status,
    description: status,
    firstDeployed: '2026-01-01T00:00:00Z',
    lastDeployed: `2026-01-01T00:00:0${version % 10}Z`,
    notes: '',
    config,
    chart: { metadata: { name: 'app', version: chart, apiVersion: 'v2' } },
    manifest: ours ? 'ours' : 'theirs',
    hooks: [],
    labels: {},
    applyMethod: 'ssa',
  };
}

/** Makes what is wanted for a test; Flux's own default after failures unless `retryByDefault`. */
export function desired(object: HelmRelease, extra: Partial<Desired> & { retryByDefault?: boolean } = {}): Desired {
  const { retryByDefault = false, ...rest } = extra;
  return {
    chartName: 'app',
    chartVersion: '1.0.0',
    configDigest: configDigest({}),
    postRenderersDigest: '',
    commonMetadataDigest: '',
    tests: object.spec.test?.enable === true,
    policies: failurePolicies(object, retryByDefault),
    generation: object.metadata.generation,
    isOurs: ({ manifest }) => manifest === 'ours',
    ...rest,
  };
}
