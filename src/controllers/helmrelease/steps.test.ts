import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { HelmReleaseStatus, Snapshot } from '../../api/index.ts';
import type { Release, ReleaseStatus } from '../../helm/index.ts';
import { countFailure, forgetFailures, observedSince, recordHistory, resetReason } from './bookkeeping.ts';
import { failurePolicies, retryDelay } from './settings.ts';
import { previousSnapshot, snapshotOf, truncateHistory } from './snapshot.ts';
import { determineState, type ReleaseState } from './state.ts';
import { actionType, afterRemediation, nextStep, type ActionType, type Situation, type Step } from './steps.ts';
import { desired, helmRelease, storedRelease } from './testing/releases.ts';

const snap = (version: number, status: ReleaseStatus, testHooks?: Snapshot['testHooks']): Snapshot =>
  snapshotOf(storedRelease(version, status), testHooks === undefined ? {} : { testHooks });

type Case = {
  name: string;
  state: ReleaseState['kind'];
  spec?: Record<string, unknown>;
  status?: Partial<HelmReleaseStatus>;
  records?: Release[];
  forced?: boolean;
  correctsDrift?: boolean;
  done?: ActionType[];
  retryByDefault?: boolean;
  want: string;
};

function decide({ state, spec, status, records = [], forced = false, correctsDrift = false, done = [], retryByDefault = false }: Case) {
  const object = helmRelease(spec, status);
  const release = storedRelease(1, 'pending-install');
  const situation: Situation = {
    state: { kind: state, reason: '', release } as ReleaseState,
    status: object.status,
    policies: failurePolicies(object, retryByDefault),
    records,
    forced,
    correctsDrift,
    done: new Set(done),
  };
  return nextStep(situation);
}

function textOf(step: Step): string {
  if (step.kind === 'run') return step.action.kind === 'rollback' ? `rollback to ${step.action.to.version}` : step.action.kind;
  return step.kind === 'stall' ? step.reason : step.kind;
}

const upgradeFailed = { lastAttemptedReleaseAction: 'upgrade', upgradeFailures: 1, failures: 1 } as const;
const twoRevisions = { ...upgradeFailed, history: [snap(2, 'failed'), snap(1, 'superseded')] };
const remediates = { upgrade: { remediation: { retries: 1 } } };

