import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { YamlObject } from '../../golang/index.ts';
import { configDigest } from './values-digest.ts';

// Digests Flux's own tests and its library give.
const cases: [name: string, values: YamlObject, digest: string][] = [
  ['no values', {}, 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  [
    'nested values',
    {
      replicas: 3,
      image: { tag: 'latest', repository: 'nginx' },
      ports: [
        { protocol: 'TCP', port: 8080 },
        { port: 9090, protocol: 'UDP' },
      ],
    },
    'sha256:fcdc2b0de1581a3633ada4afee3f918f6eaa5b5ab38c3fef03d5b48d3f85d9f6',
  ],
  [
    'keys with digits, whose natural order is another',
    {
      replicas: 3,
      test: {
        '632bd80235a05f4192aefade': 'value1',
        '632bd80ddf416cf32fd50679': 'value2',
        '632bd817c559818a52307da2': 'value3',
        '632bd82398e71231a98004b6': 'value4',
      },
    },
    'sha256:8a980fcbeadd6f05818f07e8aec14070c22250ca3d96af1fcd5f93b3e85b4d70',
  ],
];
for (const [name, values, digest] of cases) test(`HB24: digest of ${name}`, () => assert.equal(configDigest(values), digest));
