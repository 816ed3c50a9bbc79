import { homedir } from 'node:os';
import { join } from 'node:path';
import { minutes, type Clock } from '../std/index.ts';
import { publicGoodRoot, RefreshingRoot } from '../verify/index.ts';

const DAY = minutes(24 * 60);
const HOUR = minutes(60);
/** Milliseconds one request of the update may take. */
const TIMEOUT = 5000;

/** The public-good Sigstore: as of this build at first, then as its update repository says (TUF), kept under TUF_ROOT or the user's cache. */
export function publicGoodSigstore(clock: Clock, onError: (message: string) => void): RefreshingRoot {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const cachePath = process.env['TUF_ROOT'] ?? join(cache, 'sluice', 'tuf');
  const load = async (): Promise<Uint8Array> => {
    const { initTUF } = await import('@sigstore/tuf');
    return Buffer.from(await (await initTUF({ cachePath, retry: 1, timeout: TIMEOUT })).getTarget('trusted_root.json'));
  };
  return new RefreshingRoot({ initial: publicGoodRoot(), load, clock, every: DAY, retryAfter: HOUR, onError });
}
