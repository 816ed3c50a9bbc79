// Runs kustomize's own cases: `npm run conformance:kustomize -- [--corpus FOLDER] [--only TEXT] [--show]`. FOLDER is laid out like the
// corpus: cases.jsonl with src/ and golden/, and krusty.jsonl, plugins.jsonl, filters.jsonl where they are there.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from '../../src/kustomize/index.ts';
import { directoryTree } from '../../src/cli/directory-tree.ts';
import { runFilterCase, type FilterCase } from './kustomize-filters.ts';
import { runKrustyCase, runPluginCase, type KrustyCase, type PluginCase } from './kustomize-krusty.ts';
import { KNOWN_FAILURES } from './kustomize-known-failures.ts';
import { Report } from './report.ts';

type OverlayCase = { id: string; dir: string; golden: string; sha256: string };

function readLines<T>(file: string): T[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

function option(name: string, fallback: string): string {
  const at = process.argv.indexOf(name);
  return at < 0 ? fallback : (process.argv[at + 1] ?? fallback);
}

const corpus = option('--corpus', '../shared/corpus/kustomize');
const only = option('--only', '');
if (!existsSync(corpus)) {
  process.stdout.write(`skipped: there is no corpus at ${corpus}\n`);
  process.exit(0);
}

const report = new Report(KNOWN_FAILURES, process.argv.includes('--show'));
const selected = (id: string): boolean => id.includes(only);
const tree = directoryTree(join(corpus, 'src'));

for (const { id, dir, golden, sha256 } of readLines<OverlayCase>(join(corpus, 'cases.jsonl'))) {
  if (!selected(id)) continue;
  report.run(`overlay ${id}`, () => {
    const text = build(tree, dir).text();
    if (createHash('sha256').update(text).digest('hex') === sha256) return undefined;
    const file = join(corpus, golden);
    return { expected: existsSync(file) ? readFileSync(file, 'utf8') : `sha256 ${sha256}`, actual: text };
  });
}
for (const each of readLines<KrustyCase>(join(corpus, 'krusty.jsonl'))) {
  if (selected(each.test)) report.run(`krusty ${each.test}`, () => runKrustyCase(each));
}
for (const each of readLines<PluginCase | KrustyCase>(join(corpus, 'plugins.jsonl'))) {
  if (selected(each.test)) report.run(`plugin ${each.test}`, () => ('config' in each ? runPluginCase(each) : runKrustyCase(each)));
}
readLines<FilterCase>(join(corpus, 'filters.jsonl')).forEach((each, i) => {
  const id = `filter ${each.filter} ${i}`;
  if (selected(id)) report.run(id, () => runFilterCase(each));
});
process.exitCode = report.finish();
