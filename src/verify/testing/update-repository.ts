import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { spki } from './certificate-authority.ts';
import { canonicalJson } from './transparency-log.ts';

const FAR = '2099-01-01T00:00:00Z';

type Signer = { id: string; privateKey: KeyObject; public: string };

export type PublishOptions = {
  /** Version of the metadata. Default: one more than the last. */
  version?: number;
  /** When the timestamp expires. */
  expires?: string;
  /** Who signs. Default: the repository's key. */
  signer?: Signer;
};

/** A TUF repository (The Update Framework 1.0) on loopback with one target, signed by one key, as far as it has not been rotated. */
export class UpdateRepository {
  #key = newSigner();
  readonly #server: Server = createServer((request, response) => this.#answer(request.url ?? '', response));
  #files = new Map<string, Buffer>();
  readonly #roots = new Map<string, Buffer>();
  #version = 0;
  #rootVersion = 1;
  /** Paths that were asked for. */
  readonly requests: string[] = [];

  async listen(port = 0): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    const address = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${address.port}`;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  /** The first root, which clients are given by other means. */
  root(): Buffer {
    return signed(rootOf(1, this.#key), this.#key);
  }

  /** Publishes the next root, signed by the old key and a new one that takes its place. With `signer` instead: a forged one. */
  rotate(signer?: Signer): void {
    const next = signer ?? newSigner();
    const root = rootOf(this.#rootVersion + 1, next);
    this.#roots.set(`/${this.#rootVersion + 1}.root.json`, signer === undefined ? signed(root, this.#key, next) : signed(root, signer));
    if (signer !== undefined) return;
    this.#rootVersion += 1;
    this.#key = next;
  }

  /** Publishes a new version of the target. */
  publish(name: string, content: Buffer, { version = this.#version + 1, expires = FAR, signer = this.#key }: PublishOptions = {}): void {
    this.#version = version;
    const hashes = { sha256: createHash('sha256').update(content).digest('hex') };
    const role = (type: string, fields: object): Buffer =>
      signed({ _type: type, spec_version: '1.0.0', version, expires: type === 'timestamp' ? expires : FAR, ...fields }, signer);
    this.#files = new Map([
      ['/timestamp.json', role('timestamp', { meta: { 'snapshot.json': { version } } })],
      ['/snapshot.json', role('snapshot', { meta: { 'targets.json': { version } } })],
      ['/targets.json', role('targets', { targets: { [name]: { length: content.length, hashes } } })],
      [`/targets/${name}`, content],
    ]);
  }

  /** Changes a published file, such as `/targets.json`, without signing it anew. */
  tamper(path: string, change: (text: string) => string): void {
    this.#files.set(path, Buffer.from(change(this.#files.get(path)?.toString() ?? '')));
  }

  #answer(path: string, response: { writeHead(status: number): unknown; end(body?: Buffer): unknown }): void {
    this.requests.push(path);
    const file = this.#roots.get(path) ?? this.#files.get(path);
    response.writeHead(file === undefined ? 404 : 200);
    response.end(file);
  }
}

/** A key that may sign metadata. */
export function newSigner(): Signer {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const raw = spki(publicKey).subarray(-32).toString('hex');
  return { id: createHash('sha256').update(raw).digest('hex'), privateKey, public: raw };
}

function rootOf(version: number, key: Signer): object {
  const role = { keyids: [key.id], threshold: 1 };
  return {
    _type: 'root',
    spec_version: '1.0.0',
    version,
    expires: FAR,
    consistent_snapshot: false,
    keys: { [key.id]: { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: key.public } } },
    roles: { root: role, timestamp: role, snapshot: role, targets: role },
  };
}

function signed(body: object, ...signers: readonly Signer[]): Buffer {
  const signatures = signers.map(({ id, privateKey }) => ({
    keyid: id,
    sig: sign(null, Buffer.from(canonicalJson(body)), privateKey).toString('hex'),
  }));
  return Buffer.from(JSON.stringify({ signed: body, signatures }));
}
