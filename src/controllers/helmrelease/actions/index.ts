export {
  FIELD_MANAGER,
  OWNER_GROUP,
  type ActionContext,
  type ActionProgress,
  type ActionResult,
  type ApplyMode,
  type CrdPolicy,
  type DriftOptions,
  type HookOutput,
  type InstallOptions,
  type ReleaseMemory,
  type ReleaseStorage,
  type ReleaseTarget,
  type RenderedRelease,
  type RollbackOptions,
  type TestOptions,
  type UninstallOptions,
  type UpgradeOptions,
  type WaitPolicy,
} from './action.ts';
export { kubeReleaseStorage, type ReleaseStorageOptions } from './storage.ts';
export { ReleaseRecords } from './records.ts';
export { installRelease } from './install.ts';
export { upgradeRelease } from './upgrade.ts';
export { rollbackRelease } from './rollback.ts';
export { uninstallRelease } from './uninstall.ts';
export { testRelease } from './test-release.ts';
export { unlockRelease } from './unlock.ts';
export { correctDrift, detectDrift, formatDrift, type Drift, type DriftCorrection } from './drift.ts';
export { buildInventory } from './inventory.ts';
export { isActionError, type ActionErrorCode } from './errors.ts';
