import { verifySigned } from './algorithm.ts';
import { MAX_CLOCK_SKEW, MAX_CRL } from './bounds.ts';
import {
  ExtensionId,
  KeyUsage,
  readDistributionPoints,
  readExtensionList,
  readExtensions,
  readSigned,
  type Certificate,
  type Extension,
} from './certificate.ts';
import { named } from './chain.ts';
import {
  bigInteger,
  context,
  contextPrimitive,
  DerError,
  eachElement,
  Fields,
  readElements,
  readWhole,
  smallInteger,
  Tag,
  timeValue,
  type Element,
} from './der.ts';
import { readName } from './distinguished-name.ts';
import { shownTime } from './failure.ts';
import type { RevocationStatus } from './revocation-status.ts';

/** A certificate revocation list whose signature and times hold. */
export type Crl = {
  readonly number: bigint | undefined;
  /** How long it holds, milliseconds since 1970. */
  readonly nextUpdate: number;
  /** Bytes of the whole list. */
  readonly size: number;
  /** The contents of revokedCertificates: maybe millions, read one by one. */
  readonly entries: Buffer;
  /** Where its delta CRLs are. */
  readonly freshestUrls: readonly string[];
  /** The least number of a base that this delta CRL goes with; undefined for a base. */
  readonly deltaBase: bigint | undefined;
};

/**
 * Reads a CRL of `issuer` (RFC 5280 §5): signed by it, in its time, with nothing critical that is not understood, not an indirect one.
 * @throws DerError when it cannot be relied on
 */
export function readCrl(bytes: Uint8Array, issuer: Certificate, now: number): Crl {
  if (bytes.length > MAX_CRL) throw new DerError(`CRL of more than ${MAX_CRL} bytes`);
  const { body, signed } = readSigned(readWhole(bytes, Tag.sequence, 'CRL'), 'CRL');
  const fields = new Fields(body, 'CRL');
  fields.optional(Tag.integer);
  if (!fields.next('signature algorithm', Tag.sequence).bytes.equals(signed.algorithm.bytes))
    throw new DerError('CRL names two algorithms');
  const name = readName(fields.any('issuer'));
  if (!name.der.equals(issuer.subject.der)) throw new DerError(`CRL is issued by ${JSON.stringify(name.text)}`);
  const nextUpdate = checkTimes(fields, now);
  const entries = fields.optional(Tag.sequence)?.contents ?? Buffer.alloc(0);
  const extensions = readExtensions(fields.optional(context(0)));
  fields.end();
  const maySign = issuer.keyUsage === undefined || (issuer.keyUsage.bits & KeyUsage.crlSign) !== 0;
  if (!maySign) throw new DerError(`${named(issuer)} has no key usage cRLSign`);
  if (!verifySigned(signed, issuer.publicKey)) throw new DerError(`CRL is not signed by ${named(issuer)}`);
  return { entries, nextUpdate, size: bytes.length, ...readCrlExtensions(extensions) };
}

/** Gives the next update. */
function checkTimes(fields: Fields, now: number): number {
  const thisUpdate = timeValue(fields.next('this update', Tag.utcTime, Tag.generalizedTime));
  const next = fields.optional(Tag.utcTime, Tag.generalizedTime);
  if (thisUpdate > now + MAX_CLOCK_SKEW) throw new DerError(`CRL is of the future, ${shownTime(thisUpdate)}`);
  if (next === undefined) throw new DerError('CRL does not say how long it holds');
  const nextUpdate = timeValue(next);
  if (now > nextUpdate) throw new DerError(`CRL expired at ${shownTime(nextUpdate)}`);
  return nextUpdate;
}

function readCrlExtensions(extensions: ReadonlyMap<string, Extension>): Omit<Crl, 'entries' | 'nextUpdate' | 'size'> {
  const understood: readonly string[] = [ExtensionId.issuingDistributionPoint, ExtensionId.deltaCrlIndicator];
  const unknown = [...extensions].find(([id, { critical }]) => critical && !understood.includes(id));
  if (unknown !== undefined) throw new DerError(`CRL has the critical extension ${unknown[0]}`);
  const scope = extensions.get(ExtensionId.issuingDistributionPoint);
  if (scope !== undefined) checkScope(scope.value);
  const number = extensions.get(ExtensionId.crlNumber);
  const base = extensions.get(ExtensionId.deltaCrlIndicator);
  const freshest = extensions.get(ExtensionId.freshestCrl);
  return {
    number: number && bigInteger(readWhole(number.value, Tag.integer, 'CRL number')),
    deltaBase: base && bigInteger(readWhole(base.value, Tag.integer, 'delta CRL indicator')),
    freshestUrls: freshest === undefined ? [] : readDistributionPoints(freshest.value),
  };
}

