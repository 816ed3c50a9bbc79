// The engines against the recorded outputs of the originals, whole; each skips where the corpus is absent.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { corpus } from '../corpus.ts';

for (const name of ['golang', 'kustomize', 'helm']) {
  const folder = corpus(name);
  test(`${name}: every recorded case`, { skip: folder === undefined ? 'needs the corpus' : false }, async () => {
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, `${name}.ts`), '--corpus', folder ?? ''],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const output: string[] = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => output.push(chunk.toString()));
    const status = await new Promise<number | null>((resolve) => child.on('exit', resolve));
    const text = output.join('');
    assert.equal(status, 0, text.slice(-6000));
    assert.match(text, /^[1-9]\d* passed, 0 failed/m);
  });
}
