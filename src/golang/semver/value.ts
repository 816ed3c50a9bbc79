import { GoError } from '../go-error.ts';
import {
  anyType,
  boolType,
  byteSliceType,
  intType,
  intTypes,
  pointerTo,
  stringType,
  structType,
  type GoField,
  type GoMethod,
  type GoType,
} from '../go-type.ts';
import { textToBytes } from '../text.ts';
import { GoByteSlice, goInt, goIntOf, GoStruct, type GoValue } from '../value.ts';
import { changeVersion, compareVersions, formatVersion, nextVersion, type Version, type VersionPart } from './version.ts';

/** The version behind a Go value of type semver.Version or *semver.Version. Throws a GoError for anything else. */
export function versionOf(value: GoValue): Version {
  if (value instanceof GoStruct && value.structType === versionType) return value.data as Version;
  throw new GoError('value is not a semver.Version');
}

/** The Go value of a version: *semver.Version, as `semver` gives it. */
export function versionValue(version: Version): GoStruct {
  return new GoStruct(versionPointerType, version);
}

function getter(result: GoType, read: (version: Version) => GoValue): GoMethod {
  return { params: [], result, call: (self) => read(versionOf(self)) };
}

function segment(part: VersionPart): GoMethod {
  return getter(intTypes.uint64, (version) => goIntOf('uint64', version[part]));
}

function changed(params: readonly GoType[], change: (version: Version, args: readonly GoValue[]) => Version): GoMethod {
  return {
    params,
    get result() {
      return versionType;
    },
    call: (self, args) => new GoStruct(versionType, change(versionOf(self), args)),
  };
}

function compared<T extends GoValue>(result: GoType, answer: (order: number) => T): GoMethod {
  return {
    get params() {
      return [versionPointerType];
    },
    result,
    call: (self, [other]) => answer(compareVersions(versionOf(self), versionOf(other))),
  };
}

const fields: readonly GoField[] = [
  ...(['major', 'minor', 'patch'] as const).map((name) => ({
    name,
    type: intTypes.uint64,
    get: (struct: GoStruct) => goIntOf('uint64', versionOf(struct)[name]),
  })),
  { name: 'pre', type: stringType, get: (struct) => versionOf(struct).prerelease },
  { name: 'metadata', type: stringType, get: (struct) => versionOf(struct).metadata },
  { name: 'original', type: stringType, get: (struct) => versionOf(struct).original },
];

/** semver.Version. */
export const versionType: GoType = structType('semver.Version', {
  fields,
  methods: {
    String: getter(stringType, formatVersion),
    Major: segment('major'),
    Minor: segment('minor'),
    Patch: segment('patch'),
    Prerelease: getter(stringType, (version) => version.prerelease),
    Metadata: getter(stringType, (version) => version.metadata),
    IncMajor: changed([], (version) => nextVersion(version, 'major')),
    IncMinor: changed([], (version) => nextVersion(version, 'minor')),
    IncPatch: changed([], (version) => nextVersion(version, 'patch')),
    SetPrerelease: changed([stringType], (version, [prerelease]) => changeVersion(version, { prerelease: String(prerelease) })),
    SetMetadata: changed([stringType], (version, [metadata]) => changeVersion(version, { metadata: String(metadata) })),
    Value: getter(anyType, formatVersion),
    MarshalText: getter(byteSliceType, (version) => new GoByteSlice(textToBytes(formatVersion(version)))),
    MarshalJSON: getter(byteSliceType, (version) => new GoByteSlice(textToBytes(`"${formatVersion(version)}"`))),
  },
  marshal: (struct) => formatVersion(versionOf(struct)),
});

/** *semver.Version: more methods, those that take the address. */
export const versionPointerType: GoType = pointerTo(versionType, {
  Original: getter(stringType, (version) => version.original),
  Compare: compared(intType, goInt),
  Equal: compared(boolType, (order) => order === 0),
  LessThan: compared(boolType, (order) => order < 0),
  LessThanEqual: compared(boolType, (order) => order <= 0),
  GreaterThan: compared(boolType, (order) => order > 0),
  GreaterThanEqual: compared(boolType, (order) => order >= 0),
});
