import { createHash, randomBytes, sign, X509Certificate } from 'node:crypto';
import {
  CertificateAuthority,
  distinguishedName,
  leafExtensions,
  p256,
  TIME_STAMPING,
  type KeyPair,
  type Validity,
} from './certificate-authority.ts';
import { generalizedTime, integer, octets, oid, sequence, set, tagged } from './der.ts';

const SHA256 = sequence(oid('2.16.840.1.101.3.4.2.1'));
const ECDSA_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));
const SIGNED_DATA = oid('1.2.840.113549.1.7.2');
const TST_INFO = oid('1.2.840.113549.1.9.16.1.4');

function sha256(data: Uint8Array): Buffer {
  return createHash('sha256').update(data).digest();
}

/** A timestamp authority (RFC 3161). */
export class TimestampAuthority {
  /** Certificates from its own up to the root. */
  readonly chain: readonly Buffer[];
  readonly #keys: KeyPair = p256();
  readonly #issuer: string;
  readonly #serial: Buffer;

  constructor(name: string, validity: Validity) {
    const root = new CertificateAuthority(`${name} root`, validity);
    const leaf = root.sign({ ...validity, name, publicKey: this.#keys.publicKey, extensions: leafExtensions(TIME_STAMPING, true) });
    this.chain = [leaf, ...root.chain];
    this.#issuer = root.name;
    this.#serial = Buffer.from(new X509Certificate(leaf).serialNumber, 'hex');
  }

  /** The DER response that `data` existed at `time`. */
  stamp(data: Uint8Array, time: Date): Buffer {
    const info = sequence(
      integer(1),
      oid('1.3.6.1.4.1.57264.2'),
      sequence(SHA256, octets(sha256(data))),
      integer(Buffer.concat([Buffer.from([1]), randomBytes(7)])),
      generalizedTime(time),
    );
    const token = sequence(SIGNED_DATA, tagged(0, 'constructed', this.#signedData(info, time)));
    return sequence(sequence(integer(0)), token);
  }

  #signedData(info: Buffer, time: Date): Buffer {
    const attributes = [
      sequence(oid('1.2.840.113549.1.9.3'), set(TST_INFO)),
      sequence(oid('1.2.840.113549.1.9.5'), set(generalizedTime(time))),
      sequence(oid('1.2.840.113549.1.9.4'), set(octets(sha256(info)))),
      // ESSCertIDv2 (RFC 5035): the certificate this token is by.
      sequence(oid('1.2.840.113549.1.9.16.2.47'), set(sequence(sequence(sequence(octets(sha256(this.chain[0] ?? Buffer.alloc(0)))))))),
    ].toSorted(Buffer.compare);
    const signature = sign('sha256', set(...attributes), this.#keys.privateKey);
    const signer = sequence(
      integer(1),
      sequence(distinguishedName(this.#issuer), integer(this.#serial)),
      SHA256,
      tagged(0, 'constructed', ...attributes),
      ECDSA_SHA256,
      octets(signature),
    );
    const content = sequence(TST_INFO, tagged(0, 'constructed', octets(info)));
    return sequence(integer(3), set(SHA256), content, tagged(0, 'constructed', ...this.chain.slice(0, 1)), set(signer));
  }
}
