import {
  commonMetadata,
  conditions,
  dependsOn,
  healthCheckExprs,
  ignoreRules,
  images,
  inventory,
  kubeConfig,
  lastHandledReconcileAt,
  localReference,
  observedGeneration,
  patches,
} from './common.ts';
import { ageColumn, readyColumn, statusColumn, type Kind } from './kind.ts';
import { groups } from './names.ts';
import {
  choice,
  describedAs,
  dictionary,
  duration,
  flag,
  int64,
  list,
  optional,
  record,
  required,
  stringMap,
  text,
  timestamp,
  type BooleanSchema,
  type Field,
  type IntegerSchema,
  type RecordSchema,
  type StringSchema,
} from './schema.ts';

const objectName = (description: string): StringSchema => text(description, { minLength: 1, maxLength: 253 });
const namespaceName = (description: string): StringSchema => text(description, { minLength: 1, maxLength: 63 });
const integer = (description: string): IntegerSchema => ({ type: 'integer', description });

const chartTemplate = record('HelmChartTemplate', 'A chart of a Helm repository; see `chartRef` for charts of a registry.', {
  metadata: optional(
    record('HelmChartTemplateMetadata', 'Metadata of the HelmChart made from this.', {
      annotations: optional(stringMap('Its annotations.')),
      labels: optional(stringMap('Its labels.')),
    }),
  ),
  spec: required(
    record('HelmChartTemplateSpec', 'Which chart, and where from.', {
      chart: required(text('Name or path of the chart.', { minLength: 1, maxLength: 2048 })),
      version: optional({ ...text('Range of versions.'), default: '*' }),
      sourceRef: required(
        record('HelmChartSourceReference', 'The source the chart is in.', {
          apiVersion: optional(text('Its API version.')),
          kind: required(choice('Its kind.', ['HelmRepository', 'GitRepository', 'Bucket'])),
          name: required(objectName('Its name.')),
          namespace: optional(namespaceName('Its namespace; the same as ours when left out.')),
        }),
      ),
      interval: optional(duration('How often to look for a newer chart; `spec.interval` when left out.')),
      reconcileStrategy: optional(choice('What makes a chart new.', ['ChartVersion', 'Revision'], 'ChartVersion')),
      valuesFiles: optional(list('Files of the chart or source to take values from.', { type: 'string' })),
      ignoreMissingValuesFiles: optional(flag('Go on when one of them does not exist.')),
      verify: optional(
        record('HelmChartVerification', 'How to verify who signed the chart.', {
          provider: required(choice('The kind of signature.', ['cosign', 'notation'], 'cosign')),
          secretRef: optional(describedAs('Secret with the keys.', localReference)),
        }),
      ),
    }),
  ),
});

const chartReference = record('ChartReference', 'The source that publishes the chart.', {
  apiVersion: optional(text('Its API version.')),
  kind: required(choice('Its kind.', ['OCIRepository', 'HelmChart', 'ExternalArtifact'])),
  name: required(objectName('Its name.')),
  namespace: optional(namespaceName('Its namespace; the same as ours when left out.')),
});

const waits: Readonly<Record<string, Field>> = {
  timeout: optional(duration('How long each operation of it may take; `spec.timeout` when left out.')),
  disableHooks: optional(flag('Run no hooks.')),
  disableWait: optional(flag('Do not wait for objects to be ready.')),
  disableWaitForJobs: optional(flag('Do not wait for Jobs to complete.')),
};

const validations: Readonly<Record<string, Field>> = {
  disableOpenAPIValidation: optional(flag('Do not check manifests against the schemas of the cluster.')),
  disableSchemaValidation: optional(flag("Do not check values against the chart's schema.")),
  disableTakeOwnership: optional(flag('Refuse objects that belong to another release.')),
  crds: optional(choice('What to do with the CRDs of the chart. Default `Create`.', ['Skip', 'Create', 'CreateReplace'])),
};

const remediationFields: Readonly<Record<string, Field>> = {
  retries: optional(integer('How often to try again after a failure; −1 for ever. Default 0.')),
  ignoreTestFailures: optional(flag('A failed test is no failure. Default `test.ignoreFailures`.')),
  remediateLastFailure: optional(flag('Also put right what the last attempt left behind.')),
};

function strategy(typeName: string, rule: { rule: string; message: string }): RecordSchema {
  return record(
    typeName,
    'What to do after a failure.',
    {
      name: required(choice('Put it right, or try again with what is there.', ['RemediateOnFailure', 'RetryOnFailure'])),
      retryInterval: optional(duration('When to try again. Default 5m.')),
    },
    { rules: [{ ...rule, holds: (self) => self['retryInterval'] === undefined || self['name'] === 'RetryOnFailure' }] },
  );
}

const install = record('HelmInstall', 'How to install.', {
  ...waits,
  ...validations,
  remediation: optional(record('HelmInstallRemediation', 'What to do after a failed install.', remediationFields)),
  strategy: optional(
    strategy('HelmInstallStrategy', {
      rule: "!has(self.retryInterval) || self.name != 'RemediateOnFailure'",
      message: ".retryInterval cannot be set when .name is 'RemediateOnFailure'",
    }),
  ),
  replace: optional(flag('Use the name of a deleted release that is still in the history again.')),
  skipCRDs: optional(flag('Deprecated and without effect: use `crds`.')),
  createNamespace: optional(flag('Create the target namespace when it does not exist.')),
  serverSideApply: optional(flag('Use server-side apply. Default true.')),
});

