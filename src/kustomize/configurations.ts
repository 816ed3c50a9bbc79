import { readYaml, type YamlObject, type YamlValue } from '../golang/index.ts';
import { DEFAULT_CONFIG } from './default-config.ts';
import { KustomizeError, wrapError } from './errors.ts';
import type { FieldSpec } from './field-spec.ts';
import { decodeInto, sliceOf, STRING, structOf, type GoShape } from './go-decode.ts';
import { FIELD_SPEC, type FieldSpecFields } from './kustomization.ts';
import type { Loader } from './loader.ts';
import { fileText } from './read-documents.ts';
import { addFieldSpecs, EMPTY_CONFIG, mergeConfig, type NameBackReference, type TransformerConfig } from './transformer-config.ts';

const SPECS = sliceOf(FIELD_SPEC);
const BACK_REFERENCE = structOf('NameBackReferences', { group: STRING, version: STRING, kind: STRING, fieldSpecs: SPECS });
const CONFIG: GoShape = {
  kind: 'struct',
  name: 'types.TransformerConfig',
  fields: {
    namePrefix: SPECS,
    nameSuffix: SPECS,
    namespace: SPECS,
    commonLabels: SPECS,
    labels: SPECS,
    templateLabels: SPECS,
    commonAnnotations: SPECS,
    nameReference: sliceOf({ ...BACK_REFERENCE, name: 'builtinconfig.NameBackReferences' }),
    varReference: SPECS,
    images: SPECS,
    replicas: SPECS,
  },
};

type ConfigFields = {
  [K in Exclude<keyof TransformerConfig, 'nameReference'>]?: FieldSpecFields[];
} & { nameReference?: { group?: string; version?: string; kind?: string; fieldSpecs?: FieldSpecFields[] }[] };

/** A field spec with its defaults. */
export function toFieldSpec({ group = '', version = '', kind = '', path = '', create = false }: FieldSpecFields): FieldSpec {
  return { group, version, kind, path, create };
}

export function toFieldSpecs(fields: readonly FieldSpecFields[] | undefined): FieldSpec[] {
  return (fields ?? []).map(toFieldSpec);
}

/** The default configuration with that of some files added. */
export function readConfigurations(loader: Loader, paths: readonly string[]): TransformerConfig {
  let added = EMPTY_CONFIG;
  for (const path of paths) added = mergeConfig(added, parseConfig(fileText(loader.load(path))));
  return mergeConfig(DEFAULT_CONFIG, added);
}

function parseConfig(text: string): TransformerConfig {
  let value: YamlValue;
  try {
    value = readYaml(text, { dialect: 'v2', strict: true, numbers: 'exact' });
  } catch (error) {
    throw wrapError(error, 'error converting YAML to JSON', 'KustomizationInvalid');
  }
  let fields: ConfigFields;
  try {
    fields = (decodeInto(value, CONFIG, 'strict') ?? {}) as ConfigFields;
  } catch (error) {
    throw wrapError(error, 'error unmarshaling JSON: while decoding JSON', 'KustomizationInvalid');
  }
  return toConfig(fields);
}

function toConfig(fields: ConfigFields): TransformerConfig {
  return {
    namePrefix: toFieldSpecs(fields.namePrefix),
    nameSuffix: toFieldSpecs(fields.nameSuffix),
    namespace: toFieldSpecs(fields.namespace),
    commonLabels: toFieldSpecs(fields.commonLabels),
    labels: toFieldSpecs(fields.labels),
    templateLabels: toFieldSpecs(fields.templateLabels),
    commonAnnotations: toFieldSpecs(fields.commonAnnotations),
    nameReference: (fields.nameReference ?? []).map(({ group = '', version = '', kind = '', fieldSpecs }) => ({
      group,
      version,
      kind,
      referrers: toFieldSpecs(fieldSpecs),
    })),
    varReference: toFieldSpecs(fields.varReference),
    images: toFieldSpecs(fields.images),
    replicas: toFieldSpecs(fields.replicas),
  };
}

