import { isDeepStrictEqual } from 'node:util';
import { mapFromYaml, toYamlValue, type GoMap, type YamlObject, type YamlValue } from '../../../src/golang/index.ts';
import { coalesceChartValues, coalesceTables, loadChart, mergeChartValues, mergeTables, render } from '../../../src/helm/index.ts';
import { memoryTree } from '../../../src/manifest/index.ts';
import { attempt, checkEach, type Fact, type Outcome } from './suite.ts';

type ChartFact = { name: string; values?: YamlObject; dependencies?: YamlValue; charts?: ChartFact[] };

/** How chart and user values come together (values.jsonl). */
export function suite(facts: Iterable<unknown>): Iterable<Outcome> {
  return checkEach(facts, (fact) => (fact['chart'] === undefined ? checkTables(fact) : checkChart(fact)));
}

function checkTables(fact: Fact): string | undefined {
  const run = (merge: (into: GoMap, from: GoMap) => GoMap): YamlValue => toYamlValue(merge(map(fact['dst']), map(fact['src'])));
  return compare({ coalesceTables: run(coalesceTables), mergeTables: run(mergeTables) }, fact, ['coalesceTables', 'mergeTables']);
}

function checkChart(fact: Fact): string | undefined {
  const files: Record<string, string> = {};
  addFiles(files, '', fact['chart'] as ChartFact);
  const chart = loadChart(memoryTree(files));
  const values = map(fact['values']);
  const coalesced = attempt(() => toYamlValue(coalesceChartValues(chart, values)));
  const merged = attempt(() => toYamlValue(mergeChartValues(chart, values)));
  const rendered = attempt(() => render(chart, { release: { name: 'r', namespace: 'ns' }, values, allowMissingDependencies: true }));
  const have = {
    coalesced: coalesced.value,
    coalesceError: coalesced.error,
    merged: merged.value,
    mergeError: merged.error,
    seen: rendered.value && Object.fromEntries(rendered.value.manifests.map(({ path, value }) => [path, value])),
    renderError: rendered.error?.replace('chart dependencies processing failed: ', ''),
  };
  return compare(have, fact, Object.keys(have));
}

function compare(have: Readonly<Record<string, unknown>>, fact: Fact, fields: readonly string[]): string | undefined {
  const wrong = fields.filter((field) => !isDeepStrictEqual(have[field], fact[field]));
  if (wrong.length === 0) return undefined;
  return wrong.map((field) => `${field}: have ${JSON.stringify(have[field])}, want ${JSON.stringify(fact[field])}`).join('; ');
}

function map(value: unknown): GoMap {
  return mapFromYaml((value ?? {}) as YamlObject);
}

function addFiles(files: Record<string, string>, folder: string, { name, values, dependencies, charts }: ChartFact): void {
  files[`${folder}Chart.yaml`] = JSON.stringify({
    apiVersion: 'v2',
    name,
    version: '1.0.0',
    ...(dependencies === undefined ? {} : { dependencies }),
  });
  files[`${folder}values.yaml`] = JSON.stringify(values ?? {});
  files[`${folder}templates/v.yaml`] = '{{ toJson .Values }}';
  for (const child of charts ?? []) addFiles(files, `${folder}charts/${child.name}/`, child);
}
