import type { Api, Extension } from '../api/api.ts';
import { type ApiReply, json, type ResourceCall } from '../api/call.ts';
import { writeOptions } from '../api/write-options.ts';
import { type Draft, mapAt } from '../kinds/index.ts';
import { badRequest, type FieldFault, invalid } from '../request/status.ts';
import { keepRolesAggregated } from './aggregation.ts';
import { type Attributes, decide, type PolicyRule, rulesFor } from './rbac.ts';
import { tokenRequest } from './token-requests.ts';
import type { Tokens } from './tokens.ts';
import type { User } from './user.ts';

const ACCESS_REVIEWS = ['selfsubjectaccessreviews', 'subjectaccessreviews', 'localsubjectaccessreviews'];

/** Access reviews, token requests and token reviews: questions that are answered and not stored. Keeps aggregated roles as well. */
export function authExtension(api: Api, tokens: Tokens): Extension {
  keepRolesAggregated(api);
  return (call) => {
    const { info, user } = call;
    if (info.verb !== 'create') return undefined;
    if (info.group === '' && info.plural === 'serviceaccounts' && info.subresource === 'token') return tokenRequest(api, tokens, call);
    if (info.group === 'authentication.k8s.io' && info.plural === 'tokenreviews')
      return answered(call, tokenReview(tokens, draftOf(api, call)));
    if (info.group === 'authentication.k8s.io' && info.plural === 'selfsubjectreviews') return answered(call, selfReview(api, call));
    if (info.group !== 'authorization.k8s.io') return undefined;
    if (ACCESS_REVIEWS.includes(info.plural)) return answered(call, accessReview(api, call));
    return info.plural === 'selfsubjectrulesreviews' ? answered(call, rulesReview(api, user, draftOf(api, call))) : undefined;
  };
}

function answered(call: ResourceCall, review: Draft): ApiReply {
  const { name, ...metadata } = review.metadata;
  return json({ ...review, metadata: name === '' ? metadata : review.metadata }, 201);
}

/** The body as an object of its kind, with who sent it. */
function draftOf(api: Api, { request, kind, info, query, body }: ResourceCall): Draft {
  const { draft } = api.objects.draft(kind, info.namespace, body ?? null, writeOptions(request, info, query));
  // What is reviewed is told in the answer only.
  delete draft.status;
  return draft;
}

const ONE_OF = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';

function accessReview(api: Api, call: ResourceCall): Draft {
  const review = draftOf(api, call);
  const spec = mapAt(review, 'spec') ?? {};
  const isSelf = call.info.plural === 'selfsubjectaccessreviews';
  const faults = reviewFaults(review, call.info.plural);
  // The real server names the kind of its internal type here, which is empty.
  if (faults.length > 0) throw invalid('authorization.k8s.io', '', '', faults);
  const user = isSelf ? call.user : reviewedUser(spec);
  const { allowed, reason } = decide(api.store, user, attributesOf(spec));
  return { ...review, status: { allowed, ...(reason === '' ? {} : { reason }) } };
}

function reviewFaults(review: Draft, plural: string): FieldFault[] {
  const spec = mapAt(review, 'spec') ?? {};
  const faults: FieldFault[] = [];
  const wrong = (field: string, value: unknown, detail: string): void => {
    faults.push({ type: 'FieldValueInvalid', field, message: `Invalid value: ${JSON.stringify(value)}: ${detail}` });
  };
  const [resource, path] = [mapAt(spec, 'resourceAttributes'), mapAt(spec, 'nonResourceAttributes')];
  if ((resource === undefined) === (path === undefined))
    wrong('spec', path === undefined ? null : { Path: path['path'] ?? '', Verb: path['verb'] ?? '' }, ONE_OF);
  const groups = Array.isArray(spec['groups']) ? spec['groups'] : [];
  if (plural !== 'selfsubjectaccessreviews' && (spec['user'] ?? '') === '' && groups.length === 0)
    wrong('spec.user', '', 'at least one of user or group must be specified');
  const { name, namespace, managedFields, ...rest } = review.metadata;
  const isLocal = plural === 'localsubjectaccessreviews';
  if (name !== '' || (!isLocal && namespace !== undefined) || Object.values(rest).some((it) => it !== undefined && it !== null))
    wrong('metadata', { name, managedFields }, isLocal ? 'must be empty except for namespace' : 'must be empty');
  if (isLocal && resource !== undefined && (resource['namespace'] ?? '') !== namespace)
    wrong('spec.resourceAttributes.namespace', resource['namespace'] ?? '', 'must match metadata.namespace');
  if (isLocal && path !== undefined) wrong('spec.nonResourceAttributes', path, 'disallowed on this kind of request');
  return faults;
}

function attributesOf(spec: Readonly<Record<string, unknown>>): Attributes {
  const [resource, path] = [mapAt(spec, 'resourceAttributes'), mapAt(spec, 'nonResourceAttributes')];
  const text = (from: Record<string, unknown> | undefined, key: string): string => String(from?.[key] ?? '');
  return {
    verb: text(resource ?? path, 'verb'),
    group: text(resource, 'group'),
    plural: text(resource, 'resource'),
    subresource: text(resource, 'subresource'),
    namespace: text(resource, 'namespace'),
    name: text(resource, 'name'),
    ...(path === undefined ? {} : { path: text(path, 'path') }),
  };
}

function reviewedUser(spec: Readonly<Record<string, unknown>>): User {
  const { groups } = spec;
  return {
    name: String(spec['user'] ?? ''),
    uid: String(spec['uid'] ?? ''),
    groups: Array.isArray(groups) ? groups.map(String) : [],
    extra: {},
  };
}

function rulesReview(api: Api, user: User, review: Draft): Draft {
  const namespace = String(mapAt(review, 'spec')?.['namespace'] ?? '');
  if (namespace === '') throw badRequest('no namespace on request');
  const rules: PolicyRule[] = [...rulesFor(api.store, user, namespace)];
  const resourceRules = rules
    .filter((rule) => (rule.resources ?? []).length > 0)
    .map(({ verbs, apiGroups, resources, resourceNames }) => ({
      verbs,
      apiGroups,
      resources,
      ...(resourceNames === undefined || resourceNames.length === 0 ? {} : { resourceNames }),
    }));
  const nonResourceRules = rules
    .filter((rule) => (rule.nonResourceURLs ?? []).length > 0)
    .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs }));
  const { apiVersion, kind } = review;
  return { apiVersion, kind, metadata: { name: '' }, spec: {}, status: { resourceRules, nonResourceRules, incomplete: false } };
}

function selfReview(api: Api, call: ResourceCall): Draft {
  const { apiVersion, kind } = draftOf(api, call);
  const creationTimestamp = `${new Date(api.clock.now()).toISOString().slice(0, 19)}Z`;
  return { apiVersion, kind, metadata: { name: '', creationTimestamp }, status: { userInfo: userInfo(call.user) } };
}

function tokenReview(tokens: Tokens, review: Draft): Draft {
  const token = String(mapAt(review, 'spec')?.['token'] ?? '');
  if (token === '') throw badRequest('token is required for TokenReview in authentication');
  const user = tokens.user(token);
  const status =
    user === undefined ? { user: {}, error: 'invalid bearer token' } : { authenticated: true, user: userInfo(user), audiences: ['api'] };
  return { ...review, status };
}

function userInfo(user: User): Record<string, unknown> {
  return {
    username: user.name,
    ...(user.uid === '' ? {} : { uid: user.uid }),
    groups: user.groups,
    ...(Object.keys(user.extra).length === 0 ? {} : { extra: user.extra }),
  };
}
