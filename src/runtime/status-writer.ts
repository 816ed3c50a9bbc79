import { removeConditions, type Condition, type ResourceMetadata } from '../api/index.ts';
import { isKubeError, type KindRef, type KubeClient } from '../kube/index.ts';
import type { KubeObject } from '../manifest/index.ts';
import { mergePatch } from './merge-patch.ts';

/** An object of one of our kinds that has a status with conditions. */
export type StatusObject = { metadata: ResourceMetadata; status: { conditions?: Condition[] } };

/** How often a write is tried again when someone else wrote in between. */
const CONFLICT_LIMIT = 5;

/**
 * The one place status and finalizers of our kinds are written. A write that changes nothing is not sent; conditions others put on the
 * object stay (C16). There is no guard against an object that was deleted and created again meanwhile: our finalizer stands in between.
 */
export class StatusWriter {
  readonly #kube: KubeClient;
  readonly #kind: KindRef;
  readonly #fieldManager: string;
  readonly #ownedConditions: ReadonlySet<string>;
  readonly #observe: (object: KubeObject) => void;

  /** @param observe told each answer, so that the next look sees it */
  constructor(options: {
    kube: KubeClient;
    kind: KindRef;
    fieldManager: string;
    ownedConditions: readonly string[];
    observe: (object: KubeObject) => void;
  }) {
    this.#kube = options.kube;
    this.#kind = options.kind;
    this.#fieldManager = options.fieldManager;
    this.#ownedConditions = new Set(options.ownedConditions);
    this.#observe = options.observe;
  }

  /**
   * Makes the status of `object` what `status` says. Gives false when the object is gone.
   * @throws KubeError when the API server refuses or cannot be reached
   */
  async write<S extends { conditions?: Condition[] }>(object: { metadata: ResourceMetadata; status: S }, status: S): Promise<boolean> {
    const change = mergePatch(object.status, status);
    if (change === undefined) return true;
    const foreign = removeConditions(object.status.conditions ?? [], ...this.#ownedConditions);
    // Others' conditions live in the same list as ours: only then must nobody have written in between.
    if (foreign.length === 0) return this.#patch(object.metadata, { status: change });
    return this.#mergeConditions(object.metadata, { ...status }, change as Record<string, unknown>);
  }

  /** Adds or removes a finalizer. Gives the new object, or undefined when it is gone. */
  async writeFinalizer(metadata: ResourceMetadata, finalizer: string, present: boolean): Promise<KubeObject | undefined> {
    let { finalizers = [], resourceVersion } = metadata;
    for (let attempt = 1; ; attempt++) {
      const others = finalizers.filter((name) => name !== finalizer);
      const wanted = present ? [...others, finalizer] : others;
      const body = { metadata: { finalizers: wanted, resourceVersion } };
      try {
        const answer = await this.#kube.patch(this.#target(metadata), { type: 'merge', body }, { fieldManager: this.#fieldManager });
        this.#observe(answer);
        return answer;
      } catch (error) {
        if (isKubeError(error, 'NotFound')) return undefined;
        if (!isKubeError(error, 'Conflict') || attempt === CONFLICT_LIMIT) throw error;
      }
      const live = await this.#kube.find(this.#target(metadata));
      if (live === undefined || live.metadata.uid !== metadata.uid) return undefined;
      finalizers = live.metadata.finalizers ?? [];
      resourceVersion = live.metadata.resourceVersion ?? '';
      if (finalizers.includes(finalizer) === present) return live;
    }
  }

  async #mergeConditions(
    metadata: ResourceMetadata,
    status: { conditions?: Condition[] },
    change: Record<string, unknown>,
  ): Promise<boolean> {
    const ours = (status.conditions ?? []).filter((condition) => this.#ownedConditions.has(condition.type));
    for (let attempt = 0; attempt < CONFLICT_LIMIT; attempt++) {
      const live = await this.#kube.find(this.#target(metadata));
      if (live === undefined || live.metadata.uid !== metadata.uid) return false;
      const liveConditions = ((live['status'] as { conditions?: Condition[] } | undefined)?.conditions ?? []) as Condition[];
      const merged = [...ours, ...removeConditions(liveConditions, ...this.#ownedConditions)];
      const guard = { resourceVersion: live.metadata.resourceVersion };
      try {
        return await this.#patch(metadata, { metadata: guard, status: { ...change, conditions: merged } });
      } catch (error) {
        if (!isKubeError(error, 'Conflict') || attempt === CONFLICT_LIMIT - 1) throw error;
      }
    }
    return false;
  }

  async #patch(metadata: ResourceMetadata, body: Record<string, unknown>): Promise<boolean> {
    try {
      this.#observe(await this.#kube.patchStatus(this.#target(metadata), { type: 'merge', body }, { fieldManager: this.#fieldManager }));
      return true;
    } catch (error) {
      if (isKubeError(error, 'NotFound')) return false;
      throw error;
    }
  }

  #target(metadata: ResourceMetadata): KindRef & { name: string; namespace: string } {
    return { ...this.#kind, name: metadata.name, namespace: metadata.namespace };
  }
}
