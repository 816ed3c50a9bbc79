import type { CustomHealthCheck, Kustomization } from '../../api/index.ts';
import type { ApplyResult, OwnedObjects } from '../../apply/index.ts';
import {
  compileHealthChecks,
  computeStatus,
  judge,
  type Checked,
  type HealthChecks,
  type HealthResult,
  type Verdict,
} from '../../health/index.ts';
import { isKubeError, type Informer, type KubeClient, type KindRef } from '../../kube/index.ts';
import { objectRefKey, parseApiVersion, type KubeObject, type ObjectRef } from '../../manifest/index.ts';
import type { Wait } from '../../runtime/index.ts';
import type { Clock } from '../../std/index.ts';
import type { Memories } from './memory.ts';

/** One object to check: what is owned comes from the shared watches, what is not from one of its own. */
type Target = { ref: ObjectRef; apiVersion: string; vanishes: boolean; informer?: Informer };

/** What a {@link HealthCheck} works with. */
export type HealthOptions = {
  owned: OwnedObjects;
  client: KubeClient;
  memories: Memories;
  clock: Clock;
  failFast: boolean;
  signal: AbortSignal;
};

/**
 * The health of a set of objects, kept by watches: `verdict` looks at what is known now, `wait` wakes when any of them changed (KB80–KB85).
 * Must be closed.
 */
export class HealthCheck {
  readonly #key: string;
  readonly #targets: readonly Target[];
  readonly #options: HealthOptions;
  readonly #applied: ReadonlyMap<string, KubeObject>;
  readonly #custom: HealthChecks | undefined;
  /** Objects a watch has shown at least once: one of these that is absent has gone, any other has not come yet. */
  readonly #seen = new Set<string>();
  readonly #stop: () => void;

