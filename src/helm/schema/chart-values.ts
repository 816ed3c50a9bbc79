import { GoMap, goTypeName } from '../../golang/index.ts';
import { errorMessage, isCodedError } from '../../std/index.ts';
import type { ChartNode } from '../chart/node.ts';
import { helmError } from '../errors.ts';
import type { SchemaLoader } from './store.ts';
import { validateAgainstSchema } from './validator.ts';

/**
 * Checks the coalesced values of a chart and its dependencies against the schemas they come with.
 * @throws CodedError `ValuesRejected` with everything that is wrong, `SchemaReferenceRefused`, `BudgetExceeded`
 */
export function validateValues(root: ChartNode, values: GoMap, loader?: SchemaLoader): void {
  const problems = problemsOf(root, values, loader);
  if (problems === '') return;
  throw helmError('ValuesRejected', `values don't meet the specifications of the schema(s) in the following chart(s):\n${problems}`, {
    subject: root.name,
  });
}

function problemsOf(node: ChartNode, values: GoMap, loader: SchemaLoader | undefined): string {
  let out = '';
  const { schema } = node.chart;
  const problem = schema === undefined ? undefined : check(values, schema.text, loader);
  if (problem !== undefined) out += `${node.name}:\n${problem}`;
  for (const child of node.dependencies) {
    const below = values.get(child.name);
    if (below === undefined || below === null) continue;
    if (below instanceof GoMap) out += problemsOf(child, below, loader);
    else out += `${child.name}:\ninvalid type for values: expected object (map), got ${goTypeName(below)}\n`;
  }
  return out;
}

function check(values: GoMap, schema: string, loader: SchemaLoader | undefined): string | undefined {
  try {
    return validateAgainstSchema(values, schema, loader);
  } catch (error) {
    // A schema that is itself wrong is reported like values that are.
    if (isCodedError(error, 'SchemaInvalid')) return errorMessage(error);
    throw error;
  }
}
