import { access, constants, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { httpRevocation, type Trust } from '../controllers/source/index.ts';
import { CodedError, errorMessage, minutes, type Clock } from '../std/index.ts';
import { publicGoodRoot, RefreshingRoot } from '../verify/index.ts';

const DAY = minutes(24 * 60);
const HOUR = minutes(60);
/** Milliseconds one request of the update may take. */
const TIMEOUT = 5000;
const TARGET = 'trusted_root.json';
/** Causes of an error that are told: the outermost says only that fetching failed. */
const MAX_CAUSES = 5;

/** Where the public-good root is renewed from (TUF), and where the update's state is kept. */
export type UpdateRepositoryOptions = {
  /** The folder of the cache. */
  cachePath: string;
  /** Default: https://tuf-repo-cdn.sigstore.dev. */
  mirrorURL?: string;
  /** The first `root.json`. Default: the one of this build. */
  rootPath?: string;
  /** How often a request is tried again. Default: once. */
  retry?: number;
};

/** The public-good Sigstore: as of this build at first, then as its update repository says (TUF), kept under TUF_ROOT or the user's cache. */
export function publicGoodSigstore(
  clock: Clock,
  onError: (message: string) => void,
  options: UpdateRepositoryOptions = { cachePath: usualCache() },
): RefreshingRoot {
  let folder: Promise<string> | undefined;
  const load = async (): Promise<Uint8Array> => {
    folder ??= writable(options.cachePath);
    return newestRoot({ ...options, cachePath: await folder });
  };
  return new RefreshingRoot({ initial: publicGoodRoot(), load, clock, every: DAY, retryAfter: HOUR, onError });
}

/** What signatures are trusted by beside Secrets: the public-good Sigstore, and revocation over HTTP through the proxies of the environment. */
export function usualTrust(clock: Clock, onError: (message: string) => void): Trust {
  return { publicGood: publicGoodSigstore(clock, onError), revocation: httpRevocation(process.env) };
}

function usualCache(): string {
  return process.env['TUF_ROOT'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'sluice', 'tuf');
}

/** The folder, or one for the life of this process when it cannot be written to. */
async function writable(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
    return folder;
  } catch {
    return mkdtemp(join(tmpdir(), 'sluice-tuf-'));
  }
}

/**
 * The trusted root as the repository has it, or as it is cached while its metadata holds when the repository cannot be reached or what
 * it says is refused (rolled back, expired, tampered with).
 * @throws CodedError `TrustedRootUnavailable`
 */
async function newestRoot(options: UpdateRepositoryOptions): Promise<Uint8Array> {
  await dropBrokenCache(options);
  try {
    return await targetOf(options, false);
  } catch (error) {
    try {
      return await targetOf(options, true);
    } catch {
      throw unavailable(options, error);
    }
  }
}

async function targetOf(options: UpdateRepositoryOptions, forceCache: boolean): Promise<Uint8Array> {
  const { initTUF } = await import('@sigstore/tuf');
  const client = await initTUF({ retry: 1, ...options, forceCache, timeout: TIMEOUT });
  return Buffer.from(await client.getTarget(TARGET));
}

/** A cache whose first link is torn would fail for ever: the client starts from the root of this build again, and learns what came after. */
async function dropBrokenCache({ cachePath, mirrorURL = 'https://tuf-repo-cdn.sigstore.dev' }: UpdateRepositoryOptions): Promise<void> {
  const { host, pathname } = new URL(mirrorURL);
  const file = join(cachePath, encodeURIComponent(host + pathname.replace(/\/$/, '')), 'root.json');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch {
    return;
  }
  try {
    JSON.parse(text);
  } catch {
    await rm(file, { force: true });
  }
}

function unavailable({ cachePath }: UpdateRepositoryOptions, error: unknown): CodedError<'TrustedRootUnavailable'> {
  const causes: string[] = [];
  for (let cause = error; cause instanceof Error && causes.length < MAX_CAUSES; cause = cause.cause) causes.push(cause.message);
  const message = `${causes.length === 0 ? errorMessage(error) : causes.join(': ')} (cache ${JSON.stringify(cachePath)})`;
  return new CodedError({ code: 'TrustedRootUnavailable', message, subject: cachePath, cause: error });
}
