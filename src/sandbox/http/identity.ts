import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ServingCertificate, selfSignedCertificate } from './certificate.ts';

/** What a kubeconfig trusts: the key that signs tokens, and the certificate. Kept, a kubeconfig outlives a restart. */
export type Identity = { tokenKey: Buffer; serving: ServingCertificate };

/** After this a kept certificate, valid for a year, is made anew. */
const RENEW_AFTER = 300 * 86_400_000;

type Kept = { tokenKey: string; certificate: string; key: string; host: string; made: number };

/** The identity kept in a folder, made when there is none for this host; without a folder, one for this run. */
export function openIdentity(folder: string | undefined, host: string, now: number): Identity {
  const path = folder === undefined ? undefined : join(folder, 'identity.json');
  const kept = path === undefined || !existsSync(path) ? undefined : (JSON.parse(readFileSync(path, 'utf8')) as Kept);
  const tokenKey = kept === undefined ? randomBytes(32) : Buffer.from(kept.tokenKey, 'base64');
  if (kept?.host === host && now - kept.made < RENEW_AFTER) return { tokenKey, serving: { certificate: kept.certificate, key: kept.key } };
  const serving = selfSignedCertificate([...new Set([host, '127.0.0.1', 'localhost'])], now);
  if (folder !== undefined && path !== undefined) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const text = JSON.stringify({ ...serving, tokenKey: tokenKey.toString('base64'), host, made: now } satisfies Kept);
    writeFileSync(path, text, { mode: 0o600 });
  }
  return { tokenKey, serving };
}
