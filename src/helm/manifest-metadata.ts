import { isYamlObject, readYamlDocuments, writeYaml, type YamlObject } from '../golang/index.ts';
import { helmError } from './errors.ts';

/** Labels and annotations for every object of a stream. */
export type ManifestMetadata = {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
};

/**
 * A stream of manifests with labels and annotations set on every object, layer after layer, over what is there; lists give their items one
 * by one, and the text is written anew.
 * @throws CodedError `ManifestInvalid` when a document is no mapping
 */
export function setManifestMetadata(manifests: string, layers: readonly ManifestMetadata[]): string {
  return objectsOf(manifests)
    .map((object) => writeYaml(layers.reduce(withMetadata, object)))
    .join('---\n');
}

function objectsOf(text: string): YamlObject[] {
  return readYamlDocuments(text, { dialect: 'v3', numbers: 'exact' }).flatMap((value): YamlObject[] => {
    if (value === null) return [];
    if (!isYamlObject(value)) throw helmError('ManifestInvalid', 'read rendered manifests: a document is no mapping');
    const { kind, items } = value;
    return typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items) ? items.filter(isYamlObject) : [value];
  });
}

/** Objects without metadata get it with their labels. */
function withMetadata(object: YamlObject, { labels, annotations }: ManifestMetadata): YamlObject {
  const metadata = { ...asObject(object['metadata']) };
  if (labels !== undefined) metadata['labels'] = { ...asObject(metadata['labels']), ...labels };
  if (annotations !== undefined) metadata['annotations'] = { ...asObject(metadata['annotations']), ...annotations };
  return { ...object, metadata };
}

function asObject(value: unknown): YamlObject {
  return isYamlObject(value) ? value : {};
}
