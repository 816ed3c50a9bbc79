import type { RecordSchema } from './schema.ts';

/** A column `kubectl get` prints. */
export type PrinterColumn = { name: string; jsonPath: string; type: 'string' | 'date' };

/** A custom resource: everything its CRD, its TypeScript type and its validation follow from. */
export type Kind = {
  group: string;
  version: string;
  kind: string;
  plural: string;
  /** Default `Namespaced`. */
  scope?: 'Namespaced' | 'Cluster';
  shortNames: readonly string[];
  categories: readonly string[];
  /** The controller that reconciles it, as `app.kubernetes.io/component` names it. */
  component: string;
  description: string;
  spec: RecordSchema;
  /** Undefined when the kind has no status subresource. */
  status: RecordSchema | undefined;
  columns: readonly PrinterColumn[];
};

/** The apiVersion of a kind's objects. */
export function kindApiVersion(kind: Kind): string {
  return `${kind.group}/${kind.version}`;
}

export const ageColumn: PrinterColumn = { jsonPath: '.metadata.creationTimestamp', name: 'Age', type: 'date' };
export const readyColumn: PrinterColumn = { jsonPath: '.status.conditions[?(@.type=="Ready")].status', name: 'Ready', type: 'string' };
export const statusColumn: PrinterColumn = { jsonPath: '.status.conditions[?(@.type=="Ready")].message', name: 'Status', type: 'string' };
