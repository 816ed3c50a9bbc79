import type { TrustPolicy, TrustPolicyStatement } from './trust-policy.ts';

/** Scopes as the distribution specification writes domains and repositories (trust-store-trust-policy.md, Registry Scopes Constraints). */
const LABEL = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = new RegExp(`^${LABEL}(?:\\.${LABEL})*(?::[0-9]+)?$`);
const COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);

/** The longest scope looked at; the patterns are linear, the bound is for messages. */
const MAX_SCOPE = 512;

/** What is wrong with the scopes of a document; undefined when nothing is. */
export function checkScopes(statements: readonly TrustPolicyStatement[]): string | undefined {
  const owners = new Map<string, string>();
  for (const { name, registryScopes } of statements) {
    const where = `statement ${JSON.stringify(name)}: registryScopes`;
    if (registryScopes.length === 0) return `${where} is empty, want at least one`;
    if (registryScopes.length > 1 && registryScopes.includes('*')) return `${where} has "*" among others, want "*" alone`;
    for (const scope of registryScopes) {
      const shown = JSON.stringify(scope.slice(0, MAX_SCOPE));
      if (scope !== '*' && !isRepository(scope)) return `${where} has ${shown}, want "*" or a repository without scheme, tag and wildcard`;
      const owner = owners.get(scope);
      if (owner !== undefined) return `${where} has ${shown}, which is in statement ${JSON.stringify(owner)} already`;
      owners.set(scope, name);
    }
  }
  return undefined;
}

function isRepository(scope: string): boolean {
  const slash = scope.indexOf('/');
  return slash > 0 && scope.length <= MAX_SCOPE && DOMAIN.test(scope.slice(0, slash)) && REPOSITORY.test(scope.slice(slash + 1));
}

/** The statement for a repository: the one that names it, else the one for `*`. */
export function applicableStatement(policy: TrustPolicy, repository: string): TrustPolicyStatement | undefined {
  const naming = (scope: string): TrustPolicyStatement | undefined =>
    policy.statements.find(({ registryScopes }) => registryScopes.includes(scope));
  return naming(repository) ?? naming('*');
}
