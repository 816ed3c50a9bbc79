import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContext } from 'node:tls';
import { errorMessage } from '../std/index.ts';
import { usage } from './artifact-registry.ts';

/** Helm's `--ca-file`, `--cert-file`, `--key-file`. A certificate without its key, and the reverse, is passed over as Helm does. */
export type IdentityFlags = { caFile?: string; certFile?: string; keyFile?: string };

/** PEM texts. The CA stands instead of the system's. */
export type Identity = { ca?: string; cert?: string; key?: string };

const TLS_FAILED = "can't create TLS config for client";

/** @throws CodedError `UsageInvalid` with Helm's text */
export function readIdentity({ caFile, certFile, keyFile }: IdentityFlags): Identity {
  const own =
    certFile !== undefined && keyFile !== undefined
      ? { cert: readPem(certFile, 'unable to read cert file'), key: readPem(keyFile, 'unable to read key file') }
      : {};
  return { ...own, ...(caFile === undefined ? {} : { ca: readAuthority(caFile) }) };
}

function readAuthority(file: string): string {
  const ca = readPem(file, "can't read CA file");
  if (!ca.includes('-----BEGIN CERTIFICATE-----')) throw usage(`${TLS_FAILED}: failed to append certificates from pem block`);
  return ca;
}

function readPem(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    const cause = missing ? `open ${file}: no such file or directory` : errorMessage(error);
    throw usage(`${TLS_FAILED}: ${what}: ${JSON.stringify(file)}: ${cause}`);
  }
}

/** What connections show and trust. @throws CodedError `UsageInvalid` for material TLS cannot use */
export function secureContext(material: Parameters<typeof createSecureContext>[0]): SecureContext {
  try {
    return createSecureContext(material);
  } catch (error) {
    throw usage(`${TLS_FAILED}: ${errorMessage(error)}`);
  }
}
