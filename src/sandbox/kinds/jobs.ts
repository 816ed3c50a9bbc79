import { type Json, sameJson } from '../fields/index.ts';
import type { FieldFault } from '../request/status.ts';
import { scheduleFault } from './cron.ts';
import { immutable, invalidValue, nonNegative, required, unsupported } from './faults.ts';
import { mapAt, mapIn, podSpecDefaults, setDefault } from './pod-defaults.ts';
import { podSpecFaults } from './pod-faults.ts';
import type { Draft0, KindRules } from './rules.ts';
import { changed, specOf, templateDefaults } from './template.ts';

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
    const shares = sameJson((object.metadata.labels ?? {}) as Json, labels as Json);
    for (const prefix of ['', 'batch.kubernetes.io/']) {
      setDefault(labels, `${prefix}controller-uid`, uid);
      setDefault(labels, `${prefix}job-name`, object.metadata.name);
    }
    spec['selector'] = { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } };
    spec['manualSelector'] ??= false;
    // A Job without labels of its own has those of its pods, the new ones as well.
    if (shares) object.metadata.labels = { ...labels } as Record<string, string>;
  },
  validate: (object, old) => {
    const faults = jobSpecFaults(mapAt(object, 'spec'), 'spec');
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
  validate: (object) => {
    const spec = mapAt(object, 'spec');
    const { schedule, concurrencyPolicy } = spec ?? {};
    const faults: FieldFault[] = [];
    if (schedule === undefined || schedule === '') faults.push(required('spec.schedule'));
    else {
      const why = scheduleFault(String(schedule));
      if (why !== undefined) faults.push(invalidValue('spec.schedule', schedule, why));
      if (String(schedule).includes('TZ'))
        faults.push(invalidValue('spec.schedule', schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'));
    }
    faults.push(...nonNegative('spec.startingDeadlineSeconds', spec?.['startingDeadlineSeconds']));
    if (!CONCURRENCY.includes(String(concurrencyPolicy)))
      faults.push(unsupported('spec.concurrencyPolicy', concurrencyPolicy, CONCURRENCY));
    faults.push(...jobSpecFaults(mapAt(mapAt(spec, 'jobTemplate'), 'spec'), 'spec.jobTemplate.spec'));
    return [...faults, ...['successfulJobsHistoryLimit', 'failedJobsHistoryLimit'].flatMap((it) => nonNegative(`spec.${it}`, spec?.[it]))];
  },
};

const CONCURRENCY = ['Allow', 'Forbid', 'Replace'];

function jobSpecFaults(spec: Draft0 | undefined, field: string): FieldFault[] {
  const at = `${field}.template.spec`;
  const pod = mapAt(mapAt(spec, 'template'), 'spec');
  const faults = ['parallelism', 'completions', 'activeDeadlineSeconds', 'backoffLimit', 'ttlSecondsAfterFinished'].flatMap((it) =>
    nonNegative(`${field}.${it}`, spec?.[it]),
  );
  faults.push(...podSpecFaults(pod, at));
  const policy = pod?.['restartPolicy'];
  if (policy !== 'OnFailure' && policy !== 'Never') faults.push(required(`${at}.restartPolicy`, 'valid values: "OnFailure", "Never"'));
  return faults;
}

/** Jobs and CronJobs. */
export const jobRules: Readonly<Record<string, KindRules>> = { 'batch/jobs': job, 'batch/cronjobs': cronJob };
