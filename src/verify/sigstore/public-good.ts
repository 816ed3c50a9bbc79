import seeds from '@sigstore/tuf/seeds.json' with { type: 'json' };
import { parseTrustedRoot, type TrustedRoot } from './trusted-root.ts';

const REPOSITORY = 'https://tuf-repo-cdn.sigstore.dev';
let embedded: TrustedRoot | undefined;

/**
 * The public-good Sigstore instance as of this build: the `trusted_root.json` that the npm package `@sigstore/tuf` (Apache-2.0) ships as
 * seed of its TUF client. No network is needed; keys rotated since then are missing, see {@link RefreshingRoot}.
 */
export function publicGoodRoot(): TrustedRoot {
  embedded ??= parseTrustedRoot(Buffer.from(seeds[REPOSITORY].targets['trusted_root.json'], 'base64'), 'public-good');
  return embedded;
}
