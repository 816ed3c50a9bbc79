// Runs a TypeScript source on Node 24: `node tools/node24.mjs FILE [ARG…]`. Uses this Node when it is new enough, else the
// one in node_modules. Signals reach the child, its exit code is ours.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const root = join(new URL('.', import.meta.url).pathname, '..');
const local = join(root, 'node_modules', 'node', 'bin', 'node');
const [major, minor] = process.versions.node.split('.').map(Number);
const program = (major === 24 && minor >= 15) || major > 24 ? process.execPath : local;
if (!existsSync(program)) {
  process.stderr.write('sluice: Node 24 is missing: run `npm ci` first\n');
  process.exit(1);
}
const child = spawn(program, ['--disable-warning=ExperimentalWarning', ...process.argv.slice(2)], { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)));
