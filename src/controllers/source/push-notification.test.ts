import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseOCIRepository, type OCIRepository } from '../../api/index.ts';
import type { ViewHandler } from '../../runtime/index.ts';
import { PushIndex } from './push-index.ts';
import { parsePushNotification, type Push } from './push-notification.ts';

const DIGEST = `sha256:${'7f'.repeat(32)}`;
const at = (registry: string, path: string, tag?: string, digest?: string): Push =>
  ({ registry, path, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) }) as Push;
const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64');

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const distributionEvent = (more: Record<string, unknown> = {}, target: Record<string, unknown> = {}): Record<string, unknown> => ({
  id: '320678d8-ca14-430f-8bb6-4ca139cd83f7',
  timestamp: '2026-03-09T14:44:26.402973972-08:00',
  action: 'push',
  target: {
    mediaType: MANIFEST,
    size: 708,
    digest: DIGEST,
    length: 708,
    repository: 'team/hello',
    url: `http://registry.test:5000/v2/team/hello/manifests/${DIGEST}`,
    tag: 'v1',
    ...target,
  },
  request: { id: '6df24a34', addr: '192.168.64.11:42961', host: 'registry.test:5000', method: 'PUT', useragent: 'flux/v2' },
  actor: {},
  source: { addr: 'registry:5000', instanceID: 'a53db899' },
  ...more,
});
const acrEvent = {
  id: 'cb8c3971-9adc-488b-xxxx-43cbb4974ff5',
  timestamp: '2026-11-17T16:52:01.343145347Z',
  action: 'push',
  target: {
    mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
    size: 524,
    digest: DIGEST,
    length: 524,
    repository: 'hello',
    tag: 'v1',
  },
  request: { id: '3cbb6949', host: 'Team.azurecr.io', method: 'PUT', useragent: 'docker/18' },
};
const harborEvent = {
  type: 'PUSH_ARTIFACT',
  occur_at: 1_586_922_308,
  operator: 'admin',
  event_data: {
    resources: [{ digest: DIGEST, tag: 'latest', resource_url: 'hub.harbor.test/team/debian:latest' }],
    repository: { date_created: 1_586_922_308, name: 'debian', namespace: 'team', repo_full_name: 'team/debian', repo_type: 'private' },
  },
};
const ecrEvent = {
  version: '0',
  id: '13cde686-328b-6117-af20-0e5566167482',
  'detail-type': 'ECR Image Action',
  source: 'aws.ecr',
  account: '123456789012',
  time: '2026-11-16T01:54:34Z',
  region: 'us-west-2',
  resources: [],
  detail: { result: 'SUCCESS', 'repository-name': 'team/app', 'image-digest': DIGEST, 'action-type': 'PUSH', 'image-tag': 'latest' },
};
const gcr = {
  action: 'INSERT',
  digest: `europe-docker.pkg.dev/project/repo/app@${DIGEST}`,
  tag: 'europe-docker.pkg.dev/project/repo/app:1.1',
};
const githubEvent = (action: string, type = 'CONTAINER'): Record<string, unknown> => ({
  action,
  package: {
    name: 'Podinfo',
    namespace: 'Octocat',
    package_type: type,
    package_version: {
      version: DIGEST,
      package_url: 'ghcr.io/Octocat/Podinfo:6.1.0',
      container_metadata: { tag: { name: '6.1.0', digest: DIGEST } },
    },
  },
  repository: { full_name: 'Octocat/podinfo' },
});

const zotEvent = {
  specversion: '1.0',
  id: '9a6e5bd8',
  source: 'https://registry.example.com',
  type: 'zotregistry.image.updated',
  datacontenttype: 'application/json',
  data: {
    name: 'space/my-image',
    reference: 'v1',
    digest: DIGEST,
    mediaType: MANIFEST,
    manifest: '{}',
    actor: { name: 'john' },
    request: { addr: '192.168.0.1:54321', method: 'PUT', useragent: 'docker/24.0.5' },
  },
};
const artifactoryEvent = (type: string): Record<string, unknown> => ({
  domain: 'docker',
  event_type: type,
  data: {
    repo_key: 'docker-local',
    event_type: type,
    path: 'team/app/v1/list.manifest.json',
    name: 'list.manifest.json',
    sha256: DIGEST.slice('sha256:'.length),
    size: 1206,
    image_name: 'team/app',
    tag: 'v1',
    platforms: [{ architecture: 'amd64', os: 'linux' }],
  },
  subscription_key: 'test',
  jpd_origin: 'https://acme.jfrog.io',
  source: 'jfrog/ci',
});
const giteaEvent = (action: string, version: string, type = 'container'): Record<string, unknown> => ({
  action,
  repository: null,
  package: {
    id: 7,
    owner: { id: 1, login: 'Team', username: 'Team' },
    creator: { id: 1, login: 'ci' },
    type,
    name: 'app',
    version,
    html_url: `https://git.example.com/Team/-/packages/${type}/app/${version}`,
    created_at: '2026-01-01T00:00:00Z',
  },
  sender: { login: 'ci' },
});

