import { createHash, timingSafeEqual } from 'node:crypto';
import { verifySigned } from './algorithm.ts';
import { MAX_CLOCK_SKEW, MAX_OCSP_RESPONSE } from './bounds.ts';
import { ExtensionId, Purpose, readCertificate, readExtensions, type Certificate, type Extension, type Signed } from './certificate.ts';
import { isIssuedBy, named } from './chain.ts';
import {
  context,
  contextPrimitive,
  DerError,
  derNull,
  Fields,
  octetString,
  oid,
  oidText,
  readElements,
  readWhole,
  sequence,
  smallInteger,
  Tag,
  timeValue,
  tlv,
  wholeBits,
  type Element,
} from './der.ts';
import { shownTime } from './failure.ts';
import type { RevocationStatus } from './revocation-status.ts';

const SHA1 = '1.3.14.3.2.26';
const BASIC_RESPONSE = '1.3.6.1.5.5.7.48.1.1';
const NONCE = '1.3.6.1.5.5.7.48.1.2';

/** Response extensions that may be critical. */
const UNDERSTOOD: readonly string[] = [NONCE, ExtensionId.invalidityDate];

/** Identifies a certificate to a responder. SHA-1, since many responders know nothing else; it protects nothing here. */
function certificateId(certificate: Certificate, issuer: Certificate): Buffer {
  const hash = (bytes: Uint8Array): Buffer => createHash('sha1').update(bytes).digest();
  return sequence(
    sequence(oid(SHA1), derNull),
    octetString(hash(issuer.subject.der)),
    octetString(hash(issuer.publicKeyBits)),
    tlv(Tag.integer, certificate.serial),
  );
}

/** An OCSP request for one certificate (RFC 6960 §4.1), in DER. */
export function ocspRequest(certificate: Certificate, issuer: Certificate, nonce?: Uint8Array): Buffer {
  const list = sequence(sequence(certificateId(certificate, issuer)));
  if (nonce === undefined) return sequence(sequence(list));
  const extension = sequence(oid(NONCE), octetString(octetString(nonce)));
  return sequence(sequence(list, tlv(context(2), sequence(extension))));
}

export type OcspQuestion = {
  certificate: Certificate;
  issuer: Certificate;
  nonce: Uint8Array | undefined;
  /** Milliseconds since 1970. */
  now: number;
  /** When it was signed, if someone vouches for it. */
  signingTime: number | undefined;
};

/**
 * What an OCSP response says of a certificate (RFC 6960 §3.2): signed by the issuer or a responder the issuer appointed, about this very
 * certificate, of the present, with our nonce if it has one.
 * @throws DerError when it is no such response
 */
export function readOcspResponse(bytes: Uint8Array, question: OcspQuestion): RevocationStatus {
  if (bytes.length > MAX_OCSP_RESPONSE) throw new DerError(`OCSP response of more than ${MAX_OCSP_RESPONSE} bytes`);
  const { data, signed, certificates } = readBasicResponse(bytes);
  if (!verifySigned(signed, question.issuer.publicKey)) checkDelegate(signed, certificates, question);
  const { responses, extensions } = readResponseData(data);
  checkNonce(extensions.get(NONCE), question.nonce);
  const id = certificateId(question.certificate, question.issuer);
  const single = responses.map((response) => readSingle(response)).find((response) => sameId(response.id, id));
  if (single === undefined) throw new DerError('OCSP response is about another certificate');
  return judge(single, question);
}

type BasicResponse = { data: Element; signed: Signed; certificates: readonly Certificate[] };

function readBasicResponse(bytes: Uint8Array): BasicResponse {
  const fields = new Fields(readWhole(bytes, Tag.sequence, 'OCSP response'), 'OCSP response');
  const status = smallInteger(fields.next('status', Tag.enumerated));
  if (status !== 0) throw new DerError(`OCSP responder answers ${STATUSES[status] ?? `status ${status}`}`);
  const wrapper = readWhole(fields.next('response', context(0)).contents, Tag.sequence, 'OCSP response');
  const inner = new Fields(wrapper, 'OCSP response');
  const type = oidText(inner.next('type', Tag.oid));
  if (type !== BASIC_RESPONSE) throw new DerError(`OCSP response of type ${type}`);
  const basic = readWhole(inner.next('response', Tag.octetString).contents, Tag.sequence, 'basic OCSP response');
  const parts = new Fields(basic, 'basic OCSP response');
  const data = parts.next('data', Tag.sequence);
  const algorithm = parts.next('signature algorithm', Tag.sequence);
  const signature = wholeBits(parts.next('signature', Tag.bitString));
  const list = parts.optional(context(0));
  parts.end();
  const certificates = list === undefined ? [] : readElements(readWhole(list.contents, Tag.sequence, 'certificates').contents);
  const signed = { bytes: data.bytes, algorithm, signature };
  return { data, signed, certificates: certificates.slice(0, MAX_RESPONDERS).map((element) => readCertificate(element.bytes)) };
}

