import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..', '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

function run(command: string, args: readonly string[], cwd: string): string {
  const path = `${dirname(process.execPath)}:${process.env['PATH']}`;
  const done = spawnSync(command, args, { cwd, encoding: 'utf8', env: { ...process.env, PATH: path } });
  assert.equal(done.status, 0, `${command} ${args.join(' ')}: ${done.stdout}${done.stderr}`);
  return done.stdout;
}

test('the packed tarball works from an empty folder: npx sluice, and every exported engine', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-package-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  run('npm', ['pack', '--silent', '--pack-destination', folder], root);
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  assert.ok(tarball !== undefined);
  writeFileSync(join(folder, 'package.json'), '{"private": true, "type": "module"}');
  run('npm', ['install', '--silent', '--prefer-offline', '--no-audit', '--no-fund', `./${tarball}`], folder);
  assert.equal(run('npx', ['--no-install', 'sluice', '--version'], folder).trim(), `sluice version ${version}`);
  writeFileSync(
    join(folder, 'use.js'),
    `import { parseReference } from 'sluice/oci';
import { build } from 'sluice/kustomize';
import { loadChart, render } from 'sluice/helm';
import { memoryTree } from 'sluice/manifest';
console.log([parseReference, build, loadChart, render, memoryTree].map((it) => typeof it).join(' '));`,
  );
  assert.equal(run(process.execPath, ['use.js'], folder).trim(), 'function function function function function');
});
