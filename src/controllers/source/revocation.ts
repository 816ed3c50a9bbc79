import { BlockList, isIP } from 'node:net';
import { CodedError } from '../../std/index.ts';
import { MAX_CRL, MAX_OCSP_RESPONSE, type RevocationSource } from '../../verify/index.ts';

const OCSP_MILLISECONDS = 2000;
const CRL_MILLISECONDS = 5000;

/** Addresses that are nobody's responder: certificates come from strangers, and must not make us ask ourselves or a metadata service. */
const OURS = new BlockList();
OURS.addSubnet('0.0.0.0', 8);
OURS.addSubnet('127.0.0.0', 8);
OURS.addSubnet('169.254.0.0', 16);
OURS.addAddress('::', 'ipv6');
OURS.addAddress('::1', 'ipv6');
OURS.addSubnet('fe80::', 10, 'ipv6');

/**
 * Revocation lists and responders over plain HTTP, as notation asks them: 2 s for OCSP, 5 s for a list, bodies bounded. No redirect is
 * followed, and addresses of this host and its links are not asked.
 */
export function httpRevocation(fetch: typeof globalThis.fetch): RevocationSource {
  return {
    ocsp: (url, request, signal) =>
      ask(fetch, url, OCSP_MILLISECONDS, MAX_OCSP_RESPONSE, signal, {
        method: 'POST',
        body: Buffer.from(request),
        headers: { 'content-type': 'application/ocsp-request', accept: 'application/ocsp-response' },
      }),
    crl: (url, signal) => ask(fetch, url, CRL_MILLISECONDS, MAX_CRL, signal, {}),
  };
}

async function ask(
  fetch: typeof globalThis.fetch,
  address: string,
  milliseconds: number,
  limit: number,
  signal: AbortSignal | undefined,
  request: RequestInit,
): Promise<Uint8Array> {
  const url = new URL(address);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const family = isIP(host);
  if (url.protocol !== 'http:') throw refused(address, 'only http:// is asked');
  if (host === 'localhost' || host.endsWith('.localhost') || (family !== 0 && OURS.check(host, family === 6 ? 'ipv6' : 'ipv4')))
    throw refused(address, 'an address of this host');
  const signals = [AbortSignal.timeout(milliseconds), ...(signal === undefined ? [] : [signal])];
  const answer = await fetch(url, { ...request, redirect: 'error', signal: AbortSignal.any(signals) });
  if (answer.status !== 200) {
    await answer.body?.cancel();
    throw refused(address, `status ${answer.status}`);
  }
  return readBody(answer, limit, address);
}

async function readBody({ body }: Response, limit: number, address: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > limit) throw refused(address, `more than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function refused(address: string, cause: string): CodedError<'RevocationUnavailable'> {
  return new CodedError({
    code: 'RevocationUnavailable',
    message: `ask ${JSON.stringify(address)} about revocation: ${cause}`,
    subject: address,
  });
}
