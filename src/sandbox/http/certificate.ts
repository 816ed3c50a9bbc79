import { createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** A certificate and its key, PEM. */
export type ServingCertificate = { certificate: string; key: string };

/** DER tags used here (X.690). */
const TAG = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
  boolean: 0x01,
} as const;

const OID = {
  commonName: [0x55, 0x04, 0x03],
  ecdsaWithSha256: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
  subjectAltName: [0x55, 0x1d, 0x11],
  basicConstraints: [0x55, 0x1d, 0x13],
  keyUsage: [0x55, 0x1d, 0x0f],
  extendedKeyUsage: [0x55, 0x1d, 0x25],
  serverAuth: [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01],
};

/**
 * A self-signed certificate for an address, for one run of the sandbox: ECDSA P-256, valid a year from yesterday, its own authority
 * (RFC 5280).
 * @param hosts DNS names and IPv4 addresses
 * @param now milliseconds since the epoch
 */
export function selfSignedCertificate(hosts: readonly string[], now: number): ServingCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const algorithm = der(TAG.sequence, der(TAG.oid, OID.ecdsaWithSha256));
  const name = der(
    TAG.sequence,
    der(TAG.set, der(TAG.sequence, der(TAG.oid, OID.commonName), der(TAG.utf8, Buffer.from('sluice-sandbox')))),
  );
  const day = 86_400_000;
  const validity = der(TAG.sequence, utcTime(now - day), utcTime(now + 365 * day));
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const extensions = der(
    0xa3,
    der(
      TAG.sequence,
      extension(OID.basicConstraints, der(TAG.sequence, der(TAG.boolean, [0xff])), true),
      extension(OID.keyUsage, der(TAG.bitString, [0x02, 0xa4]), true),
      extension(OID.extendedKeyUsage, der(TAG.sequence, der(TAG.oid, OID.serverAuth))),
      extension(OID.subjectAltName, der(TAG.sequence, ...hosts.map(generalName))),
    ),
  );
  const body = der(
    TAG.sequence,
    der(0xa0, der(TAG.integer, [2])),
    der(TAG.integer, serial),
    algorithm,
    name,
    validity,
    name,
    publicKey,
    extensions,
  );
  const signature = sign('sha256', body, createPrivateKey(privateKey));
  const certificate = der(TAG.sequence, body, algorithm, der(TAG.bitString, [0], signature));
  const base64 = certificate.toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
  return { certificate: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`, key: privateKey };
}

function der(tag: number, ...content: readonly (Uint8Array | readonly number[])[]): Buffer {
  const body = Buffer.concat(content.map((part) => Buffer.from(part)));
  const length = body.length < 128 ? [body.length] : body.length < 256 ? [0x81, body.length] : [0x82, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

function extension(oid: readonly number[], value: Buffer, critical = false): Buffer {
  return der(TAG.sequence, der(TAG.oid, oid), ...(critical ? [der(TAG.boolean, [0xff])] : []), der(TAG.octetString, value));
}

function generalName(host: string): Buffer {
  return /^\d+(\.\d+){3}$/.test(host) ? der(0x87, host.split('.').map(Number)) : der(0x82, Buffer.from(host));
}

function utcTime(ms: number): Buffer {
  return der(TAG.utcTime, Buffer.from(`${new Date(ms).toISOString().replaceAll(/[-:T]/g, '').slice(2, 14)}Z`));
}
