import { decodeJson, isYamlObject, type YamlObject, type YamlValue } from '../../golang/index.ts';
import { errorMessage } from '../../std/index.ts';
import { VerificationError } from '../verdict.ts';
import { MAX_TRUST_POLICY } from './bounds.ts';
import { isSubsetName, parseIdentityName } from './distinguished-name.ts';
import { checkScopes } from './scope.ts';

/** The checks of a signature (trust-store-trust-policy.md, Signature Verification details). */
export type Check = 'integrity' | 'authenticity' | 'authenticTimestamp' | 'expiry' | 'revocation';

/** What a failed check does: reject the signature, become a warning, or not be made at all. */
export type Action = 'enforce' | 'log' | 'skip';

export type VerificationLevel = 'strict' | 'permissive' | 'audit' | 'skip';

/** One statement of a trust policy, checked. */
export type TrustPolicyStatement = {
  name: string;
  /** Repositories (`registry/path`), or only `*`. */
  registryScopes: readonly string[];
  level: VerificationLevel;
  /** What the level and its overrides say of each check. */
  actions: Readonly<Record<Check, Action>>;
  verifyTimestamp: 'always' | 'afterCertExpiry';
  /** `ca:NAME`, `signingAuthority:NAME`, `tsa:NAME`. */
  trustStores: readonly string[];
  /** As written. */
  trustedIdentities: readonly string[];
  /** Attributes of each `x509.subject:`; undefined when every identity is trusted (`*`). */
  trustedNames: readonly ReadonlyMap<string, string>[] | undefined;
};

/** A trust policy document of Notary Project, version 1.0, checked. */
export type TrustPolicy = { statements: readonly TrustPolicyStatement[] };

const CHECKS: readonly Check[] = ['integrity', 'authenticity', 'authenticTimestamp', 'expiry', 'revocation'];
const ACTIONS: readonly Action[] = ['enforce', 'log', 'skip'];

const LEVELS: Readonly<Record<VerificationLevel, Readonly<Record<Check, Action>>>> = {
  strict: { integrity: 'enforce', authenticity: 'enforce', authenticTimestamp: 'enforce', expiry: 'enforce', revocation: 'enforce' },
  permissive: { integrity: 'enforce', authenticity: 'enforce', authenticTimestamp: 'log', expiry: 'log', revocation: 'log' },
  audit: { integrity: 'enforce', authenticity: 'log', authenticTimestamp: 'log', expiry: 'log', revocation: 'log' },
  skip: { integrity: 'skip', authenticity: 'skip', authenticTimestamp: 'skip', expiry: 'skip', revocation: 'skip' },
};

const STORE = /^(ca|signingAuthority|tsa):([a-zA-Z0-9_.-]+)$/;

/**
 * Reads and checks a trust policy document, such as `trustpolicy.json` of Flux's Secret (OB15). Under level `skip`, trust stores and
 * identities are ignored, as Flux ignores them.
 * @throws VerificationError `TrustInvalid`, naming the statement and the field
 */
export function parseTrustPolicy(json: Uint8Array | string): TrustPolicy {
  const document = readDocument(json);
  const version = stringField(document, 'version', 'version');
  if (version !== '1.0') invalid(`version is ${JSON.stringify(version)}, want "1.0"`);
  const items = field(document, 'trustPolicies');
  if (!Array.isArray(items) || items.length === 0) invalid('trustPolicies is empty, want at least one statement');
  const statements: TrustPolicyStatement[] = [];
  const names = new Set<string>();
  for (const [index, item] of items.entries()) {
    const statement = parseStatement(item, `trustPolicies[${index}]`);
    if (names.has(statement.name))
      invalid(`trustPolicies[${index}].name ${JSON.stringify(statement.name)} is used twice, want unique names`);
    names.add(statement.name);
    statements.push(statement);
  }
  const problem = checkScopes(statements);
  if (problem !== undefined) invalid(problem);
  return { statements };
}

