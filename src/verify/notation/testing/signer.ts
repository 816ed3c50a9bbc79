import { constants, sign, type KeyObject } from 'node:crypto';
import { encode, Tag } from 'cbor2';
import type { Subject } from '../../verdict.ts';
import { algorithmOfKey } from '../algorithm.ts';
import type { Certificate } from '../certificate.ts';
import { PAYLOAD_TYPE } from '../envelope.ts';
import type { SignatureEnvelope } from '../signature.ts';
import { PRESENT, type Issued } from './authority.ts';

/** What to sign, and how it may go wrong. */
export type SignRequest = {
  subject: Subject;
  /** The signer first, then who issued it, up to the root. */
  chain: readonly [Issued, ...Issued[]];
  scheme?: string;
  signingTime?: Date;
  expiry?: Date;
  /** Makes a timestamp token for the signature. */
  timestamp?: (signature: Buffer) => Buffer;
  /** Changes of the protected header; undefined removes. */
  headers?: Readonly<Record<string, unknown>>;
  /** The payload in place of the subject's. */
  payload?: Uint8Array;
  /** The chain to put in the envelope in place of the signer's. */
  certificates?: readonly Certificate[];
  agent?: string;
};

/** Signs as notation does. */
export function signEnvelope(format: 'JWS' | 'COSE', request: SignRequest): SignatureEnvelope {
  const name = `sha256:${format.toLowerCase()}`;
  return format === 'JWS'
    ? { name, mediaType: 'application/jose+json', envelope: signJws(request) }
    : { name, mediaType: 'application/cose', envelope: signCose(request) };
}

function payloadOf({ subject, payload }: SignRequest): Buffer {
  const { mediaType, digest, size } = subject;
  return Buffer.from(payload ?? JSON.stringify({ targetArtifact: { mediaType, digest, size } }));
}

function signBytes(bytes: Uint8Array, key: KeyObject, certificate: Certificate): { algorithm: string; signature: Buffer } {
  const algorithm = algorithmOfKey(certificate.publicKey) ?? (key.asymmetricKeyType === 'rsa' ? 'PS256' : 'ES256');
  const hash = `sha${algorithm.slice(2)}`;
  const signature = algorithm.startsWith('PS')
    ? sign(hash, bytes, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST })
    : sign(hash, bytes, { key, dsaEncoding: 'ieee-p1363' });
  return { algorithm, signature };
}

const P = 'io.cncf.notary.';

/** Headers both formats have, with their critical list. */
function commonHeaders({ scheme = 'notary.x509', signingTime = PRESENT, expiry }: SignRequest): {
  headers: Record<string, unknown>;
  critical: string[];
} {
  const authority = scheme === 'notary.x509.signingAuthority';
  const timeHeader = `${P}${authority ? 'authenticSigningTime' : 'signingTime'}`;
  const critical = [`${P}signingScheme`, ...(authority ? [timeHeader] : []), ...(expiry === undefined ? [] : [`${P}expiry`])];
  const headers = { [`${P}signingScheme`]: scheme, [timeHeader]: signingTime, ...(expiry === undefined ? {} : { [`${P}expiry`]: expiry }) };
  return { headers, critical };
}

function signJws(request: SignRequest): Uint8Array {
  const [signer] = request.chain;
  const { headers, critical } = commonHeaders(request);
  const algorithm = signBytes(Buffer.alloc(0), signer.key, signer.certificate).algorithm;
  const header = { alg: algorithm, cty: PAYLOAD_TYPE, crit: critical, ...headers, ...request.headers };
  const encodedHeader = Buffer.from(JSON.stringify(header)).toString('base64url');
  const payload = payloadOf(request).toString('base64url');
  const { signature } = signBytes(Buffer.from(`${encodedHeader}.${payload}`), signer.key, signer.certificate);
  return Buffer.from(
    JSON.stringify({
      payload,
      protected: encodedHeader,
      header: {
        x5c: certificatesOf(request).map(({ der }) => der.toString('base64')),
        ...(request.timestamp === undefined ? {} : { [`${P}timestampSignature`]: request.timestamp(signature).toString('base64') }),
        [`${P}signingAgent`]: request.agent ?? 'test',
      },
      signature: signature.toString('base64url'),
    }),
  );
}

const COSE_ALGORITHMS: Readonly<Record<string, number>> = { PS256: -37, PS384: -38, PS512: -39, ES256: -7, ES384: -35, ES512: -36 };

function signCose(request: SignRequest): Uint8Array {
  const [signer] = request.chain;
  const { headers, critical } = commonHeaders(request);
  const { algorithm } = signBytes(Buffer.alloc(0), signer.key, signer.certificate);
  const map = new Map<unknown, unknown>([[1, COSE_ALGORITHMS[algorithm]], [2, critical], [3, PAYLOAD_TYPE], ...Object.entries(headers)]);
  for (const [label, value] of Object.entries(request.headers ?? {})) {
    const key = /^-?\d+$/.test(label) ? Number(label) : label;
    if (value === undefined) map.delete(key);
    else map.set(key, value);
  }
  for (const [label, value] of map) if (value instanceof Date) map.set(label, new Tag(1, Math.trunc(value.getTime() / 1000)));
  const protectedBytes = encode(map);
  const payload = new Uint8Array(payloadOf(request));
  const { signature } = signBytes(encode(['Signature1', protectedBytes, new Uint8Array(0), payload]), signer.key, signer.certificate);
  const unprotected = new Map<unknown, unknown>([
    [33, certificatesOf(request).map(({ der }) => new Uint8Array(der))],
    [`${P}signingAgent`, request.agent ?? 'test'],
  ]);
  if (request.timestamp !== undefined) unprotected.set(`${P}timestampSignature`, new Uint8Array(request.timestamp(signature)));
  return encode(new Tag(18, [protectedBytes, unprotected, payload, new Uint8Array(signature)]));
}

function certificatesOf({ certificates, chain }: SignRequest): readonly Certificate[] {
  return certificates ?? chain.map(({ certificate }) => certificate);
}
