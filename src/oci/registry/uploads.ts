import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, type Digest, digestAlgorithm, Digester, isDigest } from '../../std/index.ts';
import { sendError } from './access.ts';
import type { RegistryContent } from './content.ts';

/** An upload under way: its bytes are in the store, its running hash here. */
type Upload = { repository: string; size: number; digester: Digester; touchedAt: number; busy: boolean };

/** Uploads at once, and how long one may lie untouched. */
const MAX_UPLOADS = 1000;
const UPLOAD_LIFE = 3_600_000;

/** Upload sessions of a registry (distribution-spec "pushing a blob in chunks"). They end with the process. */
export class Uploads {
  readonly #content: RegistryContent;
  readonly #clock: Clock;
  readonly #maxBlob: number;
  readonly #uploads = new Map<string, Upload>();

  constructor(content: RegistryContent, clock: Clock, maxBlob: number) {
    this.#content = content;
    this.#clock = clock;
    this.#maxBlob = maxBlob;
  }

  /** POST: mounts, uploads whole with `?digest=`, or opens a session. */
  async start(request: IncomingMessage, response: ServerResponse, repository: string, url: URL): Promise<void> {
    const mount = url.searchParams.get('mount');
    const from = url.searchParams.get('from');
    if (mount !== null && from !== null && isDigest(mount) && (await this.#content.mountBlob(repository, from, mount))) {
      sendCreated(response, repository, mount);
      return;
    }
    await this.#expire();
    if (this.#uploads.size >= MAX_UPLOADS) {
      sendError(response, 429, 'TOOMANYREQUESTS', 'too many uploads');
      return;
    }
    const id = randomBytes(16).toString('hex');
    this.#uploads.set(id, { repository, size: 0, digester: new Digester(), touchedAt: this.#clock.now(), busy: false });
    if (url.searchParams.has('digest')) {
      await this.finish(request, response, repository, id, url);
      return;
    }
    this.#sendState(response, 202, repository, id, 0);
  }

  /** PATCH: adds a piece, which must start where the last one ended. */
  async add(request: IncomingMessage, response: ServerResponse, repository: string, id: string): Promise<void> {
    const upload = this.#find(repository, id);
    if (upload === undefined) {
      sendUnknown(response);
      return;
    }
    const range = /^(?:bytes )?(\d+)-(\d+)(?:\/.*)?$/.exec(request.headers['content-range'] ?? '');
    if ((request.headers['content-range'] !== undefined && Number(range?.[1]) !== upload.size) || upload.busy) {
      this.#sendState(response, 416, repository, id, upload.size);
      return;
    }
    if (!(await this.#receive(request, response, upload, id))) return;
    this.#sendState(response, 202, repository, id, upload.size);
  }

  /** PUT: adds the last piece, if any, and makes the upload a blob when its digest is right. */
  async finish(request: IncomingMessage, response: ServerResponse, repository: string, id: string, url: URL): Promise<void> {
    const upload = this.#find(repository, id);
    const digest = url.searchParams.get('digest') ?? '';
    if (upload === undefined) {
      sendUnknown(response);
      return;
    }
    if (!isDigest(digest)) {
      sendError(response, 400, 'DIGEST_INVALID', 'provided digest is not a digest');
      return;
    }
    if (!(await this.#receive(request, response, upload, id))) return;
    const actual = await this.#digest(upload, id, digest);
    this.#uploads.delete(id);
    if (actual !== digest) {
      await this.#content.store.delete(uploadKey(id));
      sendError(response, 400, 'DIGEST_INVALID', 'provided digest did not match uploaded content');
      return;
    }
    if (upload.size === 0) await this.#content.store.put(uploadKey(id), new Uint8Array());
    await this.#content.addUpload(repository, uploadKey(id), digest);
    sendCreated(response, repository, digest);
  }

  /** GET: how far an upload is. */
  state(response: ServerResponse, repository: string, id: string): void {
    const upload = this.#find(repository, id);
    if (upload === undefined) sendUnknown(response);
    else this.#sendState(response, 204, repository, id, upload.size);
  }

  /** DELETE: gives an upload up. */
  async cancel(response: ServerResponse, repository: string, id: string): Promise<void> {
    if (this.#find(repository, id) === undefined) {
      sendUnknown(response);
      return;
    }
    this.#uploads.delete(id);
    await this.#content.store.delete(uploadKey(id));
    response.writeHead(204).end();
  }

  #find(repository: string, id: string): Upload | undefined {
    const upload = this.#uploads.get(id);
    if (upload?.repository !== repository) return undefined;
    upload.touchedAt = this.#clock.now();
    return upload;
  }

  async #receive(request: IncomingMessage, response: ServerResponse, upload: Upload, id: string): Promise<boolean> {
    upload.busy = true;
    try {
      for await (const chunk of request) {
        const bytes = chunk as Buffer;
        upload.size += bytes.length;
        if (upload.size > this.#maxBlob) {
          this.#uploads.delete(id);
          await this.#content.store.delete(uploadKey(id));
          // The rest of the body is not read: the connection ends with this answer.
          response.setHeader('connection', 'close');
          sendError(response, 413, 'SIZE_INVALID', `blob is larger than ${this.#maxBlob} bytes`);
          return false;
        }
        upload.digester.update(bytes);
        await this.#content.store.append(uploadKey(id), bytes);
      }
      return true;
    } finally {
      upload.busy = false;
    }
  }

  async #digest(upload: Upload, id: string, wanted: Digest): Promise<Digest> {
    if (digestAlgorithm(wanted) === 'sha256') return upload.digester.digest();
    const digester = new Digester(digestAlgorithm(wanted));
    for await (const chunk of this.#content.store.read(uploadKey(id), 0, upload.size)) digester.update(chunk);
    return digester.digest();
  }

  async #expire(): Promise<void> {
    const oldest = this.#clock.now() - UPLOAD_LIFE;
    for (const [id, upload] of this.#uploads) {
      if (upload.touchedAt >= oldest || upload.busy) continue;
      this.#uploads.delete(id);
      await this.#content.store.delete(uploadKey(id));
    }
  }

  #sendState(response: ServerResponse, status: number, repository: string, id: string, size: number): void {
    response.writeHead(status, {
      location: `/v2/${repository}/blobs/uploads/${id}`,
      range: `0-${Math.max(0, size - 1)}`,
      'docker-upload-uuid': id,
      'content-length': 0,
    });
    response.end();
  }
}

function uploadKey(id: string): string {
  return `uploads/${id}`;
}

function sendUnknown(response: ServerResponse): void {
  sendError(response, 404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry');
}

function sendCreated(response: ServerResponse, repository: string, digest: Digest): void {
  response.writeHead(201, { location: `/v2/${repository}/blobs/${digest}`, 'docker-content-digest': digest, 'content-length': 0 });
  response.end();
}
