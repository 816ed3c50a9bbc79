import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importFaults, importsOf } from './check-house.ts';

test('importsOf() finds static, re-exporting and dynamic imports', () => {
  const source =
    "import { a } from './a.ts';\nexport { b } from '../b/index.ts';\nconst c = await import('./c.ts');\nimport type { D } from 'node:fs';";
  assert.deepEqual(importsOf(source), ['./a.ts', '../b/index.ts', './c.ts']);
});

test('importFaults() refuses a wrong direction, a side door and an unknown room', () => {
  assert.deepEqual(importFaults('oci/client.ts', "import { x } from '../std/index.ts';"), []);
  assert.match(importFaults('std/x.ts', "import { x } from '../oci/index.ts';")[0] ?? '', /may not import room "oci"/);
  assert.match(importFaults('oci/x.ts', "import { x } from '../std/lru.ts';")[0] ?? '', /past the door/);
  assert.match(importFaults('cupboard/x.ts', '')[0] ?? '', /not a room/);
  assert.match(importFaults('oci/x.ts', "import { x } from '../../test/y.ts';")[0] ?? '', /outside src/);
});
