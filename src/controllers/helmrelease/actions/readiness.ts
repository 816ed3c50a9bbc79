import { compileHealthChecks, computeStatus, judge, type Checked, type HealthChecks, type HealthResult } from '../../../health/index.ts';
import { formatObjectRef, objectRef, parseApiVersion, type KubeObject } from '../../../manifest/index.ts';
import { seconds, type Duration, type Instant } from '../../../std/index.ts';
import type { WaitPolicy } from './action.ts';
import { actionError } from './errors.ts';
import { Following, isOlder, type Sight } from './following.ts';
import { legacyHookReadiness, legacyReadiness, type LegacyVerdict } from './legacy-readiness.ts';
import { keyOf } from './objects.ts';
import type { Run, Steps } from './run.ts';

/** How often objects are read that no watch shows. */
const POLL_INTERVAL: Duration = seconds(2);

/** Objects as the server answered their writes, by `objectRefKey`. */
export type Answers = ReadonlyMap<string, KubeObject>;

/**
 * Waits until all objects of a release are ready (HB54).
 * @throws CodedError `NotReady` with Flux's text, `InvalidCELExpression`
 */
export async function* awaitReady(objects: readonly KubeObject[], answers: Answers, policy: WaitPolicy, run: Run): Steps<void> {
  if (!policy.resources) return;
  const rules = policy.strategy === 'legacy' ? legacyRules(policy) : pollerRules(objects, policy, run);
  yield* awaitRules(
    objects.filter((object) => !isPaused(object)),
    answers,
    { ...rules, failFast: true, timeout: policy.timeout, what: 'release objects' },
    run,
  );
}

/**
 * Waits until the object of a hook has done its work: Jobs complete, Pods succeed, anything else has none (but what expressions say).
 * @throws CodedError `NotReady`
 */
export async function* awaitHook(
  object: KubeObject,
  answer: KubeObject,
  policy: Omit<WaitPolicy, 'resources' | 'jobs'>,
  run: Run,
): Steps<void> {
  const rules = policy.strategy === 'legacy' ? legacyHookRules() : hookRules(object, policy, run);
  const options = { ...rules, failFast: false, timeout: policy.timeout, what: `hook ${formatObjectRef(objectRef(object))}` };
  yield* awaitRules([object], new Map([[keyOf(object), answer]]), options, run);
}

/** Waits until objects that were deleted are gone. @throws CodedError `NotGone` */
export async function* awaitGone(going: readonly KubeObject[], timeout: Duration, run: Run): Steps<void> {
  if (going.length === 0) return;
  const following = new Following(going, new Map(), run, () => false);
  const deadline = run.after(timeout);
  try {
    for (;;) {
      const left = going.filter((object) => !isGone(object, following.find(object)));
      following.looked();
      const [first] = left;
      if (first === undefined) return;
      if (run.clock.now() >= deadline) {
        const name = formatObjectRef(objectRef(first));
        throw actionError('NotGone', `${name} termination timeout: ${left.length} objects still exist`, {
          subject: name,
          remedy: 'look at the finalizers of the object and at the controller that is to remove them',
        });
      }
      const cause = yield { on: following.wait(`termination of ${left.length} objects`), deadline: nextLook(following, deadline, run) };
      if (cause === 'deadline' && following.isBlind) await following.refresh();
    }
  } finally {
    following.close();
  }
}

function isGone(object: KubeObject, sight: Sight): boolean {
  if (sight === undefined) return false;
  if (sight === 'absent') return true;
  const uid = 'record' in sight ? sight.record.uid : sight.object.metadata.uid;
  return uid !== object.metadata.uid;
}

function nextLook(following: Following, deadline: Instant, run: Run): Instant {
  return following.isBlind ? (Math.min(deadline, run.after(POLL_INTERVAL)) as Instant) : deadline;
}

