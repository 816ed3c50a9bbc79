import { errorMessage, type Digest } from '../../std/index.ts';
import { at, field, parseUntrustedObject } from '../sigstore/json.ts';
import { MAX_PAYLOAD_VALUES } from '../sigstore/limits.ts';
import type { Verdict } from '../verdict.ts';
import { MAX_SUBJECTS } from './limits.ts';

/** What a signed payload says: which digests it is about and, for an attestation, what it says of them. */
export type Claim = { digests: readonly string[]; attestation?: NonNullable<Verdict['attestation']> };

/** payloadType of DSSE envelopes that hold an in-toto statement. */
export const IN_TOTO_PAYLOAD_TYPE = 'application/vnd.in-toto+json';

const SIMPLE_SIGNING_TYPE = 'cosign container image signature';
const STATEMENT_TYPES: readonly unknown[] = ['https://in-toto.io/Statement/v1', 'https://in-toto.io/Statement/v0.1'];
/** The predicate of a plain signature in a bundle: it says nothing but "signed". */
const SIGNATURE_PREDICATE = 'https://sigstore.dev/cosign/sign/v1';

/**
 * Reads a simple-signing payload (cosign's SIGNATURE_SPEC#simple-signing).
 * @throws Error with what is wrong with it
 */
export function readSimpleSigning(payload: Uint8Array): Claim {
  const document = parsePayload(payload);
  const type = at(document, 'critical', 'type');
  if (type !== SIMPLE_SIGNING_TYPE) throw new Error(`payload of type ${JSON.stringify(type)}, want ${JSON.stringify(SIMPLE_SIGNING_TYPE)}`);
  const digest = at(document, 'critical', 'image', 'docker-manifest-digest');
  if (typeof digest !== 'string') throw new Error('payload without critical.image.docker-manifest-digest');
  return { digests: [digest] };
}

/**
 * Reads an in-toto statement, v0.1 or v1.
 * @throws Error with what is wrong with it
 */
export function readStatement(payload: Uint8Array): Claim {
  const document = parsePayload(payload);
  const type = field(document, '_type');
  if (!STATEMENT_TYPES.includes(type)) throw new Error(`payload of type ${JSON.stringify(type)}, want an in-toto statement`);
  const predicateType = field(document, 'predicateType');
  if (typeof predicateType !== 'string' || predicateType === '') throw new Error('statement without predicateType');
  const digests = readSubjects(field(document, 'subject'));
  if (predicateType === SIGNATURE_PREDICATE) return { digests };
  return { digests, attestation: { predicateType, predicate: field(document, 'predicate') } };
}

/** True when a claim is about `digest`: the very digest that is pulled, not merely content that the registry says goes with it. */
export function isAbout(claim: Claim, digest: Digest): boolean {
  return claim.digests.includes(digest);
}

/** The DSSE pre-authentication encoding: what is signed of an envelope. */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Buffer {
  const type = Buffer.from(payloadType);
  return Buffer.concat([Buffer.from(`DSSEv1 ${type.length} `), type, Buffer.from(` ${payload.length} `), payload]);
}

function readSubjects(subjects: unknown): string[] {
  if (!Array.isArray(subjects) || subjects.length === 0) throw new Error('statement without a subject');
  if (subjects.length > MAX_SUBJECTS) throw new Error(`statement with ${subjects.length} subjects, want at most ${MAX_SUBJECTS}`);
  return subjects.flatMap((subject) =>
    Object.entries(field(subject, 'digest') ?? {}).flatMap(([algorithm, hex]) => (typeof hex === 'string' ? [`${algorithm}:${hex}`] : [])),
  );
}

function parsePayload(payload: Uint8Array): unknown {
  try {
    return parseUntrustedObject(payload, MAX_PAYLOAD_VALUES);
  } catch (error) {
    throw new Error(`payload: ${errorMessage(error)}`, { cause: error });
  }
}
