import { createHash, createHmac } from 'node:crypto';

/** Keys of an AWS identity. */
export type AwsKeys = { accessKeyId: string; secretAccessKey: string; sessionToken: string | undefined };

/** A request to be signed. Headers are complete but for those the signature adds. */
export type SignableRequest = { method: string; url: URL; headers: Readonly<Record<string, string>>; body: string };

/** Where a signature is good. */
export type SigningScope = { region: string; service: string };

const ALGORITHM = 'AWS4-HMAC-SHA256';

/**
 * The headers of a request with its signature (AWS Signature Version 4).
 * @param now milliseconds since the epoch
 */
export function signRequest(
  request: SignableRequest,
  keys: AwsKeys,
  { region, service }: SigningScope,
  now: number,
): Record<string, string> {
  const time = `${new Date(now).toISOString().replace(/[:-]|\.\d{3}/g, '')}`;
  const date = time.slice(0, 8);
  const headers: Record<string, string> = {
    ...request.headers,
    host: request.url.host,
    'x-amz-date': time,
    ...(keys.sessionToken === undefined ? {} : { 'x-amz-security-token': keys.sessionToken }),
  };
  const names = Object.keys(headers)
    .map((name) => name.toLowerCase())
    .sort();
  const byName = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value.trim().replace(/ +/g, ' ')]));
  const canonical = [
    request.method,
    request.url.pathname,
    canonicalQuery(request.url),
    ...names.map((name) => `${name}:${byName.get(name) ?? ''}`),
    '',
    names.join(';'),
    sha256(request.body),
  ].join('\n');
  const scope = `${date}/${region}/${service}/aws4_request`;
  const toSign = [ALGORITHM, time, scope, sha256(canonical)].join('\n');
  const key = [region, service, 'aws4_request'].reduce((from, part) => hmac(from, part), hmac(`AWS4${keys.secretAccessKey}`, date));
  const signature = hmac(key, toSign).toString('hex');
  headers['authorization'] =
    `${ALGORITHM} Credential=${keys.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return headers;
}

function canonicalQuery(url: URL): string {
  return [...url.searchParams]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
}

/** RFC 3986, as the signature wants it. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
