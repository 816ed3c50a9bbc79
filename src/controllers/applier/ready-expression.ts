import { parseExpression, type Expression } from '../../cel/index.ts';
import { errorMessage, Lru } from '../../std/index.ts';

/** Parsed expressions, by source. */
const parsed = new Lru<string, Expression>(1000);

/** Parses a `readyExpr`. @throws CodedError `InvalidCELExpression` */
export function parseReadyExpression(source: string): Expression {
  let expression = parsed.get(source);
  if (expression === undefined) {
    expression = parseExpression(source);
    parsed.set(source, expression);
  }
  return expression;
}

/** Asks a `readyExpr` about a dependency (KB05, HB03): true or false, or the text of why it could not be evaluated. */
export function evaluateReadyExpression(expression: Expression, self: unknown, dependency: unknown): boolean | string {
  try {
    return expression.evaluateBoolean({ self, dep: dependency });
  } catch (error) {
    return errorMessage(error);
  }
}
