export {
  DEFAULT_YAML_LIMITS,
  isYamlObject,
  newNode,
  nodeField,
  nodeValue,
  readResourceNodes,
  readYaml,
  readYamlDocuments,
  setEntry,
  valueNode,
  writeNode,
  writeNodeV3,
  writeYaml,
  writeYamlFromJson,
  writeYamlV3,
  YamlError,
  type ReadYamlOptions,
  type WriteYamlV3Options,
  type YamlDialect,
  type YamlLimitCode,
  type YamlLimits,
  type YamlNode,
  type YamlNodeKind,
  type YamlObject,
  type YamlValue,
} from './yaml/yaml.ts';
export {
  EVENT_ALIAS,
  EVENT_DOCUMENT_END,
  EVENT_DOCUMENT_START,
  EVENT_MAPPING_END,
  EVENT_MAPPING_START,
  EVENT_SCALAR,
  EVENT_SEQUENCE_END,
  EVENT_SEQUENCE_START,
  EVENT_STREAM_END,
  EVENT_STREAM_START,
} from './yaml/event.ts';
export { Parser as YamlParser } from './yaml/parser.ts';
export { mayResolve, resolve as resolveScalar, shortTag, type Scalar as YamlScalar } from './yaml/resolve.ts';
export { yamlSource, type YamlSource } from './yaml/source.ts';
export { YamlTime } from './yaml/timestamp.ts';
export { PLAIN as PLAIN_STYLE } from './yaml/token.ts';
export { decodeJson, encodeJson, encodeJsonString, type DecodeJsonOptions, type EncodeJsonOptions } from './json.ts';
export { jsonValueEnd } from './json-syntax.ts';
export { budgetExceeded, GoError, type GolangErrorCode } from './go-error.ts';
export {
  anyMapType,
  anySliceType,
  anyType,
  assignableTo,
  boolType,
  byteSliceType,
  complex128Type,
  errorType,
  float32Type,
  float64Type,
  int64Type,
  intSliceType,
  intType,
  intTypes,
  isIntKind,
  isUnsignedKind,
  mapOf,
  namedType,
  pointerTo,
  sliceOf,
  stringMapType,
  stringSliceType,
  stringType,
  structType,
  type GoField,
  type GoKind,
  type GoMethod,
  type GoType,
  type IntKind,
  type StructMembers,
} from './go-type.ts';
export {
  asSafeInteger,
  GoByteSlice,
  GoComplex,
  GoFloat32,
  GoFunc,
  GoInt,
  goInt,
  goInt64,
  goIntOf,
  GoKeyedMap,
  goKind,
  GoMap,
  goMap,
  GoSlice,
  GoStruct,
  goTypeName,
  goTypeOf,
  intBits,
  sliceItems,
  stringSlice,
  type GoFunction,
  type GoValue,
} from './value.ts';
export {
  bytesToText,
  compareText,
  isAsciiText,
  isValidText,
  joinText,
  runes,
  sliceBytes,
  textByteLength,
  textToBytes,
  toValidText,
} from './text.ts';
export { fromYamlValue, mapFromYaml, toYamlValue, type ToYamlOptions } from './plain.ts';
export { formatValue, sprint, sprintf, sprintln } from './fmt.ts';
export { formatFloat, formatG, type FloatFormat } from './float-format.ts';
export { canBackquote, quote, quoteRune, unquote, unquoteChar, type QuoteStyle } from './quote.ts';
export {
  atoi,
  parseBool,
  parseFloat64,
  parseInteger,
  parseUnsigned,
  scanBool,
  scanFloat,
  scanInt,
  scanUint,
  type NumberProblem,
  type Scanned,
} from './parse-number.ts';
export { MAX_LIST, MAX_PATTERN, MAX_REGEXP_SCAN, MAX_REGEXP_WORK, MAX_TEXT, MAX_VALUE_DEPTH, MAX_VISITS } from './limits.ts';
export {
  isDigit,
  isGraphic,
  isLetter,
  isLower,
  isNumber,
  isPrint,
  isSpace,
  isTitle,
  isUpper,
  lowerRune,
  mapRunes,
  titleRune,
  toLowerText,
  toUpperText,
  upperRune,
} from './unicode.ts';
export { formatGoDuration, parseGoDuration, quoteForTime, roundDuration, truncateDuration, type Nanoseconds } from './time/duration.ts';
export { formatTime, timeToString } from './time/format.ts';
export { parseTime } from './time/parse.ts';
export {
  addDuration,
  civil,
  compareTimes,
  inZone,
  makeTime,
  offsetOf,
  timeFromMillis,
  timeSince,
  unixTime,
  zeroTime,
  type CivilTime,
  type GoTime,
  type TimeFields,
} from './time/time.ts';
export { durationType, durationValue, monthType, timeOf, timeType, timeValue, weekdayType } from './time/value.ts';
export { fixedZone, loadZone, local, utc, type Zone } from './time/zone.ts';
export { GoRegexp, quoteMeta, toByteOffsets, type MatchSpan } from './regexp.ts';
export { compileGlob, MAX_GLOB, MAX_GLOB_WORK, type Glob } from './glob/glob.ts';
export { filepathMatch } from './glob/filepath-match.ts';
export { basePath, cleanPath, dirPath, extPath, isAbsPath, joinPath } from './path.ts';
export {
  changeVersion,
  compareVersions,
  formatVersion,
  nextVersion,
  parseStrictVersion,
  parseVersion,
  type Version,
  type VersionPart,
} from './semver/version.ts';
export { checkConstraint, explainConstraint, formatConstraint, parseConstraint, type Constraint } from './semver/constraint.ts';
export { versionOf, versionPointerType, versionType, versionValue } from './semver/value.ts';
export { emptyUrl, escapeQuery, formatUrl, formatUser, parseUrl, urlHostname, type GoUrl, type UserInfo } from './url.ts';
export { parseIp, type IpAddress } from './ip.ts';
export { encodeValueJson } from './json-value.ts';
