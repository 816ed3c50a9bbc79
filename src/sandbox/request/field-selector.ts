import type { KubeObject } from '../../manifest/index.ts';
import type { Selector } from './selector.ts';
import { badRequest } from './status.ts';

/** Fields besides metadata.name and metadata.namespace that a collection can be selected by. */
const SELECTABLE: Readonly<Record<string, readonly string[]>> = {
  '/pods': [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.podIPs',
    'status.nominatedNodeName',
  ],
  '/events': [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
  '/secrets': ['type'],
  '/namespaces': ['status.phase'],
  '/nodes': ['spec.unschedulable'],
  '/services': ['spec.clusterIP', 'spec.type'],
  '/replicationcontrollers': ['status.replicas'],
  'batch/jobs': ['status.successful'],
  'certificates.k8s.io/certificatesigningrequests': ['spec.signerName'],
};

/** Names of the fields of `events.k8s.io` that are called otherwise in the core group. */
const EVENT_FIELDS: Readonly<Record<string, string>> = {
  'regarding.kind': 'involvedObject.kind',
  'regarding.namespace': 'involvedObject.namespace',
  'regarding.name': 'involvedObject.name',
  'regarding.uid': 'involvedObject.uid',
  'regarding.apiVersion': 'involvedObject.apiVersion',
  'regarding.resourceVersion': 'involvedObject.resourceVersion',
  'regarding.fieldPath': 'involvedObject.fieldPath',
  reportingController: 'reportingComponent',
};

/**
 * Parses a field selector (`metadata.name=x,status.phase!=Running`). `custom` are the selectable fields of a CRD's kind; undefined
 * for a built-in one.
 * @throws StatusError 400
 */
export function parseFieldSelector(text: string, collection: string, custom?: readonly string[]): Selector {
  if (text === '') return () => true;
  const terms = splitTerms(text)
    .filter((term) => term !== '')
    .sort()
    .map((term) => {
      const [, field = '', operator = '', value = ''] = /^([^=!]*)(==|=|!=)(.*)$/s.exec(term) ?? [];
      if (operator === '') throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
      const name = collection === '/events' ? (EVENT_FIELDS[field] ?? field) : field;
      check(name, collection, custom);
      return { path: name.split('.'), negate: operator === '!=', value: value.replaceAll(/\\([,=\\])/g, '$1') };
    });
  return (object) => terms.every(({ path, negate, value }) => (textAt(object, ownPath(object, path)) === value) !== negate);
}

/** The path in the form an event is stored in. */
function ownPath(object: KubeObject, path: readonly string[]): readonly string[] {
  if (object.apiVersion !== 'events.k8s.io/v1') return path;
  const [first = '', ...rest] = path;
  return [STORED_NAMES[first] ?? first, ...rest];
}

const STORED_NAMES: Readonly<Record<string, string>> = {
  involvedObject: 'regarding',
  reportingComponent: 'reportingController',
  source: 'deprecatedSource',
};

function check(field: string, collection: string, custom: readonly string[] | undefined): void {
  const own = custom ?? SELECTABLE[collection];
  if (field === 'metadata.name' || field === 'metadata.namespace' || own?.includes(field) === true) return;
  if (collection === 'batch/jobs') throw badRequest(`field label ${JSON.stringify(field)} not supported for Job`);
  throw badRequest(
    own === undefined
      ? `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`
      : `field label not supported: ${field}`,
  );
}

/** Splits at the commas that are not escaped. */
function splitTerms(text: string): string[] {
  return text.match(/(?:[^,\\]|\\.?)+/gs) ?? [];
}

function textAt(object: KubeObject, path: readonly string[]): string {
  const value = path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : undefined),
    object,
  );
  if (value !== undefined && value !== null) return String(value);
  // What Go's types hold when nothing is set.
  return ZEROES[path.join('.')] ?? '';
}

const ZEROES: Readonly<Record<string, string>> = {
  'spec.unschedulable': 'false',
  'spec.hostNetwork': 'false',
  'status.replicas': '0',
  'status.successful': '0',
};