  private constructor(
    key: string,
    targets: readonly Target[],
    applied: ReadonlyMap<string, KubeObject>,
    custom: HealthChecks | undefined,
    options: HealthOptions,
  ) {
    this.#key = key;
    this.#custom = custom;
    this.#targets = targets;
    this.#applied = applied;
    this.#options = options;
    this.#stop = options.memories.onChange(key, ({ ref, record }) => {
      if (record !== undefined) this.#seen.add(objectRefKey(ref));
    });
  }

  /**
   * The check `spec.wait` or `spec.healthChecks` asks for; undefined when there is nothing to check.
   * @param desired the objects as they were applied, to know which vanish by themselves (KB82)
   * @throws KubeError when a kind cannot be watched
   */
  static async open(
    object: Kustomization,
    result: ApplyResult,
    desired: readonly KubeObject[],
    options: HealthOptions,
  ): Promise<HealthCheck | undefined> {
    const { namespace, name } = object.metadata;
    const key = `${namespace}/${name}`;
    const targets = object.spec.wait === true ? appliedTargets(object, result, desired) : namedTargets(object);
    if (targets.length === 0) return undefined;
    const expressions = object.spec.healthCheckExprs ?? [];
    const custom = expressions.length === 0 ? undefined : compileHealthChecks(forKinds(expressions, targets));
    const check = new HealthCheck(key, targets, result.applied, custom, options);
    // Fresh answers that are ready already (ConfigMaps, Services, …) need no watch.
    const open = targets.filter((target) => check.#fromAnswer(target)?.status !== 'Current');
    try {
      // The shared watches keep only what the standard rules need; expressions see whole objects.
      const own = open.filter((target) => object.spec.wait !== true || expressions.some((expression) => isFor(expression, target)));
      const shared = open.filter((target) => !own.includes(target));
      await Promise.all([...watchKinds(shared, options), ...own.map((target) => watchNamed(target, options))]);
    } catch (error) {
      check.close();
      throw error;
    }
    return check;
  }

  /** How many objects are checked. */
  get size(): number {
    return this.#targets.length;
  }

  /** Where the check stands; pure but for reading caches. */
  verdict(timedOut: boolean): Verdict {
    const { failFast } = this.#options;
    return judge(
      this.#targets.map((target): Checked => ({ ref: target.ref, result: this.#result(target), vanishes: target.vanishes })),
      { failFast, timedOut },
    );
  }

  /** Waits for any of the objects to change. */
  wait(): Wait {
    return {
      what: `health of ${this.#targets.length} objects`,
      subscribe: (wake) => {
        const stops = [this.#options.memories.onChange(this.#key, wake)];
        // What is cached already was judged a moment ago; an informer tells it again when one subscribes.
        let replaying = true;
        const tell = (): void => {
          if (!replaying) wake();
        };
        for (const { informer } of this.#targets) {
          if (informer !== undefined) stops.push(informer.subscribe({ updated: tell, deleted: tell, added: tell }));
        }
        replaying = false;
        return () => {
          for (const stop of stops) stop();
        };
      },
    };
  }

  /** Gives its own watches back. */
  close(): void {
    this.#stop();
    for (const { informer } of this.#targets) informer?.release();
  }

  #result(target: Target): HealthResult | undefined {
    const { owned } = this.#options;
    if (target.informer !== undefined) {
      if (!target.informer.synced) return undefined;
      const found = target.informer.get(target.ref.namespace, target.ref.name);
      return found === undefined ? NOT_FOUND : this.#compute(found);
    }
    const key = objectRefKey(target.ref);
    const answer = this.#applied.get(key);
    const live = owned.find(target.ref, target.apiVersion);
    if (live !== undefined && live !== 'absent') {
      this.#seen.add(key);
      if (!isOlder(live.resourceVersion, answer?.metadata.resourceVersion)) return live.health;
    } else if (live === 'absent' && (answer === undefined || this.#seen.has(key))) {
      return NOT_FOUND;
    }
    // The watch has not shown our own write yet; its answer is newer.
    return this.#fromAnswer(target);
  }

  #fromAnswer(target: Target): HealthResult | undefined {
    const answer = this.#applied.get(objectRefKey(target.ref));
    return answer === undefined ? undefined : this.#compute(answer);
  }

  #compute(object: KubeObject): HealthResult {
    const options = { now: this.#options.clock.now() };
    return this.#custom?.compute(object, options) ?? computeStatus(object, options);
  }
}

const NOT_FOUND: HealthResult = { status: 'NotFound', message: 'Resource not found' };

function appliedTargets(object: Kustomization, result: ApplyResult, desired: readonly KubeObject[]): Target[] {
  const temporary = new Set(desired.filter(hasTtl).map((job) => `${job.metadata.namespace ?? ''}/${job.metadata.name}`));
  return result.changes
    .filter(({ action, ref }) => action !== 'skipped' && !isSelf(object, ref))
    .map(({ ref, apiVersion }) => ({
      ref,
      apiVersion,
      vanishes: ref.kind === 'Job' && temporary.has(`${ref.namespace}/${ref.name}`),
    }));
}

function namedTargets(object: Kustomization): Target[] {
  return (object.spec.healthChecks ?? [])
    .map(({ apiVersion = 'apps/v1', kind, name, namespace = '' }) => ({
      ref: { group: parseApiVersion(apiVersion).group, kind, namespace, name },
      apiVersion,
      vanishes: false,
    }))
    .filter(({ ref }) => !isSelf(object, ref));
}

/** True when an expression is for the kind of a target; one without a kind is for its whole group. */
function isFor({ apiVersion, kind }: CustomHealthCheck, { ref }: Target): boolean {
  return parseApiVersion(apiVersion).group === ref.group && (kind === undefined || kind === '' || kind === ref.kind);
}

/** The expressions with those for a whole group spelled out for the kinds that are there and have none of their own. */
function forKinds(expressions: readonly CustomHealthCheck[], targets: readonly Target[]): (CustomHealthCheck & { kind: string })[] {
  return expressions.flatMap((expression) => {
    const { kind = '' } = expression;
    if (kind !== '') return [{ ...expression, kind }];
    const named = new Set(expressions.filter((other) => other.kind !== undefined && other.kind !== '').map((other) => other.kind));
    const kinds = new Set(targets.filter((target) => isFor(expression, target) && !named.has(target.ref.kind)).map(({ ref }) => ref.kind));
    return [...kinds].map((each) => ({ ...expression, kind: each }));
  });
}

/** Finds faults in `spec.healthCheckExprs` before anything is done (KB83). @throws CodedError `InvalidCELExpression` */
export function assertHealthExpressions(object: Kustomization): void {
  const expressions = object.spec.healthCheckExprs ?? [];
  if (expressions.length > 0) compileHealthChecks(expressions.map((expression) => ({ ...expression, kind: expression.kind ?? '' })));
}

function hasTtl(object: KubeObject): boolean {
  const spec = object['spec'] as { ttlSecondsAfterFinished?: unknown } | undefined;
  return object.kind === 'Job' && typeof spec?.ttlSecondsAfterFinished === 'number';
}

/** A Kustomization must not wait for itself. */
function isSelf(object: Kustomization, ref: ObjectRef): boolean {
  return ref.kind === 'Kustomization' && ref.name === object.metadata.name && ref.namespace === object.metadata.namespace;
}

function watchKinds(targets: readonly Target[], { owned, signal }: HealthOptions): Promise<void>[] {
  const kinds = new Map<string, KindRef>();
  for (const { ref, apiVersion } of targets) kinds.set(`${ref.group}/${ref.kind}`, { apiVersion, kind: ref.kind });
  return [...kinds.values()].map((kind) => owned.watch(kind, signal));
}

async function watchNamed(target: Target, { client, signal }: HealthOptions): Promise<void> {
  const { ref, apiVersion } = target;
  try {
    await client.mapper.resource({ apiVersion, kind: ref.kind }, signal);
  } catch (error) {
    // An object of a kind nobody serves is an object that is not found.
    if (isKubeError(error, 'NoMatch')) return;
    throw error;
  }
  target.informer = client.informer(
    { apiVersion, kind: ref.kind },
    { fieldSelector: `metadata.name=${ref.name}`, ...(ref.namespace === '' ? {} : { namespace: ref.namespace }) },
  );
  await target.informer.waitSynced(signal);
}

function isOlder(a: string, b: string | undefined): boolean {
  return b !== undefined && /^\d+$/.test(a) && /^\d+$/.test(b) && (a.length === b.length ? a < b : a.length < b.length);
}
