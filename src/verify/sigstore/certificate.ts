import { X509Certificate as StrictCertificate } from 'node:crypto';
import { X509Certificate } from '@sigstore/core';
import { errorMessage } from '../../std/index.ts';
import { Refusal } from './refusal.ts';

/** Whom a certificate of Fulcio was issued to. */
export type CertificateIdentity = { issuer: string; subject: string };

const EKU_CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
// https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
const OID_ISSUER = '1.3.6.1.4.1.57264.1.1';
const OID_ISSUER_V2 = '1.3.6.1.4.1.57264.1.8';
const OID_USERNAME = '1.3.6.1.4.1.57264.1.7';
// RFC 5280 §4.2.1.6
const OTHER_NAME = 0;
const EMAIL = 1;
const URI = 6;
/** The library decodes names as seven-bit text, which would turn other bytes into letters: only text that is ASCII counts. */
const ASCII = /^[\x20-\x7e]+$/;

/**
 * Parses a leaf certificate with both parsers, so that neither is lenient alone.
 * @throws Refusal `SignatureInvalid` when it is no certificate, `SignerUntrusted` when it is not for signing code
 */
export function parseLeaf(der: Buffer<ArrayBuffer>): X509Certificate {
  let strict: StrictCertificate;
  let certificate: X509Certificate;
  try {
    strict = new StrictCertificate(der);
    certificate = X509Certificate.parse(der);
  } catch (error) {
    throw new Refusal('SignatureInvalid', `a broken certificate (${errorMessage(error)})`, 'an X.509 certificate', error);
  }
  if (!(strict.keyUsage ?? []).includes(EKU_CODE_SIGNING) || strict.ca)
    throw new Refusal('SignerUntrusted', 'a certificate that is not for signing code', 'extended key usage codeSigning, not a CA');
  return certificate;
}

/**
 * Reads the identity a certificate vouches for: the OIDC issuer and, as subject, the first URI, else e-mail address, else user name.
 * @throws Refusal `SignerUntrusted` when it names nobody
 */
export function certificateIdentity(certificate: X509Certificate): CertificateIdentity {
  return { issuer: required('OIDC issuer', issuerOf(certificate)), subject: required('subject', subjectOf(certificate)) };
}

function issuerOf(certificate: X509Certificate): Buffer | undefined {
  // The second form is a DER string, the first was the bare text.
  return certificate.extension(OID_ISSUER_V2)?.valueObj.subs[0]?.value ?? certificate.extension(OID_ISSUER)?.value;
}

function subjectOf(certificate: X509Certificate): Buffer | undefined {
  const names = certificate.extSubjectAltName?.valueObj.subs[0]?.subs ?? [];
  for (const kind of [URI, EMAIL]) {
    const name = names.find(({ tag }) => tag.isContextSpecific(kind));
    if (name !== undefined) return name.value;
  }
  const other = names.find(({ tag }) => tag.isContextSpecific(OTHER_NAME));
  return other?.subs[0]?.toOID() === OID_USERNAME ? other.subs[1]?.subs[0]?.value : undefined;
}

function required(what: string, bytes: Buffer | undefined): string {
  const text = bytes?.toString('latin1') ?? '';
  if (!ASCII.test(text)) {
    const found = text === '' ? `a certificate without ${what}` : `a certificate whose ${what} is not ASCII`;
    throw new Refusal('SignerUntrusted', found, `a certificate with an ${what}`);
  }
  return text;
}
