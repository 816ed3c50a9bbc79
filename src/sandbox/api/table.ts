import type { KubeObject } from '../../manifest/index.ts';
import type { Column, ServedKind } from '../catalog/kind.ts';
import { cellsOf } from './cells.ts';

type Row = { cells: unknown[]; object: unknown };

/** A `meta.k8s.io/v1` Table of objects, as `kubectl get` reads it. `include` says what of each object comes along. */
export function tableOf(
  kind: ServedKind,
  objects: readonly KubeObject[],
  metadata: Record<string, unknown>,
  now: number,
  include: string,
): Record<string, unknown> {
  const columns: readonly Column[] = kind.columns.length > 0 ? kind.columns : DEFAULT_COLUMNS;
  const rows = objects.map((object): Row => ({ cells: cellsOf(kind, columns, object, now), object: included(object, include) }));
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: columns.map(({ name, type, format, description, priority }) => ({ name, type, format, description, priority })),
    rows,
  };
}

/** An object's metadata as PartialObjectMetadata. */
export function partialMetadata(object: KubeObject): Record<string, unknown> {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
}

function included(object: KubeObject, include: string): unknown {
  if (include === 'None') return null;
  return include === 'Object' ? object : partialMetadata(object);
}

const DEFAULT_COLUMNS: readonly Column[] = [
  { name: 'Name', type: 'string', format: 'name', description: 'Name must be unique within a namespace.', priority: 0 },
  { name: 'Created At', type: 'date', format: '', description: 'CreationTimestamp of the object.', priority: 0 },
];
