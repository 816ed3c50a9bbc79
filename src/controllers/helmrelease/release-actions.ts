import {
  buildInventory,
  correctDrift,
  detectDrift,
  formatDrift,
  installRelease,
  rollbackRelease,
  testRelease,
  uninstallRelease,
  unlockRelease,
  upgradeRelease,
} from './actions/index.ts';
import type { ReleaseActions } from './launch.ts';

/** What is done to releases in a cluster. */
export const releaseActions: ReleaseActions = {
  buildInventory,
  correctDrift,
  detectDrift,
  formatDrift,
  installRelease,
  rollbackRelease,
  testRelease,
  uninstallRelease,
  unlockRelease,
  upgradeRelease,
};
