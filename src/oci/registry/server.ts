import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { registryHandler, type RegistryOptions } from './handler.ts';

/** A registry that listens. */
export type RunningRegistry = {
  /** `127.0.0.1:port`: what goes into references. */
  host: string;
  port: number;
  url: string;
  /** Stops listening and ends every connection. */
  close(): Promise<void>;
};

/** Where to listen: loopback unless told otherwise; port 0 picks a free one. */
export type ListenOptions = {
  port?: number;
  address?: string;
  tls?: Pick<ServerOptions, 'cert' | 'key' | 'ca' | 'requestCert' | 'rejectUnauthorized'>;
};

/** Starts a registry. */
export async function startRegistry(options: RegistryOptions & ListenOptions): Promise<RunningRegistry> {
  const handler = registryHandler(options);
  const server = options.tls === undefined ? createServer(handler) : createTlsServer(options.tls, handler);
  const address = options.address ?? '127.0.0.1';
  await listen(server, options.port ?? 0, address);
  const { port } = server.address() as AddressInfo;
  const host = `${address.includes(':') ? `[${address}]` : address}:${port}`;
  return { host, port, url: `${options.tls === undefined ? 'http' : 'https'}://${host}`, close: () => closeServer(server) };
}

function listen(server: Server, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error === undefined ? resolve() : reject(error)));
    server.closeAllConnections();
  });
}
