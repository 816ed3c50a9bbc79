import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Build } from './index.ts';

it('the example of the README does what it says', async () => {
  const readme = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8');
  const [, example = ''] = /```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  const source = example
    .replace("'sluice/kustomize'", JSON.stringify(pathToFileURL(join(import.meta.dirname, 'index.ts')).href))
    .replace("'sluice/manifest'", JSON.stringify(pathToFileURL(join(import.meta.dirname, '..', 'manifest', 'index.ts')).href));
  const folder = mkdtempSync(join(import.meta.dirname, '.readme-'));
  try {
    const file = join(folder, 'example.ts');
    writeFileSync(file, `${source}\nexport { objects, text, reads };\n`);
    const { objects, text, reads } = (await import(pathToFileURL(file).href)) as Build;
    assert.deepEqual(objects[0]?.metadata, { name: 'prod-app', namespace: 'shop' });
    assert.match(text(), /^apiVersion: v1\ndata:\n {2}level: info\n/);
    assert.equal(reads.has('base/config.yaml'), true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
