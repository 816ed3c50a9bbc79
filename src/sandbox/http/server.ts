import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { CodedError } from '../../std/index.ts';
import type { Api } from '../api/api.ts';
import { tooLarge } from '../request/status.ts';

/** Largest request body. */
export const BODY_LIMIT: number = 3 << 20;
/** A watch whose client reads slower than this many bytes behind is ended; the client lists again. */
const WATCH_BACKLOG_LIMIT = 16 << 20;

/** A listening API. */
export type Listening = { url: string; port: number; close(): Promise<void> };

/** Serves an API over HTTP. Loopback unless `host` says otherwise. */
export async function listen(api: Api, options: { host?: string; port?: number } = {}): Promise<Listening> {
  const server = createServer({ keepAliveTimeout: 120_000, requestTimeout: 0 }, (incoming, outgoing) => {
    serve(api, incoming, outgoing).catch(() => outgoing.destroy());
  });
  const host = options.host ?? '127.0.0.1';
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', (error) =>
      reject(new CodedError({ code: 'ListenFailed', message: `listen on ${host}:${options.port ?? 0}: ${error.message}`, cause: error })),
    );
    server.listen(options.port ?? 0, host, () => resolve(portOf(server)));
  });
  return {
    url: `http://${host}:${port}`,
    port,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function portOf(server: Server): number {
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
  const answer = api.handle({ method: incoming.method ?? 'GET', url: incoming.url ?? '/', headers: incoming.headers, body });
  if ('body' in answer) {
    const text = Buffer.from('json' in answer.body ? `${JSON.stringify(answer.body.json)}\n` : answer.body.text);
    outgoing.writeHead(answer.status, { ...answer.headers, 'content-length': text.length }).end(text);
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

async function readBody(incoming: IncomingMessage): Promise<Uint8Array | undefined | 'too large'> {
  if (incoming.method === 'GET' || incoming.method === 'HEAD') return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_LIMIT) return 'too large';
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
