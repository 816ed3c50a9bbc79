import type { VerificationErrorCode } from '../verdict.ts';
import { algorithmOfKey, keyKind, SIGNING_KEYS, verifySigned } from './algorithm.ts';
import { KeyUsage, Purpose, type Certificate } from './certificate.ts';
import { MAX_CHAIN } from './bounds.ts';
import { fail, shown } from './failure.ts';

/** What a chain is for: the two sets of rules of signature-specification.md, Certificate Requirements. */
export type ChainPurpose = 'code signing' | 'timestamping';

/**
 * Checks a chain that goes from the signing certificate to a self-signed root: who issued whom, and what each certificate may do. Says
 * nothing of trust, time or revocation.
 * @throws CheckFailure `SignatureInvalid` (`ProofInvalid` for timestamping), `LimitExceeded`
 */
export function checkChain(chain: readonly Certificate[], purpose: ChainPurpose): void {
  const code = purpose === 'code signing' ? 'SignatureInvalid' : 'ProofInvalid';
  if (chain.length > MAX_CHAIN) fail('LimitExceeded', `a chain of ${chain.length} certificates`, `at most ${MAX_CHAIN}`);
  const [leaf, ...authorities] = chain;
  if (leaf === undefined) fail(code, 'no certificate', 'a certificate chain');
  for (const certificate of chain) {
    const [unknown] = certificate.unknownCritical;
    if (unknown !== undefined)
      fail(code, `${named(certificate)} has the critical extension ${unknown}`, 'critical extensions that are understood');
  }
  checkLeaf(leaf, purpose, code);
  if (authorities.length === 0) {
    if (!isSelfIssued(leaf))
      fail(code, `${named(leaf)} alone, issued by ${shown(leaf.issuer.text)}`, 'the chain up to its self-signed root');
    return;
  }
  for (const [index, authority] of authorities.entries()) checkLink(chain[index] ?? leaf, authority, index, code, purpose);
  const root = authorities.at(-1) ?? leaf;
  if (!isIssuedBy(root, root)) fail(code, `the chain ends with ${named(root)}, which is not self-signed`, 'a self-signed root at its end');
}

/** One authority and what stands below it; `depth` intermediates are between it and the signing certificate. */
function checkLink(child: Certificate, authority: Certificate, depth: number, code: VerificationErrorCode, purpose: ChainPurpose): void {
  if (isIssuedBy(child, child)) fail(code, `${named(child)} in mid-chain is self-signed`, 'a self-signed certificate only at the end');
  if (!isIssuedBy(child, authority))
    fail(code, `${named(child)} is not issued by the next one, ${named(authority)}`, 'each certificate issued by the next');
  const { basicConstraints, keyUsage } = authority;
  if (basicConstraints?.authority !== true) fail(code, `${named(authority)} is no authority`, 'basic constraints with CA true');
  if (basicConstraints.pathLength !== undefined && basicConstraints.pathLength < depth) {
    fail(code, `${named(authority)} allows ${basicConstraints.pathLength} intermediates below it`, `at least ${depth}`);
  }
  checkKeyUsagePresent(authority, code, purpose);
  if (((keyUsage?.bits ?? 0) & KeyUsage.certificateSign) === 0)
    fail(code, `${named(authority)} has no key usage keyCertSign`, 'an authority that may issue certificates');
}

function checkKeyUsagePresent(certificate: Certificate, code: VerificationErrorCode, purpose: ChainPurpose): void {
  if (certificate.keyUsage === undefined) fail(code, `${named(certificate)} has no key usage`, 'the key usage extension');
  if (purpose === 'code signing' && !certificate.keyUsage.critical)
    fail(code, `the key usage of ${named(certificate)} is not critical`, 'a critical key usage extension');
}

function checkLeaf(leaf: Certificate, purpose: ChainPurpose, code: VerificationErrorCode): void {
  if (leaf.basicConstraints?.authority === true)
    fail(code, `the signing certificate ${named(leaf)} is an authority`, 'basic constraints absent or with CA false');
  checkKeyUsagePresent(leaf, code, purpose);
  const bits = leaf.keyUsage?.bits ?? 0;
  if ((bits & KeyUsage.digitalSignature) === 0)
    fail(code, `${named(leaf)} has no key usage digitalSignature`, 'a certificate that may sign');
  if ((bits & ~(KeyUsage.digitalSignature | KeyUsage.nonRepudiation)) !== 0) {
    fail(code, `${named(leaf)} has key usages besides digitalSignature`, 'key usage digitalSignature only');
  }
  checkPurposes(leaf, purpose, code);
  if (algorithmOfKey(leaf.publicKey) === undefined) fail(code, `the key of ${named(leaf)} is ${keyKind(leaf.publicKey)}`, SIGNING_KEYS);
}

/** Purposes that exclude signing of code. */
const OTHER_PURPOSES: readonly string[] = [
  Purpose.serverAuth,
  Purpose.clientAuth,
  Purpose.emailProtection,
  Purpose.timeStamping,
  Purpose.ocspSigning,
];

function checkPurposes(leaf: Certificate, purpose: ChainPurpose, code: VerificationErrorCode): void {
  const usage = leaf.extendedKeyUsage;
  if (purpose === 'code signing') {
    const other = usage?.purposes.find((id) => OTHER_PURPOSES.includes(id));
    if (other !== undefined) fail(code, `${named(leaf)} is for the purpose ${other}`, 'no extended key usage, or codeSigning');
    return;
  }
  // RFC 3161 §2.3.
  if (usage?.purposes.length !== 1 || usage.purposes[0] !== Purpose.timeStamping) {
    fail(
      code,
      `the extended key usage of ${named(leaf)} is ${shown(usage?.purposes.join(', ') ?? 'absent')}`,
      'timeStamping and nothing else',
    );
  }
  if (!usage.critical) fail(code, `the extended key usage of ${named(leaf)} is not critical`, 'a critical extended key usage');
}

/** A certificate in a message. */
export function named(certificate: Certificate): string {
  return `certificate ${shown(certificate.subject.text)}`;
}

/** True when `issuer`, an authority that may sign certificates, signed `certificate` and bears its issuer's name. */
export function isIssuedBy(certificate: Certificate, issuer: Certificate): boolean {
  const authority = issuer.basicConstraints?.authority === true;
  const maySign = issuer.keyUsage === undefined || (issuer.keyUsage.bits & KeyUsage.certificateSign) !== 0;
  return authority && maySign && issuer.subject.der.equals(certificate.issuer.der) && verifySigned(certificate.signed, issuer.publicKey);
}

/** True for a certificate signed with its own key, authority or not. */
export function isSelfIssued(certificate: Certificate): boolean {
  return certificate.subject.der.equals(certificate.issuer.der) && verifySigned(certificate.signed, certificate.publicKey);
}
