import { createHash, sign, X509Certificate } from 'node:crypto';
import {
  civil,
  formatTime,
  formatValue,
  GoError,
  parseIp,
  quote,
  unixTime,
  utc,
  type GoTime,
  type GoValue,
} from '../../../golang/index.ts';
import {
  bitString,
  derNull,
  derTrue,
  integer,
  octetString,
  oid,
  readElement,
  readElements,
  sequence,
  Tag,
  tlv,
  type Element,
} from './der.ts';
import { encodePrivateKey, parsePrivateKey, publicKeyInfo, type PrivateKey } from './keys.ts';
import { decodePem, encodePem } from './pem.ts';
import type { CertificateNames, CertificatePair } from '../providers.ts';

/** What every certificate gets: when, and the randomness of its serial number. */
export type Issuance = {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly randomBytes: (count: number) => Uint8Array;
};

const DAY = 86_400_000_000_000n;
const commonNameOid = oid('2.5.4.3');

/** An issuer: whose name and key identifier go into the certificate, and whose key signs it. */
type Issuer = { readonly subject: Buffer; readonly keyId: Buffer | undefined; readonly key: PrivateKey };

/** genCA. Throws a GoError. */
export function issueAuthority(commonName: string, days: number, key: PrivateKey, issuance: Issuance): CertificatePair {
  return issue({ commonName, ips: [], dnsNames: [], days }, key, undefined, issuance, true);
}

/** genSelfSignedCert. Throws a GoError. */
export function issueSelfSigned(names: CertificateNames, key: PrivateKey, issuance: Issuance): CertificatePair {
  return issue(names, key, undefined, issuance, false);
}

/** genSignedCert. Throws a GoError. */
export function issueSigned(names: CertificateNames, authority: CertificatePair, key: PrivateKey, issuance: Issuance): CertificatePair {
  return issue(names, key, readIssuer(authority), issuance, false);
}

/** The authority of a PEM pair. */
function readIssuer({ cert, key }: CertificatePair): Issuer {
  const block = decodePem(cert);
  if (block === undefined) throw new GoError('unable to decode certificate');
  const { subject, keyId, certificate } = readCertificate(block.bytes, 'error parsing certificate: decodedSignerCert.Bytes: ');
  const signer = within('error parsing private key: ', () => parsePrivateKey(key));
  if (signer.kind === 'key' && !certificate.checkPrivateKey(signer.key)) {
    throw new GoError("error creating certificate: x509: provided PrivateKey doesn't match parent's PublicKey");
  }
  return { subject, keyId, key: signer };
}

function within<T>(prefix: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof GoError) throw new GoError(prefix + error.message, error);
    throw error;
  }
}

type Parsed = { readonly subject: Buffer; readonly keyId: Buffer | undefined; readonly certificate: X509Certificate };

/** Subject and key identifier of a certificate. Throws a GoError with `prefix` before Go's text for malformed DER. */
export function readCertificate(der: Buffer, prefix: string): Parsed {
  try {
    const certificate = new X509Certificate(der);
    const [body] = readElements(readElement(der).contents);
    const fields = readElements(body?.contents ?? Buffer.alloc(0));
    // Version [0] is left out of version 1 certificates.
    const shift = fields[0]?.tag === 0xa0 ? 1 : 0;
    const subject = fields[shift + 4];
    if (subject === undefined) throw new RangeError('subject is missing');
    return { subject: subject.bytes, keyId: subjectKeyId(fields), certificate };
  } catch (error) {
    throw new GoError(`${prefix}x509: malformed certificate`, error);
  }
}

function subjectKeyId(fields: readonly Element[]): Buffer | undefined {
  const container = fields.find((field) => field.tag === 0xa3);
  if (container === undefined) return undefined;
  const wanted = oid('2.5.29.14');
  for (const extension of readElements(readElement(container.contents).contents)) {
    const [id, ...others] = readElements(extension.contents);
    const value = others.at(-1);
    if (id?.bytes.equals(wanted) === true && value !== undefined) return readElement(value.contents).contents;
  }
  return undefined;
}

function issue(
  names: CertificateNames,
  key: PrivateKey,
  issuer: Issuer | undefined,
  issuance: Issuance,
  authority: boolean,
): CertificatePair {
  const alternatives = alternativeNames(names);
  const notBefore = unixTime(0n, BigInt(Math.trunc(issuance.now)) * 1_000_000n, utc);
  const length = BigInt.asIntN(64, DAY * BigInt.asIntN(64, BigInt(names.days)));
  const notAfter = unixTime(notBefore.unix, BigInt(notBefore.nanos) + length, utc);
  const der = within('error creating certificate: ', () => {
    const signer = issuer?.key ?? key;
    const algorithm = signatureAlgorithm(signer);
    const spki = publicKeyInfo(key);
    const subject = encodeName(names.commonName);
    const own = issuer === undefined || issuer.subject.equals(subject);
    const body = sequence(
      tlv(0xa0, integer(2n)),
      integer(BigInt(`0x${Buffer.from(issuance.randomBytes(16)).toString('hex')}`)),
      algorithm.identifier,
      issuer?.subject ?? subject,
      sequence(encodeTime(notBefore), encodeTime(notAfter)),
      subject,
      spki,
      tlv(
        0xa3,
        sequence(
          ...extensions({
            authority,
            spki,
            alternatives,
            authorityKeyId: own ? undefined : issuer.keyId,
            noSubject: names.commonName === '',
          }),
        ),
      ),
    );
    return sequence(body, algorithm.identifier, bitString(algorithm.sign(body)));
  });
  return { cert: encodePem('CERTIFICATE', der), key: encodePrivateKey(key) };
}

