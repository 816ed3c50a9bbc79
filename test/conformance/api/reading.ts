import {
  type Cases,
  CONFIG_MAPS,
  configMap,
  create,
  DEPLOYMENTS,
  deployment,
  get,
  mergePatch,
  NAMESPACE,
  PODS,
  quiet,
  remove,
  SECRETS,
  service,
  SERVICES,
  until,
  watch,
} from './case.ts';

const CM = `${CONFIG_MAPS}/a`;
const labelled = (name: string, labels: Record<string, string>): ReturnType<typeof configMap> => configMap(name, { a: '1' }, { labels });
const made = quiet(create(CONFIG_MAPS, labelled('a', { app: 'x' })));
const several = [
  quiet(create(CONFIG_MAPS, labelled('a', { app: 'x', tier: '1' }))),
  quiet(create(CONFIG_MAPS, labelled('b', { app: 'x', tier: '5' }))),
  quiet(create(CONFIG_MAPS, labelled('c', { app: 'y', empty: '' }))),
  quiet(create(CONFIG_MAPS, labelled('d', { 'example.com/app': 'z' }))),
  // What every namespace has comes a moment later.
  quiet(until(`${CONFIG_MAPS}/kube-root-ca.crt`, 200)),
];
const TABLE = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
const PARTIAL = { accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io' };
const PARTIAL_LIST = { accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io' };
const selectors: Readonly<Record<string, string>> = {
  'one of': 'app in (x,z)',
  'none of': 'app notin (x),app',
  'a key in a domain': 'example.com/app=z',
  'the empty value': 'empty=',
  'the empty value of a set': 'empty in ()',
  'a key called in': 'in',
  'not there': '!app',
  'not there, spaced': ' ! app , !tier ',
  greater: 'tier>3',
  less: 'tier<3',
  'not a number': 'tier>x',
  'no key': '=x',
  'two operators': 'app==!x',
  'an open list': 'app in (x',
  'a list without commas': 'app in (x y)',
  'no list': 'app in x',
  'a comma in the end': 'app=x,',
  'a bad value': 'app=a b',
  'a bad value of signs': 'app=$x',
  'a long value': `app=${'v'.repeat(64)}`,
  'a bad prefix': 'Bad_Prefix/app=x',
};
const fields: Readonly<Record<string, readonly [string, string]>> = {
  'a pod by what it lacks': [PODS, 'spec.foo=1'],
  'pods of no phase': [PODS, 'status.phase=Nothing'],
  'pods not on a host network': [PODS, 'spec.hostNetwork=false,metadata.name=none'],
  'secrets by type': [SECRETS, 'type=Opaque'],
  'secrets by data': [SECRETS, 'data=x'],
  'services by type': [SERVICES, 'spec.type=ClusterIP'],
  'deployments by replicas': [DEPLOYMENTS, 'spec.replicas=1'],
  'replica sets by replicas': ['/apis/apps/v1/namespaces/{ns}/replicasets', 'status.replicas=0'],
  'jobs by success': ['/apis/batch/v1/namespaces/{ns}/jobs', 'status.successful=1'],
  'jobs by what they lack': ['/apis/batch/v1/namespaces/{ns}/jobs', 'status.x=1'],
  'events by reason': [`${NAMESPACE}/events`, 'reason=X'],
  'nodes by scheduling': ['/api/v1/nodes', 'spec.unschedulable=true'],
  'config maps by nothing': [CONFIG_MAPS, 'x'],
  'config maps by two': [CONFIG_MAPS, 'metadata.name=a,metadata.namespace={ns}'],
  'config maps by another namespace': [CONFIG_MAPS, 'metadata.namespace=other'],
};

export const readingCases: Cases = {
  ...Object.fromEntries(
    Object.entries(selectors).map(([name, text]) => [
      `select: ${name}`,
      [...several, get(`${CONFIG_MAPS}?labelSelector=${encodeURIComponent(text)}`)],
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(fields).map(([name, [path, text]]) => [
      `select fields: ${name}`,
      [made, get(`${path}?fieldSelector=${encodeURIComponent(text)}`)],
    ]),
  ),
  'list: in pages': [
    ...several,
    get(`${CONFIG_MAPS}?limit=2`),
    get(`${CONFIG_MAPS}?limit=2&continue={continue:5}`),
    get(`${CONFIG_MAPS}?limit=2&continue={continue:6}`),
  ],
  'list: in pages of a selection': [
    ...several,
    get(`${CONFIG_MAPS}?limit=1&labelSelector=app=x`),
    get(`${CONFIG_MAPS}?limit=1&labelSelector=app=x&continue={continue:5}`),
  ],
  'list: a page that goes on elsewhere': [...several, get(`${CONFIG_MAPS}?limit=2`), get(`${SECRETS}?limit=2&continue={continue:5}`)],
  'list: bad limits': [get(`${CONFIG_MAPS}?limit=x`), get(`${CONFIG_MAPS}?limit=-1&fieldSelector=metadata.name=x`)],
  'list: a bad continue': [
    get(`${CONFIG_MAPS}?limit=1&continue=x`),
    get(`${CONFIG_MAPS}?limit=1&continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MX0`),
  ],
  'list: continue with a revision': [
    ...several,
    get(`${CONFIG_MAPS}?limit=2`),
    get(`${CONFIG_MAPS}?limit=2&resourceVersion=1&continue={continue:5}`),
  ],
  'list: at any revision': [...several, get(`${CONFIG_MAPS}?resourceVersion=0&labelSelector=app=x`)],
  'list: not older than': [...several, get(`${CONFIG_MAPS}?resourceVersion={rv:1}&resourceVersionMatch=NotOlderThan&labelSelector=app=y`)],
  'list: exactly at': [
    ...several,
    quiet(remove(CM)),
    get(`${CONFIG_MAPS}?resourceVersion={rv:3}&resourceVersionMatch=Exact&labelSelector=app`),
  ],
  'list: exactly at none': [get(`${CONFIG_MAPS}?resourceVersion=0&resourceVersionMatch=Exact`)],
  'list: an unknown match': [get(`${CONFIG_MAPS}?resourceVersion=1&resourceVersionMatch=Maybe`)],
  'list: match without a revision': [get(`${CONFIG_MAPS}?resourceVersionMatch=Exact`)],
  'list: a bad revision': [get(`${CONFIG_MAPS}?resourceVersion=x`)],
  'list: initial events without a watch': [get(`${CONFIG_MAPS}?sendInitialEvents=true`)],
  'list: metadata only': [...several, get(`${CONFIG_MAPS}?labelSelector=app=y`, PARTIAL_LIST)],
  'list: a table': [quiet(create(SERVICES, service('a'))), get(`${SERVICES}?includeObject=None`, TABLE)],
  'list: a table with objects': [...several, get(`${CONFIG_MAPS}?labelSelector=app=y&includeObject=Object`, TABLE)],
  'list: a table of an unknown inclusion': [get(`${CONFIG_MAPS}?includeObject=Some`, TABLE)],
  'list: a table of an unknown version': [get(CONFIG_MAPS, { accept: 'application/json;as=Table;v=v9;g=meta.k8s.io' })],
  'list: a table of deployments': [
    quiet(create(DEPLOYMENTS, deployment('a', { paused: true }))),
    get(`${DEPLOYMENTS}?includeObject=None`, TABLE),
  ],
  'list: an empty table': [get(`${SERVICES}`, TABLE)],
  'list: in YAML': [made, get(`${CONFIG_MAPS}?labelSelector=app=x`, { accept: 'application/yaml' })],
  'get: in YAML': [made, get(CM, { accept: 'application/yaml' }), get(`${CONFIG_MAPS}/none`, { accept: 'application/yaml' })],
  'get: metadata only': [made, get(CM, PARTIAL)],
  'get: a table': [made, get(CM, TABLE)],
  'get: at a revision': [made, get(`${CM}?resourceVersion=x`), get(`${CM}?resourceVersion=99999999`)],
  'get: a subresource that is not there': [made, get(`${CM}/status`), get(`${CM}/scale`), get(`${CM}/x/y`)],
  'get: of a group that is not there': [
    get('/apis/none.example.com/v1/things'),
    get('/apis/apps/v9/deployments'),
    get('/apis/apps/v1/nothings'),
  ],
  'watch: from zero': [made, watch(`${CONFIG_MAPS}?watch=1&resourceVersion=0&labelSelector=app=x`)],
  'watch: from where it was': [
    made,
    quiet(mergePatch(CM, { data: { b: '1' } })),
    quiet(remove(CM)),
    watch(`${CONFIG_MAPS}?watch=true&resourceVersion={rv:0}&labelSelector=app=x`),
  ],
  'watch: what enters and leaves a selection': [
    made,
    quiet(mergePatch(CM, { metadata: { labels: { app: 'y' } } })),
    quiet(mergePatch(CM, { data: { b: '1' } })),
    quiet(mergePatch(CM, { metadata: { labels: { app: 'x' } } })),
    quiet(mergePatch(CM, { data: { c: '1' } })),
    quiet(remove(CM)),
    watch(`${CONFIG_MAPS}?watch=true&resourceVersion={rv:0}&labelSelector=app=x`),
  ],
  'watch: a field selection': [
    made,
    quiet(create(CONFIG_MAPS, configMap('b'))),
    watch(`${CONFIG_MAPS}?watch=true&resourceVersion=0&fieldSelector=metadata.name=b`),
  ],
  'watch: with initial events': [
    made,
    watch(
      `${CONFIG_MAPS}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&labelSelector=app=x`,
    ),
  ],
  'watch: initial events without a match': [watch(`${CONFIG_MAPS}?watch=true&sendInitialEvents=true`)],
  'watch: initial events and bad options': [
    watch(`${CONFIG_MAPS}?watch=true&sendInitialEvents=true&resourceVersionMatch=Exact&resourceVersion=1`),
    watch(`${CONFIG_MAPS}?watch=true&resourceVersionMatch=NotOlderThan`),
    watch(`${CONFIG_MAPS}?watch=true&sendInitialEvents=maybe&resourceVersionMatch=NotOlderThan`),
  ],
  'watch: metadata only': [made, watchAs(`${CONFIG_MAPS}?watch=true&resourceVersion=0&labelSelector=app=x`, PARTIAL)],
  'watch: a revision long gone': [watch(`${CONFIG_MAPS}?watch=true&resourceVersion=1`)],
  'watch: one by name': [made, get(`${CM}?watch=true`)],
  'watch: pages are no matter': [made, watch(`${CONFIG_MAPS}?watch=true&limit=1&resourceVersion=0&labelSelector=app=x`)],
  'watch: a bad selector': [watch(`${CONFIG_MAPS}?watch=true&labelSelector=a%20b`)],
  version: [get('/version')],
  health: [get('/healthz'), get('/livez'), get('/readyz'), get('/healthz/ping'), get('/livez/ping'), get('/readyz/none')],
  'paths that are not there': [get('/none'), get('/api/v9'), get('/apis/none'), get('/apis/apps/v9')],
  'discovery of a group': [get('/apis/apps'), get('/apis/batch'), get('/apis/policy/v1')],
  'openapi of a group': [get('/openapi/v3/apis/none/v1')],
};

function watchAs(path: string, headers: Readonly<Record<string, string>>): ReturnType<typeof watch> {
  return { ...watch(path), headers };
}
