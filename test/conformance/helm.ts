import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { folderTree } from '../../src/cli/helm-chart-source.ts';
import { loadChart, readValuesDocuments, render, templateOutput, type Chart, type Rendered } from '../../src/helm/index.ts';
import { errorMessage, isCodedError } from '../../src/std/index.ts';
import { helmCorpus } from './helm-corpus.ts';
import { standInProviders } from './helm-stand-ins.ts';

/*
 * Renders every case of a corpus of charts and compares with what Helm printed: `--corpus FOLDER` holds cases.jsonl, charts/, values/ and
 * golden/. `--only TEXT` runs the cases whose id contains it, `--diff` shows the first difference. Exit code 1 when a case fails.
 */

type Case = {
  id: string;
  chart: string;
  values: string | null;
  expect: string;
  stubs: boolean;
  golden?: string;
  error?: string;
};

const { values: flags } = parseArgs({
  options: { corpus: { type: 'string' }, only: { type: 'string' }, diff: { type: 'boolean', default: false } },
});
const corpus = helmCorpus(flags.corpus) ?? missing();
function missing(): never {
  console.log('skipped: there is no corpus; give its folder with --corpus');
  process.exit(0);
}

const charts = new Map<string, Chart>();

function chartOf(name: string): Chart {
  let chart = charts.get(name);
  if (chart === undefined) charts.set(name, (chart = loadChart(folderTree(join(corpus, 'charts', name)))));
  return chart;
}

function renderCase({ chart, values, stubs }: Case): Rendered {
  return render(chartOf(chart), {
    release: { name: 'release-name', namespace: 'default' },
    ...(values === null ? {} : { values: readValuesDocuments(readFileSync(join(corpus, values), 'utf8')) }),
    ...(stubs ? { providers: standInProviders } : {}),
  });
}

/** What is wrong with a case; undefined when nothing is. */
function check(it: Case): string | undefined {
  let rendered: Rendered;
  try {
    rendered = renderCase(it);
  } catch (error) {
    return checkError(it, error);
  }
  if (it.expect !== 'ok' || it.golden === undefined) return `rendered, but must fail (${it.expect}): ${it.error ?? ''}`;
  const golden = join(corpus, it.golden);
  return (
    firstDifference('manifest', templateOutput(rendered), readFileSync(`${golden}.manifest`, 'utf8')) ??
    firstDifference('notes', rendered.notes, readFileSync(`${golden}.notes`, 'utf8'))
  );
}

function checkError({ expect, error: want = '' }: Case, error: unknown): string | undefined {
  const have = errorMessage(error);
  if (expect === 'ok') return `failed: ${isCodedError(error) ? have : error instanceof Error ? error.stack : have}`;
  const stage = isCodedError(error, 'ValuesRejected') ? 'schema' : 'render';
  if (stage !== expect) return `failed in stage ${stage}, must fail in ${expect}: ${have}`;
  const same = expect === 'schema' ? lineSet(have) === lineSet(want) : have === want;
  return same ? undefined : `have error ${JSON.stringify(have)}, want ${JSON.stringify(want)}`;
}

/** Go prints the problems of a schema in any order. */
function lineSet(text: string): string {
  return text.split('\n').sort().join('\n');
}

function firstDifference(what: string, have: string, want: string): string | undefined {
  if (have === want) return undefined;
  const a = have.split('\n');
  const b = want.split('\n');
  const at = a.findIndex((line, i) => line !== b[i]);
  const line = at < 0 ? a.length : at;
  return `${what} line ${line + 1}: have ${JSON.stringify(a[line])}, want ${JSON.stringify(b[line])}`;
}

let passed = 0;
let failed = 0;
for (const line of readFileSync(join(corpus, 'cases.jsonl'), 'utf8').split('\n')) {
  if (line === '') continue;
  const it = JSON.parse(line) as Case;
  if (flags.only !== undefined && !it.id.includes(flags.only)) continue;
  let problem: string | undefined;
  try {
    problem = check(it);
  } catch (error) {
    problem = `threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
  if (problem === undefined) passed += 1;
  else {
    failed += 1;
    console.log(flags.diff ? `${it.id}\n  ${problem}` : it.id);
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