function readDocument(json: Uint8Array | string): YamlObject {
  if (json.length > MAX_TRUST_POLICY) invalid(`it has more than ${MAX_TRUST_POLICY} bytes`);
  let value: YamlValue;
  try {
    value = decodeJson(typeof json === 'string' ? json : new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch (error) {
    invalid(`it is not JSON: ${errorMessage(error)}`, error);
  }
  if (!isYamlObject(value)) invalid('it is not a JSON object');
  return value;
}

function parseStatement(item: YamlValue | undefined, path: string): TrustPolicyStatement {
  if (!isYamlObject(item)) invalid(`${path} is not an object`);
  const name = stringField(item, 'name', `${path}.name`);
  if (name === '') invalid(`${path}.name is empty, want a name`);
  const where = `statement ${JSON.stringify(name)}: `;
  const verification = field(item, 'signatureVerification') ?? {};
  if (!isYamlObject(verification)) invalid(`${where}signatureVerification is not an object`);
  const { level, actions } = parseLevel(verification, `${where}signatureVerification`);
  const verifyTimestamp = stringField(verification, 'verifyTimestamp', `${where}signatureVerification.verifyTimestamp`) || 'always';
  if (verifyTimestamp !== 'always' && verifyTimestamp !== 'afterCertExpiry') {
    invalid(`${where}signatureVerification.verifyTimestamp is ${JSON.stringify(verifyTimestamp)}, want "always" or "afterCertExpiry"`);
  }
  const registryScopes = stringList(item, 'registryScopes', where);
  const common = { name, registryScopes, level, actions, verifyTimestamp } as const;
  if (level === 'skip') return { ...common, trustStores: [], trustedIdentities: [], trustedNames: [] };
  const trustStores = stringList(item, 'trustStores', where);
  const trustedIdentities = stringList(item, 'trustedIdentities', where);
  if (trustStores.length === 0) invalid(`${where}trustStores is empty, want at least one`);
  if (trustedIdentities.length === 0) invalid(`${where}trustedIdentities is empty, want at least one`);
  for (const store of trustStores) {
    if (!STORE.test(store)) invalid(`${where}trustStores has ${JSON.stringify(store)}, want ca:NAME, signingAuthority:NAME or tsa:NAME`);
  }
  return { ...common, trustStores, trustedIdentities, trustedNames: parseIdentities(trustedIdentities, where) };
}

function parseLevel(verification: YamlObject, where: string): Pick<TrustPolicyStatement, 'level' | 'actions'> {
  const level = stringField(verification, 'level', `${where}.level`);
  if (!isOneOf(level, ['strict', 'permissive', 'audit', 'skip'] as const)) {
    invalid(`${where}.level is ${JSON.stringify(level)}, want strict, permissive, audit or skip`);
  }
  const overrides = field(verification, 'override') ?? {};
  if (!isYamlObject(overrides)) invalid(`${where}.override is not an object`);
  const actions = { ...LEVELS[level] };
  const entries = Object.entries(overrides);
  if (entries.length > 0 && level === 'skip') invalid(`${where}.override is set, want none at level skip`);
  for (const [check, action] of entries) {
    const at = `${where}.override.${check}`;
    if (!isOneOf(check, CHECKS)) invalid(`${at} is no check, want ${CHECKS.slice(1).join(', ')}`);
    if (!isOneOf(action, ACTIONS)) invalid(`${at} is ${JSON.stringify(action)}, want ${ACTIONS.join(', ')}`);
    if (check === 'integrity') invalid(`${at} is set, but integrity is always enforced`);
    if (action === 'skip' && check !== 'revocation') invalid(`${at} is "skip", but only revocation can be skipped`);
    actions[check] = action;
  }
  return { level, actions };
}

const WILDCARD = '*';
const SUBJECT = 'x509.subject';

function parseIdentities(identities: readonly string[], where: string): TrustPolicyStatement['trustedNames'] {
  if (identities.includes(WILDCARD)) {
    if (identities.length > 1) invalid(`${where}trustedIdentities has "*" among others, want "*" alone`);
    return undefined;
  }
  const names: { text: string; name: ReadonlyMap<string, string> }[] = [];
  for (const text of identities) {
    const shown = `${where}trustedIdentities has ${JSON.stringify(text)}`;
    const colon = text.indexOf(':');
    if (colon < 0) invalid(`${shown}, want "*" or "x509.subject: C=…, ST=…, O=…"`);
    // Other kinds belong to plugins: kept, never matched.
    if (text.slice(0, colon) !== SUBJECT) continue;
    const name = parseIdentityName(text.slice(colon + 1));
    if ('problem' in name) invalid(`${shown} with ${name.problem}, want a distinguished name of at least C, ST and O`);
    const other = names.find((known) => isSubsetName(known.name, name) || isSubsetName(name, known.name));
    if (other !== undefined) invalid(`${shown}, which overlaps with ${JSON.stringify(other.text)}`);
    names.push({ text, name });
  }
  return names.map(({ name }) => name);
}

/** A field by its name; like Go's encoding/json, in other case when there is none in this. */
function field(object: YamlObject, name: string): YamlValue | undefined {
  if (Object.hasOwn(object, name)) return object[name];
  const other = Object.keys(object).find((key) => key.toLowerCase() === name.toLowerCase());
  return other === undefined ? undefined : object[other];
}

function stringField(object: YamlObject, name: string, where: string): string {
  const value = field(object, name) ?? '';
  if (typeof value !== 'string') invalid(`${where} is not a string`);
  return value;
}

function stringList(object: YamlObject, name: string, where: string): readonly string[] {
  const value = field(object, name) ?? [];
  if (!Array.isArray(value)) invalid(`${where}${name} is not a list`);
  return value.map((item, index) => {
    if (typeof item !== 'string') invalid(`${where}${name}[${index}] is not a string`);
    return item;
  });
}

function isOneOf<const T extends string>(value: unknown, options: readonly T[]): value is T {
  return options.some((option) => option === value);
}

function invalid(problem: string, cause?: unknown): never {
  const error = new VerificationError(
    'TrustInvalid',
    `read trust policy: ${problem}`,
    'trust policy',
    [],
    'correct the trust policy document',
  );
  if (cause !== undefined) error.cause = cause;
  throw error;
}
