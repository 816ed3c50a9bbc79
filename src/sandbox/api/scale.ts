import type { KubeObject } from '../../manifest/index.ts';
import type { ServedKind } from '../catalog/kind.ts';
import { isMap, type Json } from '../fields/index.ts';
import { mapAt } from '../kinds/index.ts';
import { badRequest } from '../request/status.ts';

/** An object with a `scale` subresource. */
export type ScaleTarget = { kind: ServedKind; object: KubeObject };

/** The autoscaling/v1 Scale of an object. */
export function scaleOf({ object }: ScaleTarget): Record<string, unknown> {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = mapAt(mapAt(object, 'spec'), 'selector');
  const labels = mapAt(selector, 'matchLabels') ?? {};
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: mapAt(object, 'spec')?.['replicas'] ?? 0 },
    status: {
      replicas: mapAt(object, 'status')?.['replicas'] ?? 0,
      selector: Object.entries(labels)
        .map(([key, value]) => `${key}=${String(value)}`)
        .join(','),
    },
  };
}

/** The object as a written Scale wants it. @throws StatusError 400 */
export function scaledObject({ object }: ScaleTarget, scale: Json): KubeObject {
  const spec = isMap(scale) ? scale['spec'] : undefined;
  const replicas = isMap(spec) ? (spec['replicas'] ?? 0) : 0;
  if (typeof replicas !== 'number' || !Number.isInteger(replicas) || replicas < 0)
    throw badRequest(`spec.replicas: Invalid value: ${String(replicas)}: must be greater than or equal to 0`);
  return { ...object, spec: { ...mapAt(object, 'spec'), replicas } };
}
