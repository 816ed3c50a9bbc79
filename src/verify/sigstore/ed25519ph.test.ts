import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import { test } from 'node:test';
import { verifyEd25519, verifyEd25519ph } from './ed25519ph.ts';

test('the signature of RFC 8032 §7.3 verifies, and no other', () => {
  const der = Buffer.from('302a300506032b6570032100ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf', 'hex');
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
  const signature = Buffer.from(
    '98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae4131f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406',
    'hex',
  );
  assert.equal(verifyEd25519ph(Buffer.from('abc'), key, signature), true);
  assert.equal(verifyEd25519ph(Buffer.from('abd'), key, signature), false);
  assert.equal(verify(null, Buffer.from('abc'), key, signature), false, 'it is not a plain signature');
  for (let index = 0; index < 64; index += 7) {
    const changed = Buffer.from(signature);
    changed[index] = (changed[index] ?? 0) ^ 1;
    assert.equal(verifyEd25519ph(Buffer.from('abc'), key, changed), false);
  }
});

test('the arithmetic says what OpenSSL says', () => {
  for (let round = 0; round < 10; round++) {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const message = randomBytes(round * 20);
    const signature = sign(null, message, privateKey);
    assert.equal(verifyEd25519(message, publicKey, signature), true);
    const changed = Buffer.from(signature);
    const index = round * 6;
    changed[index] = (changed[index] ?? 0) ^ (1 << (round % 8));
    assert.equal(verifyEd25519(message, publicKey, changed), verify(null, message, publicKey, changed));
    // S + L is the same number to careless arithmetic: it must not be another good signature.
    const high =
      BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`) + 2n ** 252n + 27742317777372353535851937790883648493n;
    const malleable = Buffer.concat([signature.subarray(0, 32), Buffer.from(high.toString(16).padStart(64, '0'), 'hex').reverse()]);
    assert.equal(verifyEd25519(message, publicKey, malleable), false);
  }
});