const cases: { name: string; body: unknown; want: Push[] }[] = [
  { name: 'distribution', body: { events: [distributionEvent()] }, want: [at('registry.test:5000', 'team/hello', 'v1', DIGEST)] },
  {
    name: 'distribution: pulls, blobs and deletes are no pushes',
    body: {
      events: [
        distributionEvent({ action: 'pull' }),
        distributionEvent({ action: 'delete' }),
        distributionEvent({}, { mediaType: 'application/octet-stream' }),
      ],
    },
    want: [],
  },
  {
    name: 'distribution behind a proxy: both names of the host',
    body: { events: [distributionEvent({ request: { host: 'outside.test' } })] },
    want: [at('outside.test', 'team/hello', 'v1', DIGEST), at('registry.test:5000', 'team/hello', 'v1', DIGEST)],
  },
  {
    name: 'distribution: an index by digest alone',
    body: { events: [distributionEvent({}, { tag: undefined, mediaType: 'application/vnd.oci.image.index.v1+json' })] },
    want: [at('registry.test:5000', 'team/hello', undefined, DIGEST)],
  },
  { name: 'Harbor', body: harborEvent, want: [at('hub.harbor.test', 'team/debian', 'latest', DIGEST)] },
  { name: 'Harbor: a deletion', body: { ...harborEvent, type: 'DELETE_ARTIFACT' }, want: [] },
  {
    name: 'Harbor as a CloudEvent',
    body: {
      specversion: '1.0',
      id: 'x',
      source: '/projects/1/webhook/policies/1',
      type: 'harbor.artifact.pushed',
      data: harborEvent.event_data,
    },
    want: [at('hub.harbor.test', 'team/debian', 'latest', DIGEST)],
  },
  { name: 'ECR', body: ecrEvent, want: [at('123456789012.dkr.ecr.us-west-2.amazonaws.com', 'team/app', 'latest', DIGEST)] },
  {
    name: 'ECR in China',
    body: { ...ecrEvent, region: 'cn-north-1' },
    want: [at('123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn', 'team/app', 'latest', DIGEST)],
  },
  { name: 'ECR: a deletion', body: { ...ecrEvent, detail: { ...ecrEvent.detail, 'action-type': 'DELETE' } }, want: [] },
  {
    name: 'GCR by Pub/Sub',
    body: { message: { data: base64(gcr), messageId: '1' }, subscription: 's' },
    want: [at('europe-docker.pkg.dev', 'project/repo/app', '1.1', DIGEST)],
  },
  { name: 'GCR, unpacked', body: gcr, want: [at('europe-docker.pkg.dev', 'project/repo/app', '1.1', DIGEST)] },
  { name: 'GCR: a deletion', body: { ...gcr, action: 'DELETE' }, want: [] },
  { name: 'ACR', body: acrEvent, want: [at('team.azurecr.io', 'hello', 'v1', DIGEST)] },
  {
    name: 'ACR by Event Grid',
    body: [{ topic: '/subscriptions/x', subject: 'hello:v1', eventType: 'Microsoft.ContainerRegistry.ImagePushed', data: acrEvent }],
    want: [at('team.azurecr.io', 'hello', 'v1', DIGEST)],
  },
  { name: 'GHCR', body: githubEvent('published'), want: [at('ghcr.io', 'octocat/podinfo', '6.1.0', DIGEST)] },
  {
    name: 'GHCR: registry_package',
    body: { action: 'updated', registry_package: (githubEvent('updated') as { package: unknown }).package },
    want: [at('ghcr.io', 'octocat/podinfo', '6.1.0', DIGEST)],
  },
  { name: 'GHCR: an npm package', body: githubEvent('published', 'npm'), want: [] },
  {
    name: 'Quay',
    body: {
      name: 'repository',
      repository: 'team/app',
      namespace: 'team',
      docker_url: 'quay.io/team/app',
      homepage: 'https://quay.io',
      updated_tags: ['latest', 'v2'],
    },
    want: [at('quay.io', 'team/app', 'latest'), at('quay.io', 'team/app', 'v2')],
  },
  {
    name: 'Docker Hub',
    body: {
      push_data: { pushed_at: 1.4, pusher: 'x', tag: 'latest' },
      repository: { repo_name: 'svendowideit/testhook', repo_url: 'https://registry.hub.docker.com/u/x' },
    },
    want: [at('index.docker.io', 'svendowideit/testhook', 'latest')],
  },
  {
    name: 'CDEvents in a CloudEvent',
    body: {
      specversion: '1.0',
      type: 'dev.cdevents.artifact.published.0.2.0',
      data: {
        context: { version: '0.4.1', type: 'dev.cdevents.artifact.published.0.2.0' },
        subject: { id: `pkg:oci/app@${encodeURIComponent(DIGEST)}?repository_url=ghcr.io/team/app&tag=v3`, type: 'artifact' },
      },
    },
    want: [at('ghcr.io', 'team/app', 'v3', DIGEST)],
  },
  {
    name: 'ECR: a replication that arrived',
    body: {
      ...ecrEvent,
      'detail-type': 'ECR Replication Action',
      region: 'us-east-1',
      detail: { ...ecrEvent.detail, 'action-type': 'REPLICATE', 'source-account': '123456789012', 'source-region': 'us-west-2' },
    },
    want: [at('123456789012.dkr.ecr.us-east-1.amazonaws.com', 'team/app', 'latest', DIGEST)],
  },
  {
    name: 'ECR: a replication that failed',
    body: { ...ecrEvent, detail: { ...ecrEvent.detail, 'action-type': 'REPLICATE', result: 'FAILED' } },
    want: [],
  },
  {
    name: 'ECR of the European sovereign cloud',
    body: { ...ecrEvent, region: 'eusc-de-east-1' },
    want: [at('123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu', 'team/app', 'latest', DIGEST)],
  },
  { name: 'zot', body: zotEvent, want: [at('registry.example.com', 'space/my-image', 'v1', DIGEST)] },
  {
    name: 'zot: a prefix of its own, and a port',
    body: { ...zotEvent, type: 'com.example.registry.image.updated', source: 'https://registry.example.com:5000/zot' },
    want: [at('registry.example.com:5000', 'space/my-image', 'v1', DIGEST)],
  },
  {
    name: 'zot: content without a tag',
    body: { ...zotEvent, data: { ...zotEvent.data, reference: DIGEST } },
    want: [at('registry.example.com', 'space/my-image', undefined, DIGEST)],
  },
  { name: 'zot: a deletion', body: { ...zotEvent, type: 'zotregistry.image.deleted' }, want: [] },
  {
    name: 'Artifactory',
    body: artifactoryEvent('pushed'),
    want: [at('acme.jfrog.io', 'docker-local/team/app', 'v1', DIGEST), at('docker-local.acme.jfrog.io', 'team/app', 'v1', DIGEST)],
  },
  { name: 'Artifactory: a deletion', body: artifactoryEvent('deleted'), want: [] },
  { name: 'Artifactory: a file', body: { ...artifactoryEvent('deployed'), domain: 'artifact' }, want: [] },
  { name: 'Gitea', body: giteaEvent('created', 'v1'), want: [at('git.example.com', 'team/app', 'v1')] },
  {
    name: 'Gitea: content without a tag',
    body: giteaEvent('created', DIGEST),
    want: [at('git.example.com', 'team/app', undefined, DIGEST)],
  },
  { name: 'Gitea: a deletion', body: giteaEvent('deleted', 'v1'), want: [] },
  { name: 'Gitea: another kind of package', body: giteaEvent('created', 'v1', 'npm'), want: [] },
  { name: 'a push of Git', body: { ref: 'refs/heads/main', commits: [] }, want: [] },
];

