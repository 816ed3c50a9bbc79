import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import type { Digest } from '../../std/index.ts';
import { MAX_CERTIFICATE, MAX_REVOCATION_URLS } from './bounds.ts';
import {
  booleanValue,
  context,
  contextPrimitive,
  DerError,
  Fields,
  integerBytes,
  namedBits,
  oidText,
  readElements,
  readWhole,
  smallInteger,
  Tag,
  timeValue,
  wholeBits,
  type Element,
} from './der.ts';
import { readName, type DistinguishedName } from './distinguished-name.ts';

/** Bytes, and a signature over them, as certificates, CRLs and OCSP responses carry it. */
export type Signed = { readonly bytes: Buffer; readonly algorithm: Element; readonly signature: Buffer };

/** An extension's value (what its OCTET STRING holds). */
export type Extension = { readonly critical: boolean; readonly value: Buffer };

/** An X.509 certificate, read once. All times are milliseconds since 1970. */
export type Certificate = {
  readonly der: Buffer;
  readonly fingerprint: Digest;
  /** Contents of the serial number's INTEGER. */
  readonly serial: Buffer;
  readonly issuer: DistinguishedName;
  readonly subject: DistinguishedName;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly publicKey: KeyObject;
  /** The bits of the public key, which OCSP hashes. */
  readonly publicKeyBits: Buffer;
  readonly signed: Signed;
  readonly basicConstraints: { readonly authority: boolean; readonly pathLength: number | undefined } | undefined;
  readonly keyUsage: { readonly critical: boolean; readonly bits: number } | undefined;
  readonly extendedKeyUsage: { readonly critical: boolean; readonly purposes: readonly string[] } | undefined;
  readonly ocspUrls: readonly string[];
  readonly crlUrls: readonly string[];
  /** The certificate names delta CRLs of its own. */
  readonly namesFreshestCrl: boolean;
  /** Critical extensions that this code does not understand. */
  readonly unknownCritical: readonly string[];
};

/** Object identifiers of the extensions that are looked at (RFC 5280 §4.2). */
export const ExtensionId = {
  keyUsage: '2.5.29.15',
  basicConstraints: '2.5.29.19',
  crlNumber: '2.5.29.20',
  invalidityDate: '2.5.29.24',
  deltaCrlIndicator: '2.5.29.27',
  issuingDistributionPoint: '2.5.29.28',
  nameConstraints: '2.5.29.30',
  crlDistributionPoints: '2.5.29.31',
  extendedKeyUsage: '2.5.29.37',
  freshestCrl: '2.5.29.46',
  authorityInformationAccess: '1.3.6.1.5.5.7.1.1',
} as const;

/** Bits of the key usage extension (RFC 5280 §4.2.1.3). */
export const KeyUsage = { digitalSignature: 1, nonRepudiation: 2, certificateSign: 32, crlSign: 64 } as const;

/** Purposes of the extended key usage extension (RFC 5280 §4.2.1.12). */
export const Purpose = {
  any: '2.5.29.37.0',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  emailProtection: '1.3.6.1.5.5.7.3.4',
  timeStamping: '1.3.6.1.5.5.7.3.8',
  ocspSigning: '1.3.6.1.5.5.7.3.9',
} as const;

/** Extensions that may be critical: those looked at, key identifiers (14, 35), alternative names (17, 18), policies (32, 33, 36, 54). */
const UNDERSTOOD: ReadonlySet<string> = new Set([
  ExtensionId.keyUsage,
  ExtensionId.basicConstraints,
  ExtensionId.crlDistributionPoints,
  ExtensionId.extendedKeyUsage,
  ExtensionId.authorityInformationAccess,
  ...[14, 17, 18, 32, 33, 35, 36, 54].map((number) => `2.5.29.${number}`),
]);

