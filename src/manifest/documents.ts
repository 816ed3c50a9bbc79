import { bytesToText, decodeJson, GoError, isYamlObject, jsonValueEnd, readYaml, writeYaml, YamlError } from '../golang/index.ts';
import type { YamlLimits, YamlValue } from '../golang/index.ts';
import { CodedError } from '../std/index.ts';
import type { KubeObject } from './object.ts';

/** Why a manifest could not be read. */
export type ManifestErrorCode =
  /** The text is no YAML and no JSON. */
  | 'ManifestSyntax'
  /** A document is something else than a mapping. */
  | 'ManifestNotAnObject'
  /** An object has no apiVersion, kind or metadata.name, or one that is no text. */
  | 'ManifestIncomplete'
  /** The text has more documents than allowed. */
  | 'ManifestTooManyDocuments';

/** Documents of one text that are read. */
const MAX_DOCUMENTS = 100_000;
/** Lists inside lists that are expanded. */
const MAX_LIST_DEPTH = 10;

export type ReadObjectsOptions = {
  /** `float64` (default): numbers as `JSON.parse` gives them. `exact`: integers beyond 2^53 are bigints, which only encodeJson and writeYaml write. */
  numbers?: 'float64' | 'exact';
  limits?: Partial<YamlLimits>;
};

/** One document of a multi-document text. */
export type ManifestDocument = {
  /** Its text, every line ended by `\n`. */
  text: string;
  /** Line of the whole text where it begins, counted from 1. */
  line: number;
};

/**
 * Splits a text into documents as Kubernetes' reader does (apimachinery YAMLReader: kubectl, Flux): at lines that begin with `---` and
 * hold nothing else but a comment, wherever they stand. Line ends become `\n`. Throws `ManifestSyntax` where something follows `---`.
 */
export function splitDocuments(text: string, file = ''): ManifestDocument[] {
  const documents: ManifestDocument[] = [];
  let start = -1;
  let from = 0;
  let line = 0;
  const end = (position: number): void => {
    if (start >= 0) documents.push({ text: lineEnds(text.slice(start, position)), line: firstLine });
    start = -1;
    if (documents.length > MAX_DOCUMENTS) throw tooMany(file);
  };
  let firstLine = 1;
  while (from < text.length) {
    const next = text.indexOf('\n', from);
    const to = next < 0 ? text.length : next + 1;
    line += 1;
    if (text.startsWith('---', from)) {
      checkSeparator(text.slice(from + 3, to).trim(), file, line);
      end(from);
    } else if (start < 0) {
      start = from;
      firstLine = line;
    }
    from = to;
  }
  end(text.length);
  return documents;
}

function lineEnds(text: string): string {
  const unix = text.includes('\r') ? text.replaceAll('\r\n', '\n') : text;
  return unix.endsWith('\n') ? unix : `${unix}\n`;
}

function checkSeparator(rest: string, file: string, line: number): void {
  if (rest === '' || rest.startsWith('#')) return;
  throw syntaxError(file, line, `invalid Yaml document separator: ${rest}`);
}

/**
 * Reads the objects of a multi-document YAML text, or of JSON (one object after the other), as kubectl and Flux (ssa.ReadObjects) do:
 * YAML 1.1, empty documents skipped, lists expanded, `kustomize.config.k8s.io` files left out. `file` is only named in errors.
 * Throws a CodedError ({@link ManifestErrorCode}) that names file and line, or `YamlLimitExceeded`.
 */
export function readObjects(text: string | Uint8Array, file = '', options: ReadObjectsOptions = {}): KubeObject[] {
  const source = typeof text === 'string' ? text : bytesToText(text);
  const objects: KubeObject[] = [];
  for (const { value, line } of jsonDocuments(source, file, options) ?? yamlDocuments(source, file, options)) {
    if (value !== null) collect(value, { file, line, path: '' }, objects, 0);
  }
  return objects;
}

type Parsed = { value: YamlValue; line: number };

/** The values of a text that is JSON; undefined when it is not, so that YAML gets its turn. */
function jsonDocuments(text: string, file: string, options: ReadObjectsOptions): Parsed[] | undefined {
  if (text[skipSpace(text, 0)] !== '{') return undefined;
  const values: Parsed[] = [];
  const numbers = options.numbers ?? 'float64';
  let line = 1;
  let counted = 0;
  for (let from = skipSpace(text, 0); from < text.length;) {
    const end = jsonValueEnd(text, from);
    if (end === undefined) return undefined;
    line += countLines(text.slice(counted, from));
    counted = from;
    values.push({ value: decodeJson(text.slice(from, end), { numbers }), line });
    if (values.length > MAX_DOCUMENTS) throw tooMany(file);
    from = skipSpace(text, end);
  }
  return values;
}

/** Position of the first character that is no white space. */
function skipSpace(text: string, from: number): number {
  let position = from;
  for (let c = text.charCodeAt(position); c === 32 || c === 9 || c === 10 || c === 13; c = text.charCodeAt(position)) position += 1;
  return position;
}

