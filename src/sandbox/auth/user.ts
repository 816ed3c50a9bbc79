/** Who a request is from, after authentication and impersonation. */
export type User = { name: string; uid: string; groups: readonly string[]; extra: Readonly<Record<string, readonly string[]>> };

/** The group that may do anything. */
export const MASTERS = 'system:masters';

/** Who nobody is. */
export const anonymous: User = { name: 'system:anonymous', uid: '', groups: ['system:unauthenticated'], extra: {} };

/** The user of a kubeconfig that the sandbox writes. */
export const admin: User = { name: 'admin', uid: '', groups: [MASTERS, 'system:authenticated'], extra: {} };

/** The user that stands for a service account. */
export function serviceAccountUser(namespace: string, name: string, uid = ''): User {
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    extra: {},
  };
}

/** Namespace and name of the service account a user name stands for. */
export function parseServiceAccount(userName: string): { namespace: string; name: string } | undefined {
  const [, , namespace, name] = userName.startsWith('system:serviceaccount:') ? userName.split(':') : [];
  return namespace === undefined || name === undefined ? undefined : { namespace, name };
}
