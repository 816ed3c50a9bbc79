import { createHash } from 'node:crypto';
import type { Certificate } from '../certificate.ts';
import { HASHES } from '../algorithm.ts';
import { context, contextPrimitive, Fields, octetString, oid, oidText, readWhole, sequence, Tag, tlv } from '../der.ts';
import { PRESENT, signatureAlgorithm, signBytes, type Issued } from './authority.ts';
import { generalizedTime, hashAlgorithm, integer, setOf } from './der-writer.ts';

export type TimestampSpec = {
  time?: Date;
  /** Seconds. */
  accuracy?: number;
  policy?: string;
  /** Hash of the message imprint; default sha256. */
  hash?: string;
  /** What the token is over, in place of the message. */
  imprint?: Buffer;
  /** The certificate whose hash the signed attributes pin; default the signer's. */
  pinned?: Certificate;
  /** Leaves the pin out. */
  unpinned?: boolean;
  /** The signed attribute messageDigest, in place of the right one. */
  digest?: Buffer;
  /** The signed attribute signingTime. */
  signingTime?: Date;
  /** DER of the nonce's INTEGER. */
  nonce?: Buffer;
};

/** A timestamp token (RFC 3161) over `message`; `others` are the certificates beside the authority's own. */
export function timestampToken(message: Uint8Array, authority: Issued, others: readonly Issued[], spec: TimestampSpec = {}): Buffer {
  const hash = spec.hash ?? 'sha256';
  const content = sequence(
    integer(1),
    oid(spec.policy ?? '1.2.3.4'),
    sequence(hashAlgorithm(hash), octetString(spec.imprint ?? createHash(hash).update(message).digest())),
    integer(7),
    generalizedTime(spec.time ?? PRESENT),
    ...(spec.accuracy === undefined ? [] : [sequence(integer(spec.accuracy), tlv(contextPrimitive(0), Buffer.from([5])))]),
    ...(spec.nonce === undefined ? [] : [spec.nonce]),
  );
  const data = sequence(
    integer(3),
    setOf(hashAlgorithm('sha256')),
    sequence(oid(TST_INFO), tlv(context(0), octetString(content))),
    tlv(context(0), authority.certificate.der, ...others.map(({ certificate }) => certificate.der)),
    setOf(signerInfo(content, authority, spec)),
  );
  return sequence(oid('1.2.840.113549.1.7.2'), tlv(context(0), data));
}

const TST_INFO = '1.2.840.113549.1.9.16.1.4';

function signerInfo(content: Buffer, { certificate, key }: Issued, spec: TimestampSpec): Buffer {
  const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
  const pin = sequence(sequence(sequence(octetString(sha256((spec.pinned ?? certificate).der)))));
  const attributes = setOf(
    attribute('1.2.840.113549.1.9.3', oid(TST_INFO)),
    attribute('1.2.840.113549.1.9.4', octetString(spec.digest ?? sha256(content))),
    ...(spec.unpinned === true ? [] : [attribute('1.2.840.113549.1.9.16.2.47', pin)]),
    ...(spec.signingTime === undefined ? [] : [attribute('1.2.840.113549.1.9.5', generalizedTime(spec.signingTime))]),
  );
  return sequence(
    integer(1),
    sequence(certificate.issuer.der, tlv(Tag.integer, certificate.serial)),
    hashAlgorithm('sha256'),
    Buffer.concat([Buffer.from([context(0)]), attributes.subarray(1)]),
    signatureAlgorithm(key, 'sha256'),
    octetString(signBytes(attributes, key, 'sha256')),
  );
}

function attribute(id: string, value: Buffer): Buffer {
  return sequence(oid(id), setOf(value));
}

/** Answers a timestamp query (RFC 3161 §2.4.1) as a server does. */
export function timestampResponse(query: Uint8Array, authority: Issued, others: readonly Issued[], time: Date): Buffer {
  const fields = new Fields(readWhole(query, Tag.sequence, 'query'), 'query');
  fields.next('version', Tag.integer);
  const imprint = new Fields(fields.next('imprint', Tag.sequence), 'imprint');
  const hash = HASHES[oidText(new Fields(imprint.next('hash', Tag.sequence), 'hash').next('identifier', Tag.oid))] ?? 'sha256';
  const hashed = imprint.next('hashed message', Tag.octetString).contents;
  fields.optional(Tag.oid);
  const nonce = fields.optional(Tag.integer);
  const spec = { hash, imprint: hashed, time, ...(nonce === undefined ? {} : { nonce: nonce.bytes }) };
  return sequence(sequence(integer(0)), timestampToken(Buffer.alloc(0), authority, others, spec));
}