const serverSideApply: StringSchema = choice('Use server-side apply; `auto` does what the last revision did.', [
  'enabled',
  'disabled',
  'auto',
]);
const cleanupOnFail: BooleanSchema = flag('After a failure delete the objects it created.');
const force: BooleanSchema = flag('Replace objects that cannot be changed in place.');

const upgrade = record('HelmUpgrade', 'How to upgrade.', {
  ...waits,
  ...validations,
  remediation: optional(
    record('HelmUpgradeRemediation', 'What to do after a failed upgrade.', {
      ...remediationFields,
      strategy: optional(choice('How to put it right. Default `rollback`.', ['rollback', 'uninstall'])),
    }),
  ),
  strategy: optional(
    strategy('HelmUpgradeStrategy', {
      rule: "!has(self.retryInterval) || self.name == 'RetryOnFailure'",
      message: ".retryInterval can only be set when .name is 'RetryOnFailure'",
    }),
  ),
  force: optional(force),
  preserveValues: optional(flag('Keep the values of the last revision and put ours on top.')),
  cleanupOnFail: optional(cleanupOnFail),
  serverSideApply: optional(serverSideApply),
  chartNameChangeStrategy: optional(
    choice('What to do when the chart gets another name. Default `Reinstall`.', ['InPlaceUpdate', 'Reinstall']),
  ),
});

const rollback = record('HelmRollback', 'How to roll back.', {
  ...waits,
  recreate: optional(flag('Without effect.')),
  force: optional(force),
  cleanupOnFail: optional(cleanupOnFail),
  serverSideApply: optional(serverSideApply),
});

const uninstall = record('HelmUninstall', 'How to uninstall.', {
  timeout: optional(duration('How long each operation of it may take; `spec.timeout` when left out.')),
  disableHooks: optional(flag('Run no hooks.')),
  keepHistory: optional(flag('Keep the records of the release.')),
  disableWait: optional(flag('Do not wait for objects to be gone.')),
  deletionPropagation: optional(
    choice('What becomes of the dependents of deleted objects.', ['background', 'foreground', 'orphan'], 'background'),
  ),
});

const tests = record('HelmTest', 'Whether and how to run the tests of the chart.', {
  enable: optional(flag('Run them after each install and upgrade.')),
  timeout: optional(duration('How long each of them may take; `spec.timeout` when left out.')),
  ignoreFailures: optional(flag('A failed test is no failure.')),
  filters: optional(
    list(
      'Which tests to run.',
      record('HelmTestFilter', 'Selects a test, or leaves one out.', {
        name: required(objectName('Its name.')),
        exclude: optional(flag('Leave it out.')),
      }),
    ),
  ),
});

const driftDetection = record('DriftDetection', 'What to do about objects others changed.', {
  mode: optional(choice('Put them right, only say so, or neither. Default `disabled`.', ['enabled', 'warn', 'disabled'])),
  ignore: optional(ignoreRules),
});

const valuesReference = record('ValuesReference', 'Values out of a ConfigMap or Secret.', {
  kind: required(choice('Its kind.', ['Secret', 'ConfigMap'])),
  name: required(objectName('Its name.')),
  valuesKey: optional(text('Its key. Default `values.yaml`.', { maxLength: 253, pattern: '^[\\-._a-zA-Z0-9]+$' })),
  targetPath: optional(
    text('Where in the values to put it, as one text; at the top and as YAML when left out.', {
      maxLength: 250,
      pattern: '^([a-zA-Z0-9_\\-.\\\\\\/]|\\[[0-9]{1,5}\\])+$',
    }),
  ),
  optional: optional(flag('Go on when it does not exist.')),
  literal: optional(flag('Take it as it is, without the syntax of `helm --set`.')),
});

const postRenderer = record('PostRenderer', 'Changes what the chart rendered.', {
  kustomize: optional(
    record('KustomizePostRenderer', 'Changes it as kustomize does.', { patches: optional(patches), images: optional(images) }),
  ),
});

