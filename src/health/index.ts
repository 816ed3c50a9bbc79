export { computeStatus, withPods } from './status.ts';
export { judge, type Checked, type Verdict, type VerdictOptions } from './verdict.ts';
export type { ComputeOptions, HealthResult, HealthStatus } from './result.ts';
export { compileHealthChecks, type HealthCheckExpression, type HealthChecks } from './custom-checks.ts';