const cases: Case[] = [
  { name: 'HB30: absent', state: 'absent', want: 'install' },
  {
    name: 'HB30: absent, retries exhausted',
    state: 'absent',
    status: { lastAttemptedReleaseAction: 'install', installFailures: 1 },
    want: 'RetriesExceeded',
  },
  {
    name: 'HB30: absent, retries left',
    state: 'absent',
    spec: { install: { remediation: { retries: 1 } } },
    status: { installFailures: 1 },
    want: 'install',
  },
  {
    name: 'HB30: absent, retries without end',
    state: 'absent',
    spec: { install: { remediation: { retries: -1 } } },
    status: { installFailures: 99 },
    want: 'install',
  },
  { name: 'HB30: absent, exhausted, forced', state: 'absent', status: { installFailures: 1 }, forced: true, want: 'install' },
  { name: 'HB31: locked', state: 'locked', want: 'unlock' },
  { name: 'HB32: unmanaged', state: 'unmanaged', want: 'upgrade' },
  { name: 'HB33: out of sync', state: 'out-of-sync', want: 'upgrade' },
  { name: 'HB33: out of sync, exhausted', state: 'out-of-sync', status: upgradeFailed, want: 'RetriesExceeded' },
  { name: 'HB33: out of sync, exhausted, forced', state: 'out-of-sync', status: upgradeFailed, forced: true, want: 'upgrade' },
  { name: 'HB34: untested', state: 'untested', want: 'test' },
  {
    name: 'HB35: failed, tried again',
    state: 'failed',
    spec: { upgrade: { strategy: { name: 'RetryOnFailure' } } },
    status: twoRevisions,
    want: 'upgrade',
  },
  { name: 'HB35: failed before anything was attempted', state: 'failed', want: 'upgrade' },
  { name: 'HB35: failed, but counters begin anew', state: 'failed', status: { lastAttemptedReleaseAction: 'upgrade' }, want: 'upgrade' },
  { name: 'HB35: failed, forced', state: 'failed', status: twoRevisions, forced: true, want: 'upgrade' },
  { name: 'HB35: failed, exhausted', state: 'failed', status: twoRevisions, want: 'RetriesExceeded' },
  {
    name: 'HB35: failed, exhausted, the last failure is put right',
    state: 'failed',
    spec: { upgrade: { remediation: { remediateLastFailure: true } } },
    status: twoRevisions,
    records: [storedRelease(1, 'superseded')],
    want: 'rollback to 1',
  },
  {
    name: 'HB35: failed upgrade goes back',
    state: 'failed',
    spec: remediates,
    status: twoRevisions,
    records: [storedRelease(1, 'superseded')],
    want: 'rollback to 1',
  },
  {
    name: 'HB35: nothing to go back to',
    state: 'failed',
    spec: remediates,
    status: { ...upgradeFailed, history: [snap(1, 'failed')] },
    want: 'MissingRollbackTarget',
  },
  {
    name: 'HB35: what to go back to was superseded by an attempt that died',
    state: 'failed',
    spec: remediates,
    status: { ...upgradeFailed, history: [snap(2, 'failed'), snapshotOf({ ...storedRelease(1, 'deployed'), description: 'done' })] },
    records: [{ ...storedRelease(1, 'superseded'), description: 'done' }],
    want: 'rollback to 1',
  },
  {
    name: 'HB35: a rollback that failed is not tried again',
    state: 'failed',
    spec: remediates,
    status: { ...upgradeFailed, history: [{ ...snap(3, 'failed'), action: 'rollback' }, ...twoRevisions.history] },
    records: [storedRelease(1, 'superseded'), storedRelease(3, 'failed')],
    want: 'upgrade',
  },
  ...["Release unlocked from stale 'pending-rollback' state", 'Release "app" failed: canceled: new reconciliation triggered'].map(
    (description): Case => ({
      name: `HB31: a rollback that was cut short is tried again (${description})`,
      state: 'failed',
      spec: remediates,
      status: { ...upgradeFailed, history: [{ ...snap(3, 'failed'), action: 'rollback' }, ...twoRevisions.history] },
      records: [storedRelease(1, 'superseded'), { ...storedRelease(3, 'failed'), description }],
      want: 'rollback to 1',
    }),
  ),
  {
    name: 'HB31: an install whose process died is begun again',
    state: 'failed',
    status: { lastAttemptedReleaseAction: 'install', history: [snap(1, 'failed')] },
    records: [{ ...storedRelease(1, 'failed'), description: "Release unlocked from stale 'pending-install' state" }],
    want: 'install',
  },
  {
    name: 'HB35: what to go back to is not as it was left',
    state: 'failed',
    spec: remediates,
    status: twoRevisions,
    records: [storedRelease(1, 'superseded', { ours: true })],
    want: 'upgrade',
  },
  { name: 'HB35: what to go back to has left the storage', state: 'failed', spec: remediates, status: twoRevisions, want: 'upgrade' },
  {
    name: 'HB35: failed upgrade goes away',
    state: 'failed',
    spec: { upgrade: { remediation: { retries: 1, strategy: 'uninstall' } } },
    status: twoRevisions,
    want: 'uninstall',
  },
  {
    name: 'HB35: failed install goes away',
    state: 'failed',
    spec: { install: { remediation: { retries: 1 } } },
    status: { lastAttemptedReleaseAction: 'install', installFailures: 1, history: [snap(1, 'failed')] },
    want: 'uninstall',
  },
  { name: 'HB36: drifted, to be put right', state: 'drifted', correctsDrift: true, want: 'correct' },
  { name: 'HB36: drifted, only told', state: 'drifted', want: 'finish' },
  { name: 'HB36: put right once in a pass', state: 'drifted', correctsDrift: true, done: ['correct'], want: 'again' },
  { name: 'HB37: in sync', state: 'in-sync', want: 'finish' },
  { name: 'HB37: in sync, forced', state: 'in-sync', forced: true, want: 'upgrade' },
  { name: 'HB38: an uninstall that did not end', state: 'leaving', want: 'uninstall' },
  { name: 'a revision nobody noted', state: 'unobserved', want: 'adopt' },
  {
    name: 'HB39: no second release in a pass: tried again later',
    state: 'failed',
    spec: { upgrade: { strategy: { name: 'RetryOnFailure' } } },
    status: twoRevisions,
    done: ['release'],
    want: 'retry',
  },
  {
    name: 'HB39: no second release in a pass: retries left',
    state: 'absent',
    spec: { install: { remediation: { retries: 1 } } },
    status: { lastAttemptedReleaseAction: 'install', installFailures: 1 },
    done: ['release'],
    want: 'again',
  },
  {
    name: 'HB41: without a word in the spec it is tried again',
    state: 'failed',
    status: twoRevisions,
    retryByDefault: true,
    done: ['release'],
    want: 'retry',
  },
  {
    name: 'HB41: a remediation in the spec is obeyed',
    state: 'failed',
    spec: remediates,
    status: twoRevisions,
    records: [storedRelease(1, 'superseded')],
    retryByDefault: true,
    want: 'rollback to 1',
  },
];
for (const each of cases) test(`${each.name}: ${each.want}`, () => assert.equal(textOf(decide(each).step), each.want));

