import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { sweepOwned } from '../../../../apply/index.ts';
import { isYamlObject, toYamlValue, type YamlObject } from '../../../../golang/index.ts';
import { loadChart, readValuesDocuments, type Chart } from '../../../../helm/index.ts';
import { formatObjectRef, memoryTree } from '../../../../manifest/index.ts';
import { seconds } from '../../../../std/index.ts';
import { FIELD_MANAGER, OWNER_GROUP } from '../action.ts';
import { WAIT, type ReleaseWorld, type TestedRelease } from './release-world.ts';

/** A real chart and two sets of values. */
export type ChartCase = { name: string; chart: Chart; values: YamlObject; others: YamlObject };

type Recorded = { chart: string; values: string | null; expect: string; stubs: boolean };

/** The charts of a corpus folder (cases.jsonl, charts/, values/) that render by themselves, `count` of them evenly picked. */
export function chartCases(corpus: string, count: number, from = 0): ChartCase[] {
  const byChart = new Map<string, (string | null)[]>();
  for (const line of readFileSync(join(corpus, 'cases.jsonl'), 'utf8').trim().split('\n')) {
    const { chart, values, expect, stubs } = JSON.parse(line) as Recorded;
    if (expect === 'ok' && !stubs) byChart.set(chart, [...(byChart.get(chart) ?? []), values]);
  }
  const names = [...byChart.keys()].sort();
  const step = names.length / count;
  return Array.from({ length: count }, (_, index) => names[Math.floor(index * step + from) % names.length] ?? '').map((name) => {
    const values = byChart.get(name) ?? [];
    return {
      name,
      chart: loadChart(readFolder(join(corpus, 'charts', name))),
      values: readValues(corpus, values[0]),
      others: readValues(corpus, values.at(-1)),
    };
  });
}

function readFolder(root: string): ReturnType<typeof memoryTree> {
  const files = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return memoryTree(Object.fromEntries(files.map((file) => [relative(root, file), readFileSync(file)])));
}

function readValues(corpus: string, file: string | null | undefined): YamlObject {
  if (file === null || file === undefined) return {};
  const values = toYamlValue(readValuesDocuments(readFileSync(join(corpus, file), 'utf8')));
  return isYamlObject(values) ? values : {};
}

/** How a chart's life in a cluster went: `needs` names what the cluster lacks for it. */
export type ChartLife = { name: string; outcome: 'lived' | 'needs' | 'failed'; detail: string; requests: number };

/** Installs a chart, upgrades it with other values, rolls it back and removes it; then nothing may be left but what is meant to stay. */
export async function liveThrough({ name, chart, values, others }: ChartCase, world: ReleaseWorld): Promise<ChartLife> {
  const release = await world.release(
    name
      .replace(/.*\//, '')
      .toLowerCase()
      .slice(0, 30)
      .replace(/[^a-z0-9]+$/, ''),
  );
  const from = world.requests.length;
  const wait = { ...WAIT, timeout: seconds(15) };
  const life = (outcome: ChartLife['outcome'], detail: string): ChartLife => ({
    name,
    outcome,
    detail,
    requests: world.requests.length - from,
  });
  const steps = [
    () => release.install(chart, values, { wait }),
    () => release.upgrade(chart, others, { wait }),
    () => release.rollback(1, { wait }),
    () => release.uninstall({ wait }),
  ];
  for (const [index, step] of steps.entries()) {
    const result = await step();
    if (result.kind === 'succeeded') continue;
    const text = result.kind === 'failed' ? result.error.message : 'canceled';
    // Some values cannot be changed in place; then the rollback has more to do.
    if (index === 1 && /field is immutable|updates to statefulset spec/.test(text)) continue;
    const lacks = /no matches for kind|namespaces? "[^"]*" not found/.test(text);
    if (lacks) {
      await release.uninstall({ wait });
      return life('needs', text);
    }
    return life('failed', `step ${index}: ${text}\n${release.trace.slice(-8).join('\n')}`);
  }
  const left = await leftovers(release, world);
  return left.length === 0 ? life('lived', '') : life('failed', `left behind: ${left.join(', ')}`);
}

/** What still carries the release's labels: but for definitions, hooks, and what says that it stays. */
async function leftovers(release: TestedRelease, world: ReleaseWorld): Promise<string[]> {
  const { owned } = await sweepOwned(world.client, { group: OWNER_GROUP, fieldManager: FIELD_MANAGER });
  const left: string[] = [];
  for (const { ref, version } of owned.get(`${release.namespace}/${release.name}`) ?? []) {
    const apiVersion = ref.group === '' ? version : `${ref.group}/${version}`;
    const found = await world.client.find({ apiVersion, kind: ref.kind, name: ref.name, namespace: ref.namespace });
    const annotations = found?.metadata.annotations ?? {};
    const stays =
      ref.kind === 'CustomResourceDefinition' || 'helm.sh/hook' in annotations || annotations['helm.sh/resource-policy'] === 'keep';
    if (found !== undefined && !stays && found.metadata.deletionTimestamp === undefined) left.push(formatObjectRef(ref));
  }
  return left;
}
