import { isYamlObject, type YamlObject, type YamlValue } from '../../golang/index.ts';
import { Lru } from '../../std/index.ts';
import { readForUnmarshal, structOf, TEXT, TEXT_MAP, unmarshalYaml, type Decoded, type StructShape } from '../chart/struct-decode.ts';

/** What the sorter looks at. */
export type ManifestHead = {
  readonly apiVersion: string;
  readonly kind: string;
  /** Empty without metadata. */
  readonly name: string;
  readonly annotations: Readonly<Record<string, string>>;
};

/** A document once read: its head and its whole content. Shared between renders: do not change. */
export type ParsedManifest = { readonly head: ManifestHead; readonly value: YamlValue };

/** UTF-16 units of documents kept. */
const CACHE_SIZE = 32 * 1024 * 1024;
const parsed = new Lru<string, { manifest: ParsedManifest; weight: number }>(CACHE_SIZE, ({ weight }) => weight);

/**
 * Reads one document. Rendering the same chart again mostly gives the same documents, so they are kept by their text.
 * @param headType name of the head's type in error texts
 * @throws Error with the message of yaml.Unmarshal
 */
export function parseManifest(text: string, headType: string): ParsedManifest {
  const known = parsed.get(text);
  if (known !== undefined) return known.manifest;
  const value = readForUnmarshal(text, 'exact');
  const manifest = { head: plainHead(value) ?? decodedHead(text, headType), value };
  parsed.set(text, { manifest, weight: text.length + 200 });
  return manifest;
}

/** The head of a document in the usual form; undefined when it needs the rules of encoding/json. */
function plainHead(value: YamlValue): ManifestHead | undefined {
  if (!isYamlObject(value)) return undefined;
  const apiVersion = own(value, 'apiVersion');
  const kind = own(value, 'kind');
  const metadata = own(value, 'metadata');
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || !isYamlObject(metadata)) return undefined;
  const name = own(metadata, 'name');
  if (typeof name !== 'string') return undefined;
  const annotations = own(metadata, 'annotations');
  if (annotations === undefined || annotations === null) return { apiVersion, kind, name, annotations: {} };
  if (!isYamlObject(annotations) || !Object.values(annotations).every((text) => typeof text === 'string')) return undefined;
  return { apiVersion, kind, name, annotations: annotations as Record<string, string> };
}

function own(object: YamlObject, key: string): YamlValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

const METADATA: StructShape = {
  kind: 'struct',
  type: 'struct { Name string "json:\\"name\\""; Annotations map[string]string "json:\\"annotations\\"" }',
  name: '',
  fields: { name: TEXT, annotations: TEXT_MAP },
};

function decodedHead(text: string, headType: string): ManifestHead {
  const { apiVersion, kind, metadata } = unmarshalYaml(text, structOf(headType, { apiVersion: TEXT, kind: TEXT, metadata: METADATA }));
  const { name, annotations } = (metadata as Decoded | undefined) ?? {};
  return {
    apiVersion: (apiVersion as string | undefined) ?? '',
    kind: (kind as string | undefined) ?? '',
    name: (name as string | undefined) ?? '',
    annotations: Object.fromEntries((annotations as Map<string, string> | undefined) ?? []),
  };
}
