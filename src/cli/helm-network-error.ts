/** What Go's HTTP client says where Node gives a code. */
const TEXTS: Readonly<Record<string, string>> = {
  ERR_SSL_WRONG_VERSION_NUMBER: 'http: server gave HTTP response to HTTPS client',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'http: server gave HTTP response to HTTPS client',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls: failed to verify certificate: x509: certificate signed by unknown authority',
  SELF_SIGNED_CERT_IN_CHAIN: 'tls: failed to verify certificate: x509: certificate signed by unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls: failed to verify certificate: x509: certificate signed by unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'tls: failed to verify certificate: x509: certificate signed by unknown authority',
  CERT_HAS_EXPIRED: 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid',
  UND_ERR_SOCKET: 'unexpected EOF',
  ECONNRESET: 'unexpected EOF',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'unexpected EOF',
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
};

/** The cause of a failed exchange in the words of Go's net package, or Node's own where there are none. */
export function goNetworkText(error: unknown, host: string): string {
  const failure = deepest(error);
  if (!(failure instanceof Error)) return String(failure);
  const code = 'code' in failure && typeof failure.code === 'string' ? failure.code : '';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `dial tcp: lookup ${host}: no such host`;
  const text = TEXTS[code];
  if (text === undefined) return failure.message === '' ? code : failure.message;
  return text.startsWith('connect: ') ? `dial tcp ${address(failure)}${text}` : text;
}

/** True when a signal's or the client's own deadline ended the exchange. */
export function isTimeout(error: unknown, signal: AbortSignal): boolean {
  if (signal.aborted) return signal.reason instanceof Error && signal.reason.name === 'TimeoutError';
  return error instanceof Error && 'code' in error && error.code === 'UND_ERR_CONNECT_TIMEOUT';
}

/** Node tries every address of a host and collects the failures; the first one tells as much as the others. */
function deepest(error: unknown): unknown {
  let at = error;
  for (let depth = 0; depth < 5; depth++) {
    if (at instanceof AggregateError && at.errors.length > 0) at = at.errors[0];
    else if (at instanceof Error && at.cause instanceof Error) at = at.cause;
    else break;
  }
  return at;
}

function address(error: Error): string {
  if (!('address' in error) || typeof error.address !== 'string' || !('port' in error)) return '';
  return `${error.address.includes(':') ? `[${error.address}]` : error.address}:${String(error.port)}: `;
}
