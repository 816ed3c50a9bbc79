// A way to the API server on which a process dies: it is killed by its id when its nth write has arrived here, or when the answer has come.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import {
  Agent as PlainAgent,
  createServer,
  request as plainRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { Agent, request as secureRequest } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClusterConfig } from '../../src/kube/index.ts';

/** When a process dies: with its nth write not sent on, or with its answer not passed back. */
export type When = 'before' | 'after';

type Trap = { at: number; when: When; pid: number; writes: string[]; isSprung: boolean };

const WRITES: ReadonlySet<string | undefined> = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);
/** Sent beside the work, so that their number says nothing about how far it is. */
const BESIDE = /\/(?:events|leases|selfsubjectaccessreviews)(?:[/?]|$)/;

export class DeadlyProxy {
  /** Path of a kubeconfig whose server is this proxy. */
  readonly kubeconfig: string;
  readonly #folder: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #agent: Agent | PlainAgent;
  readonly #config: ClusterConfig;
  #trap: Trap | undefined;

  private constructor(config: ClusterConfig, server: Server) {
    this.#config = config;
    this.#server = server;
    const { ca, cert, key, serverName, insecureSkipVerify } = config.tls;
    const tls = {
      ...(ca === undefined ? {} : { ca: Buffer.from(ca) }),
      ...(cert === undefined ? {} : { cert: Buffer.from(cert) }),
      ...(key === undefined ? {} : { key: Buffer.from(key) }),
      ...(serverName === undefined ? {} : { servername: serverName }),
      rejectUnauthorized: insecureSkipVerify !== true,
    };
    this.#agent = config.server.startsWith('https:') ? new Agent({ keepAlive: true, ...tls }) : new PlainAgent({ keepAlive: true });
    this.#folder = mkdtempSync(join(tmpdir(), 'sluice-deadly-'));
    this.kubeconfig = join(this.#folder, 'kubeconfig');
    const { port } = server.address() as AddressInfo;
    const name = 'deadly';
    const document = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name, cluster: { server: `http://127.0.0.1:${port}` } }],
      users: [{ name, user: {} }],
      contexts: [{ name, context: { cluster: name, user: name } }],
      'current-context': name,
    };
    writeFileSync(this.kubeconfig, JSON.stringify(document), { mode: 0o600 });
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.on('request', (request: IncomingMessage, response: ServerResponse) => this.#serve(request, response));
  }

  /** Opens a way to the cluster of `config`, with its rights. */
  static async open(config: ClusterConfig): Promise<DeadlyProxy> {
    const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new DeadlyProxy(config, server);
  }

  /** From now on writes are counted, and the process dies of the one with this number. */
  arm(at: number, when: When, pid: number): void {
    this.#trap = { at, when, pid, writes: [], isSprung: false };
  }

  /** Nobody dies any more; gives the writes that were counted. */
  disarm(): readonly string[] {
    const writes = this.#trap?.writes ?? [];
    this.#trap = undefined;
    return writes;
  }

  /** True when the process was killed. */
  get isSprung(): boolean {
    return this.#trap?.isSprung === true;
  }

  /** The writes counted since it was armed. */
  get writes(): readonly string[] {
    return this.#trap?.writes ?? [];
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#cut();
    this.#agent.destroy();
    await closed;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const trap = this.#trap;
    if (trap?.isSprung === true) return void request.socket.destroy();
    const { method = 'GET', url = '/' } = request;
    const counts = trap !== undefined && WRITES.has(method) && !BESIDE.test(url);
    if (counts) trap.writes.push(`${method} ${url.replace(/\?.*$/, '')}`);
    const isLast = counts && trap.writes.length === trap.at;
    if (isLast && trap.when === 'before') return this.#kill(trap);
    this.#forward(request, response, isLast ? trap : undefined);
  }

  #forward(request: IncomingMessage, response: ServerResponse, last: Trap | undefined): void {
    const { server, credential } = this.#config;
    const url = new URL(`${server}${request.url ?? '/'}`);
    const headers: Record<string, string | string[] | undefined> = { ...request.headers, host: url.host };
    if (credential.kind === 'token') headers['authorization'] = `Bearer ${credential.token}`;
    const send = url.protocol === 'https:' ? secureRequest : plainRequest;
    const onward = send(url, { method: request.method, headers, agent: this.#agent }, (answer) => {
      if (last !== undefined) {
        answer.resume();
        return this.#kill(last);
      }
      response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      response.flushHeaders();
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => {
      if (!response.writableFinished && last === undefined && request.method === 'GET') onward.destroy();
    });
    request.pipe(onward);
  }

  /** What the process still sends after this is not sent on; what it has sent before is on its way. */
  #kill(trap: Trap): void {
    trap.isSprung = true;
    if (trap.pid > 0 && !isGone(trap.pid)) process.kill(trap.pid, 'SIGKILL');
    this.#cut();
  }

  #cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}
