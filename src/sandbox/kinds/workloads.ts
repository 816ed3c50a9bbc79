import type { KubeObject } from '../../manifest/index.ts';
import { sameJson, type Json } from '../fields/index.ts';
import { labelSelectorMatches } from '../request/selector.ts';
import type { FieldFault } from '../request/status.ts';
import { mapAt, mapIn, mapsOf, podSpecDefaults, setDefault } from './pod-defaults.ts';
import type { Draft, Draft0, KindRules } from './rules.ts';

/** The spec of a draft, made when it is absent. */
function specOf(object: Draft): Draft0 {
  return mapIn(object, 'spec');
}

function templateDefaults(spec: Draft0): void {
  const template = mapAt(spec, 'template');
  if (template === undefined) return;
  podSpecDefaults(mapIn(template, 'spec'));
  mapIn(template, 'metadata');
}

/** The immutable-field fault. */
export function immutable(field: string, value: unknown): FieldFault {
  return { type: 'FieldValueInvalid', field, message: `Invalid value: ${JSON.stringify(value)}: field is immutable` };
}

function changed(object: KubeObject, old: KubeObject | undefined, ...path: readonly string[]): unknown {
  if (old === undefined) return undefined;
  const at = (it: KubeObject): unknown => path.reduce<unknown>((value, key) => (value as Draft0 | undefined)?.[key], it);
  const [now, before] = [at(object), at(old)];
  return sameJson(now as Json | undefined, before as Json | undefined) ? undefined : (now ?? null);
}

function selectorFaults(object: KubeObject, old: KubeObject | undefined): FieldFault[] {
  const spec = object['spec'] as Draft0 | undefined;
  const selector = mapAt(spec, 'selector');
  const faults: FieldFault[] = [];
  if (selector === undefined || Object.keys(selector).length === 0) {
    faults.push(
      selector === undefined
        ? { type: 'FieldValueRequired', field: 'spec.selector', message: 'Required value' }
        : { type: 'FieldValueInvalid', field: 'spec.selector', message: 'Invalid value: {}: empty selector is invalid for deployment' },
    );
  }
  if (selector === undefined || Object.keys(selector).length > 0) {
    const labels = mapAt(mapAt(mapAt(spec, 'template'), 'metadata'), 'labels') as Record<string, string> | undefined;
    if (selector === undefined || !labelSelectorMatches(selector, labels)) {
      faults.push({
        type: 'FieldValueInvalid',
        field: 'spec.template.metadata.labels',
        message: `Invalid value: ${JSON.stringify(labels ?? null)}: \`selector\` does not match template \`labels\``,
      });
    }
  }
  const now = changed(object, old, 'spec', 'selector');
  if (now !== undefined) faults.push(immutable('spec.selector', now));
  return faults;
}

const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'];

/** Faults of a pod template's containers: names, images, ports. */
export function containerFaults(podSpec: Draft0 | undefined, field: string): FieldFault[] {
  const faults: FieldFault[] = [];
  const containers = mapsOf(podSpec, 'containers');
  if (containers.length === 0) faults.push({ type: 'FieldValueRequired', field: `${field}.containers`, message: 'Required value' });
  const names = new Set<unknown>();
  const volumes = new Set(mapsOf(podSpec, 'volumes').map((it) => it['name']));
  containers.forEach((container, i) => {
    const at = `${field}.containers[${i}]`;
    const { name, image } = container;
    if (name === undefined || name === '') faults.push({ type: 'FieldValueRequired', field: `${at}.name`, message: 'Required value' });
    else if (names.has(name))
      faults.push({ type: 'FieldValueDuplicate', field: `${at}.name`, message: `Duplicate value: ${JSON.stringify(name)}` });
    else if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(String(name)) || String(name).length > 63) {
      faults.push({
        type: 'FieldValueInvalid',
        field: `${at}.name`,
        message: `Invalid value: ${JSON.stringify(name)}: a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`,
      });
    }
    names.add(name);
    const policy = container['imagePullPolicy'];
    if (policy !== undefined && !PULL_POLICIES.includes(String(policy)))
      faults.push({
        type: 'FieldValueNotSupported',
        field: `${at}.imagePullPolicy`,
        message: `Unsupported value: ${JSON.stringify(policy)}: supported values: "Always", "IfNotPresent", "Never"`,
      });
    mapsOf(container, 'env').forEach((env, e) => {
      if (env['name'] === undefined || env['name'] === '')
        faults.push({ type: 'FieldValueRequired', field: `${at}.env[${e}].name`, message: 'Required value' });
    });
    mapsOf(container, 'volumeMounts').forEach((mount, m) => {
      if (!volumes.has(mount['name']))
        faults.push({
          type: 'FieldValueNotFound',
          field: `${at}.volumeMounts[${m}].name`,
          message: `Not found: ${JSON.stringify(mount['name'])}`,
        });
    });
    if (image === undefined || image === '') faults.push({ type: 'FieldValueRequired', field: `${at}.image`, message: 'Required value' });
    mapsOf(container, 'ports').forEach((port, p) => {
      const number = port['containerPort'];
      if (number === undefined)
        faults.push({ type: 'FieldValueRequired', field: `${at}.ports[${p}].containerPort`, message: 'Required value' });
      else if (typeof number === 'number' && (number < 1 || number > 65_535))
        faults.push({
          type: 'FieldValueInvalid',
          field: `${at}.ports[${p}].containerPort`,
          message: `Invalid value: ${number}: must be between 1 and 65535, inclusive`,
        });
    });
  });
  return faults;
}

