export { applyObjects } from './apply.ts';
export { formatPruneFailures, pruneObjects, type PruneFailure, type PruneRequest, type PruneResult } from './prune.ts';
export { OwnedObjects, toLiveRecord, type OwnedChange, type OwnedObjectsOptions } from './owned-objects.ts';
export { sweepOwned, type SweepOptions, type SweepResult } from './sweep.ts';
export { writeRelease, type ReleaseWriteFailure, type ReleaseWriteRequest, type ReleaseWriteResult } from './write-release.ts';
export { deleteObjects, type DeleteRequest, type DeleteResult } from './delete-objects.ts';
export { findDrift, type DriftRequest, type DriftResult, type ObjectDrift } from './drift.ts';
export { threeWayMerge } from './three-way-merge.ts';
export { waitForGone } from './stage-wait.ts';
export type { ApplyRequest, ApplyResult, ApplyWarning, DriftReport, Known, LiveRecord, LiveSource } from './request.ts';
export { ApplyError, causeText, type ApplyErrorCode, type ObjectFailure } from './errors.ts';
export { formatChange, formatChanges, hasChanged, type Action, type Change, type ChangeSet } from './change-set.ts';
export {
  EMPTY_INVENTORY,
  apiVersionOf,
  formatInventoryId,
  inventoryEntry,
  inventoryObjects,
  mergeInventories,
  parseInventoryId,
  staleEntries,
  type Inventory,
  type InventoryEntry,
  type InventoryObject,
} from './inventory.ts';
export { compareRefs, kindRank, sortObjects, toStages, type Stage, type StageName } from './order.ts';
export { MARKS, hasMark, isOwnedBy, ownerLabels, withOwner, type Mark, type Owner } from './marks.ts';
export { normalise, withCommonMetadata, type CommonMetadata } from './normalise.ts';
export { compileIgnoreRules, type CompiledRules, type IgnoreRule, type IgnoreTarget } from './ignore-rules.ts';
export { defaultTakeover, driftHash, overrideManager, type ManagerMatch } from './managed-fields.ts';
export { contentHash, desiredHash } from './hash.ts';
export { driftOf } from './plan.ts';
