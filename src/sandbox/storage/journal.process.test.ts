import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Journal } from './journal.ts';
import { Store } from './store.ts';

/** `SLUICE_KILLS=100` for the long run. */
const KILLS = Number(process.env['SLUICE_KILLS'] ?? 12);
const MAPS = '/configmaps';

/** Runs the writer until it has told a number of writes, then kills it; gives what it told. */
async function writeAndKill(folder: string, first: number, writes: number): Promise<string[]> {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'testing/writer.ts'), folder, String(first)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let [told, seen] = ['', 0];
  child.stdout.on('data', (chunk: Buffer) => {
    told += chunk.toString();
    seen += chunk.toString().split('\n').length - 1;
    if (seen >= writes) child.kill('SIGKILL');
  });
  const signal = await new Promise<string | null>((resolve) => child.on('close', (_, it) => resolve(it)));
  assert.equal(signal, 'SIGKILL', 'the writer writes until it is killed');
  // A line cut short was not told.
  return told.split('\n').slice(0, -1);
}

function read(folder: string): Store {
  const store = new Store();
  const journal = new Journal(folder, store);
  journal.open();
  journal.close();
  return store;
}

test(`what was told before a kill -9 is there afterwards (${KILLS} kills, also in the middle of compactions)`, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sandbox-kills-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const state = new Map<string, string>();
  let [next, revision] = [0, 0];
  for (let kill = 0; kill < KILLS; kill++) {
    const lines = await writeAndKill(folder, next, 1 + Math.floor(Math.random() * 1500));
    for (const line of lines) {
      const [name = '', value = ''] = line.split(' ');
      if (value === '-') state.delete(name);
      else state.set(name, value);
    }
    next += lines.length;
    const store = read(folder);
    assert.ok(store.revision >= revision + lines.length, 'revisions never go back');
    ({ revision } = store);
    const found = new Map(store.list(MAPS).map((it) => [it.metadata.name, (it['data'] as { value: string }).value]));
    // One write may have happened without being told: everything else is exactly as it was told.
    const differing = [...new Set([...state.keys(), ...found.keys()])].filter((name) => state.get(name) !== found.get(name));
    assert.ok(differing.length <= 1, `after kill ${kill}: ${differing.join(', ')}`);
    for (const name of differing) {
      const value = found.get(name);
      assert.ok(value === undefined || Number(value) >= next, `${name} went back to ${value}`);
      if (value === undefined) state.delete(name);
      else state.set(name, value);
    }
    next += 1;
  }
});

test('a folder that another process uses is refused, and says which', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sandbox-lock-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'testing/writer.ts'), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  assert.throws(() => read(folder), { code: 'StorageFailed', message: `open ${folder}: process ${child.pid} uses it` });
  child.kill('SIGKILL');
  await new Promise((resolve) => child.on('close', resolve));
  assert.ok(read(folder).revision > 1, 'its lock goes with it');
  // The number of the process that was killed is another's now.
  writeFileSync(join(folder, 'lock'), `${process.ppid} 1`);
  if (process.platform === 'linux') assert.ok(read(folder).revision > 1, 'a lock of an earlier process with that number');
});
