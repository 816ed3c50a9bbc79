import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { milliseconds } from '../std/index.ts';
import { type Sandbox, startSandbox } from './index.ts';

const absent = spawnSync('kubectl', ['version', '--client']).error !== undefined ? 'needs kubectl' : false;

const DEPLOYMENT = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: play }
spec:
  replicas: 1
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: "example.com/web:1" }] }
`;

describe('kubectl works against the sandbox', { skip: absent }, () => {
  let sandbox: Sandbox;
  let folder: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-kubectl-'));
    sandbox = await startSandbox({ podStart: milliseconds(0) });
    sandbox.writeKubeconfig(join(folder, 'kubeconfig'));
  });
  after(async () => {
    await sandbox.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function kubectl(command: string, input = '', codes: readonly number[] = [0]): Promise<string> {
    // A no-break space stands for one inside an argument.
    const args = command.split(' ').map((arg) => arg.replaceAll('\u00a0', ' '));
    const child = spawn('kubectl', args, {
      env: { PATH: process.env['PATH'], HOME: folder, KUBECONFIG: join(folder, 'kubeconfig'), KUBECTL_EXTERNAL_DIFF: 'diff -u' },
    });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    child.stdin.end(input);
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    assert.ok(codes.includes(code ?? -1), `kubectl ${command}: ${code}\n${out}\n${err}`);
    return out;
  }

  it('creates objects with typed commands, which send protobuf', async () => {
    assert.match(await kubectl('create namespace play'), /namespace\/play created/);
    assert.match(await kubectl('create configmap -n play settings --from-literal=a=1'), /configmap\/settings created/);
    assert.match(await kubectl('create deployment -n play typed --image=example.com/typed:1 --replicas=2'), /typed created/);
    assert.equal(await kubectl('get configmap -n play settings -o jsonpath={.data.a}'), '1');
    assert.equal(await kubectl('get deployment -n play typed -o jsonpath={.spec.replicas}'), '2');
  });

  it('applies, shows differences and waits for the rollout', async () => {
    assert.match(await kubectl('apply -f -', DEPLOYMENT), /web created/);
    assert.match(await kubectl('apply --server-side --force-conflicts -f -', DEPLOYMENT), /serverside-applied/);
    assert.match(await kubectl('diff -f -', DEPLOYMENT.replace('web:1', 'web:2'), [1]), /\+ .*image: example.com\/web:2/);
    assert.match(await kubectl('rollout status -n play deployment/web --timeout=20s'), /successfully rolled out/);
    assert.match(await kubectl('wait -n play deployment/web --for=condition=Available --timeout=20s'), /condition met/);
  });

  it('lists, describes and explains', async () => {
    assert.match(await kubectl('get deployments -n play'), /web +1\/1/);
    assert.match(await kubectl('get pods -n play -o wide'), /Running.*sandbox/);
    assert.match(await kubectl('describe -n play deployment web'), /Replicas: +1 desired/);
    assert.match(await kubectl('logs -n play deployment/web'), /simulated container of example.com\/web:1/);
    assert.match(await kubectl('explain deployment.spec.replicas'), /Number of desired pods/);
    assert.match(await kubectl('api-resources'), /deployments +deploy +apps\/v1 +true +Deployment/);
  });

  it('changes objects', async () => {
    assert.match(await kubectl('scale -n play deployment/web --replicas=3'), /scaled/);
    assert.match(await kubectl('rollout status -n play deployment/web --timeout=20s'), /successfully rolled out/);
    assert.match(await kubectl('patch -n play deployment web -p {"spec":{"paused":true}}'), /patched/);
    assert.match(await kubectl('label -n play deployment web tier=front'), /labeled/);
    assert.match(await kubectl('annotate -n play deployment web note=x'), /annotated/);
    assert.equal(await kubectl('get -n play deployment web -o jsonpath={.metadata.labels.tier}'), 'front');
  });

  it('rolls back and tells the history', async () => {
    await kubectl('patch -n play deployment web -p {"spec":{"paused":false}}');
    await kubectl('set image -n play deployment/web web=example.com/web:2');
    assert.match(await kubectl('rollout status -n play deployment/web --timeout=20s'), /successfully rolled out/);
    assert.match(await kubectl('rollout history -n play deployment/web'), /REVISION +CHANGE-CAUSE\n1 +<none>\n2 +<none>/);
    assert.match(await kubectl('rollout undo -n play deployment/web'), /rolled back/);
    assert.match(await kubectl('rollout status -n play deployment/web --timeout=20s'), /successfully rolled out/);
    const image = '-o jsonpath={.spec.template.spec.containers[0].image}';
    assert.equal(await kubectl(`get deployment -n play web ${image}`), 'example.com/web:1');
    assert.match(await kubectl('rollout restart -n play deployment/web'), /restarted/);
    assert.match(await kubectl('rollout status -n play deployment/web --timeout=20s'), /successfully rolled out/);
  });

  it('rolls StatefulSets and DaemonSets back', async () => {
    for (const [kind, more] of [
      ['StatefulSet', 'serviceName: db, '],
      ['DaemonSet', ''],
    ] as const) {
      const set = (image: string): string => `{apiVersion: apps/v1, kind: ${kind}, metadata: {name: db, namespace: play}, spec: {${more}
        selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}, spec: {containers: [{name: db, image: "${image}"}]}}}}`;
      for (const image of ['example.com/db:1', 'example.com/db:2']) {
        await kubectl('apply -f -', `---\n${set(image)}`);
        assert.match(await kubectl(`rollout status -n play ${kind}/db --timeout=20s`), /complete|successfully rolled out/);
      }
      assert.match(await kubectl(`rollout history -n play ${kind}/db`), /\n1 .*\n2 /);
      assert.match(await kubectl(`rollout undo -n play ${kind}/db`), /rolled back/);
      assert.match(await kubectl(`rollout status -n play ${kind}/db --timeout=20s`), /complete|successfully rolled out/);
      assert.equal(await kubectl(`get ${kind} -n play db -o jsonpath={.spec.template.spec.containers[0].image}`), 'example.com/db:1');
      await kubectl(`delete -n play ${kind} db`);
    }
  });

  it('runs Jobs and CronJobs, and says what keeps a pod', async () => {
    await kubectl('create job -n play once --image=example.com/once:1');
    assert.match(await kubectl('wait -n play job/once --for=condition=Complete --timeout=20s'), /condition met/);
    assert.match(await kubectl('get jobs -n play'), /once +Complete +1\/1/);
    await kubectl('create cronjob -n play nightly --image=example.com/once:1 --schedule=0\u00a03\u00a0*\u00a0*\u00a0*');
    await kubectl('create job -n play now --from=cronjob/nightly');
    assert.match(await kubectl('wait -n play job/now --for=condition=Complete --timeout=20s'), /condition met/);
    await kubectl('run -n play stuck --image=sandbox.sluice.dev/pending:1');
    await kubectl('wait -n play pod/stuck --for=jsonpath={.status.phase}=Pending --timeout=20s');
    await kubectl('run -n play broken --image=sandbox.sluice.dev/crash:1');
    await kubectl('wait -n play pod/broken --for=jsonpath={.status.phase}=Running --timeout=20s');
    const pods = await kubectl('get pods -n play');
    assert.match(pods, /stuck +0\/1 +ImagePullBackOff/);
    assert.match(pods, /broken +0\/1 +CrashLoopBackOff +5/);
    assert.match(await kubectl('describe -n play pod stuck'), /Reason: +ImagePullBackOff/);
    await kubectl('delete -n play pod stuck broken');
  });

  it('exposes, autoscales and drains', async () => {
    assert.match(await kubectl('expose -n play deployment/web --port=80'), /exposed/);
    assert.match(await kubectl('get endpointslices -n play -l kubernetes.io/service-name=web'), /IPv4 +80 +10\.244\./);
    assert.match(await kubectl('get endpoints -n play web'), /web +10\.244\.[\d.]+:80/);
    assert.match(await kubectl('describe -n play service web'), /Endpoints: +10\.244\./);
    assert.match(await kubectl('autoscale -n play deployment/web --min=4 --max=5'), /autoscaled/);
    assert.match(await kubectl('rollout status -n play deployment/web --timeout=20s'), /successfully rolled out/);
    assert.equal(await kubectl('get -n play deployment web -o jsonpath={.status.availableReplicas}'), '4');
    await kubectl('create poddisruptionbudget -n play web --selector=app=web --min-available=1');
    await kubectl('wait -n play pdb/web --for=jsonpath={.status.expectedPods}=4 --timeout=20s');
    assert.match(await kubectl('get pdb -n play'), /web +1 +N\/A +3/);
    assert.match(await kubectl('get nodes'), /sandbox +Ready/);
  });

  it('asks what is allowed', async () => {
    assert.match(await kubectl('auth can-i create pods'), /^yes/);
    assert.match(await kubectl('auth can-i create pods --as=nobody', '', [1]), /^no/);
  });

  it('deletes and waits until it is gone', async () => {
    assert.match(await kubectl('delete deployment -n play web typed'), /"web" deleted/);
    assert.match(await kubectl('delete namespace play --timeout=20s'), /"play" deleted/);
    await kubectl('get namespace play', '', [1]);
  });
});
