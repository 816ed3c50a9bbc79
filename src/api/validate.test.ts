import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCodedError } from '../std/index.ts';
import { kustomizationKind, ociRepositoryKind, parseKustomization, parseOCIRepository, readKind } from './index.ts';

const metadata = { name: 'app', namespace: 'default', uid: 'u', resourceVersion: '1', generation: 1 };
const source = (spec: Record<string, unknown>): Record<string, unknown> => ({
  apiVersion: 'source.toolkit.fluxcd.io/v1',
  kind: 'OCIRepository',
  metadata,
  spec: { url: 'oci://registry.test/app', interval: '1m', ...spec },
});
const kustomization = (spec: Record<string, unknown>): Record<string, unknown> => ({
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  metadata,
  spec: { interval: '1m', prune: true, sourceRef: { kind: 'OCIRepository', name: 'app' }, ...spec },
});

test('defaults are filled in, unknown fields go', () => {
  const object = parseOCIRepository(source({ verify: {}, surprise: 1 }));
  assert.deepEqual(object.spec, {
    url: 'oci://registry.test/app',
    interval: '1m',
    provider: 'generic',
    timeout: '60s',
    verify: { provider: 'cosign' },
  });
  assert.deepEqual(object.status, { observedGeneration: -1 });
  assert.equal(parseKustomization(kustomization({})).spec.force, false);
});

const faults: { name: string; kind: typeof ociRepositoryKind; object: Record<string, unknown>; want: RegExp }[] = [
  { name: 'C03 interval', kind: ociRepositoryKind, object: source({ interval: '1 minute' }), want: /^spec\.interval: Invalid value/ },
  { name: 'C03 timeout takes no hours', kind: ociRepositoryKind, object: source({ timeout: '1h' }), want: /^spec\.timeout: Invalid value/ },
  {
    name: 'url',
    kind: ociRepositoryKind,
    object: source({ url: 'https://x' }),
    want: /^spec\.url: Invalid value: "https:\/\/x": spec.url in body should match '\^oci/,
  },
  {
    name: 'required',
    kind: ociRepositoryKind,
    object: { ...source({}), spec: { url: 'oci://x/y' } },
    want: /^spec\.interval: Required value$/,
  },
  {
    name: 'enum',
    kind: ociRepositoryKind,
    object: source({ provider: 'ibm' }),
    want: /^spec\.provider: Unsupported value: "ibm": supported values: "generic"/,
  },
  { name: 'wrong type', kind: ociRepositoryKind, object: source({ suspend: 'yes' }), want: /^spec\.suspend: .*must be of type boolean/ },
  {
    name: 'length',
    kind: kustomizationKind,
    object: kustomization({ targetNamespace: 'n'.repeat(64) }),
    want: /^spec\.targetNamespace: Too long/,
  },
  {
    name: 'CEL: both kubeConfig refs',
    kind: kustomizationKind,
    object: kustomization({ kubeConfig: { secretRef: { name: 'a' }, configMapRef: { name: 'b' } } }),
    want: /exactly one of/,
  },
  { name: 'CEL: no kubeConfig ref', kind: kustomizationKind, object: kustomization({ kubeConfig: {} }), want: /exactly one of/ },
];
for (const { name, kind, object, want } of faults) {
  test(`a fault is named with its path: ${name}`, () => {
    const reading = readKind(kind, object);
    assert.equal(reading.faults.length, 1);
    assert.match(`${reading.faults[0]?.path}: ${reading.faults[0]?.message}`, want);
  });
}

test('every fault is reported at once', () => {
  assert.throws(
    () => parseOCIRepository(source({ url: 1, interval: true })),
    (error) => isCodedError(error, 'ObjectInvalid') && /spec\.url.*spec\.interval/.test(error.message) && !error.retryable,
  );
});
