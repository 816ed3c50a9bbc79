import { type Attributes, refusal } from '../auth/rbac.ts';
import { anonymous, parseServiceAccount, serviceAccountUser, type User } from '../auth/user.ts';
import type { RequestInfo } from '../request/request-info.ts';
import { badRequest, forbidden, StatusError } from '../request/status.ts';
import { type ApiRequest, header, headerList } from './call.ts';

/** How an API answers who and whether. */
export type Access = {
  /** Who a bearer token stands for. */
  userOf: (token: string) => User | undefined;
  /** Whether a user may do something. */
  allows: (user: User, attributes: Attributes) => boolean;
};

/** Who a request is from, `Impersonate-*` headers included. @throws StatusError 400, 401, 403 */
export function callerOf(request: ApiRequest, access: Access): User {
  const authorization = header(request, 'authorization');
  const token = authorization?.startsWith('Bearer ') === true ? authorization.slice(7).trim() : undefined;
  const user = request.user ?? (token === undefined ? anonymous : access.userOf(token));
  if (user === undefined) throw new StatusError(401, 'Unauthorized', 'Unauthorized');
  return impersonated(request, user, access);
}

const AUTHENTICATION = 'authentication.k8s.io';
const EXTRA = 'impersonate-extra-';

/** `Impersonate-*` headers: each part must be allowed by itself. */
function impersonated(request: ApiRequest, user: User, access: Access): User {
  const name = header(request, 'impersonate-user');
  const uid = header(request, 'impersonate-uid') ?? '';
  const groups = headerList(request, 'impersonate-group');
  const extra = extrasOf(request);
  if (name === undefined) {
    if (groups.length > 0 || uid !== '' || Object.keys(extra).length > 0) throw badRequest(withoutName(uid, groups, extra));
    return user;
  }
  const account = parseServiceAccount(name);
  const ask = (what: { group?: string; plural: string; subresource?: string; namespace?: string; name: string }): void => {
    const attributes: Attributes = { verb: 'impersonate', group: '', subresource: '', namespace: '', ...what };
    if (!access.allows(user, attributes)) throw forbidden(attributes, what.name, refusal(user, attributes));
  };
  if (account === undefined) ask({ plural: 'users', name });
  else ask({ plural: 'serviceaccounts', namespace: account.namespace, name: account.name });
  for (const group of groups) ask({ plural: 'groups', name: group });
  for (const [key, values] of Object.entries(extra))
    for (const value of values) ask({ group: AUTHENTICATION, plural: 'userextras', subresource: key, name: value });
  if (uid !== '') ask({ group: AUTHENTICATION, plural: 'uids', name: uid });
  const base = account === undefined ? { name, groups: [] } : serviceAccountUser(account.namespace, account.name);
  const own = groups.length > 0 ? groups : base.groups;
  const isKnown = own.includes('system:authenticated') || own.includes('system:unauthenticated');
  return {
    name,
    uid,
    extra,
    groups: isKnown ? own : [...own, name === anonymous.name ? 'system:unauthenticated' : 'system:authenticated'],
  };
}

/** `Impersonate-Extra-KEY` headers; keys are percent-encoded. */
function extrasOf(request: ApiRequest): Record<string, readonly string[]> {
  const found: Record<string, readonly string[]> = {};
  for (const name of Object.keys(request.headers)) {
    if (!name.startsWith(EXTRA)) continue;
    const key = name.slice(EXTRA.length);
    const values = request.headers[name] ?? [];
    found[/%(?![0-9a-f]{2})/i.test(key) ? key : decodeURIComponent(key)] = typeof values === 'string' ? [values] : values;
  }
  return found;
}

/** What the API server says of parts of a user without their name: its own type, as Go prints it. */
function withoutName(uid: string, groups: readonly string[], extra: Readonly<Record<string, readonly string[]>>): string {
  const strings = (list: readonly string[]): string => `{${list.map((it) => JSON.stringify(it)).join(', ')}}`;
  const extras = Object.entries(extra).map(([key, values]) => `${JSON.stringify(key)}:[]string${strings(values)}`);
  const parts = [
    'Name:""',
    `UID:${JSON.stringify(uid)}`,
    `Groups:[]string${groups.length === 0 ? '(nil)' : strings(groups)}`,
    `Extra:map[string][]string${extras.length === 0 ? '(nil)' : `{${extras.join(', ')}}`}`,
  ];
  return `requested &user.DefaultInfo{${parts.join(', ')}} without impersonating a user name`;
}

/** @throws StatusError 403 when the user may not do what the request asks for */
export function authorize(access: Access, user: User, info: RequestInfo, query: URLSearchParams): void {
  const attributes: Attributes = info.isResource
    ? {
        verb: info.verb,
        group: info.group,
        plural: info.plural,
        subresource: info.subresource,
        namespace: info.namespace,
        // Who selects one object by its name asks for that one.
        name: info.name === '' ? (/(?:^|,)metadata\.name==?([^,=]+)/.exec(query.get('fieldSelector') ?? '')?.[1] ?? '') : info.name,
      }
    : { verb: info.verb, group: '', plural: '', subresource: '', namespace: '', name: '', path: info.path };
  if (access.allows(user, attributes)) return;
  const why = refusal(user, attributes);
  throw info.isResource ? forbidden(info, info.name, why) : new StatusError(403, 'Forbidden', `forbidden: ${why}`, {});
}
