import { TrustedRoot as TrustedRootMessage } from '@sigstore/protobuf-specs';
import { toTrustMaterial, type TrustMaterial } from '@sigstore/verify';
import { errorMessage } from '../../std/index.ts';
import { VerificationError } from '../verdict.ts';
import { parseUntrustedObject } from './json.ts';
import { MAX_TRUSTED_ROOT } from './limits.ts';

const MEDIA_TYPE = /^application\/vnd\.dev\.sigstore\.trustedroot(\+json;version=0\.[12]|\.v0\.[12]\+json)$/;

/** The authorities of a Sigstore deployment: certificate authorities, transparency logs, timestamp authorities. */
export type TrustedRoot = {
  /** What messages call it: the Secret's key, or `public-good`. */
  readonly name: string;
  readonly material: TrustMaterial;
};

/**
 * Reads a `trusted_root.json` (protobuf-specs `TrustedRoot`), of a Secret (OB14) or from TUF.
 * @throws VerificationError `TrustInvalid`, naming the file
 */
export function parseTrustedRoot(json: Uint8Array, name = 'trusted_root.json'): TrustedRoot {
  if (json.length > MAX_TRUSTED_ROOT) throw invalid(name, `${json.length} bytes, want at most ${MAX_TRUSTED_ROOT}`);
  let material: TrustMaterial;
  try {
    const message = TrustedRootMessage.fromJSON(parseUntrustedObject(json));
    if (!MEDIA_TYPE.test(message.mediaType)) throw new Error(`media type ${JSON.stringify(message.mediaType)} is not a trusted root's`);
    // A log key without a beginning would vouch for any time (Sigstore's conformance suite has such a root refused).
    const tlogs = message.tlogs.filter(({ publicKey }) => publicKey?.validFor?.start !== undefined);
    material = toTrustMaterial({ ...message, tlogs });
  } catch (error) {
    throw invalid(name, errorMessage(error));
  }
  if (material.certificateAuthorities.length === 0) throw invalid(name, 'no certificate authority');
  if (material.tlogs.length === 0) throw invalid(name, 'no transparency log whose key has a beginning (validFor.start)');
  return { name, material };
}

/** How long before its end a root is warned of: time to renew a Secret, in milliseconds. */
const RENEWAL = 30 * 24 * 60 * 60 * 1000;

/**
 * Warns of a root whose last certificate authority, or last transparency log, ends soon or has ended: what was signed before still holds,
 * what is signed after will not.
 */
export function renewalWarnings({ name, material: { certificateAuthorities, tlogs } }: TrustedRoot, now: Date): string[] {
  const ends = {
    'certificate authority': certificateAuthorities.map(({ certChain, validFor }) => [
      validFor.end,
      ...certChain.map(({ notAfter }) => notAfter),
    ]),
    'transparency log': tlogs.map(({ validFor }) => [validFor.end]),
  };
  return Object.entries(ends).flatMap(([what, parts]) => {
    const last = Math.max(...parts.map((dates) => Math.min(...dates.map((date) => date.getTime()))));
    if (last > now.getTime() + RENEWAL) return [];
    const tense = last < now.getTime() ? 'ended' : 'ends';
    return [`the last ${what} of trusted root ${JSON.stringify(name)} ${tense} at ${new Date(last).toISOString()}: give a newer root`];
  });
}

function invalid(name: string, cause: string): VerificationError {
  return new VerificationError(
    'TrustInvalid',
    `read trusted root ${JSON.stringify(name)}: ${cause}`,
    name,
    [],
    'give the trusted_root.json of the Sigstore deployment that signed (cosign trusted-root create)',
  );
}
