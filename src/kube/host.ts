import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';

/** What a kubeconfig reaches for outside itself: files, programs and the environment. Handed in so that tests own them. */
export interface Host {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** @throws when the file cannot be read; `code` is `ENOENT` when it is not there */
  readFile(path: string): Promise<string>;
  /** Runs a program to its end with `env` on top of this process's. */
  run(command: string, args: readonly string[], env: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<ProgramResult>;
}

export type ProgramResult = { exitCode: number; stdout: string; stderr: string };

/** Output of a credential plugin beyond this many bytes is an error. */
const OUTPUT_LIMIT = 1 << 20;

/** The machine this process runs on. */
export const nodeHost: Host = {
  env: process.env,
  home: homedir(),
  readFile: (path) => readFile(path, 'utf8'),
  run: runProgram,
};

function runProgram(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(signal === undefined ? {} : { signal }),
    });
    const output = { stdout: '', stderr: '' };
    const collect =
      (name: 'stdout' | 'stderr') =>
      (chunk: string): void => {
        output[name] += chunk;
        if (output[name].length > OUTPUT_LIMIT) child.kill('SIGKILL');
      };
    child.stdout.setEncoding('utf8').on('data', collect('stdout'));
    child.stderr.setEncoding('utf8').on('data', collect('stderr'));
    child.on('error', reject);
    child.on('close', (code) => resolve({ exitCode: code ?? -1, ...output }));
  });
}
