import { isConditionTrue, type DependencyReference, type Kustomization } from '../../api/index.ts';

/** What is known of one dependency when it is judged. */
export type DependencyView = {
  reference: DependencyReference;
  /** The dependency as it is now; undefined when it does not exist. */
  found: Kustomization | undefined;
  /** What its `readyExpr` gave, or why it gave nothing; undefined when it has none. */
  expression: boolean | string | undefined;
};

/**
 * Why the dependencies are not met; undefined when they are (KB04, KB05). A dependency is met when it has reconciled its latest spec and is
 * ready and, when both build from the same source, has applied `revision`. A `readyExpr` takes the place of that test, or with
 * `additive` comes before it.
 */
export function unmetDependency(
  object: Kustomization,
  revision: string,
  dependencies: readonly DependencyView[],
  additive: boolean,
): string | undefined {
  for (const { reference, found, expression } of dependencies) {
    const name = `${reference.namespace ?? object.metadata.namespace}/${reference.name}`;
    if (found === undefined) return `dependency '${name}' not found`;
    if (typeof expression === 'string') return `dependency '${name}': ${expression}`;
    if (expression === false) return `dependency '${name}' is not ready according to readyExpr eval`;
    if (expression === true && !additive) continue;
    const { status } = found;
    if (found.metadata.generation !== status.observedGeneration || !isConditionTrue(status.conditions, 'Ready')) {
      return `dependency '${name}' is not ready`;
    }
    if (sameSource(object, found) && status.lastAppliedRevision !== revision) return `dependency '${name}' revision is not up to date`;
  }
  return undefined;
}

function sameSource(a: Kustomization, b: Kustomization): boolean {
  const [x, y] = [a.spec.sourceRef, b.spec.sourceRef];
  return x.kind === y.kind && x.name === y.name && (x.namespace ?? a.metadata.namespace) === (y.namespace ?? b.metadata.namespace);
}
