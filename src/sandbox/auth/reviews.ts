import { isMap, type Json } from '../fields/index.ts';
import type { Api, Extension } from '../api/api.ts';
import { json } from '../api/call.ts';
import { badRequest, notFound } from '../request/status.ts';
import { isAllowed, rulesFor } from './rbac.ts';
import type { Tokens } from './tokens.ts';
import type { User } from './user.ts';

const TOKEN_LIFETIME = 3600;
const TOKEN_LIFETIME_MIN = 600;

/** Access reviews, token requests and token reviews: questions that are answered and not stored. */
export function authExtension(api: Api, tokens: Tokens): Extension {
  return ({ info, user, body }) => {
    if (info.verb !== 'create') return undefined;
    if (info.group === '' && info.plural === 'serviceaccounts' && info.subresource === 'token')
      return json(tokenRequest(api, tokens, info.namespace, info.name, body), 201);
    if (info.group === 'authentication.k8s.io' && info.plural === 'tokenreviews') return json(tokenReview(tokens, body), 201);
    if (info.group === 'authentication.k8s.io' && info.plural === 'selfsubjectreviews') {
      return json(
        {
          kind: 'SelfSubjectReview',
          apiVersion: 'authentication.k8s.io/v1',
          metadata: { creationTimestamp: null },
          status: { userInfo: userInfo(user) },
        },
        201,
      );
    }
    if (info.group !== 'authorization.k8s.io') return undefined;
    switch (info.plural) {
      case 'selfsubjectaccessreviews':
        return json(accessReview(api, user, body), 201);
      case 'subjectaccessreviews':
      case 'localsubjectaccessreviews':
        return json(accessReview(api, reviewedUser(body), body), 201);
      case 'selfsubjectrulesreviews':
        return json(rulesReview(api, user, body), 201);
      default:
        return undefined;
    }
  };
}

function specOf(body: Json | undefined): { readonly [key: string]: Json } {
  const spec = isMap(body) ? body['spec'] : undefined;
  return isMap(spec) ? spec : {};
}

function accessReview(api: Api, user: User, body: Json | undefined): Record<string, unknown> {
  const spec = specOf(body);
  const resource = isMap(spec['resourceAttributes']) ? spec['resourceAttributes'] : undefined;
  const path = isMap(spec['nonResourceAttributes']) ? spec['nonResourceAttributes'] : undefined;
  if ((resource === undefined) === (path === undefined))
    throw badRequest('exactly one of nonResourceAttributes or resourceAttributes must be specified');
  const text = (from: { readonly [key: string]: Json } | undefined, key: string): string => String(from?.[key] ?? '');
  const attributes = {
    verb: text(resource ?? path, 'verb'),
    group: text(resource, 'group'),
    plural: text(resource, 'resource'),
    subresource: text(resource, 'subresource'),
    namespace: text(resource, 'namespace'),
    name: text(resource, 'name'),
    ...(path === undefined ? {} : { path: text(path, 'path') }),
  };
  const allowed = isAllowed(api.store, user, attributes);
  return { ...(isMap(body) ? body : {}), status: { allowed, ...(allowed ? { reason: 'RBAC: allowed' } : {}) } };
}

function reviewedUser(body: Json | undefined): User {
  const spec = specOf(body);
  const groups = spec['groups'];
  return {
    name: String(spec['user'] ?? ''),
    uid: String(spec['uid'] ?? ''),
    groups: Array.isArray(groups) ? groups.map(String) : [],
    extra: {},
  };
}

function rulesReview(api: Api, user: User, body: Json | undefined): Record<string, unknown> {
  const rules = [...rulesFor(api.store, user, String(specOf(body)['namespace'] ?? ''))];
  const resourceRules = rules.filter((rule) => rule.resources !== undefined);
  const nonResourceRules = rules.filter((rule) => rule.nonResourceURLs !== undefined);
  return { ...(isMap(body) ? body : {}), status: { resourceRules, nonResourceRules, incomplete: false } };
}

function tokenRequest(api: Api, tokens: Tokens, namespace: string, name: string, body: Json | undefined): Record<string, unknown> {
  const account = api.store.get('/serviceaccounts', namespace, name);
  if (account === undefined) throw notFound({ group: '', plural: 'serviceaccounts' }, name);
  const spec = specOf(body);
  const audiences = Array.isArray(spec['audiences']) ? spec['audiences'].map(String) : ['https://kubernetes.default.svc.cluster.local'];
  const lifetime = Math.max(TOKEN_LIFETIME_MIN, Number(spec['expirationSeconds'] ?? TOKEN_LIFETIME));
  const { token, expires } = tokens.issue({ namespace, name, uid: account.metadata.uid ?? '' }, audiences, lifetime);
  const expirationTimestamp = new Date(expires * 1000).toISOString().replace(/\.\d+/, '');
  return {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name, namespace },
    spec: { ...spec, audiences, expirationSeconds: lifetime },
    status: { token, expirationTimestamp },
  };
}

function tokenReview(tokens: Tokens, body: Json | undefined): Record<string, unknown> {
  const user = tokens.user(String(specOf(body)['token'] ?? ''));
  const status =
    user === undefined ? { authenticated: false, user: {}, error: 'invalid bearer token' } : { authenticated: true, user: userInfo(user) };
  return { ...(isMap(body) ? body : {}), status };
}

function userInfo(user: User): Record<string, unknown> {
  return {
    username: user.name,
    ...(user.uid === '' ? {} : { uid: user.uid }),
    groups: user.groups,
    ...(Object.keys(user.extra).length === 0 ? {} : { extra: user.extra }),
  };
}
