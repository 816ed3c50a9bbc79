import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requestInfo } from './request-info.ts';

const cases: [method: string, url: string, want: Record<string, unknown>][] = [
  ['GET', '/api/v1/namespaces', { verb: 'list', plural: 'namespaces', namespace: '', name: '' }],
  ['GET', '/api/v1/namespaces/a', { verb: 'get', plural: 'namespaces', namespace: '', name: 'a' }],
  ['PUT', '/api/v1/namespaces/a/finalize', { verb: 'update', plural: 'namespaces', name: 'a', subresource: 'finalize' }],
  ['GET', '/api/v1/namespaces/a/pods', { verb: 'list', plural: 'pods', namespace: 'a', name: '' }],
  ['GET', '/api/v1/pods?watch=true', { verb: 'watch', plural: 'pods', namespace: '' }],
  ['DELETE', '/apis/apps/v1/namespaces/a/deployments', { verb: 'deletecollection', group: 'apps', version: 'v1' }],
  ['PATCH', '/apis/apps/v1/namespaces/a/deployments/x/status', { verb: 'patch', plural: 'deployments', name: 'x', subresource: 'status' }],
  ['POST', '/api/v1/namespaces/a/pods/x/binding', { verb: 'create', name: 'x', subresource: 'binding' }],
  ['GET', '/apis/apps/v1', { isResource: false }],
  ['GET', '/api/v1', { isResource: false }],
  ['GET', '/healthz', { isResource: false }],
  ['GET', '/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode', { name: 'system:node' }],
];

test('requests are read as the API server reads them', () => {
  for (const [method, url, want] of cases) {
    const { pathname, searchParams } = new URL(url, 'http://x');
    const info = requestInfo(method, pathname, searchParams);
    assert.deepEqual({ ...info, ...want }, info as unknown, `${method} ${url}`);
  }
});
