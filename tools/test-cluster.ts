// `npm run test:cluster [FILE…]`: the suites that need a real Kubernetes API server. Starts the control plane of test/control-plane
// (or takes the cluster of SLUICE_KUBECONFIG) and runs every *.cluster.ts on it, one file after the other.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { missingForControlPlane, startControlPlane } from '../test/control-plane/start.ts';

const missing = process.env['SLUICE_KUBECONFIG'] === undefined ? missingForControlPlane() : undefined;
if (missing !== undefined) {
  const ci = process.env['CI'] !== undefined;
  process.stdout.write(`${ci ? '✗' : '-'} test:cluster skipped: ${missing}\n`);
  process.exit(ci ? 1 : 0);
}
const named = process.argv.slice(2);
const files = named.length > 0 ? named : globSync('{src,test}/**/*.cluster.ts').sort();
const controlPlane = process.env['SLUICE_KUBECONFIG'] === undefined ? await startControlPlane() : undefined;
process.stdout.write(
  `► ${files.length} suites on ${controlPlane === undefined ? 'the cluster of SLUICE_KUBECONFIG' : 'a control plane of our own'}\n`,
);
const env = { ...process.env, SLUICE_KUBECONFIG: controlPlane?.kubeconfig ?? process.env['SLUICE_KUBECONFIG'] };
const args = ['--disable-warning=ExperimentalWarning', '--test', '--test-concurrency=1', '--test-timeout=900000', ...files];
const { status } = spawnSync(process.execPath, args, { stdio: 'inherit', env });
await controlPlane?.stop();
process.exit(status ?? 1);
