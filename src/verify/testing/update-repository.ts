import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { spki } from './certificate-authority.ts';
import { canonicalJson } from './transparency-log.ts';

const KEY_ID = 'a'.repeat(64);

/** A TUF repository (The Update Framework 1.0) on loopback with one target, signed by one key. */
export class UpdateRepository {
  readonly #keys = generateKeyPairSync('ed25519');
  readonly #server: Server = createServer((request, response) => this.#answer(request.url ?? '', response));
  #files: ReadonlyMap<string, Buffer> = new Map();
  #version = 0;
  /** Paths that were asked for. */
  readonly requests: string[] = [];

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  /** The first root, which clients are given by other means. */
  root(): Buffer {
    const role = { keyids: [KEY_ID], threshold: 1 };
    const key = { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: spki(this.#keys.publicKey).subarray(-32).toString('hex') } };
    return this.#signed('root', 1, {
      consistent_snapshot: false,
      keys: { [KEY_ID]: key },
      roles: { root: role, timestamp: role, snapshot: role, targets: role },
    });
  }

  /** Publishes a new version of the target. */
  publish(name: string, content: Buffer): void {
    const version = ++this.#version;
    const hashes = { sha256: createHash('sha256').update(content).digest('hex') };
    const targets = this.#signed('targets', version, { targets: { [name]: { length: content.length, hashes } } });
    const snapshot = this.#signed('snapshot', version, { meta: { 'targets.json': { version } } });
    const timestamp = this.#signed('timestamp', version, { meta: { 'snapshot.json': { version } } });
    this.#files = new Map([
      ['/timestamp.json', timestamp],
      ['/snapshot.json', snapshot],
      ['/targets.json', targets],
      [`/targets/${name}`, content],
    ]);
  }

  #signed(type: string, version: number, fields: object): Buffer {
    const signed = { _type: type, spec_version: '1.0.0', version, expires: '2099-01-01T00:00:00Z', ...fields };
    const sig = sign(null, Buffer.from(canonicalJson(signed)), this.#keys.privateKey).toString('hex');
    return Buffer.from(JSON.stringify({ signed, signatures: [{ keyid: KEY_ID, sig }] }));
  }

  #answer(path: string, response: { writeHead(status: number): unknown; end(body?: Buffer): unknown }): void {
    this.requests.push(path);
    const file = this.#files.get(path);
    response.writeHead(file === undefined ? 404 : 200);
    response.end(file);
  }
}
