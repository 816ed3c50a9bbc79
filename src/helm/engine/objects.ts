import {
  anySliceType,
  boolType,
  fromYamlValue,
  goInt,
  GoMap,
  goMap,
  GoSlice,
  GoStruct,
  namedType,
  pointerTo,
  sliceOf,
  stringMapType,
  stringSlice,
  stringSliceType,
  stringType,
  structType,
  type GoField,
  type GoType,
  type GoValue,
  type StructMembers,
} from '../../golang/index.ts';
import { kubeVersionText, type Capabilities, type HelmVersion, type KubeVersion } from '../capabilities.ts';
import type { ChartMetadata, Dependency } from '../chart/chart.ts';
import type { Rules } from '../profile.ts';

/** A field that reads a property of the struct's data. */
function field<T>(name: string, type: GoType, read: (data: T) => GoValue): GoField {
  return { name, type, get: (struct) => read(struct.data as T) };
}

/** The JSON of a struct: its fields in their order, under names that JSON gives them, empty ones left out. */
class JsonStruct extends GoMap {
  constructor(entries: readonly (readonly [string, GoValue])[]) {
    super(undefined, new Map(entries.filter(([, value]) => value !== '' && value !== null && value !== undefined)));
  }

  override sortedKeys(): readonly string[] {
    return [...this.keys()];
  }
}

type CapabilitiesTypes = { capabilities: GoType; kubeVersion: GoType; versionSet: GoType; buildInfo: GoType };
type CapabilitiesData = { kubeVersion: GoStruct; apiVersions: GoSlice; helmVersion: GoStruct };

/** A struct type that does not share with others of its name: Helm 3 and Helm 4 mean different ones. */
function ownStruct(name: string, { fields, marshal }: Pick<StructMembers, 'fields' | 'marshal'>): GoType {
  return { name, kind: 'struct', named: true, fields, ...(marshal === undefined ? {} : { marshal }) };
}

/** The types below `.Capabilities`: Helm 4 keeps more in them than Helm 3. */
function capabilitiesTypes(package_: string, isHelm4: boolean): CapabilitiesTypes {
  const kubeVersion: GoType = structType(`${package_}.KubeVersion`, {
    fields: [
      field<KubeVersion>('Version', stringType, ({ version }) => version),
      ...(isHelm4 ? [field<KubeVersion>('normalizedVersion', stringType, ({ normalized }) => normalized)] : []),
      field<KubeVersion>('Major', stringType, ({ major }) => major),
      field<KubeVersion>('Minor', stringType, ({ minor }) => minor),
    ],
  });
  // Its methods are those of its address: printf, which is given the struct itself, prints the fields.
  pointerTo(kubeVersion, {
    String: { params: [], result: stringType, call: (version) => kubeVersionText(dataOf<KubeVersion>(version)) },
    GitVersion: { params: [], result: stringType, call: (version) => dataOf<KubeVersion>(version).version },
  });
  const versionSet: GoType = namedType(`${package_}.VersionSet`, stringSliceType, {
    Has: {
      params: [stringType],
      result: boolType,
      call: (versions, [version]) => versions instanceof GoSlice && versions.items.includes(version ?? ''),
    },
  });
  const buildInfo = buildInfoType(isHelm4);
  const capabilities = structType(`${package_}.Capabilities`, {
    fields: [
      field<CapabilitiesData>('KubeVersion', kubeVersion, (data) => data.kubeVersion),
      field<CapabilitiesData>('APIVersions', versionSet, ({ apiVersions }) => apiVersions),
      field<CapabilitiesData>('HelmVersion', buildInfo, ({ helmVersion }) => helmVersion),
    ],
  });
  return { capabilities: pointerTo(capabilities), kubeVersion, versionSet, buildInfo };
}

function buildInfoType(isHelm4: boolean): GoType {
  return ownStruct('version.BuildInfo', {
    fields: [
      field<HelmVersion>('Version', stringType, ({ version }) => version),
      field<HelmVersion>('GitCommit', stringType, ({ gitCommit }) => gitCommit),
      field<HelmVersion>('GitTreeState', stringType, ({ gitTreeState }) => gitTreeState),
      field<HelmVersion>('GoVersion', stringType, ({ goVersion }) => goVersion),
      ...(isHelm4 ? [field<HelmVersion>('KubeClientVersion', stringType, ({ kubeClientVersion }) => kubeClientVersion)] : []),
    ],
    marshal: (struct) => {
      const { version, gitCommit, gitTreeState, goVersion, kubeClientVersion } = struct.data as HelmVersion;
      const json = new JsonStruct([
        ['version', version],
        ['git_commit', gitCommit],
        ['git_tree_state', gitTreeState],
        ['go_version', goVersion],
      ]);
      if (isHelm4) json.set('kube_client_version', kubeClientVersion);
      return json;
    },
  });
}