function templateFaults(object: KubeObject): FieldFault[] {
  const replicas = mapAt(object, 'spec')?.['replicas'];
  const negative: FieldFault[] =
    typeof replicas === 'number' && replicas < 0
      ? [{ type: 'FieldValueInvalid', field: 'spec.replicas', message: `Invalid value: ${replicas}: must be greater than or equal to 0` }]
      : [];
  return [...negative, ...containerFaults(mapAt(mapAt(object['spec'] as Draft0 | undefined, 'template'), 'spec'), 'spec.template.spec')];
}

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
  validate: (object, old) => [...selectorFaults(object, old), ...templateFaults(object)],
};

const replicaSet: KindRules = {
  hasGeneration: true,
  defaults: (object) => {
    const spec = specOf(object);
    setDefault(spec, 'replicas', 1);
    templateDefaults(spec);
  },
  validate: (object, old) => [...selectorFaults(object, old), ...templateFaults(object)],
};

const statefulSet: KindRules = {
  hasGeneration: true,
  defaults: (object) => {
    const spec = specOf(object);
    setDefault(spec, 'podManagementPolicy', 'OrderedReady');
    const strategy = mapIn(spec, 'updateStrategy');
    setDefault(strategy, 'type', 'RollingUpdate');
    if (strategy['type'] === 'RollingUpdate') setDefault(mapIn(strategy, 'rollingUpdate'), 'partition', 0);
    const retention = mapIn(spec, 'persistentVolumeClaimRetentionPolicy');
    setDefault(retention, 'whenDeleted', 'Retain');
    setDefault(retention, 'whenScaled', 'Retain');
    setDefault(spec, 'replicas', 1);
    setDefault(spec, 'revisionHistoryLimit', 10);
    setDefault(spec, 'serviceName', '');
    templateDefaults(spec);
    for (const claim of mapsOf(spec, 'volumeClaimTemplates')) {
      setDefault(claim, 'apiVersion', 'v1');
      setDefault(claim, 'kind', 'PersistentVolumeClaim');
      setDefault(mapIn(claim, 'spec'), 'volumeMode', 'Filesystem');
      setDefault(mapIn(claim, 'status'), 'phase', 'Pending');
    }
  },
  validate: (object, old) => {
    const faults = [...selectorFaults(object, undefined), ...templateFaults(object)];
    const mutable = new Set([
      'replicas',
      'ordinals',
      'template',
      'updateStrategy',
      'revisionHistoryLimit',
      'persistentVolumeClaimRetentionPolicy',
      'minReadySeconds',
    ]);
    const [now, before] = [(object['spec'] ?? {}) as Draft0, (old?.['spec'] ?? {}) as Draft0];
    const touched =
      old === undefined
        ? []
        : Object.keys({ ...now, ...before }).filter(
            (key) => !mutable.has(key) && !sameJson(now[key] as Json | undefined, before[key] as Json | undefined),
          );
    if (touched.length > 0) {
      faults.push({
        type: 'FieldValueForbidden',
        field: 'spec',
        message:
          "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
      });
    }
    return faults;
  },
};

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
  },
  validate: (object, old) => [...selectorFaults(object, old), ...templateFaults(object)],
};