/** Certificates of a response that are looked at: the responder's own comes first. */
const MAX_RESPONDERS = 5;

const STATUSES: Readonly<Record<number, string>> = {
  1: 'that the request is malformed',
  2: 'internal error',
  3: 'try later',
  5: 'that requests must be signed',
  6: 'unauthorized',
};

/** Checks that a responder which the issuer appointed signed (RFC 6960 §4.2.2.2). */
function checkDelegate(signed: Signed, certificates: readonly Certificate[], { issuer, now }: OcspQuestion): void {
  const delegate = certificates.find(({ publicKey }) => verifySigned(signed, publicKey));
  if (delegate === undefined) throw new DerError('OCSP response is not signed by the issuer or its responder');
  if (!isIssuedBy(delegate, issuer)) throw new DerError(`OCSP responder's ${named(delegate)} is not issued by the certificate's issuer`);
  if (delegate.extendedKeyUsage?.purposes.includes(Purpose.ocspSigning) !== true) {
    throw new DerError(`OCSP responder's ${named(delegate)} has no extended key usage OCSPSigning`);
  }
  if (now < delegate.notBefore || now > delegate.notAfter) throw new DerError(`OCSP responder's ${named(delegate)} is outside its time`);
}

function readResponseData(data: Element): { responses: readonly Element[]; extensions: ReadonlyMap<string, Extension> } {
  const fields = new Fields(data, 'OCSP response data');
  fields.optional(context(0));
  fields.next('responder', context(1), context(2));
  timeValue(fields.next('time', Tag.generalizedTime));
  const responses = readElements(fields.next('responses', Tag.sequence).contents);
  const extensions = readExtensions(fields.optional(context(1)));
  fields.end();
  return { responses, extensions };
}

function checkNonce(extension: Extension | undefined, sent: Uint8Array | undefined): void {
  // Most responders answer from a cache, without nonce; one that has a nonce must have ours.
  if (extension === undefined || sent === undefined) return;
  const nonce = readWhole(extension.value, Tag.octetString, 'nonce').contents;
  if (nonce.length !== sent.length || !timingSafeEqual(nonce, sent)) throw new DerError('OCSP response has another nonce');
}

type SingleResponse = {
  id: Buffer;
  status: number;
  thisUpdate: number;
  nextUpdate: number | undefined;
  extensions: ReadonlyMap<string, Extension>;
};

function readSingle(response: Element): SingleResponse {
  const fields = new Fields(response, 'OCSP single response');
  const id = fields.next('certificate', Tag.sequence).bytes;
  const status = fields.next('status', contextPrimitive(0), context(1), contextPrimitive(2)).tag & 0x1f;
  const thisUpdate = timeValue(fields.next('this update', Tag.generalizedTime));
  const next = fields.optional(context(0));
  const extensions = readExtensions(fields.optional(context(1)));
  fields.end();
  const nextUpdate = next && timeValue(readWhole(next.contents, Tag.generalizedTime, 'next update'));
  return { id, status, thisUpdate, nextUpdate, extensions };
}

/** The parameters of the hash algorithm may be absent or NULL. */
function sameId(found: Buffer, wanted: Buffer): boolean {
  const parts = (id: Buffer): readonly string[] => {
    const [algorithm, ...others] = readElements(readWhole(id, Tag.sequence, 'certificate').contents);
    if (algorithm === undefined) throw new DerError('OCSP response names no certificate');
    return [oidText(new Fields(algorithm, 'hash algorithm').any('identifier')), ...others.map(({ bytes }) => bytes.toString('hex'))];
  };
  return parts(found).join() === parts(wanted).join();
}

function judge({ status, thisUpdate, nextUpdate, extensions }: SingleResponse, { now, signingTime }: OcspQuestion): RevocationStatus {
  if (thisUpdate > now + MAX_CLOCK_SKEW) throw new DerError(`OCSP response is of the future, ${shownTime(thisUpdate)}`);
  if (nextUpdate === undefined) throw new DerError('OCSP response does not say how long it holds');
  if (now > nextUpdate) throw new DerError(`OCSP response expired at ${shownTime(nextUpdate)}`);
  const unknown = [...extensions].find(([id, { critical }]) => critical && !UNDERSTOOD.includes(id));
  if (unknown !== undefined) throw new DerError(`OCSP response has the critical extension ${unknown[0]}`);
  if (status === 0) return { kind: 'good' };
  if (status === 2) return { kind: 'unknown', why: 'the OCSP responder does not know the certificate', final: true };
  const invalid = extensions.get(ExtensionId.invalidityDate);
  const since = invalid && timeValue(readWhole(invalid.value, Tag.generalizedTime, 'invalidity date'));
  return since !== undefined && signingTime !== undefined && signingTime < since ? { kind: 'good' } : { kind: 'revoked' };
}
