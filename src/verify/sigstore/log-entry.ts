import { X509Certificate as StrictCertificate, createPublicKey } from 'node:crypto';
import type { TransparencyLogEntry } from '@sigstore/bundle';
import { errorMessage } from '../../std/index.ts';
import { at, parseUntrustedJson } from './json.ts';
import { Refusal } from './refusal.ts';

/** Where each kind of entry keeps the key or certificate: PEM in base64 (Rekor v1), DER in base64 (Rekor v2). */
const PEM_PATHS: Readonly<Record<string, readonly (string | number)[]>> = {
  'hashedrekord/0.0.1': ['spec', 'signature', 'publicKey', 'content'],
  'dsse/0.0.1': ['spec', 'signatures', 0, 'verifier'],
  'intoto/0.0.2': ['spec', 'content', 'envelope', 'signatures', 0, 'publicKey'],
};
const VERIFIER_PATHS: Readonly<Record<string, readonly (string | number)[]>> = {
  'hashedrekord/0.0.2': ['spec', 'hashedRekordV002', 'signature', 'verifier'],
  'dsse/0.0.2': ['spec', 'dsseV002', 'signatures', 0, 'verifier'],
};

/** The signer as DER: a certificate, and the SubjectPublicKeyInfo of its key or of the bare key. */
export type SignerDer = { certificate?: Buffer; publicKey: Buffer };

/**
 * Checks that a log entry was made with the certificate or key of the signature. The library compares signature and payload only; a log
 * entry under somebody else's certificate must not vouch for ours (Sigstore client specification §4.4).
 * @throws Refusal `ProofInvalid`
 */
export function assertLoggedSigner(entry: TransparencyLogEntry, signer: SignerDer): void {
  const logged = loggedSigner(entry);
  const same = logged.certificate ? signer.certificate?.equals(logged.der) : signer.publicKey.equals(logged.der);
  if (same !== true)
    throw new Refusal(
      'ProofInvalid',
      `a log entry (index ${entry.logIndex}) of another signer`,
      "a log entry with the signature's own signer",
    );
}

function loggedSigner(entry: TransparencyLogEntry): { certificate: boolean; der: Buffer } {
  const kind = `${entry.kindVersion.kind}/${entry.kindVersion.version}`;
  try {
    const body = parseUntrustedJson(entry.canonicalizedBody);
    const pemPath = PEM_PATHS[kind];
    if (pemPath !== undefined) return fromPem(Buffer.from(text(at(body, ...pemPath)), 'base64'));
    const verifier = at(body, ...(VERIFIER_PATHS[kind] ?? []));
    const certificate = at(verifier, 'x509Certificate', 'rawBytes');
    if (certificate !== undefined) return { certificate: true, der: Buffer.from(text(certificate), 'base64') };
    return { certificate: false, der: Buffer.from(text(at(verifier, 'publicKey', 'rawBytes')), 'base64') };
  } catch (error) {
    throw new Refusal(
      'ProofInvalid',
      `a log entry of kind ${JSON.stringify(kind)} without a signer (${errorMessage(error)})`,
      'a signer',
      error,
    );
  }
}

function fromPem(pem: Buffer): { certificate: boolean; der: Buffer } {
  if (pem.includes('BEGIN CERTIFICATE')) return { certificate: true, der: new StrictCertificate(pem).raw };
  return { certificate: false, der: createPublicKey(pem).export({ type: 'spki', format: 'der' }) };
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new Error('no text where the signer should be');
  return value;
}
