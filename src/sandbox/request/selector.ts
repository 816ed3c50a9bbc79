import type { KubeObject } from '../../manifest/index.ts';
import { badRequest } from './status.ts';

/** Says whether an object is selected. */
export type Selector = (object: KubeObject) => boolean;

/** Most requirements one selector may have. */
export const SELECTOR_LIMIT = 1000;

type Requirement =
  | { key: string; operator: 'in' | 'notin'; values: ReadonlySet<string> }
  | { key: string; operator: 'exists' | 'absent' }
  | { key: string; operator: 'gt' | 'lt'; value: number };

const KEY = '[A-Za-z0-9]?(?:[A-Za-z0-9._/-]*[A-Za-z0-9])?';
const FORMS = {
  set: new RegExp(`^(${KEY})\\s+(in|notin)\\s*\\(([^()]*)\\)$`),
  equals: new RegExp(`^(${KEY})\\s*(==|=|!=)\\s*([A-Za-z0-9._-]*)$`),
  compare: new RegExp(`^(${KEY})\\s*(>|<)\\s*(-?\\d+)$`),
  exists: new RegExp(`^(!?)\\s*(${KEY})$`),
};

/** Parses a label selector as apimachinery does: `a=b,c!=d,e in (f,g),h,!i,j>1`. @throws StatusError 400 */
export function parseLabelSelector(text: string): Selector {
  const requirements = splitTop(text).map(parseRequirement);
  if (requirements.length > SELECTOR_LIMIT) throw badRequest(`unable to parse requirement: more than ${SELECTOR_LIMIT} requirements`);
  return (object) => requirements.every((requirement) => holds(requirement, object.metadata.labels));
}

/** Selects by a `LabelSelector` value (`matchLabels`, `matchExpressions`), against any labels. */
export function labelSelectorMatches(selector: unknown, labels: Readonly<Record<string, string>> | undefined): boolean {
  const { matchLabels = {}, matchExpressions = [] } = (selector ?? {}) as {
    matchLabels?: Record<string, string>;
    matchExpressions?: { key: string; operator: string; values?: string[] }[];
  };
  for (const [key, value] of Object.entries(matchLabels)) if (labels?.[key] !== value) return false;
  return matchExpressions.every(({ key, operator, values = [] }) => {
    const operators: Record<string, Requirement> = {
      In: { key, operator: 'in', values: new Set(values) },
      NotIn: { key, operator: 'notin', values: new Set(values) },
      Exists: { key, operator: 'exists' },
      DoesNotExist: { key, operator: 'absent' },
    };
    const requirement = operators[operator];
    return requirement !== undefined && holds(requirement, labels);
  });
}

function splitTop(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i <= text.length; i++) {
    if (text[i] === '(') depth += 1;
    if (text[i] === ')') depth -= 1;
    if (i === text.length || (text[i] === ',' && depth === 0)) {
      parts.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  return parts.filter((part) => part !== '');
}

function parseRequirement(text: string): Requirement {
  const set = FORMS.set.exec(text);
  if (set !== null)
    return {
      key: set[1] ?? '',
      operator: set[2] === 'in' ? 'in' : 'notin',
      values: new Set((set[3] ?? '').split(',').map((value) => value.trim())),
    };
  const equals = FORMS.equals.exec(text);
  if (equals !== null && equals[1] !== '')
    return { key: equals[1] ?? '', operator: equals[2] === '!=' ? 'notin' : 'in', values: new Set([equals[3] ?? '']) };
  const compare = FORMS.compare.exec(text);
  if (compare !== null) return { key: compare[1] ?? '', operator: compare[2] === '>' ? 'gt' : 'lt', value: Number(compare[3]) };
  const exists = FORMS.exists.exec(text);
  if (exists !== null && exists[2] !== '') return { key: exists[2] ?? '', operator: exists[1] === '!' ? 'absent' : 'exists' };
  throw badRequest(`unable to parse requirement: found '${text}', expected: a label requirement`);
}

function holds(requirement: Requirement, labels: Readonly<Record<string, string>> | undefined): boolean {
  const value = labels !== undefined && Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined;
  switch (requirement.operator) {
    case 'in':
      return value !== undefined && requirement.values.has(value);
    case 'notin':
      return value === undefined || !requirement.values.has(value);
    case 'exists':
      return value !== undefined;
    case 'absent':
      return value === undefined;
    case 'gt':
      return value !== undefined && Number(value) > requirement.value;
    case 'lt':
      return value !== undefined && Number(value) < requirement.value;
  }
}

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
  'apps/replicasets': ['status.replicas'],
  '/replicationcontrollers': ['status.replicas'],
  'batch/jobs': ['status.successful'],
  'certificates.k8s.io/certificatesigningrequests': ['spec.signerName'],
};

/** Parses a field selector (`metadata.name=x,status.phase!=Running`). `extra` are a CRD's selectable fields. @throws StatusError 400 */
export function parseFieldSelector(text: string, collection: string, extra: readonly string[] = []): Selector {
  const known = new Set(['metadata.name', 'metadata.namespace', ...(SELECTABLE[collection] ?? []), ...extra]);
  const terms = text
    .split(',')
    .filter((term) => term !== '')
    .map((term) => {
      const [, field = '', operator = '', value = ''] = /^([^=!]+)(==|=|!=)(.*)$/.exec(term) ?? [];
      if (operator === '') throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
      if (!known.has(field)) throw badRequest(`field label not supported: ${field}`);
      return { path: field.split('.'), negate: operator === '!=', value: value.replaceAll(/\\([,=\\])/g, '$1') };
    });
  return (object) => terms.every(({ path, negate, value }) => (textAt(object, path) === value) !== negate);
}

function textAt(object: KubeObject, path: readonly string[]): string {
  const value = path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : undefined),
    object,
  );
  return value === undefined || value === null ? '' : String(value);
}
