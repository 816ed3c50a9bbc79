/*
 * Checks the facts recorded from Go's libraries against our engines:
 *
 *   npm run conformance:golang -- [--corpus DIR] [--verbose] [FILE…]
 *
 * DIR holds the .jsonl files, or a folder or an archive `golang` with them. FILE is part of a file's name: only those run.
 * Prints failing ids and counts; the last line is "N passed, N failed"; exit code 1 when something failed.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { corpus as findCorpus } from '../corpus.ts';
import { parseFact, type Outcome, type Suite } from './golang/suite.ts';

/** Failures shown in full before only ids are listed. */
const DETAILED = 50;

type Tally = { file: string; passed: number; failed: number; milliseconds: number };

const { values: options, positionals: filters } = parseArgs({
  allowPositionals: true,
  options: { corpus: { type: 'string' }, verbose: { type: 'boolean', default: false } },
});

const folder = findFolder(options.corpus);
const tallies: Tally[] = [];
let shown = 0;
for (const file of readdirSync(folder).sort()) {
  if (!file.endsWith('.jsonl') || !(filters.length === 0 || filters.some((filter) => file.includes(filter)))) continue;
  tallies.push(await runFile(file));
}
report();

function findFolder(corpus: string | undefined): string {
  const root = corpus ?? process.env['SLUICE_CORPUS'] ?? join(import.meta.dirname, '../../../shared/corpus');
  process.env['SLUICE_CORPUS'] = root;
  const candidates = [root, findCorpus('golang') ?? root];
  const found = candidates.find((dir) => existsSync(dir) && readdirSync(dir).some((name) => name.endsWith('.jsonl')));
  if (found !== undefined) return found;
  process.stderr.write(`conformance: find facts in ${root}: no .jsonl file there; give --corpus DIR\n`);
  process.exit(2);
}

function* readFacts(file: string): Iterable<unknown> {
  for (const line of readFileSync(join(folder, file), 'utf8').split('\n')) if (line !== '') yield parseFact(line);
}

/** The suite of a file, or a reason why there is none. */
async function findSuite(file: string): Promise<Suite | string> {
  const path = join(import.meta.dirname, 'golang', file.replace(/\.jsonl$/, '.ts'));
  if (!existsSync(path)) return `no suite: ${path} is missing`;
  try {
    const module: unknown = await import(path);
    if (typeof module === 'object' && module !== null && 'suite' in module && typeof module.suite === 'function')
      return module.suite as Suite;
    return `no suite: ${path} exports none`;
  } catch (error) {
    return `suite does not load: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function* withoutSuite(file: string, reason: string): Iterable<Outcome> {
  process.stdout.write(`${file}: ${reason}\n`);
  for (const fact of readFacts(file)) yield { id: String((fact as { id?: unknown }).id), ok: false };
}

async function runFile(file: string): Promise<Tally> {
  const suite = await findSuite(file);
  const tally: Tally = { file, passed: 0, failed: 0, milliseconds: 0 };
  const start = performance.now();
  const listed: string[] = [];
  for (const outcome of typeof suite === 'string' ? withoutSuite(file, suite) : suite(readFacts(file))) {
    if (outcome.ok) {
      tally.passed += 1;
      continue;
    }
    tally.failed += 1;
    if (outcome.detail !== undefined && (options.verbose || shown < DETAILED)) {
      shown += 1;
      process.stdout.write(`FAIL ${file} ${outcome.id}: ${outcome.detail}\n`);
    } else if (outcome.detail !== undefined) listed.push(outcome.id);
  }
  if (listed.length > 0) process.stdout.write(`FAIL ${file} also: ${listed.slice(0, 200).join(' ')}${listed.length > 200 ? ' …' : ''}\n`);
  tally.milliseconds = performance.now() - start;
  return tally;
}

function report(): void {
  let passed = 0;
  let failed = 0;
  for (const tally of tallies) {
    process.stdout.write(`${tally.file}: ${tally.passed} passed, ${tally.failed} failed (${Math.round(tally.milliseconds)} ms)\n`);
    passed += tally.passed;
    failed += tally.failed;
  }
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}
