import { digestOf } from '../../../std/index.ts';
import type { Subject } from '../../verdict.ts';
import { Purpose, type Certificate } from '../certificate.ts';
import { parseTrustPolicy, type TrustPolicy } from '../trust-policy.ts';
import type { TrustStores } from '../trust-store.ts';
import { issue, issueRoot, keyPair, type Issued } from './authority.ts';

/** The artifact that the tests sign. */
export const SUBJECT: Subject = {
  digest: digestOf('artifact'),
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  size: 645,
  repository: 'registry.test/app',
};

export const ROOT: Issued = issueRoot();
export const SIGNER: Issued = issue({ subject: 'C=RO,ST=B,O=Test,CN=signer' }, ROOT);
export const TSA_ROOT: Issued = issueRoot({ subject: 'C=RO,ST=B,O=Time,CN=time root', key: keyPair('P-256', 'time root') });
export const TSA: Issued = issue(
  { subject: 'C=RO,ST=B,O=Time,CN=time', key: keyPair('P-256', 'time'), purposes: [Purpose.timeStamping], purposesCritical: true },
  TSA_ROOT,
);

/** A policy of one statement for everything. */
export function policyOf(
  changes: {
    level?: string;
    override?: object;
    verifyTimestamp?: string;
    stores?: readonly string[];
    identities?: readonly string[];
    scopes?: readonly string[];
  } = {},
): TrustPolicy {
  const {
    level = 'strict',
    override,
    verifyTimestamp,
    stores = ['ca:test'],
    identities = ['x509.subject: C=RO, ST=B, O=Test, CN=signer'],
  } = changes;
  return parseTrustPolicy(
    JSON.stringify({
      version: '1.0',
      trustPolicies: [
        {
          name: 'one',
          registryScopes: changes.scopes ?? ['*'],
          signatureVerification: { level, override, verifyTimestamp },
          trustStores: stores,
          trustedIdentities: identities,
        },
      ],
    }),
  );
}

/** Trust stores by name. */
export function storesOf(stores: Readonly<Record<string, readonly Issued[]>>): TrustStores {
  const known = new Map<string, readonly Certificate[]>(
    Object.entries(stores).map(([name, all]) => [name, all.map(({ certificate }) => certificate)]),
  );
  return { certificates: (store) => known.get(store) };
}

export const STORES: TrustStores = storesOf({ 'ca:test': [ROOT], 'signingAuthority:test': [ROOT], 'tsa:test': [TSA_ROOT] });
