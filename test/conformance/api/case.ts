/** One HTTP request of a case. `{ns}` is the case's namespace, `{rv:N}`, `{uid:N}`, `{continue:N}` come from answer N. */
export type Step = {
  method: string;
  path: string;
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
  /** Asked again until the answer has this code or contains this text (ten seconds at most). */
  until?: number | string;
  /** The answer is a watch: its events so far. */
  watch?: true;
  /** Sent only for its effect: the answer is not compared. */
  quiet?: true;
};

/** Cases by name. */
export type Cases = Readonly<Record<string, readonly Step[]>>;

type Body = Readonly<Record<string, unknown>>;

export const NAMESPACE = '/api/v1/namespaces/{ns}';
export const CONFIG_MAPS: string = `${NAMESPACE}/configmaps`;
export const SECRETS: string = `${NAMESPACE}/secrets`;
export const SERVICES: string = `${NAMESPACE}/services`;
export const PODS: string = `${NAMESPACE}/pods`;
export const APPS = '/apis/apps/v1/namespaces/{ns}';
export const DEPLOYMENTS: string = `${APPS}/deployments`;
export const RBAC = '/apis/rbac.authorization.k8s.io/v1';

export function get(path: string, headers?: Readonly<Record<string, string>>): Step {
  return { method: 'GET', path, ...(headers === undefined ? {} : { headers }) };
}

/** Reads until the answer has a code or contains a text. */
export function until(path: string, found: number | string): Step {
  return { method: 'GET', path, until: found };
}

export function watch(path: string): Step {
  return { method: 'GET', path, watch: true };
}

export function create(path: string, body: Body): Step {
  return { method: 'POST', path, body };
}

export function put(path: string, body: Body): Step {
  return { method: 'PUT', path, body };
}

export function remove(path: string, body?: Body): Step {
  return { method: 'DELETE', path, ...(body === undefined ? {} : { body }) };
}

export function jsonPatch(path: string, body: readonly Body[]): Step {
  return { method: 'PATCH', path, body, headers: { 'content-type': 'application/json-patch+json' } };
}

export function mergePatch(path: string, body: Body): Step {
  return { method: 'PATCH', path, body, headers: { 'content-type': 'application/merge-patch+json' } };
}

export function strategicPatch(path: string, body: Body): Step {
  return { method: 'PATCH', path, body, headers: { 'content-type': 'application/strategic-merge-patch+json' } };
}

/** A server-side apply; `options` are more of its query (`force=true`). */
export function apply(path: string, manager: string, body: Body, options = ''): Step {
  const query = `fieldManager=${manager}${options === '' ? '' : `&${options}`}`;
  return { method: 'PATCH', path: `${path}?${query}`, body, headers: { 'content-type': 'application/apply-patch+yaml' } };
}

/** The step as a user would do it, in groups of theirs. */
export function as(user: string, step: Step, more: Readonly<Record<string, string>> = {}): Step {
  return { ...step, headers: { ...step.headers, 'impersonate-user': user, ...more } };
}

export function quiet(step: Step): Step {
  return { ...step, quiet: true };
}

export function configMap(name: string, data: Body = { a: '1' }, metadata: Body = {}): Body {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata }, data };
}

export function deployment(name: string, spec: Body = {}, container: Body = {}): Body {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'app', image: 'example.com/app:1', ...container }] } },
      ...spec,
    },
  };
}

export function service(name: string, spec: Body = {}): Body {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { selector: { app: name }, ports: [{ port: 80 }], ...spec } };
}
