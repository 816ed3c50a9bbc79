import { createHash, createPublicKey, sign, type KeyObject } from 'node:crypto';
import type { Digest } from '../../std/index.ts';
import type { CosignMaterial } from '../cosign/material.ts';
import {
  CertificateAuthority,
  CODE_SIGNING,
  extension,
  leafExtensions,
  p256,
  spki,
  subjectAltName,
  type KeyPair,
} from './certificate-authority.ts';
import { octets, text } from './der.ts';
import { TimestampAuthority } from './timestamp-authority.ts';
import { CertificateLog, SignatureLog, type LogEntry } from './transparency-log.ts';

const MINUTES = 60_000;
const YEARS = 365 * 24 * 60 * MINUTES;

export type FakeIdentity = { issuer: string; subject: string };
export type FakeCertificate = { keys: KeyPair; der: Buffer };

/** What makes one keyless signature differ from a good one. */
export type KeylessOptions = {
  identity: FakeIdentity;
  /** When it is signed; the certificate is for the ten minutes from `issued`, by default the same. */
  time: Date;
  issued?: Date;
  /** Purpose of the certificate; default code signing. */
  purpose?: string;
  /** Who promises to log the certificate; default the deployment's own log, undefined for nobody. */
  certificateLog?: CertificateLog | undefined;
  /** Logs that record the signature; default Rekor v1. */
  logs?: readonly SignatureLog[];
  /** Who vouches for the time, beside Rekor v1; default nobody. */
  timestamps?: readonly TimestampAuthority[];
  /** How the log records it: */
  entry?: 'dsse' | 'hashedrekord';
};

/** A Sigstore deployment in memory: certificate authority, logs and timestamp authority, all with keys of their own. */
export class FakeSigstore {
  readonly root: CertificateAuthority;
  readonly authority: CertificateAuthority;
  readonly certificateLog: CertificateLog = new CertificateLog();
  readonly rekor1: SignatureLog = new SignatureLog(1, 'rekor.sigstore.test');
  readonly rekor2: SignatureLog = new SignatureLog(2, 'log2026.rekor.sigstore.test');
  readonly timestamps: TimestampAuthority;
  readonly #start: Date;

