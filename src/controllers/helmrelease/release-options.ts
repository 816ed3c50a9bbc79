import type { HelmRelease } from '../../api/index.ts';
import type { FeatureGates } from '../../runtime/index.ts';
import type {
  InstallOptions,
  RenderedRelease,
  RollbackOptions,
  TestOptions,
  UninstallOptions,
  UpgradeOptions,
  WaitPolicy,
} from './actions/index.ts';
import { maxHistory, timeoutOf, type TimedAction } from './settings.ts';

/** What the spec says about an install (HB50, HB54, HB55, HB62). @param reuse the name has a history that was ended on purpose */
export function installOptions(object: HelmRelease, rendered: RenderedRelease, gates: FeatureGates, reuse: boolean): InstallOptions {
  const { install = {}, targetNamespace } = object.spec;
  return {
    rendered,
    serverSideApply: install.serverSideApply ?? !gates.enabled('UseHelm3Defaults'),
    takeOwnership: install.disableTakeOwnership !== true,
    replace: install.replace === true || reuse,
    createNamespace: targetNamespace !== undefined && install.createNamespace === true,
    crds: install.crds ?? 'Create',
    hooks: install.disableHooks !== true,
    wait: waitPolicy(object, 'install', gates),
  };
}

/** What the spec says about an upgrade (HB51, HB54, HB55). */
export function upgradeOptions(object: HelmRelease, rendered: RenderedRelease, gates: FeatureGates): UpgradeOptions {
  const { upgrade = {} } = object.spec;
  return {
    rendered,
    serverSideApply: upgrade.serverSideApply ?? 'auto',
    takeOwnership: upgrade.disableTakeOwnership !== true,
    force: upgrade.force === true,
    cleanupOnFail: upgrade.cleanupOnFail === true,
    crds: upgrade.crds ?? 'Create',
    hooks: upgrade.disableHooks !== true,
    wait: waitPolicy(object, 'upgrade', gates),
    maxHistory: maxHistory(object),
  };
}

/** What the spec says about a rollback (HB52). */
export function rollbackOptions(object: HelmRelease, version: number, gates: FeatureGates): RollbackOptions {
  const { rollback = {} } = object.spec;
  return {
    version,
    serverSideApply: rollback.serverSideApply ?? 'auto',
    force: rollback.force === true,
    cleanupOnFail: rollback.cleanupOnFail === true,
    hooks: rollback.disableHooks !== true,
    wait: waitPolicy(object, 'rollback', gates),
    maxHistory: maxHistory(object),
  };
}

const PROPAGATIONS = { background: 'Background', foreground: 'Foreground', orphan: 'Orphan' } as const;

/** What the spec says about an uninstall (HB53). */
export function uninstallOptions(object: HelmRelease, gates: FeatureGates): UninstallOptions {
  const { uninstall } = object.spec;
  return {
    hooks: uninstall?.disableHooks !== true,
    keepHistory: uninstall?.keepHistory === true,
    propagation: PROPAGATIONS[uninstall?.deletionPropagation ?? 'background'],
    wait: waitPolicy(object, 'uninstall', gates),
  };
}

/** What the spec says about tests (HB57). */
export function testOptions(object: HelmRelease, gates: FeatureGates): TestOptions {
  const { strategy, timeout, expressions } = waitPolicy(object, 'test', gates);
  return {
    filters: object.spec.test?.filters ?? [],
    wait: { strategy, timeout, ...(expressions === undefined ? {} : { expressions }) },
  };
}

function waitPolicy(object: HelmRelease, action: TimedAction, gates: FeatureGates): WaitPolicy {
  const { waitStrategy, healthCheckExprs } = object.spec;
  const own: { disableWait?: boolean; disableWaitForJobs?: boolean } = action === 'test' ? {} : (object.spec[action] ?? {});
  return {
    strategy: waitStrategy?.name ?? (gates.enabled('UseHelm3Defaults') ? 'legacy' : 'poller'),
    resources: own.disableWait !== true,
    jobs: own.disableWaitForJobs !== true,
    timeout: timeoutOf(object, action),
    ...(healthCheckExprs === undefined ? {} : { expressions: healthCheckExprs }),
  };
}
