import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import { digestOf, errorMessage, type Digest } from '../../std/index.ts';
import { verifyEd25519ph } from '../sigstore/ed25519ph.ts';
import { VerificationError } from '../verdict.ts';
import { MAX_KEY_FILE, MAX_KEYS } from './limits.ts';

/** A trusted public key. */
export type PublicKey = {
  /** The file it came from. */
  readonly name: string;
  /** `sha256:` and the hash of its SubjectPublicKeyInfo. */
  readonly fingerprint: Digest;
  readonly key: KeyObject;
  /** Hashes a signature by it may use; none for Ed25519, which brings its own. */
  readonly hashes: readonly string[];
};

const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[^-]*-----END \1-----/g;
const LABELS = new Set(['PUBLIC KEY', 'RSA PUBLIC KEY']);
const MIN_RSA_BITS = 2048;
const MAX_RSA_BITS = 16_384;
/** Flux and old cosign hash with SHA-256 whatever the curve; cosign 3 takes the hash that fits the curve. */
const CURVE_HASHES: Readonly<Record<string, readonly string[]>> = {
  prime256v1: ['sha256'],
  secp384r1: ['sha256', 'sha384'],
  secp521r1: ['sha256', 'sha512'],
};

/**
 * Reads the public keys of a Secret: PEM files of ECDSA (P-256, P-384, P-521), RSA (2048 bits and more) or Ed25519 keys (OB14). The
 * caller chooses the files (Flux: keys of the Secret that end in `.pub`); a file with several keys gives all of them.
 * @throws VerificationError `TrustInvalid`, naming the file
 */
export function parsePublicKeys(files: Iterable<readonly [name: string, content: Uint8Array]>): PublicKey[] {
  const keys: PublicKey[] = [];
  for (const [name, content] of files) {
    if (content.length > MAX_KEY_FILE) throw invalid(name, `${content.length} bytes, want at most ${MAX_KEY_FILE}`);
    const blocks = [...Buffer.from(content).toString('latin1').matchAll(PEM_BLOCK)];
    if (blocks.length === 0) throw invalid(name, 'no PEM block, want "-----BEGIN PUBLIC KEY-----"');
    for (const [pem, label = ''] of blocks) keys.push(parseKey(name, label, pem));
    if (keys.length > MAX_KEYS) throw invalid(name, `more than ${MAX_KEYS} keys`);
  }
  if (keys.length === 0) throw invalid('*.pub', 'no public key');
  return keys;
}

/** The first of `keys` that made `signature` over `data`. */
export function findSigningKey(data: Uint8Array, signature: Uint8Array, keys: readonly PublicKey[]): PublicKey | undefined {
  return keys.find(({ key, hashes }) => {
    if (key.asymmetricKeyType !== 'ed25519') return hashes.some((hash) => verify(hash, data, key, signature));
    // cosign signs the hash (Ed25519ph); other signers, and all envelopes of other tools, the message.
    return verify(null, data, key, signature) || verifyEd25519ph(data, key, signature);
  });
}

function parseKey(name: string, label: string, pem: string): PublicKey {
  // createPublicKey would take a private key or a certificate too: neither belongs in a Secret of public keys.
  if (!LABELS.has(label)) throw invalid(name, `PEM block ${JSON.stringify(label)}, want "PUBLIC KEY"${hintFor(label, name)}`);
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch (error) {
    throw invalid(name, `what its PEM block ${JSON.stringify(label)} holds is no public key (${errorMessage(error)})`);
  }
  const fingerprint = digestOf(key.export({ type: 'spki', format: 'der' }));
  return { name, fingerprint, key, hashes: hashesOf(name, key) };
}

/** How to get a public key from what was given in its place. */
function hintFor(label: string, name: string): string {
  const file = JSON.stringify(name);
  if (label === 'CERTIFICATE') return `: openssl x509 -pubkey -noout -in ${file}`;
  if (label.includes('SIGSTORE')) return `, and no private key in a Secret that only verifies: cosign public-key --key ${file}`;
  if (label.endsWith('PRIVATE KEY')) return `, and no private key in a Secret that only verifies: openssl pkey -pubout -in ${file}`;
  return '';
}

function hashesOf(name: string, key: KeyObject): readonly string[] {
  const details = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'ed25519':
      return [];
    case 'ec': {
      const hashes = CURVE_HASHES[details.namedCurve ?? ''];
      if (hashes === undefined) throw invalid(name, `curve ${JSON.stringify(details.namedCurve)}, want P-256, P-384 or P-521`);
      return hashes;
    }
    case 'rsa': {
      const bits = details.modulusLength ?? 0;
      if (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS)
        throw invalid(name, `RSA key of ${bits} bits, want ${MIN_RSA_BITS} to ${MAX_RSA_BITS}`);
      return ['sha256'];
    }
    default:
      throw invalid(name, `key type ${JSON.stringify(key.asymmetricKeyType)}, want ECDSA, RSA or Ed25519`);
  }
}

function invalid(name: string, cause: string): VerificationError {
  return new VerificationError(
    'TrustInvalid',
    `read public key ${JSON.stringify(name)}: ${cause}`,
    name,
    [],
    'give PEM files with ECDSA, RSA or Ed25519 public keys, such as cosign.pub',
  );
}
