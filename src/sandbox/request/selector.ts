import type { KubeObject } from '../../manifest/index.ts';
import { Parser, type Requirement } from './selector-parser.ts';
import { badRequest } from './status.ts';

/** Says whether an object is selected. */
export type Selector = (object: KubeObject) => boolean;

/** Most requirements one selector may have. */
export const SELECTOR_LIMIT = 1000;

/** Parses a label selector as apimachinery does: `a=b,c!=d,e in (f,g),h,!i,j>1`. @throws StatusError 400 */
export function parseLabelSelector(text: string): Selector {
  if (text === '') return () => true;
  const requirements = new Parser(text).parse();
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
