import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { bits, boolean, integer, octets, oid, sequence, set, tagged, text, utcTime } from './der.ts';

export type KeyPair = { publicKey: KeyObject; privateKey: KeyObject };

export function p256(): KeyPair {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

export function spki(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

const ECDSA_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));
const OID = {
  commonName: '2.5.4.3',
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const;
export const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
export const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';

export type Validity = { notBefore: Date; notAfter: Date };

/** What is signed of a certificate: everything but its signature. */
export type Draft = Validity & { name: string; publicKey: KeyObject; extensions: readonly Buffer[] };

export function extension(id: string, value: Uint8Array, critical = false): Buffer {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), octets(value));
}

/** A certificate authority that signs whatever it is given. */
export class CertificateAuthority {
  readonly name: string;
  readonly keys: KeyPair;
  /** Its own certificate, DER. */
  readonly certificate: Buffer;
  /** Certificates from its own up to the root. */
  readonly chain: readonly Buffer[];

  constructor(name: string, validity: Validity, parent?: CertificateAuthority) {
    this.name = name;
    this.keys = p256();
    const draft = { ...validity, name, publicKey: this.keys.publicKey, extensions: caExtensions() };
    this.certificate = (parent ?? this).sign(draft);
    this.chain = [this.certificate, ...(parent?.chain ?? [])];
  }

  /** The signed certificate; `amend` may add to the extensions once the rest is known (SCTs are over the rest). */
  sign(draft: Draft, amend?: (tbs: Buffer) => Buffer): Buffer {
    const serial = Buffer.concat([Buffer.from([0x4a]), randomBytes(15)]);
    const keyIds = [
      extension(OID.subjectKeyId, octets(keyId(draft.publicKey))),
      extension(OID.authorityKeyId, sequence(tagged(0, 'primitive', keyId(this.keys.publicKey)))),
    ];
    const tbs = (extra: readonly Buffer[]): Buffer => this.#tbs(draft, serial, [...draft.extensions, ...keyIds, ...extra]);
    const signed = amend === undefined ? tbs([]) : tbs([amend(tbs([]))]);
    return sequence(signed, ECDSA_SHA256, bits(sign('sha256', signed, this.keys.privateKey)));
  }

  #tbs(draft: Draft, serial: Buffer, extensions: readonly Buffer[]): Buffer {
    return sequence(
      tagged(0, 'constructed', integer(2)),
      integer(serial),
      ECDSA_SHA256,
      distinguishedName(this.name),
      sequence(utcTime(draft.notBefore), utcTime(draft.notAfter)),
      distinguishedName(draft.name),
      spki(draft.publicKey),
      tagged(3, 'constructed', sequence(...extensions)),
    );
  }
}

export function distinguishedName(name: string): Buffer {
  return name === '' ? sequence() : sequence(set(sequence(oid(OID.commonName), text(name))));
}

/** Extensions of a leaf for one purpose. */
export function leafExtensions(purpose: string, criticalPurpose = false): Buffer[] {
  return [
    extension(OID.keyUsage, bits(Buffer.from([0x80]), 7), true),
    extension(OID.extendedKeyUsage, sequence(oid(purpose)), criticalPurpose),
  ];
}

/** A subject alternative name: a URI, an e-mail address, or Fulcio's user name. */
export function subjectAltName(subject: string): Buffer {
  const ascii = Buffer.from(subject, 'latin1');
  const otherName = tagged(0, 'constructed', oid('1.3.6.1.4.1.57264.1.7'), tagged(0, 'constructed', text(subject)));
  const name = subject.includes('://') ? tagged(6, 'primitive', ascii) : subject.includes('@') ? tagged(1, 'primitive', ascii) : otherName;
  return extension(OID.subjectAltName, sequence(name), true);
}

function caExtensions(): Buffer[] {
  return [extension(OID.keyUsage, bits(Buffer.from([0x06]), 1), true), extension(OID.basicConstraints, sequence(boolean(true)), true)];
}

function keyId(key: KeyObject): Buffer {
  return Buffer.from(spki(key).subarray(-20));
}
