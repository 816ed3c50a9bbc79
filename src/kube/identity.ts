import type { Identity } from './kube-client.ts';

/** Header lines for an identity, and whether a name repeats (which must not travel joined: `a, b` is another group). */
export type IdentityHeaders = { lines: readonly string[]; repeats: boolean };

export const NO_IDENTITY: IdentityHeaders = { lines: [], repeats: false };

/** The `Impersonate-*` headers of an identity (user impersonation, authentication docs). Extra keys are percent-encoded, lower case. */
export function identityHeaders(identity: Identity): IdentityHeaders {
  const lines = ['impersonate-user', identity.user];
  if (identity.uid !== undefined) lines.push('impersonate-uid', identity.uid);
  for (const group of identity.groups ?? []) lines.push('impersonate-group', group);
  for (const [key, values] of Object.entries(identity.extra ?? {})) {
    for (const value of values) lines.push(`impersonate-extra-${encodeHeaderName(key)}`, value);
  }
  const names = lines.filter((_, index) => index % 2 === 0);
  return { lines, repeats: new Set(names).size !== names.length };
}

function encodeHeaderName(key: string): string {
  let name = '';
  for (const byte of Buffer.from(key.toLowerCase())) {
    const character = String.fromCharCode(byte);
    name += /[!#$&'*+\-.^_`|~0-9a-z]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return name;
}
