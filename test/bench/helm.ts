import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { folderTree } from '../../src/cli/helm-chart-source.ts';
import { mapFromYaml } from '../../src/golang/index.ts';
import { toYaml } from '../../src/helm/engine/yaml-functions.ts';
import { loadChart, readValuesDocuments, render, type Chart } from '../../src/helm/index.ts';
import { memoryTree, walkTree } from '../../src/manifest/index.ts';
import { isCodedError } from '../../src/std/index.ts';
import { helmCorpus } from '../conformance/helm-corpus.ts';
import { standInProviders } from '../conformance/helm-stand-ins.ts';

/*
 * How fast charts render once they were rendered before (`warm`) and for the first time (`cold`). `--corpus FOLDER` as in the conformance
 * run, `--json` for machines, `--rounds N` repetitions (default 7).
 */

type Result = { name: string; unit: 'ms'; min: number; median: number; goal?: number };

const { values: flags } = parseArgs({
  options: { corpus: { type: 'string' }, json: { type: 'boolean', default: false }, rounds: { type: 'string', default: '7' } },
});
const corpus = helmCorpus(flags.corpus) ?? missing();
function missing(): never {
  console.log('skipped: there is no corpus; give its folder with --corpus');
  process.exit(0);
}

const rounds = Number(flags.rounds);
const release = { name: 'release-name', namespace: 'default' };
const results: Result[] = [];

function measure(name: string, run: () => number | void, goal?: number): void {
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const start = performance.now();
    const own = run();
    times.push(own ?? performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const [min = 0] = times;
  const median = times[times.length >> 1] ?? 0;
  results.push({ name, unit: 'ms', min, median, ...(goal === undefined ? {} : { goal }) });
}

function load(name: string): Chart {
  return loadChart(folderTree(join(corpus, 'charts', name)));
}

function benchStack(): void {
  const name = 'prometheus-community+helm-charts/charts/kube-prometheus-stack';
  measure('kube-prometheus-stack, load', () => void load(name));
  const chart = load(name);
  const run = (): void => void render(chart, { release, providers: standInProviders });
  measure('kube-prometheus-stack, cold', () => {
    const fresh = load(name);
    const start = performance.now();
    render(fresh, { release, providers: standInProviders });
    return performance.now() - start;
  });
  for (let i = 0; i < 10; i++) run();
  measure('kube-prometheus-stack, warm', run, 40);
}

type Case = { chart: string; values: string | null };

function benchCorpus(): void {
  const cases = readFileSync(join(corpus, 'cases.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Case);
  const charts = new Map([...new Set(cases.map(({ chart }) => chart))].map((name) => [name, load(name)]));
  const inputs = cases.map(({ chart, values }) => ({
    chart: charts.get(chart),
    values: readValuesDocuments(values === null ? '' : readFileSync(join(corpus, values), 'utf8')),
  }));
  const all = (): number => {
    const start = performance.now();
    for (const { chart, values } of inputs) {
      if (chart !== undefined) attempt(() => render(chart, { release, values, providers: standInProviders }));
    }
    return (performance.now() - start) / inputs.length;
  };
  const first = all();
  results.push({ name: `corpus, mean of ${inputs.length} cases, cold`, unit: 'ms', min: first, median: first });
  all();
  measure(`corpus, mean of ${inputs.length} cases, warm`, all, 3);
}

/** Some cases must fail; that takes time, too. */
function attempt(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!isCodedError(error)) throw error;
  }
}

function benchUmbrella(): void {
  const source = folderTree(
    join(corpus, 'charts', 'prometheus-community+helm-charts/charts/kube-prometheus-stack/charts/kube-state-metrics'),
  );
  const files: Record<string, Uint8Array | string> = {};
  let dependencies = '';
  for (let i = 0; i < 40; i++) {
    dependencies += `- name: kube-state-metrics\n  version: "*"\n  alias: sub${i}\n`;
  }
  for (const path of walkTree(source)) files[`charts/kube-state-metrics/${path}`] = source.read(path) ?? '';
  files['Chart.yaml'] = `apiVersion: v2\nname: umbrella\nversion: 1.0.0\ndependencies:\n${dependencies}`;
  const chart = loadChart(memoryTree(files));
  const run = (): void => void render(chart, { release });
  for (let i = 0; i < 5; i++) run();
  measure('umbrella of 40 subcharts, warm', run, 40);
}

function benchToYaml(): void {
  const item = {
    name: 'entry',
    labels: { app: 'demo', tier: 'backend' },
    ports: [80, 443],
    enabled: true,
    note: 'some text that is long enough to matter',
  };
  const values = { list: Array.from({ length: 6500 }, (_, i) => ({ ...item, name: `entry-${i}` })) };
  const map = mapFromYaml(values);
  for (let i = 0; i < 5; i++) toYaml(map);
  measure(`toYaml of ${(toYaml(map).length / 1e6).toFixed(2)} MB of values`, () => void toYaml(map), 20);
}

benchStack();
benchUmbrella();
benchToYaml();
benchCorpus();
if (flags.json) console.log(JSON.stringify({ rounds, results }));
else
  for (const { name, min, median, goal } of results)
    console.log(`${name}: min ${min.toFixed(2)} ms, median ${median.toFixed(2)} ms${goal === undefined ? '' : ` (goal ${goal})`}`);
