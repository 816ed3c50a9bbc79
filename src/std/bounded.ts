import { CodedError } from './coded-error.ts';

/**
 * Passes a stream through while its size stays within `limit` bytes.
 * @param what what is being read, for the error text (`layer "sha256:…"`)
 * @throws CodedError `LimitExceeded`
 */
export async function* bounded(source: AsyncIterable<Uint8Array>, limit: number, what: string): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    if (size > limit) throw limitExceeded(what, limit);
    yield chunk;
  }
}

/** Reads a whole stream into memory, at most `limit` bytes. @throws CodedError `LimitExceeded` */
export async function readBounded(source: AsyncIterable<Uint8Array>, limit: number, what: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bounded(source, limit, what)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The error for an input that crosses a named bound. */
export function limitExceeded(what: string, limit: number, unit = 'bytes'): CodedError<'LimitExceeded'> {
  return new CodedError({ code: 'LimitExceeded', message: `read ${what}: more than ${limit} ${unit}`, subject: what, retryable: false });
}