const typesHelm4 = capabilitiesTypes('common', true);
const typesHelm3 = capabilitiesTypes('chartutil', false);

function dataOf<T>(value: GoValue): T {
  return (value instanceof GoStruct ? value.data : undefined) as T;
}

/** `.Capabilities`. */
export function capabilitiesObject(
  { kubeVersion, apiVersions, helmVersion }: Capabilities,
  { isHelm4 }: Pick<Rules, 'isHelm4'> = { isHelm4: true },
): GoStruct {
  const types = isHelm4 ? typesHelm4 : typesHelm3;
  const data: CapabilitiesData = {
    kubeVersion: new GoStruct(types.kubeVersion, kubeVersion),
    apiVersions: new GoSlice(types.versionSet, apiVersions),
    helmVersion: new GoStruct(types.buildInfo, helmVersion),
  };
  return new GoStruct(types.capabilities, data);
}

/** What is being released. */
export type ReleaseOptions = {
  name: string;
  namespace: string;
  /** Default 1. */
  revision?: number;
  /** Sets `.Release.IsUpgrade` instead of `.Release.IsInstall`. Default false. */
  isUpgrade?: boolean;
};

/** `.Release`. */
export function releaseObject({ name, namespace, revision = 1, isUpgrade = false }: ReleaseOptions): GoMap {
  return goMap([
    ['Name', name],
    ['Namespace', namespace],
    ['IsUpgrade', isUpgrade],
    ['IsInstall', !isUpgrade],
    ['Revision', goInt(revision)],
    ['Service', 'Helm'],
  ]);
}

/** `.Chart` of Helm 4: a map of Chart.yaml with Go's field names. */
export function chartMap(metadata: ChartMetadata, isRoot: boolean): GoMap {
  return goMap([
    ['Name', metadata.name],
    ['Home', metadata.home],
    ['Sources', [...metadata.sources]],
    ['Version', metadata.version],
    ['Description', metadata.description],
    ['Keywords', [...metadata.keywords]],
    [
      'Maintainers',
      metadata.maintainers.map(({ name, email, url }) =>
        goMap([
          ['Name', name],
          ['Email', email],
          ['URL', url],
        ]),
      ),
    ],
    ['Icon', metadata.icon],
    ['APIVersion', metadata.apiVersion],
    ['Condition', metadata.condition],
    ['Tags', metadata.tags],
    ['AppVersion', metadata.appVersion],
    ['Deprecated', metadata.deprecated],
    ['Annotations', annotationsMap(metadata)],
    ['KubeVersion', metadata.kubeVersion],
    ['Dependencies', (metadata.dependencies ?? []).map(dependencyMap)],
    ['Type', metadata.type],
    ['IsRoot', isRoot],
  ]);
}

function annotationsMap({ annotations }: ChartMetadata): GoMap {
  return new GoMap(stringMapType, new Map(Object.entries(annotations ?? {})), annotations === undefined);
}

function dependencyMap(dependency: Dependency): GoMap {
  return goMap([
    ['Name', dependency.name],
    ['Version', dependency.version],
    ['Repository', dependency.repository],
    ['Condition', dependency.condition],
    ['Tags', [...dependency.tags]],
    ['Enabled', dependency.enabled],
    ['ImportValues', dependency.importValues.map(importMap)],
    ['Alias', dependency.alias],
  ]);
}

/** Imports are a map[string]string once they were processed. */
function importMap(item: Dependency['importValues'][number]): GoValue {
  const value = fromYamlValue(item);
  return value instanceof GoMap ? value.as(stringMapType) : value;
}

const maintainerType: GoType = structType('chart.Maintainer', {
  fields: (['name', 'email', 'url'] as const).map((name) =>
    field<ChartMetadata['maintainers'][number]>(
      name === 'url' ? 'URL' : name[0]?.toUpperCase() + name.slice(1),
      stringType,
      (data) => data[name],
    ),
  ),
  marshal: (struct) => new JsonStruct(Object.entries(struct.data as ChartMetadata['maintainers'][number])),
});
const maintainerPointer: GoType = pointerTo(maintainerType);

