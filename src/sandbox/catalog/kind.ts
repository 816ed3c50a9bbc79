import type { Collection } from '../storage/store.ts';

/** A column of a resource's table. CRDs give `jsonPath`; built-in kinds' cells are computed. */
export type Column = { name: string; type: string; format: string; description: string; priority: number; jsonPath?: string };

/** A part of an object with its own URL. */
export type Subresource = { name: string; verbs: readonly string[]; kind: { group: string; version: string; kind: string } };

/** Where a kind of a CRD keeps its replicas: the paths of its `scale` subresource. */
export type ScalePaths = { spec: readonly string[]; status: readonly string[]; selector: readonly string[] | undefined };

/** One served resource: everything the API must know of it but its schema. */
export type ServedKind = {
  group: string;
  version: string;
  kind: string;
  listKind: string;
  plural: string;
  singular: string;
  shortNames: readonly string[];
  categories: readonly string[];
  namespaced: boolean;
  verbs: readonly string[];
  subresources: readonly Subresource[];
  /** Set for a kind of a CRD that scales. */
  scale?: ScalePaths;
  /** What clients of a deprecated version of a CRD are warned of. */
  deprecation?: string;
  /** Fields of a CRD's kind that it can be selected by, without the leading dot. */
  selectable?: readonly string[];
  columns: readonly Column[];
  /** Where its objects are stored: the versions of a kind share it. */
  collection: Collection;
  /** Name of its schema among the OpenAPI components; undefined for a kind of a CRD, whose schema is its own. */
  schemaName: string | undefined;
};

/** `apps/v1`, or `v1` for the core group. */
export function apiVersionOf(kind: { group: string; version: string }): string {
  return kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
}

/** `deployments.apps`, or `pods` for the core group: how error texts name a resource. */
export function resourceName(kind: { group: string; plural: string }): string {
  return kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`;
}

/** True when the kind keeps `status` apart. */
export function hasStatus(kind: ServedKind): boolean {
  return kind.subresources.some((it) => it.name === 'status');
}