/** The configuration that `x-kubernetes-…` extensions in OpenAPI definitions of custom resources make (`crds`). */
export function readCrdConfig(loader: Loader, paths: readonly string[]): TransformerConfig {
  let config = EMPTY_CONFIG;
  for (const path of paths) {
    const content = fileText(loader.load(path));
    let document: YamlValue;
    try {
      document = readYaml(content, { dialect: 'v2' });
    } catch (error) {
      throw wrapError(error, `unable to parse open API definition from '${path}'`, 'KustomizationInvalid');
    }
    if (typeof document !== 'object' || document === null || Array.isArray(document)) {
      throw new KustomizeError('KustomizationInvalid', `unable to parse open API definition from '${path}': it is no mapping`);
    }
    config = mergeConfig(config, configOfDefinitions(document));
  }
  return config;
}

function configOfDefinitions(definitions: YamlObject): TransformerConfig {
  let config = EMPTY_CONFIG;
  for (const name of Object.keys(definitions).sort()) {
    const properties = propertiesOf(definitions[name]);
    if (!['kind', 'apiVersion', 'metadata'].every((key) => Object.hasOwn(properties, key))) continue;
    const kind = name.split('.').at(-1) ?? '';
    config = mergeConfig(config, new CrdReader(definitions, kind).read(name));
  }
  return config;
}

function object(value: YamlValue | undefined): YamlObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

function propertiesOf(definition: YamlValue | undefined): YamlObject {
  const fields = object(definition);
  const schema = object(fields['Schema'] ?? fields['schema']);
  return object(schema['properties']);
}

/** Depth of references between definitions that is followed. */
const MAX_REFERENCES = 64;

class CrdReader {
  readonly #definitions: YamlObject;
  readonly #kind: string;
  #prefixes: readonly FieldSpec[] = [];
  #labels: readonly FieldSpec[] = [];
  #annotations: readonly FieldSpec[] = [];
  #references: readonly NameBackReference[] = [];

  constructor(definitions: YamlObject, kind: string) {
    this.#definitions = definitions;
    this.#kind = kind;
  }

  read(name: string): TransformerConfig {
    this.#readType(name, []);
    return {
      ...EMPTY_CONFIG,
      namePrefix: this.#prefixes,
      commonLabels: this.#labels,
      commonAnnotations: this.#annotations,
      nameReference: this.#references,
    };
  }

  #readType(name: string, path: readonly string[]): void {
    if (path.length > MAX_REFERENCES) {
      throw new KustomizeError('LimitExceeded', `read the definition '${name}': references nested more than ${MAX_REFERENCES} deep`);
    }
    const properties = propertiesOf(this.#definitions[name]);
    for (const key of Object.keys(properties).sort()) this.#readProperty(object(properties[key]), [...path, key]);
  }

  #readProperty(property: YamlObject, path: readonly string[]): void {
    const has = (name: string): boolean => typeof property[name] === 'string';
    const spec = this.#spec(path);
    if (has('x-kubernetes-annotation')) this.#annotations = addFieldSpecs(this.#annotations, [spec]);
    if (has('x-kubernetes-label-selector')) this.#labels = addFieldSpecs(this.#labels, [spec]);
    if (has('x-kubernetes-identity')) this.#prefixes = addFieldSpecs(this.#prefixes, [spec]);
    const version = property['x-kubernetes-object-ref-api-version'];
    const kind = property['x-kubernetes-object-ref-kind'];
    const key = property['x-kubernetes-object-ref-name-key'];
    if (typeof version === 'string' && typeof kind === 'string') {
      const referrers = [this.#spec([...path, typeof key === 'string' ? key : 'name'])];
      const added = { ...EMPTY_CONFIG, nameReference: [{ group: '', version, kind, referrers }] };
      this.#references = mergeConfig({ ...EMPTY_CONFIG, nameReference: this.#references }, added).nameReference;
    }
    const ref = property['$ref'];
    if (typeof ref === 'string') this.#readType(ref, path);
  }

  #spec(path: readonly string[]): FieldSpec {
    return { group: '', version: '', kind: this.#kind, path: path.join('/'), create: false };
  }
}
