import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { readCertificate, type Certificate } from '../certificate.ts';
import { context, contextPrimitive, derNull, octetString, oid, sequence, tlv } from '../der.ts';
import { bitString, boolean, certificateTime, integer, name, namedBits } from './der-writer.ts';

/** A certificate and the key it is for. */
export type Issued = { certificate: Certificate; key: KeyObject };

export type KeyPair = { publicKey: KeyObject; privateKey: KeyObject };

export type CertificateSpec = {
  /** `C=RO,ST=B,O=Test,CN=…` */
  subject?: string;
  key?: KeyPair;
  notBefore?: Date;
  notAfter?: Date;
  /** Basic constraints; absent when undefined. */
  authority?: boolean;
  pathLength?: number;
  /** Named bits of the key usage; absent when null. */
  keyUsage?: number | null;
  keyUsageCritical?: boolean;
  purposes?: readonly string[];
  purposesCritical?: boolean;
  ocsp?: readonly string[];
  crl?: readonly string[];
  /** Other extensions: identifier, critical, value. */
  extensions?: readonly (readonly [id: string, critical: boolean, value: Buffer])[];
  /** Hash of the issuer's signature; default sha256 (which SHA-1 replaces for tests of weak ones). */
  hash?: 'sha1' | 'sha256' | 'sha384' | 'sha512';
};

const keys = new Map<string, KeyPair>();

/** A key pair of a kind, made once: keys tell nobody apart in these tests unless they ask for another `name`. */
export function keyPair(
  kind: 'P-256' | 'P-384' | 'P-521' | 'P-224' | 'RSA 1024' | 'RSA 2048' | 'RSA 3072' | 'RSA 4096' | 'Ed25519',
  label = '',
): KeyPair {
  const id = `${kind} ${label}`;
  const known = keys.get(id);
  if (known !== undefined) return known;
  const made = generate(kind);
  keys.set(id, made);
  return made;
}

function generate(kind: string): KeyPair {
  if (kind === 'Ed25519') return generateKeyPairSync('ed25519');
  if (kind.startsWith('RSA ')) return generateKeyPairSync('rsa', { modulusLength: Number(kind.slice(4)) });
  return generateKeyPairSync('ec', { namedCurve: kind });
}

const DAY = 86_400_000;

/** Certificates are valid around this time unless a test says otherwise. */
export const PRESENT: Date = new Date('2026-06-01T12:00:00Z');

/** Issues a certificate: by `issuer`, or self-signed. */
export function issue(spec: CertificateSpec, issuer?: Issued): Issued {
  const pair = spec.key ?? keyPair('P-256');
  const subject = name(spec.subject ?? 'C=RO,ST=B,O=Test,CN=signer');
  const signer = issuer?.key ?? pair.privateKey;
  const algorithm = signatureAlgorithm(signer, spec.hash ?? 'sha256');
  const body = sequence(
    tlv(context(0), integer(2)),
    integer(BigInt(`0x40${randomBytes(15).toString('hex')}`)),
    algorithm,
    issuer?.certificate.subject.der ?? subject,
    sequence(
      certificateTime(spec.notBefore ?? new Date(PRESENT.getTime() - 100 * DAY)),
      certificateTime(spec.notAfter ?? new Date(PRESENT.getTime() + 100 * DAY)),
    ),
    subject,
    pair.publicKey.export({ type: 'spki', format: 'der' }),
    tlv(context(3), sequence(...extensions(spec))),
  );
  const der = sequence(body, algorithm, bitString(signBytes(body, signer, spec.hash ?? 'sha256')));
  return { certificate: readCertificate(der), key: pair.privateKey };
}

function extensions(spec: CertificateSpec): readonly Buffer[] {
  const all: Buffer[] = [];
  const add = (id: string, critical: boolean, value: Buffer): void => {
    all.push(sequence(oid(id), ...(critical ? [boolean(true)] : []), octetString(value)));
  };
  if (spec.authority !== undefined) {
    const length = spec.pathLength === undefined ? [] : [integer(spec.pathLength)];
    add('2.5.29.19', true, sequence(...(spec.authority ? [boolean(true)] : []), ...length));
  }
  const usage = spec.keyUsage === undefined ? (spec.authority === true ? 0b110_0000 : 1) : spec.keyUsage;
  if (usage !== null) add('2.5.29.15', spec.keyUsageCritical ?? true, namedBits(usage));
  if (spec.purposes !== undefined) add('2.5.29.37', spec.purposesCritical ?? false, sequence(...spec.purposes.map(oid)));
  if (spec.ocsp !== undefined) {
    add('1.3.6.1.5.5.7.1.1', false, sequence(...spec.ocsp.map((url) => sequence(oid('1.3.6.1.5.5.7.48.1'), uri(url)))));
  }
  if (spec.crl !== undefined) add('2.5.29.31', false, distributionPoints(spec.crl));
  for (const [id, critical, value] of spec.extensions ?? []) add(id, critical, value);
  return all;
}

function uri(url: string): Buffer {
  return tlv(contextPrimitive(6), Buffer.from(url));
}

/** CRLDistributionPoints, a point for each URL. */
export function distributionPoints(urls: readonly string[]): Buffer {
  return sequence(...urls.map((url) => sequence(tlv(context(0), tlv(context(0), uri(url))))));
}

/** AlgorithmIdentifier of a signature by the key. */
export function signatureAlgorithm(key: KeyObject, hash: string): Buffer {
  const digit = { sha256: 2, sha384: 3, sha512: 4 }[hash];
  if (key.asymmetricKeyType === 'ed25519') return sequence(oid('1.3.101.112'));
  if (key.asymmetricKeyType === 'ec') return sequence(oid(hash === 'sha1' ? '1.2.840.10045.4.1' : `1.2.840.10045.4.3.${digit}`));
  return sequence(oid(`1.2.840.113549.1.1.${hash === 'sha1' ? 5 : 9 + (digit ?? 2)}`), derNull);
}

export function signBytes(bytes: Buffer, key: KeyObject, hash: string): Buffer {
  return sign(key.asymmetricKeyType === 'ed25519' ? null : hash, bytes, key);
}

/** A root authority. */
export function issueRoot(spec: CertificateSpec = {}): Issued {
  return issue({ subject: 'C=RO,ST=B,O=Test,CN=root', key: keyPair('P-256', 'root'), authority: true, ...spec });
}

/** PEM of a certificate. */
export function pem({ certificate }: Issued): Uint8Array {
  const lines = certificate.der.toString('base64').replace(/.{64}/g, '$&\n');
  return Buffer.from(`-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`);
}
