// `npm run build`: src/ as JavaScript with types in dist/, for the package (sources cannot be type-stripped under node_modules).
import { spawnSync } from 'node:child_process';
import { copyFileSync, globSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');
rmSync(join(root, 'dist'), { recursive: true, force: true });
const { status } = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});
if (status !== 0) process.exit(status ?? 1);
for (const file of globSync('**/*.{json,gz,br,bin,yaml}', {
  cwd: join(root, 'src'),
  exclude: (name) => name === 'testdata' || name === 'testing',
})) {
  mkdirSync(join(root, 'dist', dirname(file)), { recursive: true });
  copyFileSync(join(root, 'src', file), join(root, 'dist', file));
}
