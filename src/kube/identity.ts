import type { Identity } from './kube-client.ts';

/** The `Impersonate-*` header lines of an identity (name, value, name, value, …). Extra keys are lower case and percent-encoded. */
export function identityHeaders(identity: Identity): readonly string[] {
  const lines = ['impersonate-user', identity.user];
  if (identity.uid !== undefined) lines.push('impersonate-uid', identity.uid);
  for (const group of identity.groups ?? []) lines.push('impersonate-group', group);
  for (const [key, values] of Object.entries(identity.extra ?? {})) {
    for (const value of values) lines.push(`impersonate-extra-${encodeHeaderName(key)}`, value);
  }
  return lines;
}

function encodeHeaderName(key: string): string {
  let name = '';
  for (const byte of Buffer.from(key.toLowerCase())) {
    const character = String.fromCharCode(byte);
    name += /[!#$&'*+\-.^_`|~0-9a-z]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return name;
}
