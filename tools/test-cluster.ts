// `npm run test:cluster [FILE…]`: the suites that need a Kubernetes API. Starts the control plane of test/control-plane (or takes the
// cluster of SLUICE_KUBECONFIG) and runs every *.cluster.ts on it, one file after the other. With --sandbox each file gets an embedded
// sandbox of its own, several at a time (`--parallel N`).
import { spawn } from 'node:child_process';
import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { missingForControlPlane, startControlPlane } from '../test/control-plane/start.ts';
import { startSandbox } from '../src/sandbox/index.ts';
import { forgetResults, recordingArguments } from './test-results.ts';

type Cluster = { name: string; kubeconfig: string; stop(): Promise<void> };
type Run = { file: string; passed: boolean; seconds: number };

/** Suites that do not run on the sandbox, and why. */
const NOT_ON_SANDBOX: Readonly<Record<string, string>> = {
  'src/controllers/source/makers.cluster.ts': 'needs no Kubernetes, and runs with the others',
  'test/e2e/verify-artifacts.cluster.ts': 'needs no Kubernetes, and runs with the others',
  'test/e2e/verify-cosign-flags.cluster.ts': 'needs no Kubernetes, and runs with the others',
  'test/e2e/verify-cosign.cluster.ts': 'needs no Kubernetes, and runs with the others',
  'test/e2e/verify-notation-policies.cluster.ts': 'needs no Kubernetes, and runs with the others',
  'test/e2e/verify-notation.cluster.ts': 'needs no Kubernetes, and runs with the others',
};

/** Kills of the suites that kill: fewer here, for the run on a real API server makes them all. */
const KILLS_ON_SANDBOX = '8';

/** The slow ones begin first, so that the last to end is short. */
const SLOW_FIRST = ['flux', 'crash', 'guide', 'notation', 'faults', 'behaviour', 'reach', 'charts', 'requests'];

const { values: flags, positionals } = parseArgs({
  options: { sandbox: { type: 'boolean', default: false }, parallel: { type: 'string' } },
  allowPositionals: true,
});

const whole = positionals.length === 0;

async function openCluster(): Promise<Cluster> {
  const given = process.env['SLUICE_KUBECONFIG'];
  if (given !== undefined) return { name: 'the cluster of SLUICE_KUBECONFIG', kubeconfig: given, stop: async () => {} };
  return { name: 'a control plane of our own', ...(await startControlPlane()) };
}

async function openSandbox(): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-sandbox-'));
  // The suites tell the fates of pods in the words of test/control-plane.
  const running = await startSandbox({ fateDomains: ['sandbox.sluice.dev', 'control-plane.test'] });
  const kubeconfig = join(folder, 'kubeconfig');
  running.writeKubeconfig(kubeconfig);
  return {
    name: 'the sandbox',
    kubeconfig,
    stop: async () => {
      await running.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Runs one suite; its output comes at once when it is over if others run beside it. */
async function run(file: string, cluster: Cluster, live: boolean): Promise<Run> {
  const started = performance.now();
  const options = ['--disable-warning=ExperimentalWarning', '--test', '--test-concurrency=1', '--test-timeout=900000'];
  if (whole) options.push(...recordingArguments(flags.sandbox ? 'sandbox' : 'server', file));
  const child = spawn(process.execPath, [...options, file], {
    stdio: ['inherit', live ? 'inherit' : 'pipe', live ? 'inherit' : 'pipe'],
    // The suites start this program many times: its sources are compiled once.
    env: {
      NODE_COMPILE_CACHE: join(tmpdir(), 'sluice-test-compile-cache'),
      ...(flags.sandbox ? { SLUICE_CRASH_ROUNDS: KILLS_ON_SANDBOX } : {}),
      ...process.env,
      SLUICE_KUBECONFIG: cluster.kubeconfig,
    },
  });
  const output: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => output.push(chunk));
  if (live) process.stdout.write(`► ${file}\n`);
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  const seconds = (performance.now() - started) / 1000;
  if (!live) process.stdout.write(`► ${file} (${seconds.toFixed(1)}s)\n${Buffer.concat(output).toString()}`);
  return { file, passed: code === 0, seconds };
}

async function runOnSandboxes(suites: readonly string[], parallel: number): Promise<Run[]> {
  const queue = [...suites];
  const runs: Run[] = [];
  const runOne = async (file: string, live: boolean): Promise<Run> => {
    const cluster = await openSandbox();
    try {
      return await run(file, cluster, live);
    } finally {
      await cluster.stop();
    }
  };
  const worker = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) runs.push(await runOne(file, parallel === 1));
  };
  await Promise.all(Array.from({ length: Math.min(parallel, suites.length) }, worker));
  await again(runs, async (file) => await runOne(file, true));
  return runs;
}

async function runOnOne(suites: readonly string[]): Promise<Run[]> {
  const cluster = await openCluster();
  process.stdout.write(`► on ${cluster.name}\n`);
  const runs: Run[] = [];
  for (const file of suites) runs.push(await run(file, cluster, true));
  await again(runs, async (file) => await run(file, cluster, true));
  await cluster.stop();
  return runs;
}

/** A suite on a live cluster can lose a race, with the cluster's own controllers or with its neighbours: it gets one more chance, and that is said. */
async function again(runs: readonly Run[], runOne: (file: string) => Promise<Run>): Promise<void> {
  for (const failed of runs.filter((it) => !it.passed)) {
    process.stdout.write(`► once more: ${failed.file}\n`);
    failed.passed = (await runOne(failed.file)).passed;
    process.stdout.write(failed.passed ? `✔ passed the second time only: ${failed.file}\n` : `✗ failed twice: ${failed.file}\n`);
  }
}

function suitesOf(): string[] {
  if (!whole) return positionals;
  const all = globSync('{src,test}/**/*.cluster.ts').sort();
  if (!flags.sandbox) return all;
  for (const [file, why] of Object.entries(NOT_ON_SANDBOX)) process.stdout.write(`- ${file} not on the sandbox: ${why}\n`);
  const rank = (file: string): number =>
    (SLOW_FIRST.findIndex((it) => file.includes(it)) + SLOW_FIRST.length + 1) % (SLOW_FIRST.length + 1);
  return all.filter((file) => NOT_ON_SANDBOX[file] === undefined).sort((a, b) => rank(a) - rank(b));
}

const missing = process.env['SLUICE_KUBECONFIG'] === undefined && !flags.sandbox ? missingForControlPlane() : undefined;
if (missing !== undefined) {
  const ci = process.env['CI'] !== undefined;
  process.stdout.write(`${ci ? '✗' : '-'} test:cluster skipped: ${missing}\n`);
  process.exit(ci ? 1 : 0);
}
const started = performance.now();
const suites = suitesOf();
if (whole) forgetResults(flags.sandbox ? 'sandbox' : 'server');
const parallel = Number(flags.parallel ?? availableParallelism() + 5);
process.stdout.write(`► ${suites.length} suites${flags.sandbox ? ` on sandboxes, ${Math.min(parallel, suites.length)} at a time` : ''}\n`);
const runs = flags.sandbox ? await runOnSandboxes(suites, parallel) : await runOnOne(suites);
for (const { file, passed, seconds } of runs) process.stdout.write(`${passed ? '✔' : '✗'} ${file} (${seconds.toFixed(1)}s)\n`);
process.stdout.write(`► ${((performance.now() - started) / 1000).toFixed(1)}s\n`);
process.exit(runs.every((it) => it.passed) ? 0 : 1);
