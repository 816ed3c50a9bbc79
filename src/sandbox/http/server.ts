import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { createServer as createDoor, type Server as Door, type Socket } from 'node:net';
import { CodedError } from '../../std/index.ts';
import type { Api } from '../api/api.ts';
import type { ApiRequest } from '../api/call.ts';
import type { ServingCertificate } from './certificate.ts';
import { tooLarge } from '../request/status.ts';
import { writeJson } from '../storage/json-text.ts';

/** Largest request body. */
export const BODY_LIMIT: number = 3 << 20;
/** A watch whose client reads slower than this many bytes behind is ended; the client lists again. */
const WATCH_BACKLOG_LIMIT = 16 << 20;

/** A listening API. One port speaks both HTTP and HTTPS: kubectl sends credentials over TLS only, a benchmark wants neither cost. */
export type Listening = { url: string; plainUrl: string; port: number; certificate: string; close(): Promise<void> };

/** The first byte of a TLS handshake record. */
const TLS_HANDSHAKE = 0x16;

/** Serves an API. Loopback unless `host` says otherwise. @throws CodedError `ListenFailed` */
export async function listen(api: Api, serving: ServingCertificate, options: { host?: string; port?: number } = {}): Promise<Listening> {
  const host = options.host ?? '127.0.0.1';
  const { certificate, key } = serving;
  const handler = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    serve(api, incoming, outgoing).catch(() => outgoing.destroy());
  };
  const plain = createServer({ keepAliveTimeout: 120_000, requestTimeout: 0 }, handler);
  const secure = createSecureServer({ cert: certificate, key, keepAliveTimeout: 120_000, requestTimeout: 0 }, handler);
  const sockets = new Set<Socket>();
  const door = createDoor((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
    socket.once('readable', () => {
      const first: Buffer | null = socket.read(1) as Buffer | null;
      if (first === null) {
        socket.destroy();
        return;
      }
      socket.unshift(first);
      (first[0] === TLS_HANDSHAKE ? secure : plain).emit('connection', socket);
    });
  });
  const port = await new Promise<number>((resolve, reject) => {
    door.once('error', (error) =>
      reject(new CodedError({ code: 'ListenFailed', message: `listen on ${host}:${options.port ?? 0}: ${error.message}`, cause: error })),
    );
    door.listen(options.port ?? 0, host, () => resolve(portOf(door)));
  });
  // All addresses is none to connect to.
  const reached = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return {
    url: `https://${reached}:${port}`,
    plainUrl: `http://${reached}:${port}`,
    port,
    certificate,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => door.close(resolve));
    },
  };
}

function portOf(server: Door): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function serve(api: Api, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  outgoing.on('error', () => outgoing.destroy());
  const body = await readBody(incoming);
  if (body === 'too large') {
    const { status } = tooLarge(BODY_LIMIT);
    outgoing.writeHead(status.code, { 'content-type': 'application/json', connection: 'close' }).end(JSON.stringify(status));
    return;
  }
  const answer = api.handle({ method: incoming.method ?? 'GET', url: incoming.url ?? '/', headers: headersOf(incoming), body });
  if ('body' in answer) {
    // Text, not bytes: head and body then leave in one write.
    const text = 'json' in answer.body ? `${writeJson(answer.body.json)}\n` : answer.body.text;
    outgoing.writeHead(answer.status, { ...answer.headers, 'content-length': Buffer.byteLength(text) }).end(text);
    return;
  }
  outgoing.writeHead(answer.status, { ...answer.headers, 'transfer-encoding': 'chunked' });
  outgoing.flushHeaders();
  let stop = (): void => {};
  const end = (): void => {
    stop();
    outgoing.end();
  };
  outgoing.on('close', () => stop());
  stop = answer.start((line) => {
    if (outgoing.writableEnded) return;
    outgoing.write(line);
    if (outgoing.writableLength > WATCH_BACKLOG_LIMIT) outgoing.destroy();
  }, end);
}

/** Groups and extra values may have commas in them: their headers come once for each. */
function headersOf(incoming: IncomingMessage): ApiRequest['headers'] {
  const { headers } = incoming;
  if (headers['impersonate-user'] === undefined) return headers;
  const distinct = Object.entries(incoming.headersDistinct).filter(([name]) => name.startsWith('impersonate-'));
  return { ...headers, ...Object.fromEntries(distinct) };
}

async function readBody(incoming: IncomingMessage): Promise<Uint8Array | undefined | 'too large'> {
  if (incoming.method === 'GET' || incoming.method === 'HEAD') return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  return await new Promise((resolve, reject) => {
    incoming.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= BODY_LIMIT) chunks.push(chunk);
      else resolve('too large');
    });
    incoming.on('end', () => resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)));
    incoming.on('error', reject);
  });
}