  constructor(now: Date) {
    this.#start = new Date(now.getTime() - YEARS);
    const validity = { notBefore: this.#start, notAfter: new Date(now.getTime() + 10 * YEARS) };
    this.root = new CertificateAuthority('fake root', validity);
    this.authority = new CertificateAuthority('fake intermediate', validity, this.root);
    this.timestamps = new TimestampAuthority('fake timestamps', validity);
  }

  /** Its `trusted_root.json`. */
  trustedRoot(): Buffer {
    const validFor = { start: this.#start.toISOString() };
    const certificates = (chain: readonly Buffer[]): unknown => ({
      certificates: chain.map((der) => ({ rawBytes: der.toString('base64') })),
    });
    const log = (host: string, id: Buffer, key: KeyObject, keyDetails: string): object => ({
      baseUrl: `https://${host}`,
      hashAlgorithm: 'SHA2_256',
      publicKey: { rawBytes: spki(key).toString('base64'), keyDetails, validFor },
      logId: { keyId: id.toString('base64') },
    });
    const { rekor1, rekor2, certificateLog } = this;
    return json({
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [
        log(rekor1.host, rekor1.id, rekor1.keys.publicKey, 'PKIX_ECDSA_P256_SHA_256'),
        log(rekor2.host, rekor2.id, rekor2.keys.publicKey, 'PKIX_ED25519'),
      ],
      ctlogs: [log('ct.sigstore.test', certificateLog.id, certificateLog.keys.publicKey, 'PKIX_ECDSA_P256_SHA_256')],
      certificateAuthorities: [
        {
          subject: { organization: 'fake', commonName: 'fake' },
          uri: 'https://fulcio.sigstore.test',
          certChain: certificates(this.authority.chain),
          validFor,
        },
      ],
      timestampAuthorities: [
        {
          subject: { organization: 'fake', commonName: 'fake' },
          uri: 'https://tsa.sigstore.test',
          certChain: certificates(this.timestamps.chain),
          validFor,
        },
      ],
    });
  }

  /** Issues a certificate as Fulcio does. */
  certify(options: KeylessOptions): FakeCertificate {
    const { identity, purpose = CODE_SIGNING } = options;
    const notBefore = options.issued ?? options.time;
    const keys = p256();
    const issuerKey = spki(this.authority.keys.publicKey);
    const promiser = 'certificateLog' in options ? options.certificateLog : this.certificateLog;
    const draft = {
      name: '',
      publicKey: keys.publicKey,
      notBefore,
      notAfter: new Date(notBefore.getTime() + 10 * MINUTES),
      extensions: [
        ...leafExtensions(purpose),
        subjectAltName(identity.subject),
        extension('1.3.6.1.4.1.57264.1.1', Buffer.from(identity.issuer)),
        extension('1.3.6.1.4.1.57264.1.8', text(identity.issuer)),
      ],
    };
    const promise = (tbs: Buffer, log: CertificateLog): Buffer =>
      extension('1.3.6.1.4.1.11129.2.4.2', octets(log.promise(tbs, issuerKey, notBefore)));
    const der = this.authority.sign(draft, promiser === undefined ? undefined : (tbs) => promise(tbs, promiser));
    return { keys, der };
  }

  /** A bundle as cosign 3 attaches it: an in-toto statement about `digest` in a DSSE envelope. */
  bundle(digest: Digest, options: KeylessOptions, predicate: Predicate = SIGNATURE): BundleJson {
    const { keys, der } = this.certify(options);
    const envelope = signEnvelope(statementOf(digest, predicate), keys.privateKey);
    const signature = Buffer.from(envelope.signatures[0]?.sig ?? '', 'base64');
    const logs = options.logs ?? [this.rekor1];
    return {
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: {
        certificate: { rawBytes: der.toString('base64') },
        tlogEntries: logs.map((log) => log.add(envelopeBody(log.version, envelope, der, options.entry ?? 'hashedrekord'), options.time)),
        timestampVerificationData: { rfc3161Timestamps: stamps(signature, options) },
      },
      dsseEnvelope: envelope,
    };
  }

  /** A layer as cosign 2 stores attestations under the tag `sha256-….att`. */
  tagAttestation(digest: Digest, options: KeylessOptions, predicate: Predicate): CosignMaterial {
    const { verificationMaterial, dsseEnvelope } = this.bundle(digest, options, predicate);
    const [entry] = verificationMaterial.tlogEntries;
    const certificate = Buffer.from(verificationMaterial.certificate?.rawBytes ?? '', 'base64');
    return {
      name: `${digest.replace(':', '-')}.att`,
      kind: 'envelope',
      payload: json(dsseEnvelope),
      annotations: {
        'dev.cosignproject.cosign/signature': '',
        'dev.sigstore.cosign/certificate': pem('CERTIFICATE', certificate),
        ...(entry === undefined ? {} : { 'dev.sigstore.cosign/bundle': entryAnnotation(entry) }),
      },
    };
  }

  /** A layer as cosign 2 stores it under the tag `sha256-….sig`. */
  tagSignature(digest: Digest, options: KeylessOptions): Extract<CosignMaterial, { kind: 'simple-signing' }> {
    const { keys, der } = this.certify(options);
    const payload = simpleSigning(digest);
    const signature = sign('sha256', payload, keys.privateKey);
    const entry = this.rekor1.add(hashedRekord(payload, signature, pem('CERTIFICATE', der)), options.time);
    const [timestamp] = stamps(signature, options);
    return {
      name: `${digest.replace(':', '-')}.sig`,
      kind: 'simple-signing',
      payload,
      annotations: {
        'dev.cosignproject.cosign/signature': signature.toString('base64'),
        'dev.sigstore.cosign/certificate': pem('CERTIFICATE', der),
        'dev.sigstore.cosign/chain': this.authority.chain.map((certificate) => pem('CERTIFICATE', certificate)).join(''),
        ...(options.logs?.length === 0 ? {} : { 'dev.sigstore.cosign/bundle': entryAnnotation(entry) }),
        ...(timestamp === undefined
          ? {}
          : { 'dev.sigstore.cosign/rfc3161timestamp': JSON.stringify({ SignedRFC3161Timestamp: timestamp.signedTimestamp }) }),
      },
    };
  }
}

export type Predicate = { type: string; value: unknown };
export const SIGNATURE: Predicate = { type: 'https://sigstore.dev/cosign/sign/v1', value: {} };

export type Envelope = { payloadType: string; payload: string; signatures: { sig: string }[] };

/** A bundle's JSON, open to tampering. */
export type BundleJson = {
  mediaType: string;
  verificationMaterial: {
    certificate?: { rawBytes: string };
    publicKey?: { hint: string };
    tlogEntries: LogEntry[];
    timestampVerificationData?: { rfc3161Timestamps: { signedTimestamp: string }[] };
  };
  dsseEnvelope: Envelope;
};

export function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

export function bundleMaterial(bundle: unknown, name = 'bundle'): CosignMaterial {
  return { name, kind: 'bundle', json: json(bundle) };
}

/** A bundle signed with a bare key; without a log as of `cosign sign --key --tlog-upload=false`. */
export function keyBundle(
  digest: Digest,
  key: KeyObject,
  predicate: Predicate = SIGNATURE,
  log?: SignatureLog,
  time: Date = new Date(),
): BundleJson {
  const envelope = signEnvelope(statementOf(digest, predicate), key);
  return {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { publicKey: { hint: '' }, tlogEntries: log === undefined ? [] : [log.add(keyBody(envelope, key), time)] },
    dsseEnvelope: envelope,
  };
}

/** A layer under `sha256-….sig` signed with a bare key. */
export function keyTagSignature(
  digest: Digest,
  key: KeyObject,
  hash: string | undefined = 'sha256',
): Extract<CosignMaterial, { kind: 'simple-signing' }> {
  const payload = simpleSigning(digest);
  const signature = sign(hash, payload, key).toString('base64');
  return {
    name: `${digest.replace(':', '-')}.sig`,
    kind: 'simple-signing',
    payload,
    annotations: { 'dev.cosignproject.cosign/signature': signature },
  };
}

export function simpleSigning(digest: string): Buffer {
  return json({
    critical: {
      identity: { 'docker-reference': 'registry.test/app' },
      image: { 'docker-manifest-digest': digest },
      type: 'cosign container image signature',
    },
    optional: null,
  });
}

export function statementOf(digest: string, { type, value }: Predicate): object {
  const [algorithm = '', hex = ''] = digest.split(':');
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ digest: { [algorithm]: hex } }],
    predicateType: type,
    predicate: value,
  };
}

