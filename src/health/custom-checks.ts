import { CodedError } from '../std/index.ts';
import { parseApiVersion, type KubeObject } from '../manifest/index.ts';
import { parseExpression, type Expression } from '../cel/index.ts';
import { fieldAt } from './fields.ts';
import { computeStatus } from './status.ts';
import type { ComputeOptions, HealthResult, HealthStatus } from './result.ts';

/** One entry of `spec.healthCheckExprs`. */
export type HealthCheckExpression = { apiVersion: string; kind: string; current: string; inProgress?: string; failed?: string };

/** Computes the status of objects, custom rules first. */
export interface HealthChecks {
  /** As `computeStatus`, unless an expression is for the object's kind. An expression that fails makes the object Unknown, and says why. */
  compute(object: KubeObject, options: ComputeOptions): HealthResult;
}

type CompiledCheck = { status: HealthStatus; expression: Expression }[];

/**
 * Parses custom health checks (KB83): per kind, `inProgress`, then `failed`, then `current`; none true means in progress.
 * @throws CodedError `InvalidCELExpression` for a bad expression, a missing `current` or two entries for one kind
 */
export function compileHealthChecks(expressions: readonly HealthCheckExpression[]): HealthChecks {
  const byKind = new Map<string, CompiledCheck>();
  for (const [index, { apiVersion, kind, current, inProgress, failed }] of expressions.entries()) {
    const where = `healthCheckExprs[${index}]`;
    const key = `${parseApiVersion(apiVersion).group}/${kind}`;
    if (byKind.has(key)) throw invalid(where, `duplicate entry for kind ${kind} of ${apiVersion}`);
    if (current === '') throw invalid(where, 'expression Current not specified');
    byKind.set(key, [
      ...compile(where, 'InProgress', inProgress),
      ...compile(where, 'Failed', failed),
      ...compile(where, 'Current', current),
    ]);
  }
  return {
    compute(object, options) {
      const check = byKind.get(`${parseApiVersion(object.apiVersion).group}/${object.kind}`);
      return check === undefined ? computeStatus(object, options) : evaluate(check, object);
    },
  };
}

function compile(where: string, status: HealthStatus, source: string | undefined): CompiledCheck {
  if (source === undefined || source === '') return [];
  try {
    return [{ status, expression: parseExpression(source) }];
  } catch (error) {
    throw invalid(where, `failed to parse the expression ${status}: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

function evaluate(check: CompiledCheck, object: KubeObject): HealthResult {
  const observed = fieldAt(object, 'status', 'observedGeneration');
  const { generation } = object.metadata;
  if (typeof observed === 'number' && typeof generation === 'number' && observed !== generation) {
    return { status: 'InProgress', message: `${object.kind} generation is ${generation}, but latest observed generation is ${observed}` };
  }
  for (const { status, expression } of check) {
    try {
      if (expression.evaluateBoolean(object)) return { status, message: `expression ${status} is true: ${expression.source}` };
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      return { status: 'Unknown', message: error.message };
    }
  }
  return { status: 'InProgress', message: 'no health check expression is true' };
}

function invalid(where: string, cause: string, error?: unknown): CodedError<'InvalidCELExpression'> {
  return new CodedError({
    code: 'InvalidCELExpression',
    message: `compile ${where}: ${cause}`,
    subject: where,
    retryable: false,
    ...(error === undefined ? {} : { cause: error }),
  });
}
