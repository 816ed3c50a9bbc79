import { request as requestSecure } from 'node:https';
import { readFileSync } from 'node:fs';
import { readYaml } from '../../../src/golang/index.ts';
import type { Sandbox } from '../../../src/sandbox/index.ts';
import type { Step } from './case.ts';

/** What came back; `warnings` only when there are some. */
export type Answer = { code: number; body: unknown; warnings?: string };
/** Sends one request to the API under test. */
export type Client = (step: Step) => Promise<Answer>;

/** How long a watch of a real server is listened to, in seconds. */
const WATCH_SECONDS = 1;

function parse(text: string, isWatch: boolean): unknown {
  try {
    if (isWatch)
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line): unknown => JSON.parse(line));
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function headersOf(step: Step): Record<string, string> {
  return { accept: 'application/json', ...(step.body === undefined ? {} : { 'content-type': 'application/json' }), ...step.headers };
}

function bodyOf(step: Step): string | undefined {
  if (step.body === undefined) return undefined;
  return typeof step.body === 'string' ? step.body : JSON.stringify(step.body);
}

function warningsOf(header: string | undefined): { warnings?: string } {
  return header === undefined ? {} : { warnings: header };
}

/** Asks a sandbox in this process, with no socket between. */
export function sandboxClient(sandbox: Sandbox): Client {
  const { users } = JSON.parse(sandbox.kubeconfig) as { users: { user: { token: string } }[] };
  const authorization = `Bearer ${users[0]?.user.token ?? ''}`;
  return async (step) => {
    await new Promise((resolve) => setImmediate(resolve));
    const text = bodyOf(step);
    const answer = sandbox.api.handle({
      method: step.method,
      url: step.path,
      headers: { authorization, ...headersOf(step) },
      body: text === undefined ? undefined : new TextEncoder().encode(text),
    });
    if ('body' in answer) {
      const raw = 'json' in answer.body ? JSON.stringify(answer.body.json) : answer.body.text;
      return { code: answer.status, body: parse(raw, step.watch === true), ...warningsOf(answer.headers['warning']) };
    }
    let lines = '';
    const stop = answer.start(
      (line) => {
        lines += line;
      },
      () => {},
    );
    stop();
    return { code: answer.status, body: parse(lines, true) };
  };
}

type Kubeconfig = {
  clusters: { cluster: { server: string; 'certificate-authority-data'?: string } }[];
  users: { user: { token?: string; 'client-certificate-data'?: string; 'client-key-data'?: string } }[];
};

/** Asks the server of a kubeconfig file (its first cluster and user). */
export function serverClient(file: string): Client {
  const config = readYaml(readFileSync(file, 'utf8')) as unknown as Kubeconfig;
  const [{ cluster } = { cluster: { server: '' } }] = config.clusters;
  const [{ user } = { user: {} }] = config.users;
  const decoded = (text: string | undefined): Buffer | undefined => (text === undefined ? undefined : Buffer.from(text, 'base64'));
  const tls = {
    ca: decoded(cluster['certificate-authority-data']),
    cert: decoded(user['client-certificate-data']),
    key: decoded(user['client-key-data']),
  };
  return async (step) => {
    const path = step.watch === true ? `${step.path}&timeoutSeconds=${WATCH_SECONDS}` : step.path;
    return await new Promise((resolve, reject) => {
      const body = bodyOf(step);
      const headers = {
        ...headersOf(step),
        // Node frames the body of a DELETE only when it is told its length.
        ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
        ...(user.token === undefined ? {} : { authorization: `Bearer ${user.token}` }),
      };
      const call = requestSecure(new URL(path, cluster.server), { method: step.method, headers, ...tls }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            code: response.statusCode ?? 0,
            body: parse(Buffer.concat(chunks).toString(), step.watch === true),
            ...warningsOf(response.headers.warning),
          }),
        );
      });
      call.on('error', reject);
      call.end(body);
    });
  };
}