describe('push notifications', () => {
  for (const { name, body, want } of cases) {
    test(name, () => {
      assert.deepEqual(parsePushNotification(body), want);
      // Binary or structured, a CloudEvent may carry any of them, as JSON or as base64.
      assert.deepEqual(parsePushNotification({ specversion: '1.0', type: 't', data: body }), want);
      assert.deepEqual(parsePushNotification({ specversion: '1.0', type: 't', data_base64: base64(body) }), want);
    });
  }

  let nested: unknown = gcr;
  for (let depth = 0; depth < 10_000; depth++) nested = { data: nested };
  const hostile: { name: string; body: unknown; most: number }[] = [
    { name: 'nothing', body: undefined, most: 0 },
    { name: 'a number', body: 7, most: 0 },
    {
      name: 'fields of other types',
      body: { events: [{ action: 'push', target: 5 }, null, 'x'], repository: [], push_data: null },
      most: 0,
    },
    {
      name: 'a hundred thousand events',
      body: { events: Array.from({ length: 100_000 }, (_, i) => distributionEvent({}, { tag: `t${i}` })) },
      most: 1000,
    },
    { name: 'lists of lists', body: Array.from({ length: 1000 }, () => Array.from({ length: 1000 }, () => gcr)), most: 1 },
    { name: 'envelopes without end', body: nested, most: 0 },
    { name: 'a message that is too long', body: { message: { data: 'A'.repeat(1_000_000) } }, most: 0 },
    { name: 'a message that is no JSON', body: { message: { data: '!!!' } }, most: 0 },
    { name: 'a host that is none', body: { events: [distributionEvent({ request: { host: 'a b/../c' } }, { url: 'x' })] }, most: 0 },
    { name: 'a very long name', body: { ...acrEvent, target: { ...acrEvent.target, repository: 'x'.repeat(100_000) } }, most: 0 },
    { name: 'a prototype', body: JSON.parse('{"__proto__":{"events":[]},"constructor":{"prototype":1}}'), most: 0 },
  ];
  for (const { name, body, most } of hostile) {
    test(`hostile: ${name}`, () => {
      const started = performance.now();
      assert.ok(parsePushNotification(body).length <= most);
      assert.ok(performance.now() - started < 1000);
    });
  }

  test('a CloudEvent in binary mode: what it is stands in the headers', () => {
    const { data, type, source } = zotEvent;
    const headers = { 'ce-specversion': '1.0', 'ce-id': 'x', 'ce-type': type, 'ce-source': source, 'content-type': 'application/json' };
    const want = [at('registry.example.com', 'space/my-image', 'v1', DIGEST)];
    assert.deepEqual(parsePushNotification(data, headers), want);
    assert.deepEqual(parsePushNotification(data, { ...headers, 'ce-type': 'zotregistry.image.deleted' }), []);
    assert.deepEqual(parsePushNotification(data, { ...headers, 'ce-source': undefined }), []);
    assert.deepEqual(parsePushNotification(data), [], 'without them nobody knows which registry it is');
    const harbor = { 'ce-specversion': '1.0', 'ce-type': 'harbor.artifact.pushed', 'ce-source': '/projects/1/webhook/policies/1' };
    assert.deepEqual(parsePushNotification(harborEvent.event_data, harbor), [at('hub.harbor.test', 'team/debian', 'latest', DIGEST)]);
    assert.deepEqual(parsePushNotification(zotEvent, { 'content-type': 'application/cloudevents+json' }), want, 'structured');
  });

  test('ten megabytes, and JSON as deep as it gets, cost no time', () => {
    const deep = JSON.parse(`${'{"data":'.repeat(5000)}{}${'}'.repeat(5000)}`) as unknown;
    const wide = { events: [{ ...distributionEvent(), junk: 'x'.repeat(10_000_000) }], more: 'y'.repeat(1_000_000) };
    const started = performance.now();
    assert.deepEqual(parsePushNotification(deep), []);
    assert.equal(parsePushNotification(wide).length, 1);
    assert.ok(performance.now() - started < 500);
  });

  test('a tag that is none is left out', () => {
    assert.deepEqual(parsePushNotification({ ...acrEvent, target: { ...acrEvent.target, tag: '../x', digest: 'sha256:short' } }), [
      at('team.azurecr.io', 'hello'),
    ]);
  });
});

