import type { KubeObject } from '../../manifest/index.ts';
import { mapAt, mapsOf } from './pod-defaults.ts';
import type { Draft0 } from './rules.ts';

/** What the fields of a core Event are called in `events.k8s.io`. */
const EVENT_NAMES: readonly (readonly [core: string, own: string])[] = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['reportingComponent', 'reportingController'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
];
const EVENTS = 'events.k8s.io/v1';
/** What a core Event always shows, and `events.k8s.io` only when it is set. */
const CORE_ZEROES: Readonly<Record<string, unknown>> = {
  reportingComponent: '',
  reportingInstance: '',
  firstTimestamp: null,
  lastTimestamp: null,
  eventTime: null,
  source: {},
};
const OWN_ZEROES: Readonly<Record<string, unknown>> = { eventTime: null };

/** An object in another version of its kind. Kinds of CRDs and most built-in ones differ in nothing but its name. */
export function convert(object: KubeObject, apiVersion: string): KubeObject {
  if (object.apiVersion === apiVersion) return object;
  if (object.kind === 'Event' && (apiVersion === EVENTS || object.apiVersion === EVENTS)) return convertEvent(object, apiVersion);
  if (object.kind === 'HorizontalPodAutoscaler') return convertAutoscaler(object, apiVersion);
  return { ...object, apiVersion };
}

function convertEvent(object: KubeObject, apiVersion: string): KubeObject {
  const toOwn = apiVersion === EVENTS;
  const names = new Map(EVENT_NAMES.map(([core, own]) => (toOwn ? [core, own] : [own, core]) as [string, string]));
  const out: Record<string, unknown> = toOwn ? { ...OWN_ZEROES } : { ...CORE_ZEROES };
  for (const [key, value] of Object.entries(object)) {
    const isNothing = toOwn && (value === null || value === '');
    if (!isNothing) out[names.get(key) ?? key] = value;
  }
  return { ...out, apiVersion, kind: object.kind, metadata: object.metadata };
}

function convertAutoscaler(object: KubeObject, apiVersion: string): KubeObject {
  const spec = { ...mapAt(object, 'spec') };
  const status = { ...mapAt(object, 'status') };
  if (apiVersion.endsWith('/v2')) {
    const percentage = spec['targetCPUUtilizationPercentage'];
    delete spec['targetCPUUtilizationPercentage'];
    if (percentage !== undefined) spec['metrics'] = [cpuMetric(percentage), ...mapsOf(spec, 'metrics')];
    status['currentMetrics'] ??= null;
    if (status['currentReplicas'] === 0) delete status['currentReplicas'];
  } else {
    const cpu = mapsOf(spec, 'metrics')
      .map((it) => mapAt(mapAt(it, 'resource'), 'target'))
      .find((target) => target?.['averageUtilization'] !== undefined);
    delete spec['metrics'];
    delete status['currentMetrics'];
    if (cpu !== undefined) spec['targetCPUUtilizationPercentage'] = cpu['averageUtilization'];
    status['currentReplicas'] ??= 0;
  }
  return { ...object, apiVersion, spec, status };
}

function cpuMetric(averageUtilization: unknown): Draft0 {
  return { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } };
}
