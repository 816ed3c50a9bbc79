import type { OwnedObjects } from '../../../apply/index.ts';
import type { Release } from '../../../helm/index.ts';
import type { KubeClient } from '../../../kube/index.ts';
import type { KubeObject } from '../../../manifest/index.ts';
import type { Logger, Wait } from '../../../runtime/index.ts';
import type { Clock, Duration, Instant } from '../../../std/index.ts';

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
  list(signal: AbortSignal): Promise<readonly Release[]>;
  create(release: Release, signal: AbortSignal): Promise<void>;
  update(release: Release, signal: AbortSignal): Promise<void>;
  delete(version: number, signal: AbortSignal): Promise<void>;
}

/** What an action works with besides its own options. */
export type ActionContext = {
  target: ReleaseTarget;
  storage: ReleaseStorage;
  clock: Clock;
  log: Logger;
  /** One line of what Helm would log; the last ones end up in the event of a failure. */
  trace: (line: string) => void;
  signal: AbortSignal;
};

/** How waiting is done (HB54). */
export type WaitPolicy = {
  strategy: 'poller' | 'legacy';
  /** False: hooks only. */
  resources: boolean;
  jobs: boolean;
  timeout: Duration;
};

/** What the renderer gave for one revision: everything is text and data already, post-rendered and labelled. */
export type RenderedRelease = {
  manifest: readonly KubeObject[];
  /** The record without status, version and times. */
  record: Pick<Release, 'name' | 'namespace' | 'notes' | 'config' | 'chart' | 'manifest' | 'hooks' | 'labels'>;
  crds: readonly KubeObject[];
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
      resume: (cause: 'woken' | 'deadline', signal: AbortSignal) => Promise<ActionProgress>;
      cancel: (why: string) => Promise<void>;
    };
