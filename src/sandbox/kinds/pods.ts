import type { KubeObject } from '../../manifest/index.ts';
import { type Json, sameJson } from '../fields/index.ts';
import { mapAt, mapIn, mapsOf, podSpecDefaults, setDefault } from './pod-defaults.ts';
import { podSpecFaults } from './pod-faults.ts';
import type { Draft0, KindRules } from './rules.ts';
import { specOf } from './template.ts';

/** Pods. */
export const podRules: KindRules = {
  hasGeneration: true,
  defaults: (object) => {
    const spec = specOf(object);
    podSpecDefaults(spec);
    setDefault(spec, 'enableServiceLinks', true);
    for (const field of ['containers', 'initContainers']) for (const container of mapsOf(spec, field)) requestLimits(container);
  },
  prepareCreate: (object) => {
    const spec = specOf(object);
    setDefault(spec, 'preemptionPolicy', 'PreemptLowerPriority');
    setDefault(spec, 'priority', 0);
    setDefault(spec, 'serviceAccountName', 'default');
    setDefault(spec, 'serviceAccount', spec['serviceAccountName']);
    const tolerations = mapsOf(spec, 'tolerations');
    for (const key of ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']) {
      if (!tolerations.some((it) => it['key'] === key || it['key'] === undefined))
        tolerations.push({ effect: 'NoExecute', key, operator: 'Exists', tolerationSeconds: 300 });
    }
    spec['tolerations'] = tolerations;
    const status = mapIn(object, 'status');
    setDefault(status, 'phase', 'Pending');
    setDefault(status, 'qosClass', qosClass(spec));
  },
  validate: (object, old) => {
    const faults = podSpecFaults(mapAt(object, 'spec'), 'spec');
    if (old !== undefined && podSpecChanged(object, old)) {
      faults.push({
        type: 'FieldValueForbidden',
        field: 'spec',
        message:
          'Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
      });
    }
    return faults;
  },
};

/** What is limited and not asked for is asked for in full: in pods only, not in templates of them. */
function requestLimits(container: Draft0): void {
  const resources = mapAt(container, 'resources');
  const limits = mapAt(resources, 'limits');
  if (resources === undefined || limits === undefined) return;
  for (const [name, value] of Object.entries(limits)) setDefault(mapIn(resources, 'requests'), name, value);
}

function podSpecChanged(object: KubeObject, old: KubeObject): boolean {
  const comparable = (it: KubeObject): Json => {
    const spec = structuredClone(it['spec'] ?? {}) as Draft0;
    for (const field of ['containers', 'initContainers']) for (const container of mapsOf(spec, field)) delete container['image'];
    for (const field of ['activeDeadlineSeconds', 'tolerations', 'terminationGracePeriodSeconds', 'nodeName', 'schedulingGates'])
      delete spec[field];
    return spec as Json;
  };
  return !sameJson(comparable(object), comparable(old));
}

function qosClass(spec: Draft0): string {
  const resources = mapsOf(spec, 'containers').map((it) => mapAt(it, 'resources') ?? {});
  if (resources.every((it) => Object.keys(mapAt(it, 'requests') ?? {}).length === 0 && Object.keys(mapAt(it, 'limits') ?? {}).length === 0))
    return 'BestEffort';
  const guaranteed = resources.every((it) =>
    ['cpu', 'memory'].every(
      (name) => mapAt(it, 'limits')?.[name] !== undefined && mapAt(it, 'limits')?.[name] === mapAt(it, 'requests')?.[name],
    ),
  );
  return guaranteed ? 'Guaranteed' : 'Burstable';
}
