import type { KubeObject } from '../../manifest/index.ts';
import { type Draft0, mapAt, mapsOf } from '../kinds/index.ts';

/** Why a Job is over. */
export type JobEnd = { type: 'Complete' | 'Failed'; reason: string; message: string };

/** What a Job has come to so far. */
export type JobProgress = {
  succeeded: number;
  failed: number;
  active: readonly KubeObject[];
  /** Of an Indexed Job. */
  completedIndexes: ReadonlySet<number>;
  failedIndexes: ReadonlySet<number>;
  /** Milliseconds since it started. */
  elapsed: number;
  /** Failed pods that nothing has judged yet. */
  freshlyFailed: readonly KubeObject[];
};

const failed = (reason: string, message: string): JobEnd => ({ type: 'Failed', reason, message });

/** Decides whether a Job is over, in the order of the Job controller: its failures, then its success. */
export function endOf(spec: Draft0, progress: JobProgress): JobEnd | undefined {
  return failureOf(spec, progress) ?? successOf(spec, progress);
}

function failureOf(spec: Draft0, progress: JobProgress): JobEnd | undefined {
  for (const pod of progress.freshlyFailed) {
    const verdict = judge(spec, pod);
    if (verdict?.action === 'FailJob') return failed('PodFailurePolicy', verdict.message);
  }
  const limit = Number(spec['backoffLimit'] ?? 6);
  const restarts = progress.active.reduce((sum, pod) => sum + restartsIn(pod), 0);
  const onFailure = mapAt(mapAt(spec, 'template'), 'spec')?.['restartPolicy'] === 'OnFailure';
  const worn = onFailure && (limit === 0 ? restarts > 0 : restarts >= limit);
  if (progress.failed > limit || worn) return failed('BackoffLimitExceeded', 'Job has reached the specified backoff limit');
  const deadline = spec['activeDeadlineSeconds'];
  if (typeof deadline === 'number' && progress.elapsed >= deadline * 1000)
    return failed('DeadlineExceeded', 'Job was active longer than specified deadline');
  const most = spec['maxFailedIndexes'];
  if (typeof most === 'number' && progress.failedIndexes.size > most)
    return failed('MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes');
  const all = progress.completedIndexes.size + progress.failedIndexes.size >= Number(spec['completions'] ?? 0);
  return isIndexed(spec) && progress.failedIndexes.size > 0 && all ? failed('FailedIndexes', 'Job has failed indexes') : undefined;
}

function successOf(spec: Draft0, { succeeded, active, completedIndexes }: JobProgress): JobEnd | undefined {
  const rules = mapsOf(mapAt(spec, 'successPolicy'), 'rules');
  const met = rules.findIndex((rule) => isMet(rule, completedIndexes));
  if (met >= 0) return { type: 'Complete', reason: 'SuccessPolicy', message: `Matched rules at index ${met}` };
  const completions = spec['completions'];
  // Without a number of completions, one success is enough once nobody works any more.
  const done = typeof completions === 'number' ? succeeded >= completions : succeeded > 0 && active.length === 0;
  return done ? { type: 'Complete', reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' } : undefined;
}

function isMet(rule: Draft0, completed: ReadonlySet<number>): boolean {
  const named = rule['succeededIndexes'];
  const among = typeof named === 'string' ? [...parseIndexes(named)] : [...completed];
  const have = among.filter((it) => completed.has(it)).length;
  return have >= (typeof rule['succeededCount'] === 'number' ? rule['succeededCount'] : among.length) && have > 0;
}

/** What `podFailurePolicy` says of a failed pod; undefined when no rule matches. */
export function judge(spec: Draft0, pod: KubeObject): { action: unknown; message: string } | undefined {
  const rules = mapsOf(mapAt(spec, 'podFailurePolicy'), 'rules');
  for (const [i, rule] of rules.entries()) {
    const { action } = rule;
    const of = `pod ${pod.metadata.namespace}/${pod.metadata.name}`;
    const exit = exitMatching(mapAt(rule, 'onExitCodes'), pod);
    if (exit !== undefined) {
      const message = `Container ${exit.container} for ${of} failed with exit code ${exit.code} matching ${String(action)} rule at index ${i}`;
      return { action, message };
    }
    const conditions = mapsOf(mapAt(pod, 'status'), 'conditions');
    const matching = mapsOf(rule, 'onPodConditions').find((wanted) =>
      conditions.some((it) => it['type'] === wanted['type'] && it['status'] === (wanted['status'] ?? 'True')),
    );
    if (matching !== undefined)
      return { action, message: `${of} has condition ${String(matching['type'])} matching ${String(action)} rule at index ${i}` };
  }
  return undefined;
}

function exitMatching(rule: Draft0 | undefined, pod: KubeObject): { container: string; code: number } | undefined {
  if (rule === undefined) return undefined;
  const values = Array.isArray(rule['values']) ? (rule['values'] as number[]) : [];
  for (const status of mapsOf(mapAt(pod, 'status'), 'containerStatuses')) {
    const code = mapAt(mapAt(status, 'state'), 'terminated')?.['exitCode'];
    if (typeof code !== 'number' || code === 0) continue;
    if (rule['containerName'] !== undefined && rule['containerName'] !== null && rule['containerName'] !== status['name']) continue;
    if (values.includes(code) === (rule['operator'] === 'In')) return { container: String(status['name']), code };
  }
  return undefined;
}

function restartsIn(pod: KubeObject): number {
  const status = mapAt(pod, 'status');
  return [...mapsOf(status, 'initContainerStatuses'), ...mapsOf(status, 'containerStatuses')].reduce(
    (sum, it) => sum + Number(it['restartCount'] ?? 0),
    0,
  );
}

/** True for a Job whose pods have numbers. */
export const isIndexed = (spec: Draft0): boolean => spec['completionMode'] === 'Indexed';

/** The most indexes a Job may have. */
const INDEX_LIMIT = 100_000;

/** Reads `0-2,5`. Indexes beyond what a Job may have are left out. */
export function parseIndexes(text: string): Set<number> {
  const out = new Set<number>();
  for (const part of text.split(',').filter((it) => it !== '')) {
    const [first = '', last = first] = part.split('-');
    for (let i = Number(first); i <= Math.min(Number(last), INDEX_LIMIT); i++) out.add(i);
  }
  return out;
}

/** Writes `0-2,5`. */
export function formatIndexes(indexes: ReadonlySet<number>): string {
  const sorted = [...indexes].sort((a, b) => a - b);
  const runs: [number, number][] = [];
  for (const index of sorted) {
    const run = runs.at(-1);
    if (run !== undefined && run[1] === index - 1) run[1] = index;
    else runs.push([index, index]);
  }
  // Two in a row are written one by one, as the Job controller does.
  return runs.map(([a, b]) => (a === b ? String(a) : b === a + 1 ? `${a},${b}` : `${a}-${b}`)).join(',');
}
