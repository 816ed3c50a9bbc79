// What the last runs of the tests said, kept in test-results/ (not committed): one file of lines of JSON for each process that ran tests.
import { globSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Where a test runs. */
export type Place = 'unit' | 'sandbox' | 'server';

/** One test that ran. */
export type Result = { place: Place; file: string; title: string; passed: boolean };

const root = join(import.meta.dirname, '..');
const folder = join(root, 'test-results');

/** Forgets the results of a place, as a whole run begins. */
export function forgetResults(place: Place): void {
  mkdirSync(folder, { recursive: true });
  for (const file of globSync(`${place}.*.jsonl`, { cwd: folder })) rmSync(join(folder, file));
}

/** Arguments for `node --test` that print as always and record beside it; a second run of the same name replaces the first. */
export function recordingArguments(place: Place, name: string): string[] {
  const destination = join(folder, `${place}.${name.replaceAll('/', '-')}.jsonl`);
  const reporter = join(import.meta.dirname, 'record-results.mjs');
  return [
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${reporter}`,
    `--test-reporter-destination=${destination}`,
  ];
}

/** Every recorded result. @throws Error for a line that is none */
export function readResults(from: string = folder): Result[] {
  return globSync('*.jsonl', { cwd: from })
    .sort()
    .flatMap((name) => {
      const place = placeOf(name);
      return readFileSync(join(from, name), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => readResult(place, line));
    });
}

function placeOf(name: string): Place {
  const [place] = name.split('.');
  if (place === 'unit' || place === 'sandbox' || place === 'server') return place;
  throw new Error(`read test results ${JSON.stringify(name)}: it is of no place where tests run`);
}

function readResult(place: Place, line: string): Result {
  const { file, title, passed }: Partial<Record<keyof Result, unknown>> = JSON.parse(line);
  if (typeof file !== 'string' || typeof title !== 'string' || typeof passed !== 'boolean')
    throw new Error(`read a test result: ${JSON.stringify(line.slice(0, 100))} is none`);
  return { place, file, title, passed };
}
