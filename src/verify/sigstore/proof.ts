import type { KeyObject } from 'node:crypto';
import type { Bundle } from '@sigstore/bundle';
import type { X509Certificate } from '@sigstore/core';
import { toSignedEntity, VerificationError as SigstoreError, Verifier, type SignedEntity } from '@sigstore/verify';
import { errorMessage } from '../../std/index.ts';
import type { Verdict } from '../verdict.ts';
import { certificateIdentity, parseLeaf, type CertificateIdentity } from './certificate.ts';
import { MAX_CERTIFICATE, MAX_CHAIN, MAX_CHECKPOINT, MAX_CLOCK_SKEW, MAX_PROOFS, MAX_TIMESTAMP } from './limits.ts';
import { assertLoggedSigner, type SignerDer } from './log-entry.ts';
import { Refusal } from './refusal.ts';
import type { TrustedRoot } from './trusted-root.ts';

/** What the proofs of a bundle establish. */
export type Proof = { log: Verdict['log']; timestamp?: Date };

/** A signature with its proofs; `artifact` is the payload when the bundle holds a bare signature instead of an envelope. */
export type ProvenSignature = { bundle: Bundle; artifact?: Buffer };

/**
 * Who a keyless signature says it is by; nothing is proven. To look at before the proofs are, which cost a hundred times as much: whoever
 * may push can have a certificate of the public-good authority, in a name of their own.
 * @throws Refusal
 */
export function claimedIdentity({ bundle }: ProvenSignature): CertificateIdentity {
  assertBounds(bundle);
  return certificateIdentity(parseLeaf(leafOf(bundle)));
}

/**
 * Verifies a keyless signature: certificate chain to the root's authority at a vouched time, certificate transparency (SCT), the log's
 * inclusion promise or proof, RFC 3161 timestamps, and the signature itself (Sigstore client specification §4).
 * @throws Refusal
 */
export function proveKeyless(signature: ProvenSignature, root: TrustedRoot, now: Date): Proof & { identity: CertificateIdentity } {
  assertBounds(signature.bundle);
  const der = leafOf(signature.bundle);
  const certificate = parseLeaf(der);
  const thresholds = { ctlogThreshold: 1, tlogThreshold: 1, timestampThreshold: 1 };
  const proof = prove(signature, new Verifier(root.material, thresholds), now, { certificate: der, publicKey: certificate.publicKey });
  return { ...proof, identity: certificateIdentity(certificate) };
}

/**
 * Verifies that a signature by `key` is in one of the root's transparency logs.
 * @throws Refusal
 */
export function proveLogged(signature: ProvenSignature, key: KeyObject, root: TrustedRoot, now: Date): Proof {
  assertBounds(signature.bundle);
  const material = { ...root.material, publicKey: () => ({ publicKey: key, validFor: () => true }) };
  const verifier = new Verifier(material, { ctlogThreshold: 0, tlogThreshold: 1, timestampThreshold: 0 });
  return prove(signature, verifier, now, { publicKey: key.export({ type: 'spki', format: 'der' }) });
}

function prove({ bundle, artifact }: ProvenSignature, verifier: Verifier, now: Date, signer: SignerDer): Proof {
  const entity = untangled(() => verifyEntity(toSignedEntity(bundle, artifact), verifier));
  for (const entry of entity.tlogEntries) assertLoggedSigner(entry, signer);
  const timestamp = vouchedTime(entity);
  if (timestamp !== undefined && timestamp.getTime() > now.getTime() + MAX_CLOCK_SKEW)
    throw new Refusal('ProofInvalid', `signed at ${timestamp.toISOString()}`, `a time before ${now.toISOString()}`);
  return { log: entity.tlogEntries.map(logged), ...(timestamp === undefined ? {} : { timestamp }) };
}

/** Verifies, and returns what was verified: all, or all but timestamps of authorities the root does not know. */
function verifyEntity(entity: SignedEntity, verifier: Verifier): SignedEntity {
  try {
    verifier.verify(entity);
    return entity;
  } catch (error) {
    // The log's own time is enough: a timestamp of an authority the root does not know neither helps nor harms, as for cosign.
    const logOnly = entity.timestamps.filter(({ $case }) => $case === 'transparency-log');
    if (
      error instanceof SigstoreError &&
      error.code === 'TIMESTAMP_ERROR' &&
      logOnly.length > 0 &&
      logOnly.length < entity.timestamps.length
    )
      return verifyEntity({ ...entity, timestamps: logOnly }, verifier);
    throw refusalOf(error, entity);
  }
}