/** Wraps and signs a statement (DSSE). */
export function signEnvelope(statement: object, key: KeyObject): Envelope {
  const payload = json(statement);
  const payloadType = 'application/vnd.in-toto+json';
  const hash = key.asymmetricKeyType === 'ed25519' ? undefined : 'sha256';
  return { payloadType, payload: payload.toString('base64'), signatures: [{ sig: sign(hash, pae(payload), key).toString('base64') }] };
}

function pae(payload: Buffer): Buffer {
  return Buffer.from(`DSSEv1 28 application/vnd.in-toto+json ${payload.length} ${payload.toString()}`);
}

function stamps(signature: Buffer, { timestamps = [], time }: KeylessOptions): { signedTimestamp: string }[] {
  return timestamps.map((authority) => ({ signedTimestamp: authority.stamp(signature, time).toString('base64') }));
}

function envelopeBody(
  version: 1 | 2,
  envelope: Envelope,
  certificate: Buffer,
  entry: 'dsse' | 'hashedrekord',
): Parameters<SignatureLog['add']>[0] {
  const content = envelope.signatures[0]?.sig;
  if (version === 1) return dsseBody(envelope, pem('CERTIFICATE', certificate));
  const verifier = { keyDetails: 'PKIX_ECDSA_P256_SHA_256', x509Certificate: { rawBytes: certificate.toString('base64') } };
  const payload = Buffer.from(envelope.payload, 'base64');
  const digest = (data: Buffer): object => ({ algorithm: 'SHA2_256', digest: sha256(data).toString('base64') });
  return entry === 'hashedrekord'
    ? {
        kind: 'hashedrekord',
        apiVersion: '0.0.2',
        spec: { hashedRekordV002: { data: digest(pae(payload)), signature: { content, verifier } } },
      }
    : { kind: 'dsse', apiVersion: '0.0.2', spec: { dsseV002: { payloadHash: digest(payload), signatures: [{ content, verifier }] } } };
}

function keyBody(envelope: Envelope, key: KeyObject): Parameters<SignatureLog['add']>[0] {
  return dsseBody(envelope, pem('PUBLIC KEY', spki(createPublicKey(key))));
}

function dsseBody(envelope: Envelope, verifier: string): Parameters<SignatureLog['add']>[0] {
  const payload = Buffer.from(envelope.payload, 'base64');
  return {
    kind: 'dsse',
    apiVersion: '0.0.1',
    spec: {
      envelopeHash: { algorithm: 'sha256', value: sha256(json(envelope)).toString('hex') },
      payloadHash: { algorithm: 'sha256', value: sha256(payload).toString('hex') },
      signatures: [{ signature: envelope.signatures[0]?.sig, verifier: Buffer.from(verifier).toString('base64') }],
    },
  };
}

function hashedRekord(payload: Buffer, signature: Buffer, verifier: string): Parameters<SignatureLog['add']>[0] {
  return {
    kind: 'hashedrekord',
    apiVersion: '0.0.1',
    spec: {
      data: { hash: { algorithm: 'sha256', value: sha256(payload).toString('hex') } },
      signature: { content: signature.toString('base64'), publicKey: { content: Buffer.from(verifier).toString('base64') } },
    },
  };
}

function entryAnnotation(entry: LogEntry): string {
  return JSON.stringify({
    SignedEntryTimestamp: entry.inclusionPromise?.signedEntryTimestamp,
    Payload: {
      body: entry.canonicalizedBody,
      integratedTime: Number(entry.integratedTime),
      logIndex: Number(entry.logIndex),
      logID: Buffer.from(entry.logId.keyId, 'base64').toString('hex'),
    },
  });
}

function sha256(data: Uint8Array): Buffer {
  return createHash('sha256').update(data).digest();
}

export function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