describe('whom a push concerns', () => {
  const object = (name: string, url: string, ref?: Record<string, string>, more: Record<string, unknown> = {}): OCIRepository =>
    parseOCIRepository({
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'OCIRepository',
      metadata: { name, namespace: 'ns', uid: name, resourceVersion: '1', generation: 1 },
      spec: { url, interval: '1m', ...(ref === undefined ? {} : { ref }), ...more },
    });
  const OTHER = `sha256:${'11'.repeat(32)}`;
  const unsigned = (name: string, url: string): OCIRepository => {
    const made = object(name, url, { tag: '9.9.9' });
    const condition = { type: 'SourceVerified', status: 'False', reason: 'VerificationError', message: '' } as const;
    return { ...made, status: { ...made.status, conditions: [{ ...condition, lastTransitionTime: '2026-01-01T00:00:00Z' }] } };
  };
  let handler: ViewHandler<OCIRepository> = {};
  const view = { subscribe: (given: ViewHandler<OCIRepository>) => ((handler = given), () => {}) };
  const index = new PushIndex(view);
  const URL1 = 'oci://ghcr.io/team/app';
  const CHART = { layerSelector: { mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip' } };
  for (const one of [
    object('latest', URL1),
    object('tag', URL1, { tag: '1.2.0' }),
    object('range', URL1, { semver: '1.x' }),
    object('filtered', URL1, { semver: '>=1.0.0-0', semverFilter: '-rc' }),
    object('chart', URL1, { semver: '>=1.0.0' }, CHART),
    object('digest', URL1, { digest: OTHER }),
    unsigned('unsigned', URL1),
    object('signed', URL1, { tag: '9.9.9' }),
    object('suspended', URL1, { tag: '1.2.0' }, { suspend: true }),
    object('broken', URL1, { semver: 'nonsense' }),
    object('other', 'oci://ghcr.io/team/application', { tag: '1.2.0' }),
    object('elsewhere', 'oci://GHCR.io/team/app', { tag: '1.2.0' }),
    object('fips', 'oci://123456789012.dkr.ecr-fips.us-east-1.amazonaws.com/team/app', { tag: 'v1' }),
    object('dual-stack', 'oci://123456789012.dkr-ecr.us-east-1.on.aws/team/app', { tag: 'v1' }),
    object('hub', 'oci://docker.io/nginx', { tag: '1.2.0' }),
    object('bad-url', 'oci://ghcr.io/team/app:tag', { tag: '1.2.0' }),
  ]) {
    handler.changed?.(one, undefined);
  }
  const match = (registry: string, path: string, tag?: string, digest = DIGEST): string[] =>
    [...index.match([at(registry, path, tag, digest)])].map((key) => key.slice(3)).sort();

  const rows: { name: string; push: [string, string, string?, string?]; want: string[] }[] = [
    { name: 'a tag and the ranges it is in', push: ['ghcr.io', 'team/app', '1.2.0'], want: ['chart', 'elsewhere', 'range', 'tag'] },
    { name: 'no tag in the spec is latest', push: ['ghcr.io', 'team/app', 'latest'], want: ['latest'] },
    { name: 'a filter decides', push: ['ghcr.io', 'team/app', '2.0.0-rc.1'], want: ['filtered'] },
    { name: 'a chart writes + as _', push: ['ghcr.io', 'team/app', '3.0.0_build.1'], want: ['chart'] },
    { name: 'content alone moves nothing, but can be a signature that is waited for', push: ['ghcr.io', 'team/app'], want: ['unsigned'] },
    {
      name: 'a signature in the old format, too',
      push: ['ghcr.io', 'team/app', `sha256-${'22'.repeat(32)}.sig`],
      want: ['unsigned'],
    },
    { name: 'the digest that is named', push: ['ghcr.io', 'team/app', 'v7', OTHER], want: ['digest'] },
    { name: 'a signature beside another artifact', push: ['ghcr.io', 'team/application', `sha256-${'22'.repeat(32)}.sig`], want: [] },
    { name: 'another repository with the same beginning', push: ['ghcr.io', 'team/application', '1.2.0'], want: ['other'] },
    { name: 'Docker Hub under its own name', push: ['index.docker.io', 'library/nginx', '1.2.0'], want: ['hub'] },
    {
      name: 'ECR through its FIPS and dual-stack endpoints',
      push: ['123456789012.dkr.ecr.us-east-1.amazonaws.com', 'team/app', 'v1'],
      want: ['dual-stack', 'fips'],
    },
    { name: 'nobody', push: ['ghcr.io', 'team/none', 'latest'], want: [] },
  ];
  for (const { name, push, want } of rows) test(name, () => assert.deepEqual(match(...push), want));

  test('objects that move or go are followed', () => {
    handler.changed?.(object('tag', 'oci://ghcr.io/team/moved', { tag: 'v9' }), undefined);
    assert.deepEqual(match('ghcr.io', 'team/moved', 'v9'), ['tag']);
    assert.deepEqual(match('ghcr.io', 'team/app', '1.2.0'), ['chart', 'elsewhere', 'range']);
    handler.deleted?.(object('tag', 'oci://ghcr.io/team/moved'));
    assert.deepEqual(match('ghcr.io', 'team/moved', 'v9'), []);
  });

  test('one of ten thousand repositories is found at once', () => {
    for (let i = 0; i < 10_000; i++) handler.changed?.(object(`n${i}`, `oci://ghcr.io/many/app-${i}`, { tag: 'v1' }), undefined);
    const started = performance.now();
    for (let i = 0; i < 1000; i++) assert.equal(match('ghcr.io', `many/app-${i}`, 'v1').length, 1);
    assert.ok(performance.now() - started < 500);
  });
});
