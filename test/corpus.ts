// Where tests find the corpus of recorded inputs and outputs: the folder of SLUICE_CORPUS, else ../shared/corpus beside the checkout.
// It may hold archives (NAME.tar.gz, unpacked once under the system's temporary folder) or the unpacked folders themselves.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of the corpus (`flux`, `helm`, `artifacts`, …); undefined where it is absent. */
export function corpus(name: string): string | undefined {
  const root = process.env['SLUICE_CORPUS'] ?? join(import.meta.dirname, '..', '..', 'shared', 'corpus');
  for (const folder of [join(root, name, name), join(root, name)]) if (existsSync(folder)) return folder;
  const archive = join(root, `${name}.tar.gz`);
  if (!existsSync(archive)) return undefined;
  const key = createHash('sha256').update(readFileSync(archive)).digest('hex').slice(0, 12);
  const unpacked = join(tmpdir(), `sluice-corpus-${name}-${key}`);
  if (!existsSync(unpacked)) {
    const temporary = `${unpacked}.${process.pid}`;
    mkdirSync(temporary, { recursive: true });
    const done = spawnSync('tar', ['-xzf', archive, '-C', temporary]);
    if (done.status !== 0) throw new Error(`unpack ${archive}: ${done.stderr}`);
    // Another process may have been faster; its result is the same.
    if (!existsSync(unpacked)) renameSync(temporary, unpacked);
  }
  return join(unpacked, name);
}