/** The subjectAltName entries: DNS names, then addresses. */
function alternativeNames({ ips, dnsNames }: CertificateNames): Buffer[] {
  const addresses = ips.map(encodeAddress);
  const names = dnsNames.map((name) => {
    if (typeof name !== 'string') throw new GoError(`error processing alternate dns name: ${formatValue(name)} is not a string`);
    return name;
  });
  const encoded = names.map((name) => {
    // oxlint-disable-next-line no-control-regex
    if (!/^[\0-\x7f]*$/.test(name)) throw new GoError(`error creating certificate: x509: ${quote(name)} cannot be encoded as an IA5String`);
    return tlv(0x82, Buffer.from(name, 'latin1'));
  });
  return [...encoded, ...addresses];
}

function encodeAddress(ip: GoValue): Buffer {
  if (typeof ip !== 'string') throw new GoError(`error parsing ip: ${formatValue(ip)} is not a string`);
  const address = addressOrUndefined(ip);
  if (address === undefined) throw new GoError(`error parsing ip: ${ip}`);
  // An IPv4 address in IPv6 clothes is written as what it is.
  const mapped = address.length === 16 && address.subarray(0, 12).every((byte, i) => byte === (i < 10 ? 0 : 0xff));
  return tlv(0x87, mapped ? address.subarray(12) : address);
}

function addressOrUndefined(text: string): Uint8Array | undefined {
  try {
    const { bytes, zone } = parseIp(text);
    return zone === '' ? bytes : undefined;
  } catch (error) {
    if (error instanceof GoError) return undefined;
    throw error;
  }
}

function encodeName(commonName: string): Buffer {
  if (commonName === '') return sequence();
  if (!commonName.isWellFormed()) throw new GoError('asn1: string not valid UTF-8');
  const printable = /^[A-Za-z0-9'()+,\-./ :=?]*$/.test(commonName);
  const value = tlv(printable ? Tag.printableString : Tag.utf8String, Buffer.from(commonName));
  return sequence(tlv(Tag.set, sequence(commonNameOid, value)));
}

function encodeTime(time: GoTime): Buffer {
  const { year } = civil(time);
  if (year >= 1950 && year < 2050) return tlv(Tag.utcTime, Buffer.from(formatTime(time, '060102150405Z')));
  if (year < 0 || year > 9999) throw new GoError('asn1: structure error: cannot represent time as GeneralizedTime');
  return tlv(Tag.generalizedTime, Buffer.from(formatTime(time, '20060102150405Z')));
}

type ExtensionInput = {
  authority: boolean;
  spki: Buffer;
  alternatives: readonly Buffer[];
  authorityKeyId: Buffer | undefined;
  noSubject: boolean;
};

function makeExtension(id: string, value: Buffer, critical = false): Buffer {
  return sequence(oid(id), ...(critical ? [derTrue] : []), octetString(value));
}

/** In crypto/x509's order. */
function extensions({ authority, spki, alternatives, authorityKeyId, noSubject }: ExtensionInput): Buffer[] {
  const serverAuth = oid('1.3.6.1.5.5.7.3.1');
  const clientAuth = oid('1.3.6.1.5.5.7.3.2');
  // digitalSignature (0), keyEncipherment (2) and, for authorities, keyCertSign (5).
  const usage = authority ? bitString(Buffer.from([0b1010_0100]), 2) : bitString(Buffer.from([0b1010_0000]), 5);
  const all = [
    makeExtension('2.5.29.15', usage, true),
    makeExtension('2.5.29.37', sequence(serverAuth, clientAuth)),
    makeExtension('2.5.29.19', sequence(...(authority ? [derTrue] : [])), true),
  ];
  if (authority) all.push(makeExtension('2.5.29.14', octetString(keyIdentifier(spki))));
  if (authorityKeyId !== undefined) all.push(makeExtension('2.5.29.35', sequence(tlv(0x80, authorityKeyId))));
  if (alternatives.length > 0) all.push(makeExtension('2.5.29.17', sequence(...alternatives), noSubject));
  return all;
}

/** RFC 7093 method 1: the first 160 bits of the SHA-256 of the key bits. */
function keyIdentifier(spki: Buffer): Buffer {
  const bits = readElements(readElement(spki).contents)[1]?.contents.subarray(1) ?? spki;
  return createHash('sha256').update(bits).digest().subarray(0, 20);
}

type Signature = { readonly identifier: Buffer; readonly sign: (body: Buffer) => Buffer };

const curveHashes: Readonly<Record<string, readonly [hash: string, id: string]>> = {
  secp224r1: ['sha256', '1.2.840.10045.4.3.2'],
  prime256v1: ['sha256', '1.2.840.10045.4.3.2'],
  secp384r1: ['sha384', '1.2.840.10045.4.3.3'],
  secp521r1: ['sha512', '1.2.840.10045.4.3.4'],
};

function signatureAlgorithm(signer: PrivateKey): Signature {
  if (signer.kind === 'dsa') throw new GoError('x509: certificate private key does not implement crypto.Signer');
  const { key } = signer;
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return { identifier: sequence(oid('1.2.840.113549.1.1.11'), derNull), sign: (body) => sign('sha256', body, key) };
    case 'ed25519':
      return { identifier: sequence(oid('1.3.101.112')), sign: (body) => sign(null, body, key) };
    case 'ec': {
      const found = curveHashes[key.asymmetricKeyDetails?.namedCurve ?? ''];
      if (found === undefined) throw new GoError('x509: unsupported elliptic curve');
      const [hash, id] = found;
      return { identifier: sequence(oid(id)), sign: (body) => sign(hash, body, key) };
    }
    default:
      throw new GoError('x509: only RSA, ECDSA and Ed25519 keys supported');
  }
}