/** How objects are judged. */
type Rules = {
  /** True where the rule needs the whole object. */
  isWhole: (object: KubeObject) => boolean;
  ofObject: (object: KubeObject) => HealthResult;
  /** From the health that the shared watches compute; only asked for objects that are not needed whole. */
  ofHealth: (object: KubeObject, health: HealthResult) => HealthResult;
  /** What an object counts as that has gone. */
  ofAbsent: (object: KubeObject) => HealthResult;
  /** Says in the rules' own words why waiting ended; undefined for Flux's. */
  failure?: (checked: readonly Checked[], timedOut: boolean) => string | undefined;
};

type AwaitOptions = Rules & { failFast: boolean; timeout: Duration; what: string };

async function* awaitRules(objects: readonly KubeObject[], answers: Answers, options: AwaitOptions, run: Run): Steps<void> {
  const open = objects.filter((object) => {
    const answer = answers.get(keyOf(object));
    return answer === undefined || options.ofObject(answer).status !== 'Current';
  });
  if (open.length === 0) return;
  const following = new Following(open, answers, run, options.isWhole);
  const deadline = run.after(options.timeout);
  try {
    for (;;) {
      const checked = open.map((object): Checked => ({ ref: objectRef(object), result: resultOf(object, answers, following, options) }));
      following.looked();
      const timedOut = run.clock.now() >= deadline;
      const verdict = judge(checked, { failFast: options.failFast, timedOut });
      if (verdict.kind === 'healthy') return;
      if (verdict.kind === 'failed') throw notReady(checked, options.failure?.(checked, timedOut) ?? verdict.message, run);
      const on = following.wait(`${options.what}: ${verdict.pending.length} not ready`);
      const cause = yield { on, deadline: nextLook(following, deadline, run) };
      if (cause === 'deadline' && following.isBlind) await following.refresh();
    }
  } finally {
    following.close();
  }
}

function resultOf(object: KubeObject, answers: Answers, following: Following, rules: Rules): HealthResult | undefined {
  const answer = answers.get(keyOf(object));
  const sight = following.find(object);
  if (sight === 'absent') return rules.ofAbsent(object);
  if (sight !== undefined) {
    const version = 'record' in sight ? sight.record.resourceVersion : (sight.object.metadata.resourceVersion ?? '');
    // The watch has not shown our own write yet; its answer is newer.
    if (!isOlder(version, answer?.metadata.resourceVersion)) {
      return 'record' in sight ? rules.ofHealth(object, sight.record.health) : rules.ofObject(sight.object);
    }
  }
  return answer === undefined ? undefined : rules.ofObject(answer);
}

function notReady(checked: readonly Checked[], message: string, run: Run): Error {
  const unready = checked.filter(({ result }) => result?.status !== 'Current');
  for (const { ref, result } of unready.slice(0, TRACED)) {
    run.trace(`${formatObjectRef(ref)}: ${result === undefined ? 'status unknown' : `${result.status}: ${result.message}`}`);
  }
  const first = unready[0];
  return actionError('NotReady', message, first === undefined ? {} : { subject: formatObjectRef(first.ref) });
}

/** Objects whose own words go into the trace. */
const TRACED = 10;

const NOT_FOUND: HealthResult = { status: 'NotFound', message: 'Resource not found' };

function pollerRules(objects: readonly KubeObject[], policy: WaitPolicy, run: Run): Rules {
  const custom = customChecks(objects, policy);
  const soften = (object: KubeObject, result: HealthResult): HealthResult =>
    isJob(object) && !policy.jobs && result.status === 'InProgress' ? { status: 'Current', message: result.message } : result;
  return {
    isWhole: (object) => custom?.isFor(object) === true,
    ofObject: (object) => soften(object, compute(object, custom, run)),
    ofHealth: soften,
    ofAbsent: (object) => (hasTtl(object) ? { status: 'Current', message: 'Job has vanished after its time to live' } : NOT_FOUND),
  };
}

function hookRules(hook: KubeObject, policy: Pick<WaitPolicy, 'expressions'>, run: Run): Rules {
  const custom = customChecks([hook], policy);
  const of = (object: KubeObject): HealthResult => {
    if (custom?.isFor(object) === true || isJob(object)) return compute(object, custom, run);
    return isPod(object) ? podPhase(object) : { status: 'Current', message: 'Resource is current' };
  };
  return {
    isWhole: (object) => custom?.isFor(object) === true || !isJob(object),
    ofObject: of,
    ofHealth: (_, health) => health,
    ofAbsent: (object) => (hasTtl(object) ? { status: 'Current', message: 'Job has vanished after its time to live' } : NOT_FOUND),
  };
}

