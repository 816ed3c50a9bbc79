import { CodedError } from '../std/index.ts';

/** One requirement of a label selector. */
type Requirement = { key: string; operator: 'in' | 'notin' | 'exists' | 'absent'; values: ReadonlySet<string> };

/** Decides whether a set of labels (or annotations) matches. */
export type LabelMatcher = (labels: Readonly<Record<string, string>>) => boolean;

const TERM = /\s*(?:(!)\s*([^\s,=!()]+)|([^\s,=!()]+)\s*(?:(==|=|!=)\s*([^\s,=!()]*)|\s(in|notin)\s*\(([^()]*)\))?)\s*(?:,|$)/y;

/**
 * Parses Kubernetes' label selector text: `a=b, c!=d, e in (x,y), f notin (z), g, !h`.
 * @throws CodedError `IgnoreRuleInvalid`
 */
export function parseLabelSelector(text: string): LabelMatcher {
  const requirements: Requirement[] = [];
  const term = new RegExp(TERM.source, 'y');
  while (term.lastIndex < text.length) {
    const start = term.lastIndex;
    const match = term.exec(text);
    if (match === null) throw invalid(text, start);
    requirements.push(toRequirement(match));
  }
  return (labels) => requirements.every((requirement) => satisfies(labels, requirement));
}

function toRequirement(match: RegExpExecArray): Requirement {
  const [, not, absentKey = '', key = '', comparison, value = '', operator, list = ''] = match;
  if (not !== undefined) return { key: absentKey, operator: 'absent', values: new Set() };
  if (comparison !== undefined) return { key, operator: comparison === '!=' ? 'notin' : 'in', values: new Set([value]) };
  if (operator === undefined) return { key, operator: 'exists', values: new Set() };
  return { key, operator: operator === 'in' ? 'in' : 'notin', values: new Set(list.split(',').map((each) => each.trim())) };
}

function satisfies(labels: Readonly<Record<string, string>>, { key, operator, values }: Requirement): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'in':
      return value !== undefined && values.has(value);
    case 'notin':
      return value === undefined || !values.has(value);
    case 'exists':
      return value !== undefined;
    case 'absent':
      return value === undefined;
  }
}

function invalid(text: string, at: number): CodedError<'IgnoreRuleInvalid'> {
  return new CodedError({
    code: 'IgnoreRuleInvalid',
    message: `parse selector ${JSON.stringify(text)}: unexpected text at ${at}`,
    subject: text,
    retryable: false,
  });
}
