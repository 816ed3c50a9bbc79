// Installs what is missing before `npm start` and `npm test`: runs `npm ci` when node_modules does not match the lock file.
// Plain JavaScript, because it runs on whatever Node (>= 20) the user has.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';

const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..');
const stamp = join(root, 'node_modules', '.sluice-lock');
const want = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');
const have = existsSync(stamp) ? readFileSync(stamp, 'utf8') : '';
if (have !== want || !existsSync(join(root, 'node_modules', 'node', 'bin', 'node'))) {
  process.stdout.write('► installing dependencies (npm ci)\n');
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, stdio: 'inherit' });
  if (npm.status !== 0) {
    process.stderr.write(`✗ npm ci failed with exit code ${npm.status}: check the network and run it again\n`);
    process.exit(npm.status ?? 1);
  }
  writeFileSync(stamp, want);
}
