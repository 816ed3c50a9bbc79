import type { HelmRelease } from '../../api/index.ts';
import type { RenderWorkers, Release } from '../../helm/index.ts';
import type { FeatureGates } from '../../runtime/index.ts';
import { CodedError, errorMessage } from '../../std/index.ts';
import type {
  ActionContext,
  ActionProgress,
  buildInventory,
  correctDrift,
  detectDrift,
  formatDrift,
  installRelease,
  RenderedRelease,
  rollbackRelease,
  testRelease,
  uninstallRelease,
  unlockRelease,
  upgradeRelease,
} from './actions/index.ts';
import type { ClusterCapabilities } from './capabilities.ts';
import { definitionsIn } from './charts.ts';
import { addTrace, type Flight } from './flight.ts';
import { kindsOf, serving, unserved } from './own-kinds.ts';
import { isUnfinishedInstall } from './origin.ts';
import type { Prepared } from './prepare.ts';
import { installOptions, rollbackOptions, testOptions, uninstallOptions, upgradeOptions } from './release-options.ts';
import { renderRevision } from './render.ts';
import { timeoutOf } from './settings.ts';
import { preservedDefaults, releasedValues } from './values.ts';

/** What can be done with a release. */
export type ReleaseActions = {
  installRelease: typeof installRelease;
  upgradeRelease: typeof upgradeRelease;
  rollbackRelease: typeof rollbackRelease;
  uninstallRelease: typeof uninstallRelease;
  testRelease: typeof testRelease;
  unlockRelease: typeof unlockRelease;
  detectDrift: typeof detectDrift;
  correctDrift: typeof correctDrift;
  formatDrift: typeof formatDrift;
  buildInventory: typeof buildInventory;
};

/** What actions are launched with. */
export type LaunchOptions = {
  actions: ReleaseActions;
  workers: RenderWorkers;
  capabilities: (prepared: Prepared) => ClusterCapabilities;
  gates: FeatureGates;
};

/**
 * Renders what the action of a flight needs and starts it. What fails before it began is an action that failed without a record.
 * @param last the latest record
 */
export async function launch(
  flight: Flight,
  object: HelmRelease,
  last: Release | undefined,
  options: LaunchOptions,
  context: ActionContext,
): Promise<ActionProgress> {
  const { action } = flight;
  const { actions, gates } = options;
  try {
    switch (action.kind) {
      case 'install': {
        assertReleaseName(flight.prepared.target.name);
        const rendered = await render(flight, object, last, options, context);
        return await actions.installRelease(installOptions(object, rendered, gates, mayGoOn(last)), context);
      }
      case 'upgrade': {
        const rendered = await render(flight, object, last, options, context);
        return await actions.upgradeRelease(upgradeOptions(object, rendered, gates), context);
      }
      case 'rollback':
        return await actions.rollbackRelease(rollbackOptions(object, action.to.version, gates), context);
      case 'uninstall':
        return await actions.uninstallRelease(uninstallOptions(object, gates), context);
      default:
        return await actions.testRelease(testOptions(object, gates), context);
    }
  } catch (error) {
    if (context.signal.aborted) throw error;
    const failed = error instanceof Error ? error : new Error(errorMessage(error));
    return { kind: 'ended', result: { kind: 'failed', error: failed, release: undefined, stored: false } };
  }
}

const RELEASE_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Fails as Helm does before anything is done for a name it does not take. */
function assertReleaseName(name: string): void {
  if (RELEASE_NAME.test(name)) return;
  throw new CodedError({
    code: 'ReleaseNameInvalid',
    message:
      `release name check failed: release name ${JSON.stringify(name)}: invalid release name, must match regex ${RELEASE_NAME.source} ` +
      'and the length must not be longer than 53',
    subject: name,
    remedy: 'set spec.releaseName to a name of lower-case letters, digits, dashes and dots',
    retryable: false,
  });
}

/** True for a history an install may go on with: of a release that was ended on purpose, or whose install was never finished. */
function mayGoOn(last: Release | undefined): boolean {
  return last !== undefined && (last.status === 'uninstalled' || isUnfinishedInstall(last));
}

async function render(
  flight: Flight,
  object: HelmRelease,
  last: Release | undefined,
  { workers, capabilities, gates }: LaunchOptions,
  { signal }: ActionContext,
): Promise<RenderedRelease> {
  const { prepared, action, trace } = flight;
  const { chart, values, target } = prepared;
  const isUpgrade = action.kind === 'upgrade';
  const spec = isUpgrade ? object.spec.upgrade : object.spec.install;
  const known = await capabilities(prepared).get(signal);
  const request = {
    object,
    chart,
    values: isUpgrade ? releasedValues(object, values, last) : values,
    chartValues: isUpgrade ? preservedDefaults(object, last) : undefined,
    name: target.name,
    namespace: target.namespace,
    revision: (last?.version ?? 0) + 1,
    isUpgrade,
    skipSchemaValidation: spec?.disableSchemaValidation === true,
    allowDns: gates.enabled('AllowDNSLookups'),
    client: target.client,
    deadline: timeoutOf(object, isUpgrade ? 'upgrade' : 'install'),
    signal,
  };
  // Helm applies the definitions of crds/ before it looks at what the cluster serves: templates see their kinds from the first revision on.
  const own = (spec?.crds ?? 'Create') === 'Skip' ? [] : unserved(kindsOf(definitionsIn(chart.chart)), known);
  let { rendered, warnings } = await renderRevision(workers, { ...request, capabilities: serving(own, known) });
  const applied = new Set(kindsOf(rendered.crds));
  if (own.some((kind) => !applied.has(kind))) {
    // Some are of subcharts that are turned off.
    const kept = own.filter((kind) => applied.has(kind));
    ({ rendered, warnings } = await renderRevision(workers, { ...request, capabilities: serving(kept, known) }));
  }
  for (const warning of warnings) addTrace(trace, `warning: ${warning}`);
  flight.rendered = rendered;
  return rendered;
}