const spec = record(
  'HelmReleaseSpec',
  'Which chart to release, and how.',
  {
    chart: optional(chartTemplate),
    chartRef: optional(chartReference),
    interval: required(duration('How often to look that everything is as published.')),
    suspend: optional(flag('Stop reconciling this object.')),
    releaseName: optional(text('Name of the release; `[targetNamespace-]name` when left out.', { minLength: 1, maxLength: 53 })),
    targetNamespace: optional(namespaceName('Namespace of the released objects; ours when left out.')),
    storageNamespace: optional(namespaceName('Namespace of the records of the release; ours when left out.')),
    dependsOn: optional(dependsOn),
    timeout: optional(duration('How long each operation may take. Default 5m.')),
    maxHistory: optional(integer('How many revisions to keep; 0 for all. Default 5.')),
    serviceAccountName: optional(objectName('ServiceAccount to act as.')),
    persistentClient: optional(flag('Without effect: what kinds there are is learnt as they appear.')),
    kubeConfig: optional(kubeConfig),
    driftDetection: optional(driftDetection),
    install: optional(install),
    upgrade: optional(upgrade),
    test: optional(tests),
    rollback: optional(rollback),
    uninstall: optional(uninstall),
    valuesFrom: optional(list('Where to take values from; a later one wins over an earlier one, `values` over all.', valuesReference)),
    values: optional({ type: 'freeform', description: 'Values for the chart.' }),
    commonMetadata: optional(commonMetadata),
    postRenderers: optional(list('What to change in what the chart rendered, in this order.', postRenderer)),
    postRenderStrategy: optional(choice('Which manifests they see. Default `combined`.', ['nohooks', 'combined', 'separate'])),
    waitStrategy: optional(
      record('HelmWaitStrategy', 'How to wait for objects to be ready.', {
        name: required(choice('By health, or as Helm 3 did. Default `poller`.', ['poller', 'legacy'])),
      }),
    ),
    healthCheckExprs: optional(healthCheckExprs),
  },
  {
    rules: [
      {
        rule: '(has(self.chart) && !has(self.chartRef)) || (!has(self.chart) && has(self.chartRef))',
        message: 'either chart or chartRef must be set',
        holds: (self) => (self['chart'] === undefined) !== (self['chartRef'] === undefined),
      },
    ],
  },
);

const testHook = record('TestHookStatus', 'How a test went.', {
  lastStarted: optional(timestamp('When it was last started.')),
  lastCompleted: optional(timestamp('When it last ended.')),
  phase: optional(text('How it ended.')),
});

const snapshot = record('Snapshot', 'One revision of the release, as it was left.', {
  apiVersion: optional(text('Version of the way the digest is computed.')),
  digest: required(text('Hash of what the record of the revision holds.')),
  name: required(text('Name of the release.')),
  namespace: required(text('Its namespace.')),
  version: required(integer('Its revision.')),
  status: required(text('Its status, in the words of Helm.')),
  chartName: required(text('Name of the chart.')),
  chartVersion: required(text('Version of the chart.')),
  appVersion: optional(text('Version of the application.')),
  configDigest: required(text('Hash of the values.')),
  firstDeployed: required(timestamp('When the release was first deployed.')),
  lastDeployed: required(timestamp('When this revision was deployed.')),
  deleted: optional(timestamp('When it was deleted.')),
  action: optional(text('What made it.')),
  ociDigest: optional(text('Digest of the artifact the chart came from.')),
  testHooks: optional(dictionary('How its tests went, by name.', testHook)),
});

const status: RecordSchema = record(
  'HelmReleaseStatus',
  'What was released.',
  {
    conditions: optional(conditions),
    failures: optional(int64('Failures in a row of any kind.')),
    helmChart: optional(text('The HelmChart made from `chart`, namespace/name.')),
    history: optional(list('The latest revisions, newest first.', snapshot)),
    installFailures: optional(int64('Failed installs in a row.')),
    inventory: optional(inventory),
    lastAttemptedConfigDigest: optional(text('Hash of the values of the last attempt.')),
    lastAttemptedGeneration: optional(int64('metadata.generation of the last attempt.')),
    lastAttemptedReleaseAction: optional(choice('What the last attempt did.', ['install', 'upgrade'])),
    lastAttemptedReleaseActionDuration: optional(text('How long that took.')),
    lastAttemptedRevision: optional(text('Chart version of the last attempt.')),
    lastAttemptedRevisionDigest: optional(text('Digest of the chart of the last attempt.')),
    lastAttemptedValuesChecksum: optional(text('Deprecated: see `lastAttemptedConfigDigest`.')),
    lastHandledForceAt: optional(text('The last value of the annotation `reconcile.fluxcd.io/forceAt` that was acted on.')),
    lastHandledReconcileAt: optional(lastHandledReconcileAt),
    lastHandledResetAt: optional(text('The last value of the annotation `reconcile.fluxcd.io/resetAt` that was acted on.')),
    lastReleaseRevision: optional(integer('Deprecated: see `history`.')),
    observedCommonMetadataDigest: optional(text('Hash of the `commonMetadata` that was applied.')),
    observedGeneration: optional(observedGeneration),
    observedPostRenderersDigest: optional(text('Hash of the `postRenderers` that were applied.')),
    storageNamespace: optional(namespaceName('Namespace of the records of the release.')),
    upgradeFailures: optional(int64('Failed upgrades in a row.')),
  },
  { default: { observedGeneration: -1 } },
);

/** HelmRelease: a chart with values, released and kept. */
export const helmReleaseKind: Kind = {
  group: groups.helm,
  version: 'v2',
  kind: 'HelmRelease',
  plural: 'helmreleases',
  shortNames: ['hr'],
  categories: ['all', 'fluxcd', 'fluxcd-appliers'],
  component: 'helm-controller',
  description: 'A chart with values, released and kept as published.',
  spec,
  status,
  columns: [ageColumn, readyColumn, statusColumn],
};
