import { X509Certificate } from 'node:crypto';
import { BUNDLE_V01_MEDIA_TYPE } from '@sigstore/bundle';
import { digestHex, digestOf } from '../../std/index.ts';
import { at, field, parseUntrustedObject, type JsonObject } from '../sigstore/json.ts';

/** Annotations of the layers under `sha256-….sig` and `.att` (cosign's SIGNATURE_SPEC#properties). */
export const annotationKeys = {
  signature: 'dev.cosignproject.cosign/signature',
  certificate: 'dev.sigstore.cosign/certificate',
  bundle: 'dev.sigstore.cosign/bundle',
  timestamp: 'dev.sigstore.cosign/rfc3161timestamp',
} as const;

/** What the layer itself holds. */
type Signed = { payload: Uint8Array; signature: Uint8Array } | { envelope: JsonObject };

/**
 * Rebuilds the v0.1 bundle whose parts an old signature keeps in annotations. The chain annotation is left out: only the trusted root's
 * own intermediates count.
 * @throws Error when an annotation cannot be read
 */
export function bundleOfAnnotations(annotations: Readonly<Record<string, string>>, signed: Signed): JsonObject {
  const certificate = annotations[annotationKeys.certificate];
  const entry = annotations[annotationKeys.bundle];
  // An attestation's timestamp is over its whole envelope, which no bundle can say; its log entry has the time.
  const timestamp = 'payload' in signed ? annotations[annotationKeys.timestamp] : undefined;
  return {
    mediaType: BUNDLE_V01_MEDIA_TYPE,
    verificationMaterial: {
      ...(certificate === undefined || certificate === ''
        ? { publicKey: { hint: '' } }
        : { x509CertificateChain: { certificates: [{ rawBytes: new X509Certificate(certificate).raw.toString('base64') }] } }),
      tlogEntries: entry === undefined || entry === '' ? [] : [logEntry(parseAnnotation(entry))],
      timestampVerificationData: { rfc3161Timestamps: timestamp === undefined || timestamp === '' ? [] : [timestampOf(timestamp)] },
    },
    ...contentOf(signed),
  };
}

function contentOf(signed: Signed): JsonObject {
  if ('envelope' in signed) return { dsseEnvelope: signed.envelope };
  const digest = Buffer.from(digestHex(digestOf(signed.payload)), 'hex').toString('base64');
  return {
    messageSignature: {
      messageDigest: { algorithm: 'SHA2_256', digest },
      signature: Buffer.from(signed.signature).toString('base64'),
    },
  };
}

/** `{"SignedEntryTimestamp": …, "Payload": {"body", "integratedTime", "logIndex", "logID"}}`, as Rekor v1 returned it. */
function logEntry(bundle: JsonObject): JsonObject {
  const body = text(at(bundle, 'Payload', 'body'), 'Payload.body');
  const canonical = parseUntrustedObject(Buffer.from(body, 'base64'));
  return {
    logIndex: integer(at(bundle, 'Payload', 'logIndex'), 'Payload.logIndex'),
    logId: { keyId: Buffer.from(text(at(bundle, 'Payload', 'logID'), 'Payload.logID'), 'hex').toString('base64') },
    kindVersion: { kind: text(field(canonical, 'kind'), 'kind'), version: text(field(canonical, 'apiVersion'), 'apiVersion') },
    integratedTime: integer(at(bundle, 'Payload', 'integratedTime'), 'Payload.integratedTime'),
    inclusionPromise: { signedEntryTimestamp: text(field(bundle, 'SignedEntryTimestamp'), 'SignedEntryTimestamp') },
    canonicalizedBody: body,
  };
}

function timestampOf(annotation: string): JsonObject {
  return { signedTimestamp: text(field(parseAnnotation(annotation), 'SignedRFC3161Timestamp'), 'SignedRFC3161Timestamp') };
}

function parseAnnotation(annotation: string): JsonObject {
  return parseUntrustedObject(Buffer.from(annotation));
}

function text(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new Error(`annotation without ${what}`);
  return value;
}

function integer(value: unknown, what: string): string {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new Error(`annotation without ${what}`);
  return String(value);
}
