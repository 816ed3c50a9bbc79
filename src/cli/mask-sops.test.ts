import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '../manifest/index.ts';
import { maskSops } from './mask-sops.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const secret = (fields: Record<string, unknown>): KubeObject => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, ...fields });
const sops = { mac: 'ENC[AES256_GCM,data:x]', lastmodified: 'x' };

describe('maskSops', () => {
  it('masks all of an encrypted Secret and drops the metadata of SOPS', () => {
    assert.deepEqual(
      maskSops(secret({ data: { a: 'ENC[x]' }, stringData: { b: 'ENC[y]' }, sops })),
      secret({ data: { a: base64('**SOPS**') }, stringData: { b: '**SOPS**' } }),
    );
  });

  it('masks registry credentials with JSON, as they must be', () => {
    const type = 'kubernetes.io/dockerconfigjson';
    const masked = maskSops(secret({ type, data: { '.dockerconfigjson': 'ENC[x]' }, sops }));
    assert.deepEqual(masked, secret({ type, data: { '.dockerconfigjson': base64('{"mask":"**SOPS**"}') } }));
  });

  it('masks files that were encrypted as a whole, and nothing else', () => {
    const file = 'key: ENC[x]\nsops: {}\n';
    assert.deepEqual(
      maskSops(secret({ data: { file: base64(file), open: base64('plain') }, stringData: { file, open: 'plain' } })),
      secret({ data: { file: base64('**SOPS**'), open: base64('plain') }, stringData: { file: base64('**SOPS**'), open: 'plain' } }),
    );
  });

  it('drops the metadata of SOPS from other kinds', () => {
    const map: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' } };
    assert.deepEqual(maskSops({ ...map, sops }), map);
    assert.equal(maskSops(map), map);
  });
});
