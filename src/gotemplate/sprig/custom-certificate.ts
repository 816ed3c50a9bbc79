import { bytesToText, GoError } from '../../golang/index.ts';
import { decodeBase64 } from './base-encoding.ts';
import { readCertificate } from './crypto/certificate.ts';
import { parsePrivateKey } from './crypto/keys.ts';
import { decodePem } from './crypto/pem.ts';
import type { CertificatePair } from './providers.ts';

/** buildCustomCert: a certificate and key given in base64, checked. Throws a GoError with sprig's texts. */
export function checkCustomCertificate(base64Certificate: string, base64Key: string): CertificatePair {
  const cert = decoded(base64Certificate, 'unable to decode base64 certificate');
  const key = decoded(base64Key, 'unable to decode base64 private key');
  const block = decodePem(cert);
  if (block === undefined) throw new GoError('unable to decode certificate');
  readCertificate(block.bytes, 'error parsing certificate: decodedCert.Bytes: ');
  try {
    parsePrivateKey(key);
  } catch (error) {
    if (error instanceof GoError) throw new GoError(`error parsing private key: ${error.message}`, error);
    throw error;
  }
  return { cert, key };
}

function decoded(base64: string, message: string): string {
  try {
    return bytesToText(decodeBase64(base64));
  } catch (error) {
    if (error instanceof GoError) throw new GoError(message, error);
    throw error;
  }
}