/** Reads a certificate (RFC 5280 §4.1). @throws DerError when it is not one */
export function readCertificate(der: Uint8Array): Certificate {
  if (der.length > MAX_CERTIFICATE) throw new DerError(`a certificate of more than ${MAX_CERTIFICATE} bytes`);
  const whole = readWhole(der, Tag.sequence, 'certificate');
  const { body, signed } = readSigned(whole, 'certificate');
  const fields = new Fields(body, 'certificate');
  const version = fields.optional(context(0));
  const serial = integerBytes(fields.next('serial number', Tag.integer));
  if (!fields.next('signature algorithm', Tag.sequence).bytes.equals(signed.algorithm.bytes)) {
    throw new DerError('certificate names two signature algorithms');
  }
  const issuer = readName(fields.any('issuer'));
  const validity = new Fields(fields.next('validity', Tag.sequence), 'validity');
  const notBefore = timeValue(validity.any('not before'));
  const notAfter = timeValue(validity.any('not after'));
  validity.end();
  const subject = readName(fields.any('subject'));
  const publicKeyInfo = fields.next('public key', Tag.sequence);
  fields.optional(contextPrimitive(1));
  fields.optional(contextPrimitive(2));
  const extensions = readExtensions(fields.optional(context(3)));
  fields.end();
  if (extensions.size > 0 && (version === undefined || smallInteger(readWhole(version.contents, Tag.integer, 'version')) !== 2)) {
    throw new DerError('certificate has extensions but is not of version 3');
  }
  return {
    der: whole.bytes,
    fingerprint: `sha256:${createHash('sha256').update(whole.bytes).digest('hex')}` as Digest,
    serial,
    issuer,
    subject,
    notBefore,
    notAfter,
    ...readPublicKey(publicKeyInfo),
    signed,
    ...readKnownExtensions(extensions),
  };
}

/** Splits `SEQUENCE { body, algorithm, signature }`. @throws DerError */
export function readSigned(whole: Element, what: string): { body: Element; signed: Signed } {
  const fields = new Fields(whole, what);
  const body = fields.next('body', Tag.sequence);
  const algorithm = fields.next('signature algorithm', Tag.sequence);
  const signature = wholeBits(fields.next('signature', Tag.bitString));
  fields.end();
  return { body, signed: { bytes: body.bytes, algorithm, signature } };
}

const EC_KEY = '1.2.840.10045.2.1';

function readPublicKey(info: Element): { publicKey: KeyObject; publicKeyBits: Buffer } {
  const fields = new Fields(info, 'public key');
  const algorithm = new Fields(fields.next('algorithm', Tag.sequence), 'public key algorithm');
  const id = oidText(algorithm.next('identifier', Tag.oid));
  // A curve spelled out may have another generator than the one it looks like (CVE-2020-0601): only named ones.
  if (id === EC_KEY) algorithm.next('named curve', Tag.oid);
  const publicKeyBits = wholeBits(fields.next('bits', Tag.bitString));
  fields.end();
  try {
    return { publicKey: createPublicKey({ key: info.bytes, format: 'der', type: 'spki' }), publicKeyBits };
  } catch (error) {
    throw new DerError('public key cannot be used', { cause: error });
  }
}

/** Reads an Extensions field, `[n] { SEQUENCE OF Extension }`. @throws DerError also for one that occurs twice */
export function readExtensions(field: Element | undefined): ReadonlyMap<string, Extension> {
  const extensions = new Map<string, Extension>();
  if (field === undefined) return extensions;
  return readExtensionList(readWhole(field.contents, Tag.sequence, 'extensions'));
}

/** Reads `SEQUENCE OF Extension`. @throws DerError also for one that occurs twice */
export function readExtensionList(list: Element): ReadonlyMap<string, Extension> {
  const extensions = new Map<string, Extension>();
  for (const element of readElements(list.contents)) {
    const fields = new Fields(element, 'extension');
    const id = oidText(fields.next('identifier', Tag.oid));
    const flag = fields.optional(Tag.boolean);
    const value = fields.next('value', Tag.octetString).contents;
    fields.end();
    if (extensions.has(id)) throw new DerError(`extension ${id} occurs twice`);
    extensions.set(id, { critical: flag !== undefined && booleanValue(flag), value });
  }
  return extensions;
}

