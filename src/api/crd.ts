import { kindApiVersion, type Kind } from './kind.ts';
import type { Schema } from './schema.ts';

/** A JSON object, as read from or written to YAML. */
export type JsonObject = { [field: string]: unknown };

/** The CustomResourceDefinition of a kind (C01). */
export function customResourceDefinition(kind: Kind): JsonObject {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${kind.plural}.${kind.group}`,
      annotations: { 'kustomize.toolkit.fluxcd.io/substitute': 'disabled' },
      labels: { 'app.kubernetes.io/component': kind.component, 'app.kubernetes.io/part-of': 'flux' },
    },
    spec: {
      group: kind.group,
      names: {
        categories: kind.categories,
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
        singular: kind.kind.toLowerCase(),
      },
      scope: kind.scope ?? 'Namespaced',
      versions: [version(kind)],
    },
  };
}

function version(kind: Kind): JsonObject {
  return {
    additionalPrinterColumns: kind.columns,
    name: kind.version,
    schema: {
      openAPIV3Schema: {
        description: kind.description,
        properties: {
          apiVersion: { description: `Version of the API, ${kindApiVersion(kind)}.`, type: 'string' },
          kind: { description: `The kind, ${kind.kind}.`, type: 'string' },
          metadata: { type: 'object' },
          spec: openApiSchema(kind.spec),
          ...(kind.status === undefined ? {} : { status: openApiSchema(kind.status) }),
        },
        type: 'object',
      },
    },
    served: true,
    storage: true,
    subresources: kind.status === undefined ? {} : { status: {} },
  };
}

/** A schema as a CRD's `openAPIV3Schema` writes it. */
export function openApiSchema(schema: Schema): JsonObject {
  const description = schema.description === undefined ? {} : { description: schema.description };
  switch (schema.type) {
    case 'string':
    case 'boolean':
    case 'integer':
      return { ...schema };
    case 'freeform':
      return { ...description, 'x-kubernetes-preserve-unknown-fields': true };
    case 'dictionary':
      return { ...description, additionalProperties: openApiSchema(schema.values), type: 'object' };
    case 'list':
      return {
        ...description,
        items: openApiSchema(schema.items),
        ...(schema.minItems === undefined ? {} : { minItems: schema.minItems }),
        ...(schema.maxItems === undefined ? {} : { maxItems: schema.maxItems }),
        type: 'array',
        ...(schema.mapKeys === undefined ? {} : { 'x-kubernetes-list-map-keys': schema.mapKeys, 'x-kubernetes-list-type': 'map' }),
      };
    case 'record': {
      const fields = Object.entries(schema.fields).sort(([a], [b]) => (a < b ? -1 : 1));
      const mandatory = fields.filter(([, field]) => field.required).map(([name]) => name);
      return {
        ...(schema.default === undefined ? {} : { default: schema.default }),
        ...description,
        properties: Object.fromEntries(fields.map(([name, field]) => [name, openApiSchema(field.schema)])),
        ...(mandatory.length === 0 ? {} : { required: mandatory }),
        type: 'object',
        ...(schema.rules === undefined ? {} : { 'x-kubernetes-validations': schema.rules.map(({ rule, message }) => ({ message, rule })) }),
      };
    }
  }
}
