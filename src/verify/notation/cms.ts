import { createHash } from 'node:crypto';
import { HASHES, verifyCmsSignature } from './algorithm.ts';
import type { Certificate } from './certificate.ts';
import {
  context,
  DerError,
  Fields,
  integerBytes,
  oidText,
  readElements,
  readWhole,
  smallInteger,
  Tag,
  timeValue,
  type Element,
} from './der.ts';
import { fail } from './failure.ts';

/** Object identifiers of RFC 5652 and RFC 5035. */
const SIGNED_DATA = '1.2.840.113549.1.7.2';
const Attribute = {
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingTime: '1.2.840.113549.1.9.5',
  signingCertificateV2: '1.2.840.113549.1.9.16.2.47',
} as const;

/** CMS SignedData, as far as timestamp tokens use it. */
export type SignedData = {
  readonly content: Buffer;
  readonly contentType: string;
  /** DER, in the order of the token. */
  readonly certificates: readonly Buffer[];
  readonly signers: readonly Signer[];
};

/** One signer of SignedData. */
export type Signer = {
  readonly hash: string | undefined;
  /** Signed attributes as they are signed: a SET. */
  readonly attributeBytes: Buffer;
  readonly attributes: ReadonlyMap<string, Element>;
  readonly algorithm: Element;
  readonly signature: Buffer;
  readonly signingTime: number | undefined;
  /** True for the certificate that the signed attributes pin by hash, and the signer identifies. */
  isBy(certificate: Certificate): boolean;
};

/** Reads a ContentInfo of SignedData (RFC 5652 §3, §5.1). @throws DerError */
export function readSignedData(der: Buffer, wantedType: string): SignedData {
  const info = new Fields(readWhole(der, Tag.sequence, 'content info'), 'content info');
  const type = oidText(info.next('type', Tag.oid));
  if (type !== SIGNED_DATA) throw new DerError(`content of type ${type}, want signed data`);
  const fields = new Fields(readWhole(info.next('content', context(0)).contents, Tag.sequence, 'signed data'), 'signed data');
  fields.next('version', Tag.integer);
  fields.next('digest algorithms', Tag.set);
  const content = new Fields(fields.next('content', Tag.sequence), 'content');
  const contentType = oidText(content.next('type', Tag.oid));
  if (contentType !== wantedType) throw new DerError(`signed content of type ${contentType}, want ${wantedType}`);
  const octets = readWhole(content.next('octets', context(0)).contents, Tag.octetString, 'content').contents;
  const certificates = fields.optional(context(0));
  fields.optional(context(1));
  const signers = readElements(fields.next('signers', Tag.set).contents).map(readSigner);
  fields.end();
  return {
    content: octets,
    contentType,
    certificates: certificates === undefined ? [] : readElements(certificates.contents).map(({ bytes }) => bytes),
    signers,
  };
}

function readSigner(element: Element): Signer {
  const fields = new Fields(element, 'signer');
  // Version 1 names its signer by issuer and serial number, which is all that timestamp authorities do.
  if (smallInteger(fields.next('version', Tag.integer)) !== 1) throw new DerError('signer is not of version 1');
  const identifier = new Fields(fields.next('issuer and serial number', Tag.sequence), 'issuer and serial number');
  const issuer = identifier.next('issuer', Tag.sequence).bytes;
  const serial = integerBytes(identifier.next('serial number', Tag.integer));
  const hashId = oidText(new Fields(fields.next('digest algorithm', Tag.sequence), 'digest algorithm').next('identifier', Tag.oid));
  const signed = fields.next('signed attributes', context(0));
  const algorithm = fields.next('signature algorithm', Tag.sequence);
  const signature = fields.next('signature', Tag.octetString).contents;
  const attributes = readAttributes(signed);
  const time = attributes.get(Attribute.signingTime);
  const pin = readPin(attributes.get(Attribute.signingCertificateV2));
  return {
    hash: Object.hasOwn(HASHES, hashId) ? HASHES[hashId] : undefined,
    attributeBytes: Buffer.concat([Buffer.from([Tag.set]), signed.bytes.subarray(1)]),
    attributes,
    algorithm,
    signature,
    signingTime: time && timeValue(time),
    isBy: (certificate) => certificate.issuer.der.equals(issuer) && certificate.serial.equals(serial) && pin(certificate),
  };
}

/** Attribute identifier to its one value. */
function readAttributes(set: Element): ReadonlyMap<string, Element> {
  const attributes = new Map<string, Element>();
  for (const element of readElements(set.contents)) {
    const fields = new Fields(element, 'attribute');
    const id = oidText(fields.next('identifier', Tag.oid));
    const [value, ...others] = readElements(fields.next('values', Tag.set).contents);
    if (value === undefined || others.length > 0 || attributes.has(id)) throw new DerError(`attribute ${id} has not one value`);
    attributes.set(id, value);
  }
  return attributes;
}

/** SigningCertificateV2 (RFC 5035 §3): the signer's certificate comes first. */
function readPin(attribute: Element | undefined): (certificate: Certificate) => boolean {
  if (attribute === undefined) throw new DerError('no signed attribute SigningCertificateV2');
  const list = new Fields(attribute, 'SigningCertificateV2').next('certificates', Tag.sequence);
  const fields = new Fields(new Fields(list, 'SigningCertificateV2').next('first certificate', Tag.sequence), 'certificate identifier');
  const algorithm = fields.optional(Tag.sequence);
  const hashId = algorithm && oidText(new Fields(algorithm, 'hash algorithm').next('identifier', Tag.oid));
  const hash = hashId === undefined ? 'sha256' : Object.hasOwn(HASHES, hashId) ? HASHES[hashId] : undefined;
  const expected = fields.next('hash', Tag.octetString).contents;
  if (hash === undefined) throw new DerError('SigningCertificateV2 uses an unknown or weak hash');
  return (certificate) => createHash(hash).update(certificate.der).digest().equals(expected);
}

/**
 * Checks one signer's signature and what it signed (RFC 5652 §5.4, §5.6).
 * @throws CheckFailure `ProofInvalid`
 */
export function verifySigner(data: SignedData, signer: Signer, certificate: Certificate): void {
  const { hash, attributes, attributeBytes, algorithm, signature } = signer;
  if (hash === undefined) refuse('a timestamp with an unknown or weak hash', 'SHA-256, SHA-384 or SHA-512');
  const contentType = attributes.get(Attribute.contentType);
  if (contentType === undefined || oidText(contentType) !== data.contentType)
    refuse('a timestamp whose signed content type differs', 'the same');
  const digest = attributes.get(Attribute.messageDigest);
  if (digest?.tag !== Tag.octetString || !createHash(hash).update(data.content).digest().equals(digest.contents)) {
    refuse('a timestamp whose signed digest differs from its content', 'the same');
  }
  if (!verifyCmsSignature({ bytes: attributeBytes, algorithm, signature }, hash, certificate)) {
    refuse('a timestamp whose signature does not hold', 'the signature of the timestamp authority');
  }
}

function refuse(found: string, wanted: string): never {
  fail('ProofInvalid', found, wanted);
}
