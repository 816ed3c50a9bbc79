import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { memoryTree } from '../manifest/index.ts';
import { build, KustomizeError } from './index.ts';

const FOLDER = join(import.meta.dirname, 'testdata');

/** The files of a case, by path: `want` is what kustomize 5.8.1 prints, `error` why it fails. */
function filesOf(text: string): Record<string, string> {
  const [, ...parts] = text.split(/^-- (.*) --\n/m);
  return Object.fromEntries(parts.flatMap((path, i) => (i % 2 === 0 ? [[path, parts[i + 1] ?? '']] : [])));
}

describe('build gives what kustomize 5.8.1 gives', () => {
  for (const name of readdirSync(FOLDER).sort()) {
    const text = readFileSync(join(FOLDER, name), 'utf8');
    it(`${name}: ${text.slice(0, text.indexOf('\n'))}`, () => {
      const { want, error, ...files } = filesOf(text);
      const run = (): string => build(memoryTree(files), files['kustomization.yaml'] === undefined ? 'app' : '').text();
      if (error === undefined) {
        const printed = run();
        assert.equal(printed, want);
        if (text.includes('buildMetadata:')) return; // Origins are left out by a build that is not asked for them.
        const again = { 'kustomization.yaml': 'resources: [all.yaml]\n', 'all.yaml': printed };
        assert.equal(build(memoryTree(again), '', { reorder: 'none' }).text(), printed, 'its own output is a fixed point');
      } else {
        assert.throws(run, (thrown) => thrown instanceof KustomizeError && `${thrown.message}\n` === error);
      }
    });
  }
});
