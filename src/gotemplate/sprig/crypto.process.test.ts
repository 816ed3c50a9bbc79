import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { systemProviders, type CertificatePair } from './index.ts';

const missing = spawnSync('openssl', ['version']).status === 0 ? false : 'openssl is not installed';
const folder = mkdtempSync(join(tmpdir(), 'sluice-x509-'));
const { crypto } = systemProviders();

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function openssl(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
  assert.equal(status, 0, `openssl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

suite('OpenSSL reads what we write', { skip: missing }, () => {
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('certificates of every kind of key verify against their authority', () => {
    const authorities: Record<string, CertificatePair> = {
      rsa: crypto.authority('rsa ca', 365),
      ecdsa: crypto.authority('ec ca', 365, crypto.privateKey('ecdsa')),
      ed25519: crypto.authority('ed ca', 365, crypto.privateKey('ed25519')),
    };
    for (const [type, authority] of Object.entries(authorities)) {
      const ca = file(`${type}-ca.pem`, authority.cert);
      const names = { commonName: 'svc', ips: ['10.0.0.1', '::1'], dnsNames: ['a.b'], days: 30 };
      const pair = crypto.signed(names, authority, crypto.privateKey('ecdsa'));
      openssl('verify', '-x509_strict', '-CAfile', ca, file(`${type}.pem`, pair.cert));
      const text = openssl('x509', '-noout', '-text', '-in', join(folder, `${type}.pem`));
      assert.match(text, /TLS Web Server Authentication, TLS Web Client Authentication/);
      assert.match(text, /DNS:a\.b, IP Address:10\.0\.0\.1, IP Address:0:0:0:0:0:0:0:1/);
    }
  });

  test('private keys', () => {
    for (const type of ['rsa', 'dsa', 'ecdsa', 'ed25519']) openssl('pkey', '-noout', '-in', file(`${type}.key`, crypto.privateKey(type)));
  });
});
