import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseOCIRepository, type OCIRepository } from '../../api/index.ts';
import type { Instant } from '../../std/index.ts';
import {
  contentAnnotations,
  contentAnnotationsChanged,
  contentChoice,
  manifestMetadata,
  mirrorsOf,
  sourceAnnotations,
  sourceAnnotationsChanged,
} from './annotations.ts';
import { stillServing } from './outage.ts';

const { layers, platform, artifactType, mirrors } = sourceAnnotations;
const object = (annotations: Record<string, string>): OCIRepository =>
  parseOCIRepository({
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'OCIRepository',
    metadata: { name: 'app', namespace: 'ns', uid: 'u', resourceVersion: '1', generation: 1, annotations },
    spec: { url: 'oci://r.test/app', interval: '1m' },
  });

test('what annotations ask for', () => {
  assert.deepEqual(contentChoice(object({})), { merge: false, image: {} });
  assert.deepEqual(contentChoice(object({ [layers]: 'merge', [platform]: 'linux/arm/v7', [artifactType]: 'application/vnd.x+json' })), {
    merge: true,
    image: { platform: { os: 'linux', architecture: 'arm', variant: 'v7' }, artifactType: 'application/vnd.x+json' },
  });
});

const wrong: [string, string, RegExp][] = [
  [layers, 'all', /annotation source\.sluice\.dev\/layers: "all": want merge$/],
  [platform, 'arm64', /parse platform "arm64": want OS\/ARCHITECTURE/],
  [platform, 'linux/arm64/v8/x', /parse platform/],
  [artifactType, 'no type', /want a media type$/],
];
for (const [key, value, message] of wrong) {
  test(`an annotation that is none stalls: ${key}: ${value}`, () => {
    assert.throws(() => contentChoice(object({ [key]: value })), { code: 'OCIArtifactLayerOperationFailed', stalls: true, message });
  });
}

test('mirrors are bounded', () => {
  assert.deepEqual(mirrorsOf(object({ [mirrors]: ' a.test , ' })), [{ target: 'a.test' }]);
  const many = Array.from({ length: 11 }, (_, i) => `m${i}.test`).join();
  assert.throws(() => mirrorsOf(object({ [mirrors]: many })), { code: 'URLInvalid', stalls: true, message: /want at most 10 mirrors/ });
});

test('what was asked for is kept with the artifact, and nothing a manifest says passes for it', () => {
  const metadata = contentAnnotations({ [layers]: 'merge', other: 'x', [mirrors]: 'a.test' });
  assert.deepEqual(metadata, { [layers]: 'merge' });
  const artifact = { path: 'p', url: 'u', revision: 'r', digest: 'd', lastUpdateTime: '2026-01-01T00:00:00Z', metadata };
  assert.ok(!contentAnnotationsChanged(object({ [layers]: 'merge' }), { artifact }));
  assert.ok(contentAnnotationsChanged(object({}), { artifact }));
  assert.ok(contentAnnotationsChanged(object({ [layers]: 'merge', [platform]: 'linux/amd64' }), { artifact }));
  assert.deepEqual(manifestMetadata({ [platform]: 'linux/arm64', 'org.opencontainers.image.source': 's' }), {
    'org.opencontainers.image.source': 's',
  });
});

test('only annotations that mean something ask for another look', () => {
  assert.ok(sourceAnnotationsChanged({ [mirrors]: 'a.test' }, undefined));
  assert.ok(!sourceAnnotationsChanged({ other: '1', [mirrors]: 'a' }, { other: '2', [mirrors]: 'a' }));
});

test('OB26: the age of what is served is told in steps', () => {
  const artifact = { path: 'p', url: 'u', revision: 'latest@sha256:x', digest: 'd', lastUpdateTime: '2026-01-01T00:00:00Z' };
  const stored = Date.parse(artifact.lastUpdateTime);
  const said = (age: number): string => stillServing(artifact, (stored + age) as Instant);
  assert.equal(stillServing(undefined, 0 as Instant), '');
  assert.equal(said(59_000), "; revision 'latest@sha256:x', stored less than a minute ago, is still served");
  assert.match(said(3_600_000), /stored over an hour ago/);
  assert.match(said(10 * 24 * 3_600_000), /stored over 7 days ago/);
  const texts = new Set(Array.from({ length: 24 * 60 }, (_, minute) => said(minute * 60_000)));
  assert.ok(texts.size <= 9, 'an outage of a day is not a thousand writes');
});
