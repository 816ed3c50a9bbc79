// `npm run ok`: format, lint, types, the house's rules, generated files, tests. Every check runs; the first failures are shown at the end.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const bin = (name: string): string => join(root, 'node_modules', '.bin', name);
const node = process.execPath;
const CHECKS: readonly (readonly [string, string, readonly string[]])[] = [
  ['format', bin('oxfmt'), ['--check']],
  ['lint', bin('oxlint'), ['--type-aware', '--deny-warnings']],
  ['types', bin('tsc'), ['-p', '.']],
  ['house', node, ['tools/check-house.ts']],
  ['generated files', node, ['tools/generate.ts', '--check']],
  ['tests', node, ['tools/test.ts']],
];

const failed: string[] = [];
for (const [name, program, args] of CHECKS) {
  if (process.env['SLUICE_OK_SKIP']?.split(',').includes(name)) continue;
  const started = Date.now();
  process.stdout.write(`► ${name}\n`);
  const path = `${join(root, 'node_modules', '.bin')}:${join(node, '..')}:${process.env['PATH']}`;
  const { status } = spawnSync(program, args, { cwd: root, stdio: 'inherit', env: { ...process.env, PATH: path } });
  process.stdout.write(`${status === 0 ? '✔' : '✗'} ${name} (${((Date.now() - started) / 1000).toFixed(1)}s)\n`);
  if (status !== 0) failed.push(name);
}
if (failed.length > 0) process.stderr.write(`✗ not ok: ${failed.join(', ')}\n`);
process.exit(failed.length > 0 ? 1 : 0);
