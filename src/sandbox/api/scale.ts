import type { KubeObject } from '../../manifest/index.ts';
import type { ScalePaths, ServedKind } from '../catalog/kind.ts';
import { isMap, type Json } from '../fields/index.ts';
import { type Draft0, mapAt } from '../kinds/index.ts';
import { type FieldFault, invalid, StatusError } from '../request/status.ts';

/** Where the built-in kinds that scale keep what they have and want. */
const BUILT_IN: ScalePaths = { spec: ['spec', 'replicas'], status: ['status', 'replicas'], selector: ['spec', 'selector'] };

/** Where a kind keeps its replicas. */
export function scalePaths(kind: ServedKind): ScalePaths {
  return kind.scale ?? BUILT_IN;
}

function at(object: KubeObject, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (typeof value === 'object' && value !== null ? (value as Draft0)[key] : undefined), object);
}

/** The autoscaling/v1 Scale of an object. @throws StatusError 500 when a custom object has no replicas at its path */
export function scaleOf(kind: ServedKind, object: KubeObject): KubeObject {
  const paths = scalePaths(kind);
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const replicas = at(object, paths.spec);
  if (replicas === undefined && kind.scale !== undefined)
    throw internal(`the spec replicas field ${JSON.stringify(`.${paths.spec.join('.')}`)} does not exist`);
  const selector = paths.selector === undefined ? '' : selectorText(at(object, paths.selector));
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp } as KubeObject['metadata'],
    spec: typeof replicas === 'number' && replicas !== 0 ? { replicas } : {},
    status: { replicas: at(object, paths.status) ?? 0, ...(selector === '' ? {} : { selector }) },
  };
}

function internal(cause: string): StatusError {
  const causes = [{ message: cause } as { message: string; reason: string }];
  return new StatusError(500, 'InternalError', `Internal error occurred: ${cause}`, { causes });
}

/** A label selector as text, as `--selector` takes it. */
function selectorText(selector: unknown): string {
  if (typeof selector === 'string') return selector;
  if (typeof selector !== 'object' || selector === null) return '';
  const { matchExpressions } = selector as { matchExpressions?: { key: string; operator: string; values?: string[] }[] };
  const labels = Object.entries(mapAt(selector as Draft0, 'matchLabels') ?? {}).map(([key, value]) => ({
    key,
    text: `${key}=${String(value)}`,
  }));
  const expressions = (matchExpressions ?? []).map(({ key, operator, values = [] }) => {
    const list = `(${[...values].sort().join(',')})`;
    const forms: Readonly<Record<string, string>> = {
      In: `${key} in ${list}`,
      NotIn: `${key} notin ${list}`,
      Exists: key,
      DoesNotExist: `!${key}`,
    };
    return { key, text: forms[operator] ?? key };
  });
  return [...labels, ...expressions]
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ text }) => text)
    .join(',');
}

/** How many replicas a written Scale wants. @throws StatusError 422 */
export function wantedReplicas(kind: ServedKind, scale: Json, name: string): number {
  const spec = isMap(scale) ? scale['spec'] : undefined;
  const replicas = isMap(spec) ? (spec['replicas'] ?? 0) : 0;
  if (typeof replicas !== 'number' || !Number.isInteger(replicas) || replicas < 0) {
    if (kind.scale !== undefined && typeof replicas === 'number') {
      const field = `.${kind.scale.spec.join('.')}`;
      const why = `Invalid value: ${replicas}: should be a non-negative integer`;
      throw invalid(kind.group, kind.kind, name, [{ type: 'FieldValueInvalid', field, message: why }]);
    }
    const message = `Invalid value: ${String(replicas)}: must be greater than or equal to 0`;
    throw invalid('autoscaling', 'Scale', name, [{ type: 'FieldValueInvalid', field: 'spec.replicas', message }]);
  }
  return replicas;
}

/** Faults of the replicas a kind of a CRD says it has: they must be whole numbers. */
export function replicaFaults(kind: ServedKind, object: KubeObject): FieldFault[] {
  if (kind.scale === undefined) return [];
  const faults: FieldFault[] = [];
  for (const path of [kind.scale.spec, kind.scale.status]) {
    const value = at(object, path);
    if (value === undefined || Number.isInteger(value)) continue;
    const field = `.${path.join('.')}`;
    const type = typeof value === 'number' ? 'float64' : typeof value;
    const message = `Invalid value: 0: ${field} accessor error: ${String(value)} is of the type ${type}, expected int64`;
    faults.push({ type: 'FieldValueInvalid', field, message });
  }
  return faults;
}

/** The object with so many replicas. */
export function scaledObject(kind: ServedKind, object: KubeObject, replicas: number): KubeObject {
  const put = (value: unknown, [key = '', ...rest]: readonly string[]): unknown => {
    const owner = typeof value === 'object' && value !== null ? (value as Draft0) : {};
    return { ...owner, [key]: rest.length === 0 ? replicas : put(owner[key], rest) };
  };
  return put(object, scalePaths(kind).spec) as KubeObject;
}
