import { createHash } from 'node:crypto';
import {
  basePath,
  boolType,
  bytesToText,
  canBackquote,
  checkConstraint,
  cleanPath,
  dirPath,
  extPath,
  GoError,
  GoRegexp,
  intType,
  isAbsPath,
  parseConstraint,
  parseVersion,
  quote,
  quoteMeta,
  stringSlice,
  stringSliceType,
  stringType,
  textToBytes,
  versionPointerType,
  versionValue,
  type GoValue,
} from '../../golang/index.ts';
import { startedWith } from './capacity.ts';
import { fn, int, text, type Functions } from './define.ts';
import { decodeBase32, decodeBase64, encodeBase32, encodeBase64 } from './base-encoding.ts';

const S = stringType;

/** MustCompile's panic around a pattern's error. */
function mustCompile(pattern: GoValue): GoRegexp {
  try {
    return GoRegexp.compile(text(pattern));
  } catch (error) {
    if (!(error instanceof GoError)) throw error;
    throw new GoError(`regexp: Compile(${quoteForRegexp(text(pattern))}): ${error.message}`);
  }
}

/** regexp's own quoting: backquotes where that is possible. */
function quoteForRegexp(pattern: string): string {
  return canBackquote(pattern) ? `\`${pattern}\`` : quote(pattern);
}

function compile(pattern: GoValue): GoRegexp {
  return GoRegexp.compile(text(pattern));
}

type Compile = (pattern: GoValue) => GoRegexp;

/** Room that regexp's FindAll makes at first. */
const FOUND_CAPACITY = 10;

const findAll = (by: Compile): Functions[string] =>
  fn([S, S, intType], stringSliceType, (pattern, value, limit) => {
    const found = by(pattern).findAllText(text(value), int(limit));
    return startedWith(stringSlice(found, found.length === 0), found.length === 0 ? 0 : FOUND_CAPACITY);
  });
const find = (by: Compile): Functions[string] => fn([S, S], S, (pattern, value) => by(pattern).findAllText(text(value), 1)[0] ?? '');
const replace = (by: Compile): Functions[string] =>
  fn([S, S, S], S, (pattern, value, replacement) => by(pattern).replaceAll(text(value), text(replacement)));
const replaceLiteral = (by: Compile): Functions[string] =>
  fn([S, S, S], S, (pattern, value, replacement) => by(pattern).replaceAllLiteral(text(value), text(replacement)));
const split = (by: Compile): Functions[string] =>
  fn([S, S, intType], stringSliceType, (pattern, value, limit) => {
    const parts = by(pattern).split(text(value), int(limit));
    return startedWith(stringSlice(parts ?? [], parts === undefined), Math.max((parts?.length ?? 0) - 1, 0));
  });

function matches(pattern: GoValue, value: GoValue): boolean {
  return compile(pattern).test(text(value));
}

function matchesOrNot(pattern: GoValue, value: GoValue): boolean {
  try {
    return matches(pattern, value);
  } catch (error) {
    if (error instanceof GoError) return false;
    throw error;
  }
}

function hash(algorithm: 'sha1' | 'sha256' | 'sha512'): Functions[string] {
  return fn([S], S, (value) =>
    createHash(algorithm)
      .update(textToBytes(text(value)))
      .digest('hex'),
  );
}

function adler32(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return b * 65536 + a;
}

const base = fn([S], S, (path) => basePath(text(path)));
const clean = fn([S], S, (path) => cleanPath(text(path)));
const dir = fn([S], S, (path) => dirPath(text(path)));
const ext = fn([S], S, (path) => extPath(text(path)));
const isAbs = fn([S], boolType, (path) => isAbsPath(text(path)));

/** Regular expressions, paths, versions, encodings and checksums. */
export const textFunctions: Functions = {
  regexMatch: fn([S, S], boolType, matchesOrNot),
  mustRegexMatch: fn([S, S], boolType, matches),
  regexFindAll: findAll(mustCompile),
  mustRegexFindAll: findAll(compile),
  regexFind: find(mustCompile),
  mustRegexFind: find(compile),
  regexReplaceAll: replace(mustCompile),
  mustRegexReplaceAll: replace(compile),
  regexReplaceAllLiteral: replaceLiteral(mustCompile),
  mustRegexReplaceAllLiteral: replaceLiteral(compile),
  regexSplit: split(mustCompile),
  mustRegexSplit: split(compile),
  regexQuoteMeta: fn([S], S, (value) => quoteMeta(text(value))),
  base,
  clean,
  dir,
  ext,
  isAbs,
  osBase: base,
  osClean: clean,
  osDir: dir,
  osExt: ext,
  osIsAbs: isAbs,
  semver: fn([S], versionPointerType, (version) => versionValue(parseVersion(text(version)))),
  semverCompare: fn([S, S], boolType, (constraint, version) => {
    const wanted = parseConstraint(text(constraint));
    return checkConstraint(wanted, parseVersion(text(version)));
  }),
  b64enc: fn([S], S, (value) => encodeBase64(textToBytes(text(value)))),
  b64dec: fn([S], S, (value) => decodedOrError(() => decodeBase64(text(value)))),
  b32enc: fn([S], S, (value) => encodeBase32(textToBytes(text(value)))),
  b32dec: fn([S], S, (value) => decodedOrError(() => decodeBase32(text(value)))),
  sha1sum: hash('sha1'),
  sha256sum: hash('sha256'),
  sha512sum: hash('sha512'),
  adler32sum: fn([S], S, (value) => String(adler32(textToBytes(text(value))))),
};

function decodedOrError(decode: () => Uint8Array): string {
  try {
    return bytesToText(decode());
  } catch (error) {
    if (error instanceof GoError) return error.message;
    throw error;
  }
}