type KnownExtensions = Pick<
  Certificate,
  'basicConstraints' | 'keyUsage' | 'extendedKeyUsage' | 'ocspUrls' | 'crlUrls' | 'namesFreshestCrl' | 'unknownCritical'
>;

function readKnownExtensions(extensions: ReadonlyMap<string, Extension>): KnownExtensions {
  const keyUsage = extensions.get(ExtensionId.keyUsage);
  const extendedKeyUsage = extensions.get(ExtensionId.extendedKeyUsage);
  const points = extensions.get(ExtensionId.crlDistributionPoints);
  const access = extensions.get(ExtensionId.authorityInformationAccess);
  return {
    basicConstraints: readBasicConstraints(extensions.get(ExtensionId.basicConstraints)),
    keyUsage: keyUsage && { critical: keyUsage.critical, bits: namedBits(readWhole(keyUsage.value, Tag.bitString, 'key usage')) },
    extendedKeyUsage: extendedKeyUsage && {
      critical: extendedKeyUsage.critical,
      purposes: readElements(readWhole(extendedKeyUsage.value, Tag.sequence, 'extended key usage').contents).map(oidText),
    },
    ocspUrls: access === undefined ? [] : readOcspUrls(access.value),
    crlUrls: points === undefined ? [] : readDistributionPoints(points.value),
    namesFreshestCrl: extensions.has(ExtensionId.freshestCrl),
    unknownCritical: [...extensions].filter(([id, extension]) => extension.critical && !isUnderstood(id, extension)).map(([id]) => id),
  };
}

/** Name constraints matter here only when they speak of directory names: nothing but the subject is ever trusted. */
function isUnderstood(id: string, { value }: Extension): boolean {
  if (id !== ExtensionId.nameConstraints) return UNDERSTOOD.has(id);
  const subtrees = readElements(readWhole(value, Tag.sequence, 'name constraints').contents).flatMap(({ contents }) =>
    readElements(contents),
  );
  return subtrees.every((subtree) => readElements(subtree.contents)[0]?.tag !== context(4));
}

function readBasicConstraints(extension: Extension | undefined): Certificate['basicConstraints'] {
  if (extension === undefined) return undefined;
  const fields = new Fields(readWhole(extension.value, Tag.sequence, 'basic constraints'), 'basic constraints');
  const flag = fields.optional(Tag.boolean);
  const length = fields.optional(Tag.integer);
  fields.end();
  return { authority: flag !== undefined && booleanValue(flag), pathLength: length && smallInteger(length) };
}

const OCSP_METHOD = '1.3.6.1.5.5.7.48.1';

function readOcspUrls(value: Buffer): readonly string[] {
  const urls: string[] = [];
  for (const description of readElements(readWhole(value, Tag.sequence, 'authority information access').contents)) {
    const fields = new Fields(description, 'access description');
    const method = oidText(fields.next('method', Tag.oid));
    const location = fields.any('location');
    if (method === OCSP_METHOD && location.tag === contextPrimitive(6)) urls.push(location.contents.toString('latin1'));
  }
  return bounded(urls, 'OCSP servers');
}

/** The URLs of CRLDistributionPoints (RFC 5280 §4.2.1.13). @throws DerError */
export function readDistributionPoints(value: Buffer): readonly string[] {
  const urls: string[] = [];
  for (const point of readElements(readWhole(value, Tag.sequence, 'CRL distribution points').contents)) {
    const name = new Fields(point, 'CRL distribution point').optional(context(0));
    const fullName = name && new Fields(name, 'CRL distribution point name').optional(context(0));
    for (const general of fullName === undefined ? [] : readElements(fullName.contents)) {
      if (general.tag === contextPrimitive(6)) urls.push(general.contents.toString('latin1'));
    }
  }
  return bounded(urls, 'CRL distribution points');
}

function bounded(urls: readonly string[], what: string): readonly string[] {
  if (urls.length > MAX_REVOCATION_URLS) throw new DerError(`certificate names more than ${MAX_REVOCATION_URLS} ${what}`);
  return urls;
}
