import { errorMessage } from '../../std/index.ts';
import type { Certificate } from './certificate.ts';
import { named } from './chain.ts';
import { checkDelta, readCrl, statusInCrls, type Crl } from './crl.ts';
import { fail, shown } from './failure.ts';
import { ocspRequest, readOcspResponse } from './ocsp.ts';
import type { RevocationSource } from './revocation-source.ts';
import type { RevocationStatus } from './revocation-status.ts';

export type RevocationOptions = {
  source: RevocationSource | undefined;
  /** Milliseconds since 1970. */
  now: number;
  /** When it was signed, if someone vouches for it: a certificate that became invalid later still counts. */
  signingTime: number | undefined;
  signal: AbortSignal | undefined;
};

/**
 * Checks that no certificate of a chain is revoked, the root apart: by OCSP where the certificate names a responder, by CRL where it names
 * none or none answers; a certificate that names neither cannot be revoked (trust-store-trust-policy.md, Certificate Revocation Evaluation).
 * @throws CheckFailure `CertificateRevoked`; `ProofInvalid` when a status cannot be learnt
 */
export async function checkRevocation(chain: readonly Certificate[], options: RevocationOptions): Promise<void> {
  const pairs = chain.slice(0, -1).map((certificate, index) => ({ certificate, issuer: chain[index + 1] ?? certificate }));
  const statuses = await Promise.all(
    pairs.map(async ({ certificate, issuer }) => ({ certificate, status: await revocationStatus(certificate, issuer, options) })),
  );
  const revoked = statuses.find(({ status }) => status.kind === 'revoked');
  if (revoked !== undefined) fail('CertificateRevoked', `${named(revoked.certificate)} is revoked`, 'certificates that are not');
  for (const { certificate, status } of statuses) {
    if (status.kind === 'unknown') {
      fail(
        'ProofInvalid',
        `the revocation status of ${named(certificate)} is unknown: ${status.why}`,
        'an answer of its OCSP responder or CRL',
      );
    }
  }
}

async function revocationStatus(certificate: Certificate, issuer: Certificate, options: RevocationOptions): Promise<RevocationStatus> {
  const { ocspUrls, crlUrls } = certificate;
  if (ocspUrls.length === 0 && crlUrls.length === 0) return { kind: 'good' };
  const { source } = options;
  if (source === undefined)
    return { kind: 'unknown', why: `${[...ocspUrls, ...crlUrls].map(shown).join(', ')} is not asked: there is no network here` };
  if (ocspUrls.length === 0) return await statusByCrl(certificate, issuer, source, options);
  const answer = await statusByOcsp(certificate, issuer, source, options);
  if (answer.kind !== 'unknown' || crlUrls.length === 0) return answer;
  const listed = await statusByCrl(certificate, issuer, source, options);
  return listed.kind === 'unknown' ? { kind: 'unknown', why: `${answer.why}; ${listed.why}` } : listed;
}

async function statusByOcsp(
  certificate: Certificate,
  issuer: Certificate,
  source: RevocationSource,
  options: RevocationOptions,
): Promise<RevocationStatus> {
  const problems: string[] = [];
  for (const url of certificate.ocspUrls) {
    try {
      checkUrl(url);
      const nonce = source.nonce?.();
      const response = await source.ocsp(url, ocspRequest(certificate, issuer, nonce), options.signal);
      const status = readOcspResponse(response, { certificate, issuer, nonce, now: options.now, signingTime: options.signingTime });
      if (status.kind !== 'unknown' || status.final === true) return status;
      problems.push(status.why);
    } catch (error) {
      options.signal?.throwIfAborted();
      problems.push(`${shown(url)}: ${errorMessage(error)}`);
    }
  }
  return { kind: 'unknown', why: problems.join('; ') };
}

/** All distribution points count: each may hold a part of the list. */
async function statusByCrl(
  certificate: Certificate,
  issuer: Certificate,
  source: RevocationSource,
  options: RevocationOptions,
): Promise<RevocationStatus> {
  for (const url of certificate.crlUrls) {
    try {
      const base = await fetchCrl(url, issuer, source, options);
      const delta = await fetchDelta(base, issuer, source, options);
      if (certificate.namesFreshestCrl && delta === undefined) throw new Error('delta CRLs named by a certificate are not supported');
      const status = statusInCrls(certificate, delta === undefined ? [base] : [base, delta], options.signingTime);
      if (status.kind === 'revoked') return status;
    } catch (error) {
      options.signal?.throwIfAborted();
      return { kind: 'unknown', why: `${shown(url)}: ${errorMessage(error)}` };
    }
  }
  return { kind: 'good' };
}

/** A list that is kept and fresh, or the one its server has now; when that is none, or an older one, the kept one that still holds. */
async function fetchCrl(url: string, issuer: Certificate, source: RevocationSource, { now, signal }: RevocationOptions): Promise<Crl> {
  checkUrl(url);
  const kept = source.lists?.find(issuer, url, now);
  if (kept?.fresh === true) return kept.crl;
  try {
    const crl = readCrl(await source.crl(url, signal), issuer, now);
    if (kept !== undefined && (crl.number ?? 0n) < (kept.crl.number ?? 0n)) return kept.crl;
    source.lists?.keep(issuer, url, crl, now);
    return crl;
  } catch (error) {
    signal?.throwIfAborted();
    if (kept !== undefined) return kept.crl;
    throw error;
  }
}

/** The URLs are copies of one another: the first that answers does. */
async function fetchDelta(base: Crl, issuer: Certificate, source: RevocationSource, options: RevocationOptions): Promise<Crl | undefined> {
  if (base.deltaBase !== undefined) throw new Error('a delta CRL where the whole list is wanted');
  let problem: unknown;
  for (const url of base.freshestUrls) {
    try {
      const delta = await fetchCrl(url, issuer, source, options);
      checkDelta(delta, base);
      return delta;
    } catch (error) {
      options.signal?.throwIfAborted();
      problem = error;
    }
  }
  if (problem !== undefined) throw new Error(`delta CRL: ${errorMessage(problem)}`, { cause: problem });
  return undefined;
}

/** Revocation is asked in plain HTTP, since asking over TLS would need a revocation check of its own (RFC 5280 §8). */
function checkUrl(url: string): void {
  if (!/^http:\/\//i.test(url) || !URL.canParse(url)) throw new Error('only http:// is supported');
}
