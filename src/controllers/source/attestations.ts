import type { Expression } from '../../cel/index.ts';
import { CodedError, errorMessage } from '../../std/index.ts';
import type { Identity, Subject, Verdict } from '../../verify/index.ts';

/** An attestation a policy wants. */
export type WantedAttestation = { predicateType: string; expressions: readonly Expression[]; threshold: number };

/** Milliseconds that all expressions of one verification may take together: one is bounded by what it costs, many by this. */
export const MAX_EXPRESSION_TIME = 2000;

/** Time for expressions, shared by all policies of one verification. */
export type ExpressionBudget = { left: number; readonly now: () => number };

const PROVENANCE = 'https://slsa.dev/provenance/';

/** What a SLSA provenance says, v0.1 to v1: who built, and from what. Empty for any other predicate. */
export function readProvenance(predicateType: string, predicate: unknown): { builder: string; sources: string[] } {
  if (!predicateType.startsWith(PROVENANCE)) return { builder: '', sources: [] };
  const builder = firstText(at(predicate, 'runDetails', 'builder', 'id'), at(predicate, 'builder', 'id'));
  const sources = [
    at(predicate, 'buildDefinition', 'externalParameters', 'workflow', 'repository'),
    ...uris(at(predicate, 'buildDefinition', 'resolvedDependencies')),
    at(predicate, 'invocation', 'configSource', 'uri'),
    ...uris(at(predicate, 'materials')),
  ];
  return { builder, sources: [...new Set(sources.filter((source) => typeof source === 'string' && source !== '').map(String))] };
}

function uris(list: unknown): unknown[] {
  return Array.isArray(list) ? list.map((item) => at(item, 'uri')) : [];
}

function firstText(...values: readonly unknown[]): string {
  const found = values.find((value) => typeof value === 'string');
  return typeof found === 'string' ? found : '';
}

/** A field of untrusted JSON; undefined where there is none. */
function at(value: unknown, ...path: readonly string[]): unknown {
  let found = value;
  for (const name of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined;
    found = (found as Readonly<Record<string, unknown>>)[name];
  }
  return found;
}

/** Why the attestation of a verdict is not accepted; undefined when every expression is true of it. */
export function refuseAttestation(
  { expressions }: WantedAttestation,
  { attestation, signer }: Verdict,
  { digest, repository }: Subject,
  budget: ExpressionBudget,
): string | undefined {
  if (attestation === undefined || expressions.length === 0) return undefined;
  const { predicateType, predicate } = attestation;
  const variables = {
    predicate,
    predicateType,
    ...readProvenance(predicateType, predicate),
    signer: signerFields(signer),
    digest,
    repository,
  };
  for (const expression of expressions) {
    const refusal = refuse(expression, variables, budget);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function refuse(expression: Expression, variables: Readonly<Record<string, unknown>>, budget: ExpressionBudget): string | undefined {
  if (budget.left <= 0) return `expressions take longer than ${MAX_EXPRESSION_TIME / 1000} s`;
  const start = budget.now();
  try {
    return expression.evaluateBoolean(variables) ? undefined : `'${expression.source.slice(0, 200)}' is false`;
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return errorMessage(error);
  } finally {
    budget.left -= budget.now() - start;
  }
}

/** A signer as expressions see it. */
function signerFields(signer: Identity): { issuer: string; subject: string; key: string } {
  switch (signer.kind) {
    case 'key':
      return { issuer: '', subject: '', key: signer.fingerprint };
    case 'oidc':
    case 'x509':
      return { issuer: signer.issuer, subject: signer.subject, key: '' };
  }
}
