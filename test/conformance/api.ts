/*
 * The Kubernetes API as the sandbox speaks it, compared with a real API server:
 *
 *   npm run conformance:api -- [--kubeconfig FILE [--record]] [--verbose] [CASE…]
 *
 * Without a kubeconfig the sandbox is compared with the recorded answers; with one, with that server. --record writes its answers down.
 * CASE is part of a case's name: only those run. The last line is "N passed, N failed"; exit code 1 when something failed.
 */
import { parseArgs } from 'node:util';
import { milliseconds } from '../../src/std/index.ts';
import { startSandbox } from '../../src/sandbox/index.ts';
import { cases, knownDifferences, readRecording, runCase, sandboxClient, serverClient, writeRecording } from './api/index.ts';
import { Report } from './report.ts';

/** Cases that run at the same time on a real server; each has a namespace of its own. */
const PARALLEL = 6;

const { values: options, positionals: filters } = parseArgs({
  allowPositionals: true,
  options: {
    kubeconfig: { type: 'string' },
    record: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});

const chosen = Object.entries(cases).filter(([name]) => filters.length === 0 || filters.some((filter) => name.includes(filter)));
const recorded: Record<string, readonly string[]> =
  options.kubeconfig === undefined ? { ...readRecording() } : await askServer(options.kubeconfig);
if (options.record) writeRecording({ ...(filters.length > 0 ? readRecording() : {}), ...recorded });

const sandbox = await startSandbox({ podStart: milliseconds(0) });
const client = sandboxClient(sandbox);
const report = new Report(knownDifferences, options.verbose);
for (const [index, [name, steps]] of chosen.entries()) {
  const answers = await runCase(client, `conformance-${index}`, steps);
  report.run(name, () => {
    const expected = (recorded[name] ?? []).join('\n');
    const actual = answers.join('\n');
    return expected === actual ? undefined : { expected, actual };
  });
}
await sandbox.close();
process.exitCode = report.finish();

async function askServer(kubeconfig: string): Promise<Record<string, readonly string[]>> {
  const server = serverClient(kubeconfig);
  const run = Date.now().toString(36);
  const out: Record<string, readonly string[]> = {};
  const waiting = [...chosen.entries()];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, [name, steps]] = next;
      out[name] = await runCase(server, `conformance-${run}-${index}`, steps);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  return out;
}
