import type { CustomHealthCheck } from '../../../api/index.ts';
import type { IgnoreRule, Known, OwnedObjects } from '../../../apply/index.ts';
import type { Release } from '../../../helm/index.ts';
import type { KubeClient } from '../../../kube/index.ts';
import type { KubeObject } from '../../../manifest/index.ts';
import type { Logger, Wait, WakeCause } from '../../../runtime/index.ts';
import type { Clock, Duration, Instant } from '../../../std/index.ts';

/** Who writes a release's objects, in their managedFields. */
export const FIELD_MANAGER = 'helm-controller';
/** API group of the owner labels. */
export const OWNER_GROUP = 'helm.toolkit.fluxcd.io';

/** What earlier actions remember of a release's objects, by `objectRefKey`; kept by the caller, changed by actions, lost on restart. */
export type ReleaseMemory = Map<string, Known>;

/** Where a release lives and how we reach it. */
export type ReleaseTarget = {
  name: string;
  /** Namespace of objects that name none. */
  namespace: string;
  /** Namespace of the release records. */
  storageNamespace: string;
  /** Acts as the account of the HelmRelease, in the cluster it names. */
  client: KubeClient;
  /** Watches of the objects we own there. */
  owned: OwnedObjects;
  /** The HelmRelease, for owner labels. */
  owner: { name: string; namespace: string };
};

/** Every revision of a release as stored, oldest first; reads and writes Helm's own records (HB09). */
export interface ReleaseStorage {
  /** Asks the cluster once; later calls answer from what was read and written since. */
  list(signal: AbortSignal): Promise<readonly Release[]>;
  /** @throws CodedError `ReleaseExists` when the revision is there already */
  create(release: Release, signal: AbortSignal): Promise<void>;
  update(release: Release, signal: AbortSignal): Promise<void>;
  /** A revision that is gone already is success. */
  delete(version: number, signal: AbortSignal): Promise<void>;
}

/** What an action works with besides its own options. */
export type ActionContext = {
  target: ReleaseTarget;
  storage: ReleaseStorage;
  /** Unchanged objects cost no request when this remembers them and watches show no drift. Default: nothing is remembered. */
  memory?: ReleaseMemory;
  clock: Clock;
  log: Logger;
  /** One line of what Helm would log; the last ones end up in the event of a failure. */
  trace: (line: string) => void;
  /** Told what the Pods of a hook have said, when it failed or asks for that; at most a few lines, without secrets that can be told. */
  hookOutput?: (output: HookOutput) => void;
  signal: AbortSignal;
};

/** The last lines of what a hook's Pods have said, and how their containers ended. */
export type HookOutput = { hook: string; failed: boolean; text: string };

/** How waiting is done (HB54). */
export type WaitPolicy = {
  strategy: 'poller' | 'legacy';
  /** False: hooks only. */
  resources: boolean;
  jobs: boolean;
  timeout: Duration;
  /** `spec.healthCheckExprs`; the poller only. */
  expressions?: readonly CustomHealthCheck[];
};

/** What the renderer gave for one revision: everything is text and data already, post-rendered and labelled (HB56). */
export type RenderedRelease = {
  /** Without hooks, in install order. Helm's ownership metadata (HB58) is put on by the actions, as Helm keeps it out of the record. */
  manifest: readonly KubeObject[];
  /** The record without status, version and times. */
  record: Pick<Release, 'name' | 'namespace' | 'notes' | 'config' | 'chart' | 'manifest' | 'hooks' | 'labels'>;
  /** Objects of the chart's crds/ folders; those of other kinds are left out with a warning. */
  crds: readonly KubeObject[];
};

/** `spec.install.crds`, `spec.upgrade.crds` (HB55). */
export type CrdPolicy = 'Skip' | 'Create' | 'CreateReplace';
/** `serverSideApply` of upgrade and rollback (HB51, HB52): `auto` follows the release that is upgraded or rolled back to. */
export type ApplyMode = 'enabled' | 'disabled' | 'auto';

export type InstallOptions = {
  rendered: RenderedRelease;
  serverSideApply: boolean;
  takeOwnership: boolean;
  /** Reuse the name of a release that failed or was uninstalled; its history goes on. */
  replace: boolean;
  createNamespace: boolean;
  crds: CrdPolicy;
  hooks: boolean;
  wait: WaitPolicy;
};

export type UpgradeOptions = {
  /** Rendered for the revision after the last one. */
  rendered: RenderedRelease;
  serverSideApply: ApplyMode;
  takeOwnership: boolean;
  /** Replace objects instead of patching them; client-side apply only. */
  force: boolean;
  /** Delete what this upgrade created when it fails. */
  cleanupOnFail: boolean;
  crds: CrdPolicy;
  hooks: boolean;
  wait: WaitPolicy;
  /** Revisions to keep; 0 keeps all. */
  maxHistory: number;
};

export type RollbackOptions = {
  /** The revision to go back to. */
  version: number;
  serverSideApply: ApplyMode;
  force: boolean;
  cleanupOnFail: boolean;
  hooks: boolean;
  wait: WaitPolicy;
  maxHistory: number;
};

export type UninstallOptions = {
  hooks: boolean;
  keepHistory: boolean;
  propagation: 'Background' | 'Foreground' | 'Orphan';
  /** `resources`: wait until everything is gone. */
  wait: WaitPolicy;
};

export type TestOptions = {
  /** `spec.test.filters` (HB57): names to run, or with `exclude` to leave out. */
  filters: readonly { name: string; exclude?: boolean }[];
  wait: Pick<WaitPolicy, 'strategy' | 'timeout' | 'expressions'>;
};

export type DriftOptions = {
  /** `spec.driftDetection.ignore` */
  ignore?: readonly IgnoreRule[];
  /** `--override-manager`: managers (or the beginnings of their names) whose fields are drift. */
  overrideManagers?: readonly string[];
};

/** How an action ended. `stored` says whether a record was written: only then is a failure counted (HB40). */
export type ActionResult =
  | { kind: 'succeeded'; release: Release | undefined }
  | { kind: 'failed'; error: Error; release: Release | undefined; stored: boolean }
  /** Ended from outside: a newer spec, chart, value or request; the record says failed. */
  | { kind: 'canceled'; release: Release | undefined };

/**
 * An action under way. It holds no worker while hooks, tests or health are waited for: `resume` goes on when `on` wakes or the deadline is
 * there; `cancel` ends it and leaves the record so that anyone, we after a crash included, can go on from it.
 */
export type ActionProgress =
  | { kind: 'ended'; result: ActionResult }
  | {
      kind: 'waiting';
      on: Wait;
      deadline: Instant;
      resume: (cause: WakeCause, signal: AbortSignal) => Promise<ActionProgress>;
      cancel: (why: string) => Promise<void>;
    };