function podPhase(object: KubeObject): HealthResult {
  const { phase } = (object['status'] as { phase?: unknown } | undefined) ?? {};
  const { name } = object.metadata;
  if (phase === 'Succeeded') return { status: 'Current', message: `pod ${name} succeeded` };
  return phase === 'Failed' ? { status: 'Failed', message: `pod ${name} failed` } : { status: 'InProgress', message: 'Pod in progress' };
}

function legacyRules({ jobs }: WaitPolicy): Rules {
  return { ...legacy((object) => legacyReadiness(object, { jobs })), ofAbsent: () => NOT_FOUND };
}

function legacyHookRules(): Rules {
  // Helm 3 takes the deletion of a hook for its end.
  return { ...legacy(legacyHookReadiness), ofAbsent: () => ({ status: 'Current', message: 'deleted' }) };
}

function legacy(judgeOne: (object: KubeObject) => LegacyVerdict): Omit<Rules, 'ofAbsent'> {
  const of = (object: KubeObject): HealthResult => {
    const verdict = judgeOne(object);
    if (verdict.kind === 'failed') return { status: 'Failed', message: verdict.message };
    return verdict.kind === 'ready' ? { status: 'Current', message: 'ready' } : { status: 'InProgress', message: 'not ready' };
  };
  return {
    isWhole: () => true,
    ofObject: of,
    ofHealth: (_, health) => health,
    failure: (checked, timedOut) =>
      timedOut ? 'context deadline exceeded' : checked.find(({ result }) => result?.status === 'Failed')?.result?.message,
  };
}

type CustomChecks = { isFor: (object: KubeObject) => boolean; checks: HealthChecks };

function customChecks(objects: readonly KubeObject[], { expressions = [] }: Pick<WaitPolicy, 'expressions'>): CustomChecks | undefined {
  if (expressions.length === 0) return undefined;
  const kinds = new Set(objects.map((object) => kindKey(object)));
  // An expression without a kind is for every kind of its group that has none of its own.
  const named = new Set(
    expressions.filter(({ kind = '' }) => kind !== '').map(({ apiVersion, kind = '' }) => kindKey({ apiVersion, kind })),
  );
  const spelled = expressions.flatMap((expression) => {
    const { kind = '', apiVersion } = expression;
    if (kind !== '') return [{ ...expression, kind }];
    const { group } = parseApiVersion(apiVersion);
    return [...kinds]
      .filter((key) => key.startsWith(`${group}/`) && !named.has(key))
      .map((key) => ({ ...expression, kind: key.slice(group.length + 1) }));
  });
  const covered = new Set(spelled.map(kindKey));
  return { isFor: (object) => covered.has(kindKey(object)), checks: compileHealthChecks(spelled) };
}

function compute(object: KubeObject, custom: CustomChecks | undefined, { clock }: Run): HealthResult {
  const options = { now: clock.now() };
  return custom?.checks.compute(object, options) ?? computeStatus(object, options);
}

function kindKey({ apiVersion, kind }: { apiVersion: string; kind: string }): string {
  return `${parseApiVersion(apiVersion).group}/${kind}`;
}

function isJob(object: KubeObject): boolean {
  return kindKey(object) === 'batch/Job';
}

function isPod(object: KubeObject): boolean {
  return kindKey(object) === '/Pod';
}

function isPaused(object: KubeObject): boolean {
  const spec = object['spec'] as { paused?: unknown } | undefined;
  return kindKey(object) === 'apps/Deployment' && spec?.paused === true;
}

function hasTtl(object: KubeObject): boolean {
  const spec = object['spec'] as { ttlSecondsAfterFinished?: unknown } | undefined;
  return isJob(object) && typeof spec?.ttlSecondsAfterFinished === 'number';
}
