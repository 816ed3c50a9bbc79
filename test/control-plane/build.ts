import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where programs built for tests are kept: `SLUICE_CACHE`, else `~/.cache/sluice`. */
export function cacheDirectory(): string {
  const directory = process.env['SLUICE_CACHE'] ?? join(homedir(), '.cache', 'sluice');
  mkdirSync(directory, { recursive: true });
  return directory;
}

/** True when the Go toolchain can be run. */
export function hasGo(): boolean {
  return spawnSync('go', ['version'], { stdio: 'ignore' }).status === 0;
}

/** SHA-256 over names and contents of a folder's files that match `pattern`, as 16 hex digits. */
export function contentKey(directory: string, pattern: RegExp): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(directory)
    .filter((file) => pattern.test(file))
    .sort()) {
    hash
      .update(`${name}\0`)
      .update(readFileSync(join(directory, name)))
      .update('\0');
  }
  return hash.digest('hex').slice(0, 16);
}

/**
 * Builds a program once: gives its path in the cache, running `command` with the output path appended when it is not there yet.
 * A line every ten seconds says that the build goes on.
 */
export async function buildOnce(
  name: string,
  key: string,
  directory: string,
  command: (output: string) => readonly string[],
): Promise<string> {
  const program = join(cacheDirectory(), `${name}-${key}`);
  if (existsSync(program)) return program;
  process.stderr.write(`► building ${name} (once; minutes on a small machine)\n`);
  const temporary = `${program}.${process.pid}.tmp`;
  const started = Date.now();
  const [file = 'false', ...args] = command(temporary);
  const progress = setInterval(() => process.stderr.write(`  … ${Math.round((Date.now() - started) / 1000)}s\n`), 10_000);
  try {
    const output: string[] = [];
    const child = spawn(file, args, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => output.push(chunk.toString()));
    const status = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('exit', resolve));
    if (status !== 0) throw new Error(`build ${name}: ${file} ended with ${status}:\n${output.join('').slice(-4000)}`);
  } finally {
    clearInterval(progress);
  }
  renameSync(temporary, program);
  process.stderr.write(`✔ built ${name} in ${Math.round((Date.now() - started) / 1000)}s\n`);
  return program;
}

/** The control-plane program of this folder, built when its content changed. */
export async function buildControlPlane(): Promise<string> {
  const directory = import.meta.dirname;
  const key = contentKey(directory, /^(.*\.go|go\.(mod|sum)|build\.sh)$/);
  return await buildOnce('control-plane', key, directory, (output) => ['bash', 'build.sh', output, '-tags', 'lean']);
}
