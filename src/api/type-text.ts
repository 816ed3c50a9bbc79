import { kindApiVersion, type Kind } from './kind.ts';
import type { RecordSchema, Schema } from './schema.ts';

/**
 * The TypeScript types of kinds, as source text: one exported type for each record and kind, with the schema's descriptions as
 * docstrings. A field with a default is always there, since reading an object fills it in.
 */
export function typeText(kinds: readonly Kind[]): string {
  const types = new Map<string, string>();
  for (const kind of kinds) {
    collect(kind.spec, types);
    if (kind.status !== undefined) collect(kind.status, types);
    types.set(kind.kind, kindText(kind));
  }
  const header = [
    '// Generated from the schemas in this folder by tools/generate.ts. Do not edit.',
    "import type { ResourceMetadata } from './resource.ts';",
  ];
  const body = [...types].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, source]) => source);
  return `${header.join('\n')}\n\n${body.join('\n\n')}\n`;
}

function kindText(kind: Kind): string {
  const status = kind.status === undefined ? '' : `  status${kind.status.default === undefined ? '?' : ''}: ${kind.status.typeName};\n`;
  return (
    `/** ${kind.description} */\nexport type ${kind.kind} = {\n  apiVersion: '${kindApiVersion(kind)}';\n  kind: '${kind.kind}';\n` +
    `  metadata: ResourceMetadata;\n  spec: ${kind.spec.typeName};\n${status}};`
  );
}

function collect(schema: Schema, types: Map<string, string>): void {
  if (schema.type === 'list') collect(schema.items, types);
  if (schema.type === 'dictionary') collect(schema.values, types);
  if (schema.type !== 'record' || types.has(schema.typeName)) return;
  types.set(schema.typeName, recordText(schema));
  for (const field of Object.values(schema.fields)) collect(field.schema, types);
}

function recordText(schema: RecordSchema): string {
  const fields = Object.entries(schema.fields).map(([name, field]) => {
    const always = field.required || ('default' in field.schema && field.schema.default !== undefined);
    const doc = field.schema.description === undefined ? '' : `  /** ${field.schema.description} */\n`;
    return `${doc}  ${name}${always ? '' : '?'}: ${valueText(field.schema)};`;
  });
  return `/** ${schema.description ?? schema.typeName} */\nexport type ${schema.typeName} = {\n${fields.join('\n')}\n};`;
}

function valueText(schema: Schema): string {
  switch (schema.type) {
    case 'string':
      return schema.enum === undefined ? 'string' : schema.enum.map((value) => `'${value}'`).join(' | ');
    case 'boolean':
      return 'boolean';
    case 'integer':
      return 'number';
    case 'freeform':
      return 'Record<string, unknown>';
    case 'list':
      return schema.items.type === 'string' && schema.items.enum !== undefined
        ? `(${valueText(schema.items)})[]`
        : `${valueText(schema.items)}[]`;
    case 'dictionary':
      return `Record<string, ${valueText(schema.values)}>`;
    case 'record':
      return schema.typeName;
  }
}