test('HB30 HB32: an install, and an upgrade of what is not ours, begin a new history', () => {
  for (const state of ['absent', 'unmanaged'] as const) {
    assert.deepEqual(decide({ name: '', state, status: { history: [snap(1, 'deployed')] }, want: '' }).history, []);
  }
});

const afterwards: [name: string, spec: Record<string, unknown>, status: Partial<HelmReleaseStatus>, want: string][] = [
  ['HB39: retries left', remediates, { ...upgradeFailed }, 'again'],
  ['HB39: retries exhausted', { upgrade: { remediation: { retries: 0 } } }, { ...upgradeFailed }, 'RetriesExceeded'],
  [
    'HB42: an upgrade that went away is installed next',
    { upgrade: { remediation: { strategy: 'uninstall' } } },
    { ...upgradeFailed },
    'again',
  ],
  ['HB41: tried again', { upgrade: { strategy: { name: 'RetryOnFailure' } } }, { ...upgradeFailed }, 'retry'],
];
for (const [name, spec, status, want] of afterwards) {
  test(`after a remediation, ${name}: ${want}`, () => {
    const object = helmRelease(spec, status);
    assert.equal(textOf(afterRemediation(object.status, failurePolicies(object, false), true)), want);
  });
}

test('HB35: a stall says how often what has failed', () => {
  const { step } = decide({ name: '', state: 'failed', status: { ...twoRevisions, upgradeFailures: 3 }, want: '' });
  assert.equal(step.kind === 'stall' ? step.message : '', 'Failed to upgrade after 3 attempt(s)');
});

test('HB43: the history is kept up to what can be gone back to', () => {
  const failedTest = { t: { phase: 'Failed' } };
  const history = [snap(5, 'failed'), snap(4, 'deployed', failedTest), snap(3, 'superseded'), snap(2, 'superseded'), snap(1, 'superseded')];
  assert.deepEqual(
    truncateHistory(history, false).map(({ version }) => version),
    [5, 4, 3],
  );
  assert.deepEqual(
    truncateHistory(history, true).map(({ version }) => version),
    [5, 4],
  );
  assert.equal(previousSnapshot(history, false)?.version, 3);
  const failed = [7, 6, 5, 4, 3, 2, 1].map((version) => snap(version, 'failed'));
  assert.deepEqual(
    truncateHistory(failed, false).map(({ version }) => version),
    [7, 6, 5, 4, 3],
  );
  assert.equal(previousSnapshot(failed, false), undefined);
});

test('HB07: counters begin anew for a new generation, chart, values or request', () => {
  const status: HelmReleaseStatus = { lastAttemptedGeneration: 1, lastAttemptedRevision: '1', lastAttemptedConfigDigest: 'a' };
  const same = { generation: 1, chartVersion: '1', configDigest: 'a', resetRequested: false };
  assert.equal(resetReason(status, same), undefined);
  assert.match(resetReason(status, { ...same, generation: 2 }) ?? '', /generation/);
  assert.match(resetReason(status, { ...same, chartVersion: '2' }) ?? '', /chart version/);
  assert.match(resetReason(status, { ...same, configDigest: 'b' }) ?? '', /values/);
  assert.match(resetReason(status, { ...same, resetRequested: true }) ?? '', /annotation/);
});

