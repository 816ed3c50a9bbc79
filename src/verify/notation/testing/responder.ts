import { createHash } from 'node:crypto';
import type { Certificate } from '../certificate.ts';
import { context, contextPrimitive, derNull, octetString, oid, sequence, Tag, tlv } from '../der.ts';
import { distributionPoints, PRESENT, signatureAlgorithm, signBytes, type Issued } from './authority.ts';
import { bitString, boolean, certificateTime, enumerated, generalizedTime, hashAlgorithm, integer } from './der-writer.ts';

const HOUR = 3_600_000;

export type OcspSpec = {
  status?: 'good' | 'revoked' | 'unknown';
  thisUpdate?: Date;
  nextUpdate?: Date | null;
  nonce?: Uint8Array;
  invalidityDate?: Date;
  /** Who signs, when it is not the issuer; its certificate goes into the response. */
  responder?: Issued;
  /** The certificate it is about, in place of the one asked for. */
  about?: Certificate;
};

/** A DER OCSP response about a certificate. */
export function ocspResponse(certificate: Certificate, issuer: Issued, spec: OcspSpec = {}): Buffer {
  const signer = spec.responder ?? issuer;
  const { thisUpdate = new Date(PRESENT.getTime() - HOUR), nextUpdate = new Date(PRESENT.getTime() + HOUR) } = spec;
  const single = sequence(
    certificateId(spec.about ?? certificate, issuer.certificate),
    singleStatus(spec.status ?? 'good'),
    generalizedTime(thisUpdate),
    ...(nextUpdate === null ? [] : [tlv(context(0), generalizedTime(nextUpdate))]),
    ...(spec.invalidityDate === undefined
      ? []
      : [tlv(context(1), sequence(extension('2.5.29.24', false, generalizedTime(spec.invalidityDate))))]),
  );
  const data = sequence(
    tlv(context(1), signer.certificate.subject.der),
    generalizedTime(thisUpdate),
    sequence(single),
    ...(spec.nonce === undefined ? [] : [tlv(context(1), sequence(extension('1.3.6.1.5.5.7.48.1.2', false, octetString(spec.nonce))))]),
  );
  const basic = sequence(
    data,
    signatureAlgorithm(signer.key, 'sha256'),
    bitString(signBytes(data, signer.key, 'sha256')),
    ...(spec.responder === undefined ? [] : [tlv(context(0), sequence(spec.responder.certificate.der))]),
  );
  return sequence(enumerated(0), tlv(context(0), sequence(oid('1.3.6.1.5.5.7.48.1.1'), octetString(basic))));
}

/** An OCSP response that is only an error. */
export function ocspError(status: number): Buffer {
  return sequence(enumerated(status));
}

function certificateId(certificate: Certificate, issuer: Certificate): Buffer {
  const sha1 = (bytes: Uint8Array): Buffer => createHash('sha1').update(bytes).digest();
  return sequence(
    hashAlgorithm('sha1'),
    octetString(sha1(issuer.subject.der)),
    octetString(sha1(issuer.publicKeyBits)),
    tlv(Tag.integer, certificate.serial),
  );
}

function singleStatus(status: 'good' | 'revoked' | 'unknown'): Buffer {
  if (status === 'revoked') return tlv(context(1), generalizedTime(new Date(PRESENT.getTime() - HOUR)));
  return tlv(contextPrimitive(status === 'good' ? 0 : 2));
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), octetString(value));
}

export type CrlEntry = { certificate: Certificate; reason?: number; time?: Date; invalidityDate?: Date; criticalExtension?: string };

export type CrlSpec = {
  entries?: readonly CrlEntry[];
  thisUpdate?: Date;
  nextUpdate?: Date | null;
  number?: number;
  /** Makes it a delta CRL for this base. */
  deltaBase?: number;
  freshest?: readonly string[];
  /** Value of a critical issuing distribution point. */
  scope?: Buffer;
  criticalExtension?: string;
};

/** A DER CRL. */
export function crl(issuer: Issued, spec: CrlSpec = {}): Buffer {
  const { thisUpdate = new Date(PRESENT.getTime() - HOUR), nextUpdate = new Date(PRESENT.getTime() + HOUR), entries = [] } = spec;
  const algorithm = signatureAlgorithm(issuer.key, 'sha256');
  const extensions = [
    extension('2.5.29.20', false, integer(spec.number ?? 10)),
    ...(spec.deltaBase === undefined ? [] : [extension('2.5.29.27', true, integer(spec.deltaBase))]),
    ...(spec.freshest === undefined ? [] : [extension('2.5.29.46', false, distributionPoints(spec.freshest))]),
    ...(spec.scope === undefined ? [] : [extension('2.5.29.28', true, spec.scope)]),
    ...(spec.criticalExtension === undefined ? [] : [extension(spec.criticalExtension, true, derNull)]),
  ];
  const body = sequence(
    integer(1),
    algorithm,
    issuer.certificate.subject.der,
    certificateTime(thisUpdate),
    ...(nextUpdate === null ? [] : [certificateTime(nextUpdate)]),
    ...(entries.length === 0 ? [] : [sequence(Buffer.concat(entries.map(crlEntry)))]),
    tlv(context(0), sequence(...extensions)),
  );
  return sequence(body, algorithm, bitString(signBytes(body, issuer.key, 'sha256')));
}

function crlEntry({ certificate, reason, time = new Date(PRESENT.getTime() - HOUR), invalidityDate, criticalExtension }: CrlEntry): Buffer {
  const extensions = [
    ...(reason === undefined ? [] : [extension('2.5.29.21', false, enumerated(reason))]),
    ...(invalidityDate === undefined ? [] : [extension('2.5.29.24', false, generalizedTime(invalidityDate))]),
    ...(criticalExtension === undefined ? [] : [extension(criticalExtension, true, derNull)]),
  ];
  return sequence(
    tlv(Tag.integer, certificate.serial),
    certificateTime(time),
    ...(extensions.length === 0 ? [] : [sequence(...extensions)]),
  );
}
