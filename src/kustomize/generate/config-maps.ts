import type { BuildContext } from '../build-context.ts';
import { KustomizeError } from '../errors.ts';
import type { GeneratorFields, GeneratorOptionFields } from '../kustomization.ts';
import type { Loader } from '../loader.ts';
import { Resource, toBehavior } from '../resource.ts';
import { setField, type Mapping } from '../value.ts';
import { readKeyValues, utf8Text } from './key-values.ts';

/** The options of one generator with those of all (`generatorOptions`) behind them. */
export function mergeOptions(
  own: GeneratorOptionFields | undefined,
  all: GeneratorOptionFields | undefined,
): GeneratorOptionFields | undefined {
  if (all === undefined) return own;
  const labels = new Map([...(all.labels ?? []), ...(own?.labels ?? [])]);
  const annotations = new Map([...(all.annotations ?? []), ...(own?.annotations ?? [])]);
  return {
    labels,
    annotations,
    disableNameSuffixHash: own?.disableNameSuffixHash === true || all.disableNameSuffixHash === true,
    immutable: own?.immutable === true || all.immutable === true,
  };
}

/** Generates a ConfigMap: text in `data`, other bytes in `binaryData`. */
export function generateConfigMap(args: GeneratorFields, loader: Loader, context: BuildContext): Resource {
  const object = baseObject('ConfigMap', args);
  for (const [key, value] of sortedEntries(readKeyValues(args, loader))) {
    const text = utf8Text(value);
    const map = childMap(object, text === undefined ? 'binaryData' : 'data');
    setField(map, key, text ?? base64Lines(value));
  }
  return finish(object, args, context);
}

/** Generates a Secret: everything in `data` as base64. */
export function generateSecret(args: GeneratorFields, loader: Loader, context: BuildContext): Resource {
  const object = baseObject('Secret', args);
  object['type'] = args.type === undefined || args.type === '' ? 'Opaque' : args.type;
  const data = childMap(object, 'data');
  for (const [key, value] of sortedEntries(readKeyValues(args, loader))) setField(data, key, base64Lines(value));
  return finish(object, args, context);
}

function baseObject(kind: string, { name = '', namespace = '' }: GeneratorFields): Mapping {
  if (name === '') throw new KustomizeError('GeneratorFailed', 'a configmap must have a name');
  const metadata: Mapping = { name };
  if (namespace !== '') metadata['namespace'] = namespace;
  return { apiVersion: 'v1', kind, metadata };
}

function childMap(object: Mapping, key: string): Mapping {
  const existing = object[key];
  if (typeof existing === 'object' && existing !== null && !Array.isArray(existing)) return existing as Mapping;
  const map: Mapping = {};
  object[key] = map;
  return map;
}

function sortedEntries(map: ReadonlyMap<string, Uint8Array>): [string, Uint8Array][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

const LINE_LENGTH = 70;

/** Base64 in lines of 70, each ended by a line break if there are several. */
function base64Lines(value: Uint8Array): string {
  const encoded = Buffer.from(value).toString('base64');
  if (Math.floor(encoded.length / LINE_LENGTH) + 1 <= 1) return encoded;
  return encoded.replace(/.{1,70}/g, '$&\n');
}

function finish(object: Mapping, args: GeneratorFields, context: BuildContext): Resource {
  const { options } = args;
  const metadata = childMap(object, 'metadata');
  addEntries(metadata, 'labels', options?.labels);
  addEntries(metadata, 'annotations', options?.annotations);
  if (options?.immutable === true) object['immutable'] = true;
  return new Resource(object, context.schemas, {
    behavior: toBehavior(args.behavior),
    needsHash: options?.disableNameSuffixHash !== true,
  });
}

function addEntries(metadata: Mapping, key: 'labels' | 'annotations', entries: ReadonlyMap<string, string> | undefined): void {
  if (entries === undefined || entries.size === 0) return;
  const map = childMap(metadata, key);
  for (const name of [...entries.keys()].sort()) setField(map, name, entries.get(name) ?? '');
}
