import type { Mirror, MirrorRule } from './client-types.ts';
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
  const mirror = equals < 0 || !/^[A-Za-z0-9.:\-[\]]+$/.test(host) ? undefined : readMirror(text.slice(equals + 1));
  if (mirror === undefined) throw invalid(text, 'HOST=OTHER[/prefix]');
  return { host: host === 'docker.io' ? 'index.docker.io' : host, ...mirror };
}

/**
 * Parses `OTHER[/prefix]`; `http://` before it allows plain HTTP there.
 * @throws RegistryError `ReferenceInvalid`
 */
export function parseMirror(text: string): Mirror {
  const mirror = readMirror(text);
  if (mirror === undefined) throw invalid(text, 'HOST[/prefix]');
  return mirror;
}

function readMirror(text: string): Mirror | undefined {
  const stated = text.trim();
  const insecure = stated.startsWith('http://');
  const target = stated.replace(/^https?:\/\//, '').replace(/\/+$/, '');
  if (!/^[A-Za-z0-9.:\-[\]]+(\/[a-z0-9._\-/]+)?$/.test(target)) return undefined;
  return { target, ...(insecure ? { insecure } : {}) };
}

function invalid(text: string, want: string): RegistryError {
  return new RegistryError({
    code: 'ReferenceInvalid',
    message: `parse mirror ${JSON.stringify(text)}: want ${want}`,
    subject: text,
    retryable: false,
  });
}

/**
 * The endpoints that serve a repository, in order: every rule for its host, else the registry itself; then the mirrors of the access. A
 * registry that should be asked after the mirrors of the rules is listed as its own last rule (`HOST=HOST`).
 */
export function endpoints(
  repository: Repository,
  rules: readonly MirrorRule[],
  insecure: boolean,
  mirrors: readonly Mirror[] = [],
): [Endpoint, ...Endpoint[]] {
  const home: Endpoint = { ...repository, insecure, mirror: false };
  const matching = rules.filter((rule) => rule.host === repository.registry).map((rule) => toEndpoint(repository, rule, insecure));
  const others = mirrors.map((mirror) => toEndpoint(repository, mirror, insecure));
  const [first, ...rest] = matching;
  return first === undefined ? [home, ...others] : [first, ...rest, ...others];
}

function toEndpoint(repository: Repository, rule: Mirror, insecure: boolean): Endpoint {
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