/** Bounds what parsing and checking may cost, before any of it is done. */
function assertBounds({ verificationMaterial: { content, tlogEntries, timestampVerificationData } }: Bundle): void {
  const chain = content.$case === 'x509CertificateChain' ? content.x509CertificateChain.certificates : [];
  const certificates = content.$case === 'certificate' ? [content.certificate] : chain;
  const timestamps = timestampVerificationData?.rfc3161Timestamps ?? [];
  assertAtMost('certificates', certificates.length, MAX_CHAIN);
  assertAtMost('log entries', tlogEntries.length, MAX_PROOFS);
  assertAtMost('timestamps', timestamps.length, MAX_PROOFS);
  for (const { rawBytes } of certificates) assertAtMost('bytes of a certificate', rawBytes.length, MAX_CERTIFICATE);
  for (const { signedTimestamp } of timestamps) assertAtMost('bytes of a timestamp', signedTimestamp.length, MAX_TIMESTAMP);
  for (const { inclusionProof } of tlogEntries)
    assertAtMost('bytes of a checkpoint', inclusionProof?.checkpoint?.envelope.length ?? 0, MAX_CHECKPOINT);
}

function assertAtMost(what: string, count: number, limit: number): void {
  if (count > limit) throw new Refusal('LimitExceeded', `${count} ${what}`, `at most ${limit}`);
}

function leafOf({ verificationMaterial: { content } }: Bundle): Buffer<ArrayBuffer> {
  switch (content.$case) {
    case 'certificate':
      return Buffer.from(content.certificate.rawBytes);
    case 'x509CertificateChain':
      return Buffer.from(content.x509CertificateChain.certificates[0]?.rawBytes ?? []);
    case 'publicKey':
      throw new Refusal('SignerUntrusted', 'a signature by a bare key', 'a certificate of an OIDC identity');
  }
}

/** When the proofs say it was signed: the earliest vouched time. Only verified entities are asked. */
function vouchedTime({ timestamps }: SignedEntity): Date | undefined {
  // Without an inclusion promise nobody signed the time of a log entry.
  const vouched = timestamps.filter(
    (timestamp) => timestamp.$case !== 'transparency-log' || timestamp.tlogEntry.inclusionPromise !== undefined,
  );
  return vouched.map(timeOf).toSorted((a, b) => a.getTime() - b.getTime())[0];
}

/** Only what is proven: the promise signs index and time, the proof has an index of its own. */
function logged({
  logId,
  logIndex,
  integratedTime,
  inclusionPromise,
  inclusionProof,
}: SignedEntity['tlogEntries'][number]): Verdict['log'][number] {
  const id = logId.keyId.toString('hex');
  if (inclusionPromise === undefined) return { id, index: Number(inclusionProof?.logIndex) };
  return { id, index: Number(logIndex), integrated: seconds(integratedTime) };
}

function seconds(text: string): Date {
  return new Date(Number(text) * 1000);
}

/** The library reads proofs as it goes: whatever it throws about hostile ones means that they are broken. */
function untangled<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(
      'ProofInvalid',
      `broken proofs (${errorMessage(error)})`,
      'a certificate, log entries and timestamps that parse',
      error,
    );
  }
}

function refusalOf(error: unknown, entity: SignedEntity): Refusal {
  if (!(error instanceof SigstoreError))
    return new Refusal('ProofInvalid', `broken proofs (${errorMessage(error)})`, 'proofs that parse', error);
  switch (error.code) {
    case 'CERTIFICATE_ERROR':
      return certificateRefusal(error, entity);
    case 'SIGNATURE_ERROR':
    case 'PUBLIC_KEY_ERROR':
      return new Refusal(
        'SignatureInvalid',
        'a signature that its own certificate or key did not make',
        'an intact signature and payload',
        error,
      );
    case 'TIMESTAMP_ERROR':
      return new Refusal(
        'ProofInvalid',
        error.message,
        'a time vouched for by a transparency log or timestamp authority of the root',
        error,
      );
    default:
      return new Refusal('ProofInvalid', error.message, 'an entry in a transparency log of the root', error);
  }
}

function certificateRefusal(error: Error, entity: SignedEntity): Refusal {
  if (entity.key.$case === 'certificate') {
    const { certificate } = entity.key;
    const outside = entity.timestamps.map(timeOf).find((time) => !certificate.validForDate(time));
    if (outside !== undefined) return new Refusal('SignatureExpired', `signed at ${outside.toISOString()}`, validity(certificate), error);
  }
  if (error.message.includes('SCT'))
    return new Refusal('ProofInvalid', error.message, "proof that the certificate is in a log of the root's", error);
  return new Refusal('SignerUntrusted', 'a certificate of another authority', 'a certificate whose chain ends in the trusted root', error);
}

function timeOf(timestamp: SignedEntity['timestamps'][number]): Date {
  return timestamp.$case === 'timestamp-authority' ? timestamp.timestamp.signingTime : seconds(timestamp.tlogEntry.integratedTime);
}

function validity(certificate: X509Certificate): string {
  return `a time from ${certificate.notBefore.toISOString()} to ${certificate.notAfter.toISOString()}, while the certificate is valid`;
}