test('HB40: only a failure that left a record counts for the retries; a test only when it matters', () => {
  const object = helmRelease({ test: { enable: true } }, { lastAttemptedReleaseAction: 'install' });
  const policies = failurePolicies(object, false);
  const record = new Map([[1, storedRelease(1, 'failed')]]);
  assert.deepEqual(countFailure(object.status, { kind: 'install' }, record, policies), { failures: 1, installFailures: 1 });
  assert.deepEqual(countFailure(object.status, { kind: 'install' }, new Map(), policies), { failures: 1 });
  const tested = { ...object.status, history: [snap(1, 'deployed', { t: { phase: 'Failed' } })] };
  assert.equal(countFailure(tested, { kind: 'test' }, record, policies).installFailures, 1);
  const ignoring = failurePolicies(helmRelease({ test: { enable: true, ignoreFailures: true } }), false);
  assert.equal(countFailure(tested, { kind: 'test' }, record, ignoring).installFailures, undefined);
});

test('the pause before a retry: as the spec says, else soon and then longer up to five minutes', () => {
  assert.equal(retryDelay({ interval: 60_000, capped: false } as never, 9), 60_000);
  const object = helmRelease();
  const retry = failurePolicies(object, true).install.retry;
  assert.deepEqual(
    retry === undefined ? [] : [1, 2, 3, 20].map((failures) => retryDelay(retry, failures)),
    [10_000, 20_000, 40_000, 300_000],
  );
});

test('HB35 HB39 HB42: whatever fails, a release whose retries are counted comes to an end', () => {
  const spec = fc.record({
    installRetries: fc.integer({ min: 0, max: 3 }),
    upgradeRetries: fc.integer({ min: 0, max: 3 }),
    strategy: fc.constantFrom('rollback', 'uninstall'),
    remediateLastFailure: fc.option(fc.boolean(), { nil: undefined }),
    tests: fc.boolean(),
    installed: fc.boolean(),
    keepHistory: fc.boolean(),
  });
  fc.assert(
    // By chance at first; then everything fails, for ever.
    fc.property(spec, fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 15 }), (given, lots) => {
      const luck = lots[Symbol.iterator]();
      const { installRetries, upgradeRetries, strategy, remediateLastFailure, tests, installed, keepHistory } = given;
      const last = remediateLastFailure === undefined ? {} : { remediateLastFailure };
      const object = helmRelease({
        install: { remediation: { retries: installRetries, ...last } },
        upgrade: { remediation: { retries: upgradeRetries, strategy, ...last } },
        ...(tests ? { test: { enable: true } } : {}),
      });
      const world = new World(object, installed, keepHistory, () => luck.next().value ?? 0);
      const passes = world.run(60);
      assert.ok(passes < 60, `still at work after ${passes} passes`);
      // Whoever dies wherever, what there was to go back to is not forgotten.
      if (installed && strategy === 'rollback') assert.notEqual(world.stalled, 'MissingRollbackTarget');
    }),
    { numRuns: 300 },
  );
});

/** A cluster in which actions succeed, fail or die by chance, and a controller that follows the pure parts. */
class World {
  readonly #object: ReturnType<typeof helmRelease>;
  readonly #keepHistory: boolean;
  readonly #luck: () => number;
  #records: Release[] = [];
  #status: HelmReleaseStatus = {};
  /** Why it ended, when it did not end well. */
  stalled = '';

  constructor(object: ReturnType<typeof helmRelease>, installed: boolean, keepHistory: boolean, luck: () => number) {
    this.#object = object;
    this.#keepHistory = keepHistory;
    this.#luck = luck;
    if (installed) {
      this.#records = [storedRelease(1, 'deployed', { chart: '0.9.0' })];
      this.#status = { history: [snapshotOf(storedRelease(1, 'deployed', { chart: '0.9.0' }), { testHooks: {} })] };
    }
  }

