import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { it } from 'node:test';

it('the example in README.md runs', async () => {
  const readme = readFileSync(new URL('README.md', import.meta.url), 'utf8');
  const example = /```ts\n([^]*?)```/.exec(readme)?.[1] ?? '';
  const printed: unknown[] = [];
  const source = stripTypeScriptTypes(example)
    .replace("'sluice/helm'", JSON.stringify(new URL('index.ts', import.meta.url).href))
    .replace('console.log(', 'globalThis.printed(');
  Object.assign(globalThis, { printed: (text: unknown) => printed.push(text) });
  try {
    await import(`data:text/javascript,${encodeURIComponent(source)}`);
  } finally {
    Reflect.deleteProperty(globalThis, 'printed');
  }
  assert.deepEqual(printed, ['apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: demo\ndata:\n  text: hello Sluice\n']);
});