function countLines(text: string): number {
  let lines = 0;
  for (let next = text.indexOf('\n'); next >= 0; next = text.indexOf('\n', next + 1)) lines += 1;
  return lines;
}

function* yamlDocuments(text: string, file: string, options: ReadObjectsOptions): Generator<Parsed> {
  for (const document of splitDocuments(text, file)) {
    let value: YamlValue;
    try {
      value = readYaml(document.text, options);
    } catch (error) {
      if (!(error instanceof GoError)) throw error;
      const line = error instanceof YamlError ? error.line : undefined;
      const cause = error.message.replace(/^yaml: (?:line \d+: )?/, '');
      throw syntaxError(file, document.line + (line ?? 1) - 1, cause, error);
    }
    yield { value, line: document.line + leadingLines(document.text) };
  }
}

/** Number of blank and comment lines before the content. */
function leadingLines(text: string): number {
  let lines = 0;
  for (let from = 0; from < text.length; lines++) {
    const next = text.indexOf('\n', from);
    const content = text.slice(from, next < 0 ? text.length : next).trimStart();
    if (content !== '' && !content.startsWith('#')) return lines;
    from = next < 0 ? text.length : next + 1;
  }
  return 0;
}

/** Where a value stands: for errors. */
type Place = { file: string; line: number; path: string };

function collect(value: YamlValue, place: Place, objects: KubeObject[], depth: number): void {
  if (!isYamlObject(value)) throw notAnObject(value, place);
  const { apiVersion, kind, items } = value;
  if (typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items) && depth < MAX_LIST_DEPTH) {
    for (const [i, item] of items.entries()) collect(item, { ...place, path: `${place.path}.items[${i}]` }, objects, depth + 1);
    return;
  }
  if (typeof kind === 'string' && typeof apiVersion === 'string') {
    if (kind.toLowerCase() === 'kustomization' && apiVersion.startsWith('kustomize.config.k8s.io/')) return;
  }
  checkIdentity(value, place);
  objects.push(value);
}

/** Makes sure that an object says what it is and how it is called. */
function checkIdentity(value: { [field: string]: unknown }, place: Place): asserts value is KubeObject {
  const metadata = value['metadata'];
  const name = isYamlObject(metadata) ? metadata['name'] : undefined;
  const missing = Object.entries({ apiVersion: value['apiVersion'], kind: value['kind'], 'metadata.name': name })
    .filter(([, field]) => typeof field !== 'string' || field === '')
    .map(([field]) => field);
  if (missing.length > 0) throw incomplete(missing, value['kind'], name, place);
}

function placeText(place: Place): string {
  return `${place.file === '' ? 'manifest' : place.file}:${place.line}${place.path === '' ? '' : ` (${place.path.slice(1)})`}`;
}

function syntaxError(file: string, line: number, cause: string, error?: unknown): CodedError<ManifestErrorCode> {
  const place = placeText({ file, line, path: '' });
  return new CodedError<ManifestErrorCode>({
    code: 'ManifestSyntax',
    message: `read ${place}: ${cause}`,
    subject: place,
    retryable: false,
    ...(error === undefined ? {} : { cause: error }),
  });
}

function notAnObject(value: YamlValue, place: Place): CodedError<ManifestErrorCode> {
  const have = value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`;
  return new CodedError<ManifestErrorCode>({
    code: 'ManifestNotAnObject',
    message: `read ${placeText(place)}: want a Kubernetes object, have ${have}`,
    subject: placeText(place),
    remedy: 'separate documents by a line that holds `---`, and start each with apiVersion and kind',
    retryable: false,
  });
}

function incomplete(missing: readonly string[], kind: unknown, name: unknown, place: Place): CodedError<ManifestErrorCode> {
  const what = [kind, name].filter((part) => typeof part === 'string' && part !== '').join('/');
  return new CodedError<ManifestErrorCode>({
    code: 'ManifestIncomplete',
    message: `read ${what === '' ? 'object' : `object "${what}"`} at ${placeText(place)}: ${missing.join(' and ')} must be a text that is not empty`,
    subject: placeText(place),
    remedy: `add ${missing.join(' and ')}`,
    retryable: false,
  });
}

function tooMany(file: string): CodedError<ManifestErrorCode> {
  return new CodedError<ManifestErrorCode>({
    code: 'ManifestTooManyDocuments',
    message: `read ${file === '' ? 'manifest' : file}: number of documents exceeds ${MAX_DOCUMENTS}`,
    subject: file,
    remedy: 'split the file',
    retryable: false,
  });
}

/**
 * Writes objects as one text, documents joined by `---\n`, each as kubectl and Flux print YAML (sigs.k8s.io/yaml: sorted keys). Fields
 * that are undefined are left out.
 */
export function writeObjects(objects: readonly KubeObject[]): string {
  // What is in an object is JSON by definition; its type says `unknown` only because Sluice does not name every field.
  return objects.map((object) => writeYaml(object as YamlValue)).join('---\n');
}
