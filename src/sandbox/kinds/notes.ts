import type { KubeObject } from '../../manifest/index.ts';
import type { FieldFault } from '../request/status.ts';
import { invalidValue, nonNegative, required } from './faults.ts';
import { mapAt, mapIn, mapsOf, setDefault } from './pod-defaults.ts';
import type { Draft0, KindRules } from './rules.ts';

const limitRange: KindRules = {
  defaults: (object) => {
    for (const item of mapsOf(mapAt(object, 'spec'), 'limits')) if (item['type'] === 'Container') containerLimits(item);
  },
};

/** What is not said follows from what is: the default from the maximum, the default request from the default and the minimum. */
function containerLimits(item: Draft0): void {
  const fill = (field: string, from: string): void => {
    for (const [name, value] of Object.entries(mapAt(item, from) ?? {})) setDefault(mapIn(item, field), name, value);
  };
  fill('default', 'max');
  fill('defaultRequest', 'default');
  fill('defaultRequest', 'min');
}

const lease: KindRules = {
  validate: (object) => {
    const spec = mapAt(object, 'spec');
    const { leaseDurationSeconds } = spec ?? {};
    return [
      ...(typeof leaseDurationSeconds === 'number' && leaseDurationSeconds <= 0
        ? [invalidValue('spec.leaseDurationSeconds', leaseDurationSeconds, 'must be greater than 0')]
        : []),
      ...nonNegative('spec.leaseTransitions', spec?.['leaseTransitions']),
    ];
  },
};

const event: KindRules = {
  validate: (object) => {
    const about = mapAt(object, 'involvedObject') ?? mapAt(object, 'regarding');
    const namespace = String(about?.['namespace'] ?? '');
    const faults: FieldFault[] = [];
    // What is about a cluster-scoped object is kept in `default`.
    const fits =
      namespace === '' ? ['', 'default', 'kube-system'].includes(object.metadata.namespace ?? '') : namespace === object.metadata.namespace;
    if (!fits) faults.push(invalidValue('involvedObject.namespace', namespace, 'does not match event.namespace'));
    if (object.apiVersion === 'events.k8s.io/v1') faults.push(...newEventFaults(object));
    return faults;
  },
};

/** What only `events.k8s.io` asks of an event. */
function newEventFaults(object: KubeObject): FieldFault[] {
  const faults: FieldFault[] = [];
  const { type } = object;
  if ((object['eventTime'] ?? null) === null) faults.push(required('eventTime'));
  if (type !== 'Normal' && type !== 'Warning') faults.push(invalidValue('type', '', `has invalid value: ${String(type)}`));
  for (const [field, own] of OLD_FIELDS) if ((object[own] ?? null) !== null) faults.push(invalidValue(field, '', 'needs to be unset'));
  return faults;
}

const OLD_FIELDS = [
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
] as const;

/** Limit ranges, leases and events. */
export const noteRules: Readonly<Record<string, KindRules>> = {
  '/limitranges': limitRange,
  'coordination.k8s.io/leases': lease,
  '/events': event,
};
