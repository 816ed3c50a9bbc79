import { conditionTypes, groups, setCondition, type ConditionType } from '../../api/index.ts';
import { deepEqual, type Controller, type Key, type Outcome, type ResourceView, type StatusWriter } from '../../runtime/index.ts';
import { jitter, minutes, type Clock, type Duration } from '../../std/index.ts';
import { policyCondition, readPolicy, type Policy, type PolicyKind, type SecretReader } from './policies.ts';

/** What a {@link VerificationPolicyController} works with. */
export type VerificationPolicyOptions = {
  kind: PolicyKind;
  view: Pick<ResourceView<Policy>, 'get'>;
  writer: Pick<StatusWriter, 'write'>;
  configs: SecretReader;
  /** The namespace of the Secrets of cluster policies. */
  home: string;
  clock: Clock;
  random: () => number;
  intervalJitter: number;
  /** Told of a policy that asks for something else than before, because of its Secrets. */
  changed: (policy: Policy) => void;
};

/** Conditions this controller writes. */
export const verificationPolicyConditions: readonly ConditionType[] = [conditionTypes.ready];

/** How often the Secrets of a policy are looked at again when nobody tells of a change: they need not be labelled (C13). */
const LOOK: Duration = minutes(10);
const LOOK_AGAIN: Duration = minutes(1);

/** Says of each policy whether it can be used. What it asks for is judged where artifacts are fetched. */
export class VerificationPolicyController implements Controller {
  readonly name: string;
  readonly group: string = groups.sourcePolicies;
  readonly kind: PolicyKind;
  readonly #options: VerificationPolicyOptions;
  /** What each policy asked for when it was last read. */
  readonly #ids = new Map<string, string>();

  constructor(options: VerificationPolicyOptions) {
    this.#options = options;
    this.kind = options.kind;
    this.name = options.kind.toLowerCase();
  }

  async reconcile(key: Key): Promise<Outcome> {
    const { view, writer, configs, home, clock, random, intervalJitter, changed } = this.#options;
    const policy = view.get(key);
    if (policy === undefined || policy.metadata.deletionTimestamp !== undefined) {
      this.#ids.delete(`${key.namespace}/${key.name}`);
      return { kind: 'done' };
    }
    const { metadata, status } = policy;
    const read = await readPolicy(policy, configs, home);
    const condition = policyCondition(read);
    const conditions = setCondition(status.conditions ?? [], condition, metadata.generation, clock.now());
    const next = { ...status, conditions, observedGeneration: metadata.generation };
    if (!deepEqual(next, status)) await writer.write({ metadata, status }, next);
    const known = this.#ids.get(`${key.namespace}/${key.name}`);
    this.#ids.set(`${key.namespace}/${key.name}`, read.id);
    if (known !== undefined && known !== read.id) changed(policy);
    const failed = read.fault !== undefined;
    return { kind: 'done', requeueAfter: jitter(failed ? LOOK_AGAIN : LOOK, intervalJitter, random), failed };
  }
}
