import type { HelmRelease } from '../../api/index.ts';
import type { RenderWorkers, Release } from '../../helm/index.ts';
import type { FeatureGates } from '../../runtime/index.ts';
import { errorMessage } from '../../std/index.ts';
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
import { addTrace, type Flight } from './flight.ts';
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
        const rendered = await render(flight, object, last, options, context);
        return await actions.installRelease(installOptions(object, rendered, gates, last?.status === 'uninstalled'), context);
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
  const { rendered, warnings } = await renderRevision(workers, {
    object,
    chart,
    values: isUpgrade ? releasedValues(object, values, last) : values,
    chartValues: isUpgrade ? preservedDefaults(object, last) : undefined,
    name: target.name,
    namespace: target.namespace,
    revision: (last?.version ?? 0) + 1,
    isUpgrade,
    capabilities: await capabilities(prepared).get(signal),
    skipSchemaValidation: spec?.disableSchemaValidation === true,
    allowDns: gates.enabled('AllowDNSLookups'),
    client: target.client,
    deadline: timeoutOf(object, isUpgrade ? 'upgrade' : 'install'),
    signal,
  });
  for (const warning of warnings) addTrace(trace, `warning: ${warning}`);
  flight.rendered = rendered;
  return rendered;
}
