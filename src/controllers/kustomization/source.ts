import type { Kustomization } from '../../api/index.ts';
import type { SourceKey } from '../applier/index.ts';

/** The source of a Kustomization. */
export function sourceKey(object: Kustomization): SourceKey {
  const { kind, name, namespace } = object.spec.sourceRef;
  return { kind, name, namespace: namespace ?? object.metadata.namespace };
}
