// Writes src/kustomize/openapi-data.ts from a Kubernetes OpenAPI v2 document: `node tools/node24.mjs tools/generate-smp-schema.ts [FILE]`.
// FILE is a swagger.json, or the protobuf form kyaml ships (swagger.pb). Without FILE it is looked for in the Go module cache,
// where `go mod download sigs.k8s.io/kustomize/kyaml@v0.21.1` puts it: kustomize 5.8.1 merges by the schema of Kubernetes 1.21.2.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mergeSchemaOf, type MergeSchema } from '../src/kustomize/openapi.ts';

const MODULE = 'sigs.k8s.io/kustomize/kyaml@v0.21.1';
const ASSET = 'openapi/kubernetesapi/v1_21_2/swagger.pb';

type Json = Record<string, unknown>;

/** One field of a protobuf message. */
type WireField = { number: number; bytes: Uint8Array; value: number };

/** The fields of a message. Only varints and length-delimited fields occur where we look. */
function* fieldsOf(message: Uint8Array): Generator<WireField> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = message[at++] ?? 0;
      value += (byte & 0x7f) * shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const key = varint();
    const number = Math.floor(key / 8);
    const wire = key % 8;
    if (wire === 0) {
      yield { number, bytes: new Uint8Array(), value: varint() };
    } else if (wire === 1 || wire === 5) {
      at += wire === 1 ? 8 : 4;
    } else {
      const length = varint();
      yield { number, bytes: message.subarray(at, at + length), value: 0 };
      at += length;
    }
  }
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

/** A message of gnostic's `repeated Named… additional_properties`: name → value. */
function named(message: Uint8Array, entry: number, read: (value: Uint8Array) => unknown): Json {
  const result: Json = {};
  for (const { number, bytes } of fieldsOf(message)) {
    if (number === entry) Object.assign(result, namedEntry(bytes, read));
  }
  return result;
}

function namedEntry(message: Uint8Array, read: (value: Uint8Array) => unknown): Json {
  let name = '';
  let value: unknown;
  for (const { number, bytes } of fieldsOf(message)) {
    if (number === 1) name = text(bytes);
    if (number === 2) value = read(bytes);
  }
  return { [name]: value };
}

/** gnostic's Any keeps vendor extensions as YAML; those we read are one-line strings, lists of strings, or lists of mappings. */
function extension(message: Uint8Array): unknown {
  for (const { number, bytes } of fieldsOf(message)) {
    if (number === 2) return readSimpleYaml(text(bytes));
  }
  return undefined;
}

function readSimpleYaml(source: string): unknown {
  const lines = source.split('\n').filter((line) => line.trim() !== '');
  if (lines.every((line) => !line.startsWith('-') && line.includes(': '))) return pairs(lines);
  if (!lines.some((line) => line.startsWith('-'))) return unquote(source.trim());
  const groups: string[][] = [];
  for (const line of lines) {
    if (line.startsWith('-')) groups.push([line.slice(2)]);
    else groups.at(-1)?.push(line.trim());
  }
  return groups.map((group) => (group.some((line) => line.includes(': ')) ? pairs(group) : unquote(group.join(' '))));
}

function pairs(lines: readonly string[]): Json {
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).trim(), unquote(line.slice(line.indexOf(':') + 1).trim())]),
  );
}

function unquote(value: string): string {
  return value.replace(/^(["'])(.*)\1$/, '$2');
}

function schema(message: Uint8Array): Json {
  const result: Json = {};
  for (const { number, bytes } of fieldsOf(message)) {
    if (number === 1) result['$ref'] = text(bytes);
    if (number === 21) for (const item of fieldsOf(bytes)) if (item.number === 1) result['additionalProperties'] = schema(item.bytes);
    if (number === 22) result['type'] = [...fieldsOf(bytes)].map((item) => text(item.bytes));
    if (number === 23) for (const item of fieldsOf(bytes)) result['items'] = schema(item.bytes);
    if (number === 25) result['properties'] = named(bytes, 1, schema);
    if (number === 31) Object.assign(result, namedEntry(bytes, extension));
  }
  return result;
}

function pathItem(message: Uint8Array): Json {
  for (const { number, bytes } of fieldsOf(message)) if (number === 2) return { get: named(bytes, 13, extension) };
  return {};
}

/** Reads gnostic's protobuf form of an OpenAPI v2 document, as far as the merge schema needs it. */
function readProto(document: Uint8Array): Json {
  const result: Json = {};
  for (const { number, bytes } of fieldsOf(document)) {
    if (number === 8) result['paths'] = named(bytes, 2, pathItem);
    if (number === 9) result['definitions'] = named(bytes, 1, schema);
  }
  return result;
}

function defaultFile(): string {
  const cache = execFileSync('go', ['env', 'GOMODCACHE'], { encoding: 'utf8' }).trim();
  return join(cache, MODULE, ASSET);
}

function render(merge: MergeSchema): string {
  return `// Generated by tools/generate-smp-schema.ts from ${MODULE}, ${ASSET} (Kubernetes 1.21.2, Apache-2.0); do not edit.
import type { MergeSchema } from './openapi.ts';

/** Kubernetes 1.21.2: how lists merge, and which kinds live in namespaces. */
export const BUILTIN_MERGE_SCHEMA: MergeSchema = JSON.parse(
  ${JSON.stringify(JSON.stringify(merge))},
);
`;
}

const file = process.argv[2] ?? defaultFile();
const content = readFileSync(file);
const document = content[0] === 0x7b ? (JSON.parse(content.toString()) as Json) : readProto(content);
const merge = mergeSchemaOf(document);
writeFileSync(join(import.meta.dirname, '..', 'src', 'kustomize', 'openapi-data.ts'), render(merge));
process.stdout.write(
  `${Object.keys(merge.types).length} types, ${Object.keys(merge.kinds).length} kinds, ${Object.keys(merge.namespaced).length} scopes\n`,
);
