import type { Clock } from '../std/index.ts';
import type { KubeObject, ObjectRef } from '../manifest/index.ts';
import type { KubeClient } from '../kube/index.ts';
import type { HealthResult } from '../health/index.ts';
import type { ChangeSet } from './change-set.ts';
import type { IgnoreRule } from './ignore-rules.ts';
import type { Inventory } from './inventory.ts';
import type { ManagerMatch } from './managed-fields.ts';
import type { Owner } from './marks.ts';

/** What we remember of an object after applying it, keyed by `objectRefKey`. Lost on restart; then one dry-run each finds it again. */
export type Known = {
  /** Hash of the desired object. */
  desiredHash: string;
  /** Hash of our managedFields entry as the server answered. */
  driftHash: string;
  /** Set where not all of what we want is ours (client-side apply): then any change of the content is worth a look. */
  contentHash?: string;
  resourceVersion: string;
  uid: string;
};

/** What a watch knows of one live object: everything planning, drift detection, pruning and health checks ask, in a few hundred bytes. */
export type LiveRecord = {
  ref: ObjectRef;
  apiVersion: string;
  uid: string;
  resourceVersion: string;
  labels: Readonly<Record<string, string>>;
  /** Only annotations apply acts on. */
  annotations: Readonly<Record<string, string>>;
  driftHash: string;
  contentHash: string;
  /** A manager we take over owns fields, or metadata is there that apply removes (KB56). */
  foreign: boolean;
  deleting: boolean;
  health: HealthResult;
};

/** Answers from watches. `undefined`: not watched, so nobody knows; `absent`: watched and not there. */
export interface LiveSource {
  find(ref: ObjectRef, apiVersion: string): LiveRecord | 'absent' | undefined;
}

export type ApplyRequest = {
  /** Acts as whom the objects are applied. */
  client: KubeClient;
  /** Desired objects: built, substituted, decrypted. They get the owner's labels and are normalised here. */
  objects: readonly KubeObject[];
  owner: Owner;
  /** `kustomize-controller`, `helm-controller`. */
  fieldManager: string;
  /** Recreate objects whose immutable fields changed (spec.force). Default false. */
  force?: boolean;
  /** Default: `defaultTakeover(fieldManager)`. */
  takeover?: readonly ManagerMatch[];
  ignore?: readonly IgnoreRule[];
  customStageKinds?: ReadonlySet<string>;
  /** From earlier results, by `objectRefKey`. */
  known?: ReadonlyMap<string, Known>;
  live?: LiveSource;
  /** `status.inventory` before this apply. */
  inventory: Inventory;
  /**
   * Called before anything is written when objects outside `inventory` are about to be: persist what it gives. Leave it out where orphans of a
   * killed process are found by their labels instead (README, "Crash anywhere").
   */
  beforeWrite?: (inventory: Inventory) => Promise<void>;
  /** Requests in flight for this apply. Default 16. */
  concurrency?: number;
  /** Milliseconds to wait for definitions and classes (KB51). Default 60 s. */
  stageTimeout?: number;
  clock?: Clock;
  signal?: AbortSignal;
};

/** One object found changed by others, and put right by this apply. */
export type DriftReport = {
  ref: ObjectRef;
  kind: 'changed' | 'gone' | 'foreign';
  /** Who changed it, by field manager; empty when nobody's name is on it. */
  managers: readonly string[];
  /** Our fields that changed: `spec.replicas`. */
  fields: readonly string[];
};

/** A finding that stops nothing, such as an unknown field left out. */
export type ApplyWarning = { ref: ObjectRef; message: string };

export type ApplyResult = {
  /** Every object, in the order of stages and kinds. */
  changes: ChangeSet;
  /** The objects of this apply, skipped ones too. On failure: the old inventory and everything written so far. */
  inventory: Inventory;
  /** To hand in as `known` next time. */
  known: ReadonlyMap<string, Known>;
  /** Objects as the server answered; skipped and unchanged ones are not in it. By `objectRefKey`. */
  applied: ReadonlyMap<string, KubeObject>;
  drift: readonly DriftReport[];
  warnings: readonly ApplyWarning[];
};
