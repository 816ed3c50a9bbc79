import { forbiddenField, immutable, unsupported } from './faults.ts';
import { jobRules } from './jobs.ts';
import { mapAt, mapIn, mapsOf, setDefault } from './pod-defaults.ts';
import { podRules } from './pods.ts';
import type { Draft0, KindRules } from './rules.ts';
import type { FieldFault } from '../request/status.ts';
import { changed, selectorFaults, specOf, templateDefaults, templateFaults } from './template.ts';

const deployment: KindRules = {
  hasGeneration: true,
  defaults: (object) => {
    const spec = specOf(object);
    setDefault(spec, 'replicas', 1);
    const strategy = mapIn(spec, 'strategy');
    setDefault(strategy, 'type', 'RollingUpdate');
    if (strategy['type'] === 'RollingUpdate') {
      const rolling = mapIn(strategy, 'rollingUpdate');
      setDefault(rolling, 'maxUnavailable', '25%');
      setDefault(rolling, 'maxSurge', '25%');
    }
    setDefault(spec, 'revisionHistoryLimit', 10);
    setDefault(spec, 'progressDeadlineSeconds', 600);
    templateDefaults(spec);
  },
  validate: (object, old) => {
    const strategy = mapAt(mapAt(object, 'spec'), 'strategy');
    const faults = [...selectorFaults(object, old, 'deployment'), ...templateFaults(object, 'ReplicaSet')];
    if (strategy?.['type'] === 'Recreate' && strategy['rollingUpdate'] !== undefined)
      faults.push(forbiddenField('spec.strategy.rollingUpdate', "may not be specified when strategy `type` is 'Recreate'"));
    if (strategy?.['type'] !== 'Recreate' && strategy?.['type'] !== 'RollingUpdate')
      faults.push(unsupported('spec.strategy', strategy?.['type'], ['Recreate', 'RollingUpdate']));
    return faults;
  },
};

const replicaSet: KindRules = {
  hasGeneration: true,
  defaults: (object) => {
    const spec = specOf(object);
    setDefault(spec, 'replicas', 1);
    templateDefaults(spec);
  },
  validate: (object, old) => [...selectorFaults(object, old, 'deployment'), ...templateFaults(object, 'ReplicaSet')],
};

const statefulSet: KindRules = {
  hasGeneration: true,
  defaults: (object) => {
    const spec = specOf(object);
    setDefault(spec, 'podManagementPolicy', 'OrderedReady');
    const strategy = mapIn(spec, 'updateStrategy');
    setDefault(strategy, 'type', 'RollingUpdate');
    if (strategy['type'] === 'RollingUpdate') {
      const rolling = mapIn(strategy, 'rollingUpdate');
      setDefault(rolling, 'partition', 0);
      setDefault(rolling, 'maxUnavailable', 1);
    }
    const retention = mapIn(spec, 'persistentVolumeClaimRetentionPolicy');
    setDefault(retention, 'whenDeleted', 'Retain');
    setDefault(retention, 'whenScaled', 'Retain');
    setDefault(spec, 'replicas', 1);
    setDefault(spec, 'revisionHistoryLimit', 10);
    templateDefaults(spec);
    for (const claim of mapsOf(spec, 'volumeClaimTemplates')) {
      setDefault(claim, 'apiVersion', 'v1');
      setDefault(claim, 'kind', 'PersistentVolumeClaim');
      setDefault(mapIn(claim, 'spec'), 'volumeMode', 'Filesystem');
      setDefault(mapIn(claim, 'status'), 'phase', 'Pending');
    }
  },
  validate: (object, old) => {
    // A mount may name a claim template: the API server leaves the mounts of a StatefulSet to its pods.
    const template = templateFaults(object, 'StatefulSet').filter((it) => !isMountNotFound(it));
    const faults = [...selectorFaults(object, old, 'statefulset'), ...template];
    for (const field of ['volumeClaimTemplates', 'serviceName', 'podManagementPolicy']) {
      const now = changed(object, old, 'spec', field);
      if (now !== undefined) faults.push(immutable(`spec.${field}`, now));
    }
    return faults;
  },
};

function isMountNotFound({ type, field }: FieldFault): boolean {
  return type === 'FieldValueNotFound' && /\.volumeMounts\[\d+\]\.name$/.test(field);
}

const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';

const daemonSet: KindRules = {
  hasGeneration: true,
  defaults: (object) => {
    const spec = specOf(object);
    const strategy = mapIn(spec, 'updateStrategy');
    setDefault(strategy, 'type', 'RollingUpdate');
    if (strategy['type'] === 'RollingUpdate') {
      const rolling = mapIn(strategy, 'rollingUpdate');
      setDefault(rolling, 'maxUnavailable', 1);
      setDefault(rolling, 'maxSurge', 0);
    }
    setDefault(spec, 'revisionHistoryLimit', 10);
    templateDefaults(spec);
    // How often the template has changed; what older clients read.
    const annotations = mapIn(object.metadata as unknown as Draft0, 'annotations');
    setDefault(annotations, TEMPLATE_GENERATION, '1');
  },
  prepareUpdate: (object, old) => {
    const before = Number(old.metadata.annotations?.[TEMPLATE_GENERATION] ?? 1);
    const isSame = changed(object, old, 'spec', 'template') === undefined;
    mapIn(object.metadata as unknown as Draft0, 'annotations')[TEMPLATE_GENERATION] = String(isSame ? before : before + 1);
  },
  validate: (object, old) => [...selectorFaults(object, old, 'daemonset'), ...templateFaults(object, 'DaemonSet')],
};

const replicationController: KindRules = {
  hasGeneration: true,
  defaults: (object) => {
    const spec = specOf(object);
    const labels = mapAt(mapAt(mapAt(spec, 'template'), 'metadata'), 'labels') as Record<string, string> | undefined;
    if (labels !== undefined && Object.keys(object.metadata.labels ?? {}).length === 0) object.metadata.labels = { ...labels };
    if (labels !== undefined) setDefault(spec, 'selector', { ...labels });
    setDefault(spec, 'replicas', 1);
    templateDefaults(spec);
  },
  validate: (object) => templateFaults(object, 'ReplicationController'),
};

/** Rules of the workload kinds by collection. */
export const workloadRules: Readonly<Record<string, KindRules>> = {
  'apps/deployments': deployment,
  '/replicationcontrollers': replicationController,
  'apps/replicasets': replicaSet,
  'apps/statefulsets': statefulSet,
  'apps/daemonsets': daemonSet,
  ...jobRules,
  '/pods': podRules,
};
