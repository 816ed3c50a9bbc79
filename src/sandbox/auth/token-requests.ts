import type { Api } from '../api/api.ts';
import { type ApiReply, json, type ResourceCall } from '../api/call.ts';
import { writeOptions } from '../api/write-options.ts';
import { isMap, type Json } from '../fields/index.ts';
import { badRequest, invalid, notFound } from '../request/status.ts';
import type { Tokens } from './tokens.ts';

const GROUP = 'authentication.k8s.io';
const LIFETIME = 3600;
const LIFETIME_MIN = 600;
const LIFETIME_MAX = 2 ** 32;
const DEFAULT_AUDIENCES = ['https://kubernetes.default.svc.cluster.local'];

/** Issues a token for a service account. @throws StatusError 400, 404, 422 */
export function tokenRequest(api: Api, tokens: Tokens, call: ResourceCall): ApiReply {
  const { info, body } = call;
  const { namespace, name } = info;
  const request = isMap(body) ? body : {};
  const metadata = mapOf(request['metadata']);
  const mustMatch = (field: 'name' | 'namespace', wanted: string): void => {
    const given = metadata[field];
    if (given === undefined || given === '' || given === wanted) return;
    const message = `Invalid value: ${JSON.stringify(given)}: must match the service account ${field} if specified`;
    throw invalid(GROUP, 'TokenRequest', name, [{ type: 'FieldValueInvalid', field: `metadata.${field}`, message }]);
  };
  mustMatch('name', name);
  mustMatch('namespace', namespace);
  const account = api.store.get('/serviceaccounts', namespace, name);
  if (account === undefined) throw notFound({ group: '', plural: 'serviceaccounts' }, name);
  const spec = mapOf(request['spec']);
  const lifetime = Number(spec['expirationSeconds'] ?? LIFETIME);
  checkLifetime(lifetime);
  const audiences = Array.isArray(spec['audiences']) && spec['audiences'].length > 0 ? spec['audiences'].map(String) : DEFAULT_AUDIENCES;
  const bound = spec['boundObjectRef'];
  if (isMap(bound)) checkBound(api, namespace, name, bound);
  const { uid = '' } = account.metadata;
  const { token, expires } = tokens.issue({ namespace, name, uid }, audiences, lifetime);
  const time = (milliseconds: number): string => new Date(milliseconds).toISOString().replace(/\.\d+/, '');
  return json(
    {
      kind: 'TokenRequest',
      apiVersion: `${GROUP}/v1`,
      metadata: { name, namespace, uid, creationTimestamp: time(api.clock.now()), managedFields: managersOf(api, call) },
      spec: { audiences, expirationSeconds: lifetime, boundObjectRef: isMap(bound) ? bound : null },
      status: { token, expirationTimestamp: time(expires * 1000) },
    },
    201,
  );
}

/** Who sent the request, as a TokenRequest has it. */
function managersOf(api: Api, { request, kind, info, query, body }: ResourceCall): unknown {
  const own = {
    ...kind,
    group: GROUP,
    version: 'v1',
    kind: 'TokenRequest',
    schemaName: 'io.k8s.api.authentication.v1.TokenRequest',
    subresources: [],
  };
  return api.objects.draft(own, info.namespace, body ?? null, writeOptions(request, info, query)).draft.metadata.managedFields;
}

function mapOf(value: Json | undefined): { readonly [key: string]: Json } {
  return isMap(value) ? value : {};
}

function checkLifetime(lifetime: number): void {
  const why =
    lifetime < LIFETIME_MIN
      ? 'may not specify a duration less than 10 minutes'
      : lifetime > LIFETIME_MAX
        ? 'may not specify a duration larger than 2^32 seconds'
        : undefined;
  if (why === undefined) return;
  const message = `Invalid value: ${lifetime}: ${why}`;
  throw invalid(GROUP, 'TokenRequest', '', [{ type: 'FieldValueInvalid', field: 'spec.expirationSeconds', message }]);
}

/** A token may be bound to a pod of the account, a secret or a node that is there. */
function checkBound(api: Api, namespace: string, account: string, bound: { readonly [key: string]: Json }): void {
  const { kind, apiVersion, name } = bound;
  const plural = { Pod: 'pods', Secret: 'secrets', Node: 'nodes' }[String(kind)];
  if (plural === undefined || apiVersion !== 'v1')
    throw badRequest(`cannot bind token to object of type ${String(apiVersion)}, Kind=${String(kind)}`);
  const found = api.store.get(`/${plural}`, plural === 'nodes' ? '' : namespace, String(name));
  if (found === undefined) throw notFound({ group: '', plural }, String(name));
  const spec = found['spec'] as { serviceAccountName?: string } | undefined;
  if (plural === 'pods' && spec?.serviceAccountName !== account)
    throw badRequest(`cannot bind token for serviceaccount ${JSON.stringify(account)} to pod running with different serviceaccount name.`);
}
