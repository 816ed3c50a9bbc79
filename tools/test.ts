// `npm test [FILE…]`: every *.test.ts beside the sources in one process (fast), then those that need a process of their own.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { forgetResults, recordingArguments } from './test-results.ts';

const named = process.argv.slice(2);
const whole = named.length === 0;
if (whole) forgetResults('unit');
const files = whole ? globSync('{src,tools,test/package,test/conformance}/**/*.test.ts').sort() : named;
const alone = files.filter((file) => file.includes('.process.test.ts'));
const together = files.filter((file) => !alone.includes(file));

function run(paths: readonly string[], isolation: 'none' | 'process'): number {
  if (paths.length === 0) return 0;
  const seed = join(import.meta.dirname, 'property-seed.ts');
  const args = [
    '--disable-warning=ExperimentalWarning',
    '--import',
    seed,
    '--test',
    `--test-isolation=${isolation}`,
    '--test-timeout=240000',
    ...(whole ? recordingArguments('unit', isolation) : []),
    ...paths,
  ];
  if (isolation === 'process') args.splice(1, 0, '--test-concurrency=2');
  return spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1;
}

const failed = [run(alone, 'process'), run(together, 'none')].find((status) => status !== 0);
process.exit(failed ?? 0);
