import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { p256, spki, type KeyPair } from './certificate-authority.ts';

function sha256(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** A certificate transparency log (RFC 6962): promises to log certificates. */
export class CertificateLog {
  readonly keys: KeyPair = p256();
  readonly id: Buffer = sha256(spki(this.keys.publicKey));

  /** The SCT extension's value for what is signed of a certificate. */
  promise(tbs: Buffer, issuerKey: Buffer, time: Date): Buffer {
    const length = Buffer.alloc(3);
    length.writeUIntBE(tbs.length, 0, 3);
    const stamp = uint64(time.getTime());
    const entry = Buffer.concat([Buffer.from([0, 0]), stamp, uint16(1), sha256(issuerKey), length, tbs, uint16(0)]);
    const signature = sign('sha256', entry, this.keys.privateKey);
    const sct = Buffer.concat([Buffer.from([0]), this.id, stamp, uint16(0), Buffer.from([4, 3]), uint16(signature.length), signature]);
    return Buffer.concat([uint16(sct.length + 2), uint16(sct.length), sct]);
  }
}

/** A log entry in the JSON of a bundle. */
export type LogEntry = {
  logIndex: string;
  logId: { keyId: string };
  kindVersion: { kind: string; version: string };
  integratedTime?: string;
  inclusionPromise?: { signedEntryTimestamp: string };
  inclusionProof: { logIndex: string; rootHash: string; treeSize: string; hashes: string[]; checkpoint: { envelope: string } };
  canonicalizedBody: string;
};

export type LogBody = { kind: string; apiVersion: string; spec: unknown };

/** A signature transparency log: Rekor v1 (ECDSA, promises a time) or v2 (Ed25519, proofs only). */
export class SignatureLog {
  readonly version: 1 | 2;
  readonly host: string;
  readonly keys: KeyPair;
  readonly id: Buffer;
  readonly #leaves: Buffer[] = [];

  constructor(version: 1 | 2, host: string) {
    this.version = version;
    this.host = host;
    this.keys = version === 1 ? p256() : generateKeyPairSync('ed25519');
    const key = spki(this.keys.publicKey);
    // Rekor v2 takes the key id of C2SP signed notes: name, newline, algorithm 1 and the bare Ed25519 key.
    this.id = version === 1 ? sha256(key) : sha256(Buffer.from(`${host}\n\u0001`), key.subarray(-32));
    for (let filler = 0; filler < 5; filler++) this.#leaves.push(sha256(Buffer.from([0]), Buffer.from(`entry ${filler}`)));
  }

  add(body: LogBody, time: Date): LogEntry {
    const canonical = Buffer.from(canonicalJson(body));
    const index = this.#leaves.push(sha256(Buffer.from([0]), canonical)) - 1;
    this.#leaves.push(sha256(Buffer.from([0]), Buffer.from(`after ${index}`)));
    const integratedTime = Math.floor(time.getTime() / 1000);
    return {
      logIndex: String(index),
      logId: { keyId: this.id.toString('base64') },
      kindVersion: { kind: body.kind, version: body.apiVersion },
      ...(this.version === 1
        ? { integratedTime: String(integratedTime), inclusionPromise: this.#promise(canonical, index, integratedTime) }
        : {}),
      inclusionProof: this.#proof(index),
      canonicalizedBody: canonical.toString('base64'),
    };
  }

  #promise(canonical: Buffer, logIndex: number, integratedTime: number): { signedEntryTimestamp: string } {
    const payload = canonicalJson({ body: canonical.toString('base64'), integratedTime, logID: this.id.toString('hex'), logIndex });
    return { signedEntryTimestamp: sign('sha256', Buffer.from(payload), this.keys.privateKey).toString('base64') };
  }

  #proof(index: number): LogEntry['inclusionProof'] {
    const size = this.#leaves.length;
    const root = treeHash(this.#leaves);
    // Rekor v1 appends the number of its tree to its name.
    const origin = this.version === 1 ? `${this.host} - 1193050959916656506` : this.host;
    const note = `${origin}\n${size}\n${root.toString('base64')}\n`;
    const signature = sign(this.version === 1 ? 'sha256' : undefined, Buffer.from(note), this.keys.privateKey);
    const line = Buffer.concat([this.id.subarray(0, 4), signature]).toString('base64');
    return {
      logIndex: String(index),
      rootHash: root.toString('base64'),
      treeSize: String(size),
      hashes: auditPath(this.#leaves, index).map((hash) => hash.toString('base64')),
      checkpoint: { envelope: `${note}\n\u2014 ${this.host} ${line}\n` },
    };
  }
}

function treeHash(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves;
  if (leaves.length === 1 && only !== undefined) return only;
  const split = splitOf(leaves.length);
  return sha256(Buffer.from([1]), treeHash(leaves.slice(0, split)), treeHash(leaves.slice(split)));
}

function auditPath(leaves: readonly Buffer[], index: number): Buffer[] {
  if (leaves.length === 1) return [];
  const split = splitOf(leaves.length);
  return index < split
    ? [...auditPath(leaves.slice(0, split), index), treeHash(leaves.slice(split))]
    : [...auditPath(leaves.slice(split), index - split), treeHash(leaves.slice(0, split))];
}

/** The largest power of two below `size`. */
function splitOf(size: number): number {
  return 2 ** (Math.ceil(Math.log2(size)) - 1);
}

/** JSON with sorted keys (RFC 8785, for the values used here). */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`;
}

function uint16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}