function jobSpecDefaults(spec: Draft0): void {
  const indexed = spec['completionMode'] === 'Indexed';
  if (spec['completions'] === undefined && spec['parallelism'] === undefined) setDefault(spec, 'completions', 1);
  setDefault(spec, 'parallelism', 1);
  setDefault(spec, 'backoffLimit', indexed && spec['backoffLimitPerIndex'] !== undefined ? 2_147_483_647 : 6);
  setDefault(spec, 'completionMode', 'NonIndexed');
  setDefault(spec, 'suspend', false);
  setDefault(spec, 'podReplacementPolicy', spec['podFailurePolicy'] === undefined ? 'TerminatingOrFailed' : 'Failed');
  templateDefaults(spec);
}

const job: KindRules = {
  hasGeneration: true,
  defaults: (object) => {
    const spec = specOf(object);
    jobSpecDefaults(spec);
    const labels = mapAt(mapAt(mapAt(spec, 'template'), 'metadata'), 'labels');
    if (labels !== undefined && Object.keys(object.metadata.labels ?? {}).length === 0)
      object.metadata.labels = { ...labels } as Record<string, string>;
  },
  prepareCreate: (object) => {
    const spec = specOf(object);
    if (spec['manualSelector'] === true) return;
    const uid = String(object.metadata.uid);
    const template = mapIn(spec, 'template');
    const labels = mapIn(mapIn(template, 'metadata'), 'labels');
    for (const prefix of ['', 'batch.kubernetes.io/']) {
      setDefault(labels, `${prefix}controller-uid`, uid);
      setDefault(labels, `${prefix}job-name`, object.metadata.name);
    }
    spec['selector'] = { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } };
    spec['manualSelector'] ??= false;
  },
  validate: (object, old) => {
    const faults = templateFaults(object);
    const policy = mapAt(mapAt(mapAt(object, 'spec'), 'template'), 'spec')?.['restartPolicy'];
    if (policy !== 'OnFailure' && policy !== 'Never') {
      faults.push({
        type: 'FieldValueRequired',
        field: 'spec.template.spec.restartPolicy',
        message: 'Required value: valid values: "OnFailure", "Never"',
      });
    }
    for (const field of [
      'completions',
      'selector',
      'template',
      'completionMode',
      'podFailurePolicy',
      'backoffLimitPerIndex',
      'managedBy',
    ]) {
      const now = changed(object, old, 'spec', field);
      if (now !== undefined && !(field === 'template' && mapAt(object, 'spec')?.['suspend'] === true))
        faults.push(immutable(`spec.${field}`, now));
    }
    return faults;
  },
};

const cronJob: KindRules = {
  hasGeneration: true,
  defaults: (object) => {
    const spec = specOf(object);
    setDefault(spec, 'concurrencyPolicy', 'Allow');
    setDefault(spec, 'suspend', false);
    setDefault(spec, 'successfulJobsHistoryLimit', 3);
    setDefault(spec, 'failedJobsHistoryLimit', 1);
    const template = mapAt(spec, 'jobTemplate');
    const jobSpec = mapAt(template, 'spec');
    if (template !== undefined) mapIn(template, 'metadata');
    const pod = mapAt(jobSpec, 'template');
    if (pod === undefined) return;
    // A CronJob's job spec gets the pod's defaults only; the Job made of it gets the rest.
    podSpecDefaults(mapIn(pod, 'spec'));
    mapIn(pod, 'metadata');
  },
  names: 'subdomain',
};

const pod: KindRules = {
  hasGeneration: true,
  defaults: (object) => {
    const spec = specOf(object);
    podSpecDefaults(spec);
    setDefault(spec, 'enableServiceLinks', true);
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
    const faults = containerFaults(mapAt(object, 'spec'), 'spec');
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

/** Rules of the workload kinds by collection. */
export const workloadRules: Readonly<Record<string, KindRules>> = {
  'apps/deployments': deployment,
  'apps/replicasets': replicaSet,
  'apps/statefulsets': statefulSet,
  'apps/daemonsets': daemonSet,
  'batch/jobs': job,
  'batch/cronjobs': cronJob,
  '/pods': pod,
};
