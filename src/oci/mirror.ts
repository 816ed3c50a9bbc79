import type { MirrorRule } from './client-types.ts';
import { RegistryError } from './errors.ts';
import type { Repository } from './reference.ts';

/** Where requests for a repository really go. */
export type Endpoint = Repository & { insecure: boolean; mirror: boolean };

/**
 * Parses `HOST=OTHER[/prefix]`; `http://` before OTHER allows plain HTTP there.
 * @throws RegistryError `ReferenceInvalid`
 */
export function parseMirrorRule(text: string): MirrorRule {
  const equals = text.indexOf('=');
  const host = text.slice(0, Math.max(0, equals)).trim();
  const stated = text.slice(equals + 1).trim();
  const insecure = stated.startsWith('http://');
  const target = stated.replace(/^https?:\/\//, '').replace(/\/+$/, '');
  if (equals < 0 || !/^[A-Za-z0-9.:\-[\]]+$/.test(host) || !/^[A-Za-z0-9.:\-[\]]+(\/[a-z0-9._\-/]+)?$/.test(target)) {
    throw new RegistryError({
      code: 'ReferenceInvalid',
      message: `parse mirror ${JSON.stringify(text)}: want HOST=OTHER[/prefix]`,
      subject: text,
      retryable: false,
    });
  }
  return { host: host === 'docker.io' ? 'index.docker.io' : host, target, ...(insecure ? { insecure } : {}) };
}

/**
 * The endpoints that serve a repository, in order: every rule for its host, else the registry itself. A registry that should be
 * asked after its mirrors is listed as its own last rule (`HOST=HOST`).
 */
export function endpoints(repository: Repository, rules: readonly MirrorRule[], insecure: boolean): [Endpoint, ...Endpoint[]] {
  const home: Endpoint = { ...repository, insecure, mirror: false };
  const matching = rules.filter((rule) => rule.host === repository.registry).map((rule) => toEndpoint(repository, rule, insecure));
  const [first, ...rest] = matching;
  return first === undefined ? [home] : [first, ...rest];
}

function toEndpoint(repository: Repository, rule: MirrorRule, insecure: boolean): Endpoint {
  const slash = rule.target.indexOf('/');
  const registry = slash < 0 ? rule.target : rule.target.slice(0, slash);
  const prefix = slash < 0 ? '' : `${rule.target.slice(slash + 1)}/`;
  return {
    registry,
    path: `${prefix}${repository.path}`,
    insecure: rule.insecure ?? (registry === repository.registry && insecure),
    mirror: true,
  };
}
