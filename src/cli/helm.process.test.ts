import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { memoryStore, startRegistry, type RunningRegistry } from '../oci/index.ts';
import { systemClock } from '../std/index.ts';

type Run = { code: number | null; out: string; err: string };

describe('sluice helm', () => {
  let folder: string;
  let registry: RunningRegistry;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'helm-cli-'));
    registry = await startRegistry({ store: memoryStore(), clock: systemClock, secret: new Uint8Array(32) });
    write('demo/Chart.yaml', 'apiVersion: v2\nname: demo\nversion: 1.2.3+build\nappVersion: "7"\n');
    write('demo/values.yaml', 'who: world\nlist: []\n');
    write(
      'demo/templates/cm.yaml',
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n  namespace: {{ .Release.Namespace }}\ndata:\n  who: {{ .Values.who }}\n  list: {{ toJson .Values.list }}\n',
    );
    write('demo/templates/test.yaml', 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: t\n  annotations: {helm.sh/hook: test}\n');
    write('shared.txt', '{{/* shared */}}');
    symlinkSync(join(folder, 'shared.txt'), join(folder, 'demo/templates/_shared.tpl'));
    write('more.yaml', 'who: file\n');
  });
  after(async () => {
    await registry.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function write(path: string, text: string): void {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }

  function sluice(...args: readonly string[]): Promise<Run> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), 'helm', ...args], {
        cwd: folder,
        env: { PATH: process.env['PATH'] ?? '', HOME: folder },
      });
      const run: Run = { code: null, out: '', err: '' };
      child.stdout.on('data', (chunk: Buffer) => (run.out += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (run.err += chunk.toString()));
      child.on('error', reject);
      child.on('close', (code) => resolve({ ...run, code }));
    });
  }

  function manifest(name: string, namespace: string, who: string, list = '[]'): string {
    return `---\n# Source: demo/templates/cm.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n  namespace: ${namespace}\ndata:\n  who: ${who}\n  list: ${list}\n`;
  }

  it('template prints manifests, then hooks', async () => {
    const { code, out, err } = await sluice('template', 'rel', 'demo', '-f', 'more.yaml', '--set', 'list={a,2}', '-n', 'prod');
    assert.equal(err, '');
    assert.equal(code, 0);
    const hook =
      '---\n# Source: demo/templates/test.yaml\napiVersion: v1\nkind: Pod\nmetadata:\n  name: t\n  annotations: {helm.sh/hook: test}\n\n';
    assert.equal(out, manifest('rel', 'prod', 'file', '["a",2]') + hook);
  });

  it('template takes the release’s defaults, --no-hooks and --output-dir', async () => {
    assert.equal((await sluice('template', 'demo', '--no-hooks')).out, manifest('release-name', 'default', 'world'));
    const { out } = await sluice('template', 'demo', '--no-hooks', '--output-dir', 'out');
    assert.equal(out, 'wrote out/demo/templates/cm.yaml\n\n');
    assert.equal(readFileSync(join(folder, 'out/demo/templates/cm.yaml'), 'utf8'), `${manifest('release-name', 'default', 'world')}\n`);
  });

  it('template fails in Helm’s words', async () => {
    const { code, err } = await sluice('template', 'demo', '--set', 'a');
    assert.equal(code, 1);
    assert.match(err, /failed parsing --set data: key "a" has no value/);
  });

  it('package, push, pull and template of an OCI chart go together', async () => {
    assert.equal(
      (await sluice('package', 'demo', '-d', 'packed')).out,
      `Successfully packaged chart and saved it to: ${join(folder, 'packed/demo-1.2.3+build.tgz')}\n`,
    );
    const target = `oci://${registry.host}/charts`;
    const pushed = await sluice('push', 'packed/demo-1.2.3+build.tgz', target, '--insecure-registry');
    assert.match(pushed.out, new RegExp(`^Pushed: ${registry.host}/charts/demo:1.2.3_build\nDigest: sha256:[0-9a-f]{64}\n$`), pushed.err);
    const pulled = await sluice('pull', `${target}/demo`, '--version', '1.2.3+build', '-d', 'pulled', '--insecure-registry');
    assert.equal(pulled.out, pushed.out.replace('Pushed', 'Pulled'), pulled.err);
    assert.deepEqual(readFileSync(join(folder, 'pulled/demo-1.2.3+build.tgz')), readFileSync(join(folder, 'packed/demo-1.2.3+build.tgz')));
    const { out } = await sluice('template', 'x', `${target}/demo`, '--version', '1.2.3+build', '--no-hooks', '--insecure-registry');
    assert.equal(out, manifest('x', 'default', 'world'));
  });

  it('charts of a repository are pulled, unpacked and rendered, and values come from URLs', async () => {
    await sluice('package', 'demo', '-d', 'served', '--version', '2.0.0');
    const index = 'apiVersion: v1\nentries: {demo: [{apiVersion: v2, name: demo, version: 2.0.0, urls: [demo-2.0.0.tgz]}]}\n';
    const pages: Record<string, string | Buffer> = {
      '/index.yaml': index,
      '/demo-2.0.0.tgz': readFileSync(join(folder, 'served/demo-2.0.0.tgz')),
      '/values.yaml': 'who: url\n',
      '/who.txt': 'file',
    };
    const server = createServer((request, response) => response.end(pages[request.url ?? ''] ?? '')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const runs = await Promise.all([
        sluice('pull', 'demo', '--repo', url, '-d', 'r', '--version', '^2'),
        sluice('pull', 'demo', '--repo', url, '-d', 'r', '--untar', '--untardir', 'unpacked'),
        sluice('template', 'x', 'demo', '--repo', url, '--no-hooks', '-f', `${url}/values.yaml`, '-n', 'prod'),
        sluice('template', `${url}/demo-2.0.0.tgz`, '--no-hooks', '--set-file', `who=${url}/who.txt`),
        sluice('pull', 'demo', '--repo', url, '--version', '1.2.3'),
      ]);
      assert.deepEqual(
        runs.map(({ code }) => code),
        [0, 0, 0, 0, 1],
      );
      assert.deepEqual(readFileSync(join(folder, 'r/demo-2.0.0.tgz')), pages['/demo-2.0.0.tgz']);
      assert.match(readFileSync(join(folder, 'r/unpacked/demo/Chart.yaml'), 'utf8'), /version: 2\.0\.0/);
      assert.ok(existsSync(join(folder, 'r/unpacked/demo/templates/cm.yaml')));
      assert.equal(runs[2].out, manifest('x', 'prod', 'url'));
      assert.equal(runs[3].out, manifest('release-name', 'default', 'file'));
      assert.match(runs[4].err, /chart "demo" version "1\.2\.3" not found in .* repository/);
      const again = await sluice('pull', 'demo', '--repo', url, '-d', 'r', '--untar', '--untardir', 'unpacked');
      assert.match(again.err, /failed to untar: a file or directory with the name r\/unpacked\/demo already exists/);
    } finally {
      server.close().closeAllConnections();
    }
  });
});
