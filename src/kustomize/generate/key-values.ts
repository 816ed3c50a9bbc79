import { isUtf8 } from 'node:buffer';
import { bytesToText } from '../../golang/index.ts';
import { KustomizeError, within } from '../errors.ts';
import { quote } from '../go-text.ts';
import type { GeneratorFields } from '../kustomization.ts';
import type { Loader } from '../loader.ts';

/** One entry of a generated ConfigMap or Secret. */
export type KeyValue = { readonly key: string; readonly value: Uint8Array };

/** Reads the sources of a generator: env files, then literals, then files. Throws when a source is malformed or a key repeated. */
export function readKeyValues(args: GeneratorFields, loader: Loader): Map<string, Uint8Array> {
  const pairs = within(
    'loading KV pairs',
    () => [...fromEnvFiles(args.envs ?? [], loader), ...fromLiterals(args.literals ?? []), ...fromFiles(args.files ?? [], loader)],
    'GeneratorFailed',
  );
  const result = new Map<string, Uint8Array>();
  for (const { key, value } of pairs) {
    if (result.has(key)) {
      throw new KustomizeError('GeneratorFailed', `configmap ${args.name ?? ''} illegally repeats the key \`${key}\``, { subject: key });
    }
    result.set(key, value);
  }
  return result;
}

function fromEnvFiles(paths: readonly string[], loader: Loader): KeyValue[] {
  return within(`env source files: [${paths.join(' ')}]`, () => paths.flatMap((path) => readEnvFile(loader.load(path))), 'GeneratorFailed');
}

/** Longest line of an env file Go's scanner takes; it stops silently at a longer one. */
const MAX_LINE = 64 * 1024;

/** Reads the lines `KEY=value` of an env file; empty lines and comments are passed over, a line without `=` has an empty value. */
export function readEnvFile(content: Uint8Array): KeyValue[] {
  const pairs: KeyValue[] = [];
  let number = 0;
  for (const bytes of lines(content)) {
    if (bytes.length >= MAX_LINE) break;
    if (!isUtf8(bytes)) {
      throw new KustomizeError(
        'GeneratorFailed',
        `line [${bytes.join(' ')}] has invalid utf8 bytes : ${Buffer.from(bytes).toString('latin1')}`,
      );
    }
    const line = Buffer.from(bytes).toString();
    const text = trimStart(number === 0 && line.startsWith('\uFEFF') ? line.slice(1) : line);
    number += 1;
    if (text === '' || text.startsWith('#')) continue;
    const equals = text.indexOf('=');
    const [key, value] = equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
    if (key !== '') pairs.push({ key, value: Buffer.from(value) });
  }
  return pairs;
}

function* lines(content: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < content.length;) {
    const found = content.indexOf(10, at);
    const end = found < 0 ? content.length : found;
    yield content.subarray(at, end > at && content[end - 1] === 13 ? end - 1 : end);
    at = end + 1;
  }
}

/** unicode.IsSpace of Go, which knows no byte order mark. */
function trimStart(text: string): string {
  return text.replace(/^[\t\n\v\f\r \u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]+/, '');
}

function fromLiterals(sources: readonly string[]): KeyValue[] {
  return within(`literal sources [${sources.join(' ')}]`, () => sources.map(readLiteral), 'GeneratorFailed');
}

function readLiteral(source: string): KeyValue {
  const equals = source.indexOf('=');
  if (equals <= 0) throw new KustomizeError('GeneratorFailed', `invalid literal source ${source}, expected key=value`, { subject: source });
  return { key: source.slice(0, equals), value: Buffer.from(unquote(source.slice(equals + 1))) };
}

function unquote(text: string): string {
  const first = text.charAt(0);
  return text.length >= 2 && first === text.at(-1) && (first === '"' || first === "'") ? text.slice(1, -1) : text;
}

function fromFiles(sources: readonly string[], loader: Loader): KeyValue[] {
  return within(
    `file sources: [${sources.join(' ')}]`,
    () =>
      sources.map((source) => {
        const { key, path } = parseFileSource(source);
        return { key, value: loader.load(path) };
      }),
    'GeneratorFailed',
  );
}

/** `[key=]path`; without a key it is the name of the file. */
export function parseFileSource(source: string): { key: string; path: string } {
  const parts = source.split('=');
  const [key = '', path = ''] = parts;
  if (parts.length === 1) return { key: baseName(source), path: source };
  if (parts.length > 2) throw new KustomizeError('GeneratorFailed', `source ${quote(source)} key name or file path contains '='`);
  if (key === '') throw new KustomizeError('GeneratorFailed', `missing key name for file path ${quote(path)} in source ${quote(source)}`);
  if (path === '') throw new KustomizeError('GeneratorFailed', `missing file path for key name ${quote(key)} in source ${quote(source)}`);
  return { key, path };
}

function baseName(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  return trimmed === '' ? (path === '' ? '.' : '/') : trimmed.slice(trimmed.lastIndexOf('/') + 1);
}

/** The text of a value if it is UTF-8. */
export function utf8Text(value: Uint8Array): string | undefined {
  return isUtf8(value) ? bytesToText(value) : undefined;
}