const dependencyType: GoType = structType('chart.Dependency', {
  fields: [
    field<Dependency>('Name', stringType, ({ name }) => name),
    field<Dependency>('Version', stringType, ({ version }) => version),
    field<Dependency>('Repository', stringType, ({ repository }) => repository),
    field<Dependency>('Condition', stringType, ({ condition }) => condition),
    field<Dependency>('Tags', stringSliceType, ({ tags }) => stringSlice(tags, tags.length === 0)),
    field<Dependency>('Enabled', boolType, ({ enabled }) => enabled),
    field<Dependency>('ImportValues', anySliceType, ({ importValues }) => importValues.map(importMap)),
    field<Dependency>('Alias', stringType, ({ alias }) => alias),
  ],
  marshal: (struct) => {
    const { name, version, repository, condition, tags, enabled, importValues, alias } = struct.data as Dependency;
    const json = new JsonStruct([]);
    json.set('name', name);
    if (version !== '') json.set('version', version);
    json.set('repository', repository);
    const rest = new JsonStruct([
      ['condition', condition],
      ['tags', tags.length === 0 ? null : [...tags]],
      ['enabled', enabled ? true : null],
      ['import-values', importValues.length === 0 ? null : importValues.map(importMap)],
      ['alias', alias],
    ]);
    for (const [key, value] of rest.entries()) json.set(key, value);
    return json;
  },
});
const dependencyPointer: GoType = pointerTo(dependencyType);

function structs(type: GoType, items: readonly unknown[]): GoSlice {
  return new GoSlice(
    sliceOf(type),
    items.map((data) => new GoStruct(type, data)),
  );
}

type ChartData = { metadata: ChartMetadata; isRoot: boolean };

/** Fields of Helm 3's `.Chart`: name, name in JSON, type, value. */
const chartFields: readonly (readonly [name: string, json: string, type: GoType, read: (metadata: ChartMetadata) => GoValue])[] = [
  ['Name', 'name', stringType, ({ name }) => name],
  ['Home', 'home', stringType, ({ home }) => home],
  ['Sources', 'sources', stringSliceType, ({ sources }) => stringSlice(sources, sources.length === 0)],
  ['Version', 'version', stringType, ({ version }) => version],
  ['Description', 'description', stringType, ({ description }) => description],
  ['Keywords', 'keywords', stringSliceType, ({ keywords }) => stringSlice(keywords, keywords.length === 0)],
  ['Maintainers', 'maintainers', sliceOf(maintainerPointer), ({ maintainers }) => structs(maintainerPointer, maintainers)],
  ['Icon', 'icon', stringType, ({ icon }) => icon],
  ['APIVersion', 'apiVersion', stringType, ({ apiVersion }) => apiVersion],
  ['Condition', 'condition', stringType, ({ condition }) => condition],
  ['Tags', 'tags', stringType, ({ tags }) => tags],
  ['AppVersion', 'appVersion', stringType, ({ appVersion }) => appVersion],
  ['Deprecated', 'deprecated', boolType, ({ deprecated }) => deprecated],
  ['Annotations', 'annotations', stringMapType, annotationsMap],
  ['KubeVersion', 'kubeVersion', stringType, ({ kubeVersion }) => kubeVersion],
  ['Dependencies', 'dependencies', sliceOf(dependencyPointer), ({ dependencies }) => structs(dependencyPointer, dependencies ?? [])],
  ['Type', 'type', stringType, ({ type }) => type],
];

const chartStructType: GoType = structType('struct { chart.Metadata; IsRoot bool }', {
  fields: [
    ...chartFields.map(([name, , type, read]) => field<ChartData>(name, type, ({ metadata }) => read(metadata))),
    field<ChartData>('IsRoot', boolType, ({ isRoot }) => isRoot),
  ],
  marshal: (struct) => {
    const { metadata, isRoot } = struct.data as ChartData;
    const json = new JsonStruct(chartFields.map(([, name, , read]) => [name, orNull(read(metadata))]));
    json.set('IsRoot', isRoot);
    return json;
  },
});

/** What `omitempty` leaves out becomes null. */
function orNull(value: GoValue): GoValue {
  if (value === false || (Array.isArray(value) && value.length === 0)) return null;
  if (value instanceof GoSlice && value.items.length === 0) return null;
  return value instanceof GoMap && value.size === 0 ? null : value;
}

/** `.Chart` of Helm 3: a struct, so that unknown fields are errors. */
export function chartStruct(metadata: ChartMetadata, isRoot: boolean): GoStruct {
  return new GoStruct(chartStructType, { metadata, isRoot });
}