/** IssuingDistributionPoint (RFC 5280 §5.2.5): lists of other issuers' certificates, or of attribute certificates, say nothing here. */
function checkScope(value: Buffer): void {
  for (const part of readElements(readWhole(value, Tag.sequence, 'issuing distribution point').contents)) {
    const flagged = part.tag !== context(0) && part.contents.length === 1 && part.contents[0] !== 0;
    if (part.tag === contextPrimitive(4) && flagged) throw new DerError('CRL is an indirect one');
    if (part.tag === contextPrimitive(5) && flagged) throw new DerError('CRL is for attribute certificates only');
  }
}

/** Checks that a delta CRL goes with a base (RFC 5280 §5.2.4). @throws DerError */
export function checkDelta(delta: Crl, base: Crl): void {
  if (delta.deltaBase === undefined) throw new DerError('delta CRL has no delta CRL indicator');
  if (delta.number === undefined || base.number === undefined) throw new DerError('CRL and delta CRL have no numbers');
  if (delta.number <= base.number) throw new DerError(`delta CRL ${delta.number} is not newer than CRL ${base.number}`);
  if (delta.deltaBase > base.number) throw new DerError(`delta CRL goes with CRL ${delta.deltaBase}, not with CRL ${base.number}`);
}

const REASON_CODE = '2.5.29.21';
const CERTIFICATE_HOLD = 6;
const REMOVE_FROM_CRL = 8;

/**
 * What a base CRL, and a delta CRL if there is one, say of a certificate. The latest hold or its removal decides, any other reason is for
 * good; a certificate that became invalid only after a vouched signing time is good (trust-store-trust-policy.md, Certificate Revocation).
 * @throws DerError for entries that are not understood
 */
export function statusInCrls(certificate: Certificate, lists: readonly Crl[], signingTime: number | undefined): RevocationStatus {
  let latest: Entry | undefined;
  for (const { entries } of lists) {
    for (const element of eachElement(entries)) {
      const entry = readEntry(element, certificate.serial);
      if (entry === undefined) continue;
      if (signingTime !== undefined && entry.invalidSince !== undefined && signingTime < entry.invalidSince) return { kind: 'good' };
      if (entry.reason !== CERTIFICATE_HOLD && entry.reason !== REMOVE_FROM_CRL) return { kind: 'revoked' };
      if (latest === undefined || latest.time < entry.time) latest = entry;
    }
  }
  return latest?.reason === CERTIFICATE_HOLD ? { kind: 'revoked' } : { kind: 'good' };
}

type Entry = { time: number; reason: number; invalidSince: number | undefined };

function readEntry(element: Element, serial: Buffer): Entry | undefined {
  const fields = new Fields(element, 'CRL entry');
  if (!fields.next('serial number', Tag.integer).contents.equals(serial)) return undefined;
  const time = timeValue(fields.any('time'));
  const list = fields.optional(Tag.sequence);
  fields.end();
  const extensions = list === undefined ? new Map<string, Extension>() : readExtensionList(list);
  const unknown = [...extensions].find(([id, { critical }]) => critical && id !== REASON_CODE && id !== ExtensionId.invalidityDate);
  if (unknown !== undefined) throw new DerError(`CRL entry has the critical extension ${unknown[0]}`);
  const reason = extensions.get(REASON_CODE);
  const invalid = extensions.get(ExtensionId.invalidityDate);
  return {
    time,
    reason: reason === undefined ? 0 : smallInteger(readWhole(reason.value, Tag.enumerated, 'reason')),
    invalidSince: invalid && timeValue(readWhole(invalid.value, Tag.generalizedTime, 'invalidity date')),
  };
}
