import { errorMessage } from '../../std/index.ts';
import { VerificationError } from '../verdict.ts';
import { MAX_CERTIFICATE_FILE, MAX_TRUSTED_CERTIFICATES } from './bounds.ts';
import { readCertificate, type Certificate } from './certificate.ts';
import { isIssuedBy, isSelfIssued } from './chain.ts';
import { DerError, readElement } from './der.ts';
import { parseTrustPolicy, type TrustPolicy } from './trust-policy.ts';

/** Certificate files by name: PEM (one or more blocks) or DER (one or more, one after the other). */
export type CertificateFiles = Readonly<Record<string, Uint8Array>> | ReadonlyMap<string, Uint8Array>;

/** A certificate that is trusted because the user says so. */
export type TrustedCertificate = Certificate;

/** Where trust stores are looked up; undefined when there is none of that name (`ca:release`). */
export interface TrustStores {
  certificates(store: string): readonly TrustedCertificate[] | undefined;
}

/**
 * Reads certificate files.
 * @throws VerificationError `TrustInvalid`, naming the file; `LimitExceeded`
 */
export function parseCertificates(files: CertificateFiles): readonly TrustedCertificate[] {
  const certificates: Certificate[] = [];
  for (const [name, bytes] of files instanceof Map ? files : Object.entries(files as Readonly<Record<string, Uint8Array>>)) {
    if (bytes.length > MAX_CERTIFICATE_FILE) tooMuch(name, `more than ${MAX_CERTIFICATE_FILE} bytes`);
    for (const der of certificateBlocks(name, bytes)) {
      if (certificates.length === MAX_TRUSTED_CERTIFICATES) tooMuch(name, `more than ${MAX_TRUSTED_CERTIFICATES} certificates in all`);
      certificates.push(readTrusted(name, der));
    }
  }
  return certificates;
}

function readTrusted(name: string, der: Uint8Array): Certificate {
  try {
    return readCertificate(der);
  } catch (error) {
    if (error instanceof DerError) invalid(name, error.message, error);
    throw error;
  }
}

const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n([A-Za-z0-9+/=\s]*?)-----END \1-----/g;

/** The DER texts of a file. */
function certificateBlocks(name: string, bytes: Uint8Array): readonly Uint8Array[] {
  const text = Buffer.from(bytes).toString('latin1');
  if (!text.includes('-----BEGIN ')) return derBlocks(name, bytes);
  const blocks = [...text.matchAll(PEM_BLOCK)].map(([, type, base64 = '']) => {
    if (type !== 'CERTIFICATE') invalid(name, `it has a PEM block ${JSON.stringify(type)}, want only "CERTIFICATE"`);
    return Buffer.from(base64, 'base64');
  });
  if (blocks.length === 0) invalid(name, 'it has no complete PEM block');
  return blocks;
}

function derBlocks(name: string, bytes: Uint8Array): readonly Uint8Array[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const blocks: Uint8Array[] = [];
  try {
    for (let at = 0; at < buffer.length;) {
      const element = readElement(buffer, at);
      blocks.push(element.bytes);
      at += element.bytes.length;
    }
  } catch (error) {
    if (error instanceof DerError) invalid(name, `it is neither PEM nor DER: ${errorMessage(error)}`, error);
    throw error;
  }
  if (blocks.length === 0) invalid(name, 'it is empty');
  return blocks;
}

/**
 * Trust stores by name (`ca:release`), with the rules of notation's own stores: authorities or self-signed certificates, and self-signed
 * roots in `tsa:` stores (trust-store-trust-policy.md, Trust Store).
 * @throws VerificationError `TrustInvalid`, `LimitExceeded`
 */
export function namedTrustStores(stores: Readonly<Record<string, CertificateFiles>>): TrustStores {
  const known = new Map<string, readonly Certificate[]>();
  for (const [store, files] of Object.entries(stores)) {
    const certificates = parseCertificates(files);
    for (const certificate of certificates) checkTrusted(store, certificate);
    known.set(store, certificates);
  }
  return { certificates: (store) => known.get(store) };
}

function checkTrusted(store: string, certificate: Certificate): void {
  const { text } = certificate.subject;
  if (certificate.basicConstraints?.authority !== true && !isSelfIssued(certificate)) {
    invalid(store, `certificate ${JSON.stringify(text)} is neither an authority nor self-signed`);
  }
  if (store.startsWith('tsa:') && !isIssuedBy(certificate, certificate))
    invalid(store, `certificate ${JSON.stringify(text)} is not a root`);
}

/** One set of certificates that answers to every name, as Flux does with those of a Secret (OB15). */
export function everyTrustStore(certificates: readonly TrustedCertificate[]): TrustStores {
  return { certificates: () => certificates };
}

/** The key of the trust policy in a Secret (OB15). */
export const TRUST_POLICY_KEY = 'trustpolicy.json';

/**
 * Reads the Secret of `spec.verify.secretRef` for notation: `trustpolicy.json`, and at least one entry that ends in `.crt` or `.pem`;
 * every trust store of the policy consists of all of them (OB15).
 * @param data decoded entries
 * @throws VerificationError `TrustInvalid`, `LimitExceeded`
 */
export function parseNotationSecret(data: Readonly<Record<string, Uint8Array>>): { policy: TrustPolicy; stores: TrustStores } {
  const document = Object.hasOwn(data, TRUST_POLICY_KEY) ? data[TRUST_POLICY_KEY] : undefined;
  if (document === undefined) invalid('Secret', `it has no entry ${JSON.stringify(TRUST_POLICY_KEY)}`);
  const files = Object.fromEntries(Object.entries(data).filter(([name]) => name.endsWith('.crt') || name.endsWith('.pem')));
  if (Object.keys(files).length === 0) invalid('Secret', 'it has no entry that ends in ".crt" or ".pem"');
  return { policy: parseTrustPolicy(document), stores: everyTrustStore(parseCertificates(files)) };
}

function invalid(name: string, problem: string, cause?: unknown): never {
  const error = new VerificationError('TrustInvalid', `read trusted certificates of ${JSON.stringify(name)}: ${problem}`, name, []);
  if (cause !== undefined) error.cause = cause;
  throw error;
}

function tooMuch(name: string, problem: string): never {
  throw new VerificationError('LimitExceeded', `read trusted certificates of ${JSON.stringify(name)}: ${problem}`, name, []);
}