  /** Runs passes until one ends for good; gives how many that took. */
  run(limit: number): number {
    for (let pass = 1; pass <= limit; pass++) if (this.#pass()) return pass;
    return limit;
  }

  #pass(): boolean {
    const done = new Set<ActionType>();
    const want = desired(this.#object);
    for (;;) {
      const { step, history } = nextStep({
        state: determineState(this.#records.at(-1), this.#status, want),
        status: this.#status,
        policies: want.policies,
        records: this.#records,
        forced: false,
        correctsDrift: false,
        done,
      });
      this.#status = { ...this.#status, history };
      if (step.kind === 'stall') this.stalled = step.reason;
      if (step.kind === 'finish' || step.kind === 'stall') return true;
      if (step.kind !== 'run') return false;
      done.add(actionType(step.action));
      const ends = this.#act(step);
      if (ends === 'killed') return false;
      if (ends?.kind === 'stall') this.stalled = ends.reason;
      if (ends !== undefined) return ends.kind === 'stall';
    }
  }

  #act({ action }: Extract<Step, { kind: 'run' }>): Step | 'killed' | undefined {
    const luck = this.#luck();
    const before = this.#records;
    const version = (before.at(-1)?.version ?? 0) + 1;
    const failed = luck < 5;
    const written = new Map<number, Release>();
    const write = (release: Release): void => {
      this.#records = [...this.#records.filter((each) => each.version !== release.version), release];
      written.set(release.version, release);
    };
    switch (action.kind) {
      case 'install':
      case 'upgrade':
        this.#status = { ...this.#status, lastAttemptedReleaseAction: action.kind };
        // A process that dies leaves a record in the middle, a few times.
        if (luck === 9) {
          write(storedRelease(version, `pending-${action.kind}`, { ours: true }));
          return 'killed';
        }
        write(storedRelease(version, failed ? 'failed' : 'deployed', { ours: true }));
        break;
      case 'rollback': {
        const extra = { chart: '0.9.0', ours: true };
        if (luck === 9) {
          write({ ...storedRelease(version, 'pending-rollback', extra), description: 'Rollback to 1' });
          return 'killed';
        }
        const description = failed ? 'Release "app" failed: no luck' : 'Rollback to 1';
        write({ ...storedRelease(version, failed ? 'failed' : 'deployed', extra), description });
        break;
      }
      case 'uninstall': {
        const last = before.at(-1);
        if (last !== undefined) write({ ...last, status: failed ? 'uninstalling' : 'uninstalled' });
        if (!this.#keepHistory && !failed) this.#records = [];
        break;
      }
      case 'unlock': {
        const last = before.at(-1);
        const description = `Release unlocked from stale '${last?.status ?? ''}' state`;
        if (last !== undefined) write({ ...last, status: 'failed', description });
        break;
      }
      case 'adopt': {
        const last = before.at(-1);
        if (last !== undefined)
          for (const [each, release] of observedSince(this.#status.history ?? [], before, last)) written.set(each, release);
        break;
      }
      default:
        break;
    }
    // It may also die with all of it stored and nothing noted.
    if (luck === 8 && action.kind !== 'adopt' && action.kind !== 'test') return 'killed';
    const details = { ociDigest: '', testFilters: [] };
    this.#status = { ...this.#status, history: recordHistory(this.#status.history ?? [], action, written, details) };
    if (action.kind === 'test') {
      const [latest, ...rest] = this.#status.history ?? [];
      if (latest !== undefined)
        this.#status.history = [{ ...latest, testHooks: { t: { phase: failed ? 'Failed' : 'Succeeded' } } }, ...rest];
    }
    const policies = failurePolicies(this.#object, false);
    const counted = failed && action.kind !== 'unlock' && action.kind !== 'adopt';
    if (counted) this.#status = { ...this.#status, ...countFailure(this.#status, action, written, policies) };
    return actionType(action) === 'remediate' ? afterRemediation(this.#status, policies, !failed) : undefined;
  }
}

test('counters of a release that has not failed are not there', () => {
  const status = { failures: 2, installFailures: 1, upgradeFailures: 1, observedGeneration: 1 };
  forgetFailures(status);
  assert.deepEqual(status, { observedGeneration: 1 });
});
