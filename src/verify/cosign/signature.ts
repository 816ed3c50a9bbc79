import { bundleFromJSON, type Bundle } from '@sigstore/bundle';
import { errorMessage } from '../../std/index.ts';
import { field, parseUntrustedObject, type JsonObject } from '../sigstore/json.ts';
import type { ProvenSignature } from '../sigstore/proof.ts';
import { Refusal } from '../sigstore/refusal.ts';
import { annotationKeys, bundleOfAnnotations } from './annotations.ts';
import { IN_TOTO_PAYLOAD_TYPE, preAuthEncoding, readSimpleSigning, readStatement, type Claim } from './claims.ts';
import { MAX_ANNOTATION, MAX_BUNDLE, MAX_PAYLOAD } from './limits.ts';
import type { CosignMaterial } from './material.ts';

/** One signature taken out of its packaging: what was signed, what the signature is, and how to read the rest. */
export type CosignSignature = {
  /** What a verdict calls the packaging. */
  format: string;
  /** The bytes the signature is over. */
  signed: Uint8Array;
  signature: Uint8Array;
  /** The certificate or key, log entries and timestamps that come with it. @throws Refusal */
  proofs(): ProvenSignature;
  /** What the signed payload says; to be asked only once the signature is known to be good. @throws Error */
  claim(): Claim;
};

/**
 * Unpacks one signature. Nothing is verified yet.
 * @throws Refusal `LimitExceeded` when it is too large, `SignatureInvalid` when it is not what it should be
 */
export function openMaterial(material: CosignMaterial): CosignSignature {
  switch (material.kind) {
    case 'bundle':
      return openBundle(material.json);
    case 'simple-signing':
      assertAnnotations(material.annotations);
      return openSimpleSigning(material.payload, material.annotations);
    case 'envelope':
      assertAnnotations(material.annotations);
      return openEnvelope(material.payload, material.annotations);
    case 'unread':
      throw new Refusal(material.code, material.found, material.wanted);
  }
}

/** Bytes that have to be hashed and parsed for a signature; one over its bound is not looked into. */
export function materialCost(material: CosignMaterial): number {
  if (material.kind === 'unread') return 0;
  if (material.kind === 'bundle') return material.json.length > MAX_BUNDLE ? 0 : material.json.length;
  return material.payload.length > MAX_PAYLOAD ? 0 : material.payload.length;
}

function openBundle(json: Uint8Array): CosignSignature {
  assertSize('bundle', json.length, MAX_BUNDLE);
  const bundle = parseBundle(() => parseUntrustedObject(json));
  if (bundle.content.$case !== 'dsseEnvelope')
    throw new Refusal('SignatureInvalid', 'a bundle with a bare signature', 'a bundle with an in-toto statement');
  return inToto('bundle', bundle.content.dsseEnvelope, () => ({ bundle }));
}

function openSimpleSigning(payload: Uint8Array, annotations: Readonly<Record<string, string>>): CosignSignature {
  assertSize('payload', payload.length, MAX_PAYLOAD);
  const encoded = annotations[annotationKeys.signature] ?? '';
  const signature = decodeBase64(encoded, `annotation ${annotationKeys.signature}`);
  return {
    format: 'signature tag',
    signed: payload,
    signature,
    proofs: () => {
      const bundle = parseBundle(() => bundleOfAnnotations(annotations, { payload, signature }));
      return { bundle, artifact: Buffer.from(payload) };
    },
    claim: () => readSimpleSigning(payload),
  };
}

function openEnvelope(json: Uint8Array, annotations: Readonly<Record<string, string>>): CosignSignature {
  assertSize('envelope', json.length, MAX_PAYLOAD);
  // Read through a bundle, so that an envelope means the same in both packagings.
  let envelope: JsonObject;
  try {
    envelope = parseUntrustedObject(json);
  } catch (error) {
    throw new Refusal('SignatureInvalid', `a broken envelope (${errorMessage(error)})`, 'a DSSE envelope', error);
  }
  const bundle = parseBundle(() => bundleOfAnnotations(annotations, { envelope }));
  if (bundle.content.$case !== 'dsseEnvelope') throw new Refusal('SignatureInvalid', 'no envelope', 'a DSSE envelope');
  return inToto('attestation tag', bundle.content.dsseEnvelope, () => ({ bundle }));
}

type Envelope = Extract<Bundle['content'], { $case: 'dsseEnvelope' }>['dsseEnvelope'];

function inToto(format: string, envelope: Envelope, proofs: () => ProvenSignature): CosignSignature {
  const [signature, ...more] = envelope.signatures;
  if (signature === undefined || more.length > 0)
    throw new Refusal('SignatureInvalid', `an envelope with ${envelope.signatures.length} signatures`, 'exactly one');
  if (envelope.payloadType !== IN_TOTO_PAYLOAD_TYPE)
    throw new Refusal(
      'SignatureInvalid',
      `a payload of type ${JSON.stringify(envelope.payloadType)}`,
      JSON.stringify(IN_TOTO_PAYLOAD_TYPE),
    );
  return {
    format,
    signed: preAuthEncoding(envelope.payloadType, envelope.payload),
    signature: signature.sig,
    proofs,
    claim: () => readStatement(envelope.payload),
  };
}

function parseBundle(json: () => JsonObject): Bundle {
  try {
    return bundleFromJSON(json());
  } catch (error) {
    // What cosign makes with --certificate-chain, and refuses itself unless told otherwise.
    if (missingParts(error).includes('verificationMaterial.content.$case'))
      throw new Refusal(
        'SignatureInvalid',
        'a bundle v0.3 with a certificate chain',
        'one with the certificate alone (sign without --certificate-chain)',
        error,
      );
    throw new Refusal('SignatureInvalid', `a broken bundle (${describe(error)})`, 'a Sigstore bundle, v0.1 to v0.3', error);
  }
}

function describe(error: unknown): string {
  const parts = missingParts(error);
  return parts.length === 0 ? errorMessage(error) : `${errorMessage(error)}: ${parts.slice(0, 5).join(', ')}`;
}

/** The library's error of a bundle with missing or wrong parts has them beside the message. */
function missingParts(error: unknown): readonly string[] {
  const fields = field(error, 'fields');
  return Array.isArray(fields) ? fields.map(String) : [];
}

function assertAnnotations(annotations: Readonly<Record<string, string>>): void {
  for (const key of Object.values(annotationKeys)) assertSize(`annotation ${key}`, annotations[key]?.length ?? 0, MAX_ANNOTATION);
}

function assertSize(what: string, size: number, limit: number): void {
  if (size > limit) throw new Refusal('LimitExceeded', `${what} of ${size} bytes`, `at most ${limit}`);
}

function decodeBase64(text: string, what: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length === 0) throw new Refusal('SignatureInvalid', `no signature in ${what}`, 'a signature in base64');
  return bytes;
}
