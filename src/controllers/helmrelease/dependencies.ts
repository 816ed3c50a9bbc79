import { isConditionTrue, type HelmRelease } from '../../api/index.ts';
import { evaluateReadyExpression, parseReadyExpression } from '../applier/index.ts';

/**
 * Why the dependencies are not met; undefined when they are (HB03). A dependency is met when it has reconciled its latest spec and is ready. A
 * `readyExpr` takes the place of that test, or with `additive` comes before it.
 */
export function unmetDependency(
  object: HelmRelease,
  find: (key: { namespace: string; name: string }) => HelmRelease | undefined,
  additive: boolean,
): string | undefined {
  for (const { namespace = object.metadata.namespace, name, readyExpr = '' } of object.spec.dependsOn ?? []) {
    const label = `${namespace}/${name}`;
    const found = find({ namespace, name });
    if (found === undefined) return `unable to get '${label}' dependency: helmreleases.helm.toolkit.fluxcd.io "${name}" not found`;
    if (readyExpr !== '') {
      const answer = evaluateReadyExpression(parseReadyExpression(readyExpr), object, found);
      if (typeof answer === 'string') return `dependency '${label}': ${answer}`;
      if (!answer) return `dependency '${label}' is not ready according to readyExpr eval`;
      if (!additive) continue;
    }
    const { metadata, status } = found;
    if (metadata.generation !== status.observedGeneration || !isConditionTrue(status.conditions, 'Ready')) {
      return `dependency '${label}' is not ready`;
    }
  }
  return undefined;
}
