import {
  compareText,
  compileGlob,
  byteSliceType,
  GoByteSlice,
  GoError,
  GoMap,
  goMap,
  mapOf,
  stringSlice,
  stringSliceType,
  stringType,
  bytesToText,
  type Glob,
  type GoMethod,
  type GoType,
  type GoValue,
} from '../../golang/index.ts';
import { isCodedError, Lru } from '../../std/index.ts';
import type { ChartFile } from '../chart/chart.ts';
import type { Rules } from '../profile.ts';
import { toYaml } from './yaml-functions.ts';

const globs = new Lru<string, Glob>(1000);

const shared: Readonly<Record<string, GoMethod>> = {
  Get: { params: [stringType], result: stringType, call: (files, [name]) => textOf(files, name) },
  GetBytes: {
    params: [stringType],
    result: byteSliceType,
    call: (files, [name]) => bytesOf(files, name) ?? new GoByteSlice(new Uint8Array()),
  },
  AsConfig: { params: [], result: stringType, call: (files) => byBaseName(files, textOfBytes) },
  AsSecrets: { params: [], result: stringType, call: (files) => byBaseName(files, (bytes) => Buffer.from(bytes).toString('base64')) },
};

/** The type of `.Files`: contents by name. Lines of an empty file are none in Helm 3 and a panic in Helm 4. */
const filesType = typeOfFiles(() => {
  throw new GoError('runtime error: index out of range [-1]');
});
const filesTypeHelm3 = typeOfFiles(() => stringSlice([]));

function typeOfFiles(linesOfEmpty: () => GoValue): GoType {
  const methods = new Map(Object.entries(shared));
  const type: GoType = { ...mapOf(stringType, byteSliceType), name: 'engine.files', named: true, methods };
  methods.set('Glob', { params: [stringType], result: type, call: (files, [pattern]) => matching(files, String(pattern), type) });
  methods.set('Lines', {
    params: [stringType],
    result: stringSliceType,
    call: (files, [name]) => lines(files, String(name), linesOfEmpty),
  });
  return type;
}

/** `.Files` of a chart: everything but templates, values, schema, Chart.yaml and subcharts. */
export function filesObject(files: readonly ChartFile[], { isHelm4 }: Rules): GoMap {
  return new GoMap(isHelm4 ? filesType : filesTypeHelm3, new Map(files.map((file) => [file.name, new GoByteSlice(file.data)])));
}

/** Contents as text, kept as long as the chart is: templates ask for the same file again and again. */
const texts = new WeakMap<Uint8Array, string>();

function textOfBytes(bytes: Uint8Array): string {
  let text = texts.get(bytes);
  if (text === undefined) {
    text = bytesToText(bytes);
    texts.set(bytes, text);
  }
  return text;
}

function bytesOf(files: GoValue, name: GoValue): GoByteSlice | undefined {
  const file = files instanceof GoMap ? files.get(String(name)) : undefined;
  return file instanceof GoByteSlice ? file : undefined;
}

function textOf(files: GoValue, name: GoValue): string {
  const file = bytesOf(files, name);
  return file === undefined ? '' : textOfBytes(file.bytes);
}

function matching(files: GoValue, pattern: string, type: GoType): GoMap {
  const out = new GoMap(type);
  if (!(files instanceof GoMap)) return out;
  const matches = globOf(pattern);
  for (const [name, content] of files.entries()) if (matches(name)) out.set(name, content);
  return out;
}

/** A pattern that does not parse matches everything, as in Helm. */
function globOf(pattern: string): Glob {
  let glob = globs.get(pattern);
  if (glob === undefined) {
    try {
      glob = compileGlob(pattern, '/');
    } catch (error) {
      if (!isCodedError(error, 'GoError')) throw error;
      glob = () => true;
    }
    globs.set(pattern, glob);
  }
  return glob;
}

function byBaseName(files: GoValue, encode: (bytes: Uint8Array) => string): string {
  const out = goMap();
  if (!(files instanceof GoMap)) return '';
  for (const name of [...files.keys()].sort(compareText)) {
    const content = files.get(name);
    if (content instanceof GoByteSlice) out.set(name.slice(name.lastIndexOf('/') + 1), encode(content.bytes));
  }
  return toYaml(out);
}

function lines(files: GoValue, name: string, ofEmpty: () => GoValue): GoValue {
  const file = bytesOf(files, name);
  if (file === undefined) return stringSlice([]);
  const text = textOfBytes(file.bytes);
  if (text === '') return ofEmpty();
  return stringSlice((text.endsWith('\n') ? text.slice(0, -1) : text).split('\n'));
}
