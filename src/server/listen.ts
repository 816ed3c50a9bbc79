import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { CodedError, errorMessage } from '../std/index.ts';

/** Answers one request. What it throws becomes a 500 without details. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

/** A listening server. */
export type Listening = { host: string; port: number; close(): Promise<void> };

/** Connections one server holds at the same time. */
const CONNECTIONS = 512;
/** Milliseconds for the headers, and for the whole request (ours have no bodies). */
const HEADERS_TIMEOUT = 10_000;
const REQUEST_TIMEOUT = 30_000;
/** Largest headers, bytes. */
const HEADERS_SIZE = 16 * 1024;

/**
 * Serves HTTP on `address`, `host:port` or `:port` (every interface). Bounded in connections, header size and time.
 * @throws CodedError `ListenFailed`
 */
export async function listen(address: string, handler: Handler): Promise<Listening> {
  const { host, port } = parseAddress(address);
  const server = createServer(
    { maxHeaderSize: HEADERS_SIZE, headersTimeout: HEADERS_TIMEOUT, requestTimeout: REQUEST_TIMEOUT },
    (request, response) => {
      void answer(handler, request, response);
    },
  );
  server.maxConnections = CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        new CodedError({
          code: 'ListenFailed',
          message: `listen on ${JSON.stringify(address)}: ${errorMessage(error)}`,
          subject: address,
          cause: error,
        }),
      );
    });
    server.listen(port, host, resolve);
  });
  const bound = server.address();
  const actual = typeof bound === 'object' && bound !== null ? bound.port : port;
  return { host: host ?? '0.0.0.0', port: actual, close: () => close(server) };
}

async function answer(handler: Handler, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    await handler(request, response);
  } catch {
    // The reason may name paths of this machine; the client learns only that it failed.
    if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' });
    response.end('internal error\n');
  }
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    // A download under way gets a moment to finish.
    setTimeout(() => server.closeAllConnections(), 1000).unref();
  });
}

/** Splits `host:port`, `:port` or `[v6]:port`. @throws CodedError `AddressInvalid` */
export function parseAddress(address: string): { host: string | undefined; port: number } {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(address);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new CodedError({
      code: 'AddressInvalid',
      message: `parse address ${JSON.stringify(address)}: want host:port or :port`,
      subject: address,
      retryable: false,
    });
  }
  const host = match[1] ?? match[2];
  return { host: host === undefined || host === '' ? undefined : host, port };
}
