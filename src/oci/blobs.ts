import { digestAlgorithm, digestOf, Digester } from '../std/index.ts';
import type { Descriptor } from './descriptor.ts';
import { isRegistryError, RegistryError } from './errors.ts';
import { type Answer, header } from './http.ts';
import { formatRepository, type Repository } from './reference.ts';
import type { Session } from './session.ts';

/** A resume that got this many bytes further starts the count of resumes again: the size bounds how often that can be. */
const PROGRESS = 1024 * 1024;

/**
 * Streams a blob. Never yields more than `descriptor.size` bytes; the last chunk comes only after size and digest were found right.
 * When the connection breaks, the rest is asked for by Range.
 * @throws RegistryError `DigestMismatch`, `SizeMismatch`, `Truncated`, or what the request ended in
 */
export async function* fetchBlob(
  session: Session,
  repository: Repository,
  descriptor: Descriptor,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const embedded = embeddedContent(descriptor);
  if (embedded !== undefined) {
    yield embedded;
    return;
  }
  const digester = new Digester(digestAlgorithm(descriptor.digest));
  const what = `fetch blob ${JSON.stringify(descriptor.digest)} from ${JSON.stringify(formatRepository(repository))}`;
  let held: Uint8Array | undefined;
  let received = 0;
  for await (const chunk of resumed(session, repository, descriptor, what, signal)) {
    received += chunk.length;
    digester.update(chunk);
    if (held !== undefined) yield held;
    held = chunk;
  }
  if (received !== descriptor.size) throw sizeMismatch(what, descriptor, received);
  const digest = digester.digest();
  if (digest !== descriptor.digest) {
    throw new RegistryError({
      code: 'DigestMismatch',
      message: `${what}: digest mismatch: got ${digest}, want ${descriptor.digest}`,
      subject: descriptor.digest,
    });
  }
  if (held !== undefined) yield held;
}

function sizeMismatch(what: string, descriptor: Descriptor, received: number): RegistryError {
  return new RegistryError({
    code: 'SizeMismatch',
    message: `${what}: size mismatch: got ${received > descriptor.size ? 'more than ' : ''}${Math.min(received, descriptor.size)} bytes, want ${descriptor.size}`,
    subject: descriptor.digest,
  });
}

/** Content embedded in the descriptor (image-spec descriptor.md "data"), when it is what the digest says. */
function embeddedContent(descriptor: Descriptor): Uint8Array | undefined {
  if (descriptor.data === undefined) return undefined;
  const bytes = Buffer.from(descriptor.data, 'base64');
  return bytes.length === descriptor.size && digestOf(bytes, digestAlgorithm(descriptor.digest)) === descriptor.digest ? bytes : undefined;
}

async function* resumed(
  session: Session,
  repository: Repository,
  descriptor: Descriptor,
  what: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let received = 0;
  let resumes = 0;
  let resumedAt = 0;
  let failure: unknown;
  for (;;) {
    const answer = await askBlob(session, repository, descriptor, received, what, signal);
    let skip = answer.status === 206 ? 0 : received;
    try {
      for await (const chunk of answer.body) {
        const fresh = skip >= chunk.length ? undefined : chunk.subarray(skip);
        skip = Math.max(0, skip - chunk.length);
        if (fresh === undefined) continue;
        received += fresh.length;
        if (received > descriptor.size) throw sizeMismatch(what, descriptor, received);
        yield fresh;
      }
      if (received === descriptor.size) return;
      failure = undefined;
    } catch (error) {
      if (!isRegistryError(error, 'RegistryUnavailable', 'Timeout') || signal.aborted) throw error;
      failure = error;
    }
    resumes = received - resumedAt >= PROGRESS ? 1 : resumes + 1;
    resumedAt = received;
    if (resumes > session.wire.limits.resumes) throw truncated(what, descriptor, received, failure);
  }
}

function truncated(what: string, descriptor: Descriptor, received: number, cause: unknown): RegistryError {
  return new RegistryError({
    code: 'Truncated',
    message: `${what}: the connection ended after ${received} of ${descriptor.size} bytes`,
    subject: descriptor.digest,
    cause,
  });
}

async function askBlob(
  session: Session,
  repository: Repository,
  descriptor: Descriptor,
  from: number,
  what: string,
  signal: AbortSignal,
): Promise<Answer> {
  const answer = await session.send(
    {
      method: 'GET',
      repository,
      path: `blobs/${descriptor.digest}`,
      actions: 'pull',
      headers: { 'accept-encoding': 'identity', ...(from === 0 ? {} : { range: `bytes=${from}-` }) },
      accept: from === 0 ? [200] : [200, 206],
      what,
      subject: descriptor.digest,
    },
    signal,
  );
  const problem = answerProblem(answer, descriptor, from);
  if (problem === undefined) return answer;
  await answer.discard();
  throw new RegistryError({ code: 'SizeMismatch', message: `${what}: ${problem}`, subject: descriptor.digest });
}

function answerProblem(answer: Answer, descriptor: Descriptor, from: number): string | undefined {
  if (answer.status === 206) {
    const start = /^bytes (\d+)-/.exec(header(answer.headers, 'content-range') ?? '')?.[1];
    return start === String(from)
      ? undefined
      : `asked for bytes from ${from}, got content-range ${JSON.stringify(header(answer.headers, 'content-range') ?? '')}`;
  }
  const length = header(answer.headers, 'content-length');
  if (length === undefined || Number(length) === descriptor.size) return undefined;
  return `size mismatch: the registry has ${length} bytes, want ${descriptor.size}`;
}

/** True when the registry has the blob. */
export async function hasBlob(
  session: Session,
  repository: Repository,
  digest: string,
  actions: 'pull' | 'pull,push',
  signal: AbortSignal,
): Promise<boolean> {
  const answer = await session.send(
    {
      method: 'HEAD',
      repository,
      path: `blobs/${digest}`,
      actions,
      accept: [200, 404],
      what: `look for blob ${JSON.stringify(digest)} in ${JSON.stringify(formatRepository(repository))}`,
      subject: digest,
    },
    signal,
  );
  await answer.discard();
  return answer.status === 200;
}
