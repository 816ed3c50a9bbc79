import {
  atoi,
  basePath,
  bytesToText,
  canBackquote,
  cleanPath,
  compileGlob,
  dirPath,
  durationValue,
  extPath,
  filepathMatch,
  fixedZone,
  formatFloat,
  formatG,
  formatGoDuration,
  formatTime,
  GoRegexp,
  inZone,
  isAbsPath,
  joinPath,
  parseBool,
  parseFloat64,
  parseGoDuration,
  parseInteger,
  parseTime,
  parseUnsigned,
  quote,
  quoteMeta,
  roundDuration,
  sprintf,
  timeToString,
  toByteOffsets,
  truncateDuration,
  unixTime,
  unquote,
  utc,
  type FloatFormat,
} from '../../../src/golang/index.ts';
import { argument } from './arguments.ts';
import { attempt, bytes, checkEach, differences, text, type Fact, type Outcome } from './suite.ts';

/** Facts about fmt, strconv, time, regexp, globs and paths. */
export function suite(facts: Iterable<unknown>): Iterable<Outcome> {
  return checkEach(facts, (fact) => {
    const check = checks[text(fact, 'kind')];
    return check === undefined ? `no check for kind ${text(fact, 'kind')}` : check(fact);
  });
}

/** What a fact says beside its id and kind and the `given` fields; base64 fields are read. */
function wanted(fact: Fact, ...given: readonly string[]): Record<string, unknown> {
  const want: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(fact)) {
    const name = field.replace(/B64$/, '');
    if (name === 'id' || name === 'kind' || given.includes(name)) continue;
    want[name] = typeof value === 'string' ? bytes(fact, name, bytesToText) : value;
  }
  return want;
}

/** The value or the error, under two names. */
function either(have: Record<string, unknown>, name: string, call: () => unknown): void {
  const result = attempt(call);
  if (result.error === undefined) have[name] = result.value;
  else have[`${name}Error`] = result.error;
}

function input(fact: Fact, field: string): string {
  return bytes(fact, field, bytesToText) ?? '';
}

const checks: Readonly<Record<string, (fact: Fact) => string | undefined>> = {
  sprintf(fact) {
    const have = sprintf(text(fact, 'format'), [argument(text(fact, 'arg'))]);
    return differences({ output: have }, { output: bytes(fact, 'output', bytesToText) });
  },
  formatFloat(fact) {
    const value = Buffer.from(text(fact, 'bits'), 'hex').readDoubleBE();
    const formats: Record<string, string> = {};
    for (const key of Object.keys(fact['formats'] as object))
      formats[key] = formatFloat(value, key[0] as FloatFormat, Number(key.slice(1)));
    const have = { formats, g32: formatFloat(Math.fround(value), 'g', -1, 32), print: formatG(value) };
    return differences(have, { formats: fact['formats'], g32: fact['g32'], print: fact['print'] });
  },
  quote(fact) {
    const source = input(fact, 'input');
    const have = {
      quote: quote(source),
      ascii: quote(source, 'ascii'),
      graphic: quote(source, 'graphic'),
      canBackquote: canBackquote(source),
    };
    return differences(have, { quote: fact['quote'], ascii: fact['ascii'], graphic: fact['graphic'], canBackquote: fact['canBackquote'] });
  },
  parse(fact) {
    const source = input(fact, 'input');
    const have: Record<string, unknown> = {};
    either(have, 'atoi', () => String(atoi(source)));
    either(have, 'bool', () => String(parseBool(source)));
    either(have, 'float', () => formatFloat(parseFloat64(source), 'g', -1));
    either(have, 'int0', () => String(parseInteger(source, 0)));
    either(have, 'int10', () => String(parseInteger(source, 10)));
    either(have, 'uint10', () => String(parseUnsigned(source, 10)));
    return differences(have, wanted(fact, 'input'));
  },
  unquote(fact) {
    const { value, error } = attempt(() => unquote(input(fact, 'input')));
    return differences(error === undefined ? { output: value } : { error }, wanted(fact, 'input'));
  },
  duration(fact) {
    const source = fact['input'];
    if (typeof source !== 'string') return differences({ string: formatGoDuration(BigInt(text(fact, 'ns'))) }, { string: fact['string'] });
    const { value, error } = attempt(() => parseGoDuration(source));
    if (value === undefined) return differences({ error }, wanted(fact, 'input'));
    const have = {
      ns: String(value),
      roundSecond: formatGoDuration(roundDuration(value, 1_000_000_000n)),
      seconds: durationValue(value).type.methods?.get('Seconds')?.call(durationValue(value), []),
      string: formatGoDuration(value),
      truncateMinute: formatGoDuration(truncateDuration(value, 60_000_000_000n)),
    };
    return differences(have, wanted(fact, 'input'));
  },
  timeFormat(fact) {
    const [, seconds = '', nanos = ''] = /^(-?\d+)\.(\d+)$/.exec(text(fact, 'unixNano')) ?? [];
    const iso = text(fact, 'time');
    const zone = text(fact, 'zone');
    const [, sign = '+', hours = '0', minutes = '0'] = /([+-])(\d\d):(\d\d)$/.exec(iso.slice(10)) ?? [];
    const offset = (sign === '-' ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60);
    const time = unixTime(BigInt(seconds), BigInt(nanos), zone === 'UTC' ? utc : fixedZone(/^[+-]/.test(zone) ? '' : zone, offset));
    const have = { output: formatTime(time, text(fact, 'layout')), time: formatTime(time, '2006-01-02T15:04:05.999999999Z07:00') };
    return differences(have, { output: fact['output'], time: iso });
  },
  timeParse(fact) {
    const { value, error } = attempt(() => parseTime(text(fact, 'layout'), text(fact, 'input')));
    if (value === undefined) return differences({ error }, wanted(fact, 'input', 'layout'));
    const have = { output: formatTime(inZone(value, value.zone), '2006-01-02T15:04:05.999999999Z07:00'), string: timeToString(value) };
    return differences(have, wanted(fact, 'input', 'layout'));
  },
  regexp(fact) {
    const { value: regexp, error } = attempt(() => GoRegexp.compile(input(fact, 'pattern')));
    if (regexp === undefined) return differences({ error: error.toWellFormed() }, { error: fact['error'] });
    const source = input(fact, 'text');
    const replacement = input(fact, 'repl');
    const found = regexp.findAll(source);
    const have: Record<string, unknown> = {
      index: found.length === 0 ? null : found.map((span) => toByteOffsets(source, span)),
      literal: regexp.replaceAllLiteral(source, replacement),
      match: regexp.test(source),
      replaced: regexp.replaceAll(source, replacement),
    };
    // Facts leave out lists with bytes outside UTF-8.
    for (const [name, parts] of [
      ['split', regexp.split(source, -1)],
      ['split2', regexp.split(source, 2)],
    ] as const) {
      if (parts?.every((part) => part.isWellFormed())) have[name] = parts;
    }
    if (regexp.groupNames.length > 1) have['names'] = regexp.groupNames;
    return differences(have, wanted(fact, 'pattern', 'text', 'repl'));
  },
  quoteMeta: (fact) => differences({ output: quoteMeta(input(fact, 'input')) }, wanted(fact, 'input')),
  glob(fact) {
    const { value: glob, error } = attempt(() => compileGlob(input(fact, 'pattern')));
    if (glob === undefined) return differences({ error }, wanted(fact, 'pattern', 'names'));
    return differences({ matches: names(fact).filter((name) => glob(name)) }, wanted(fact, 'pattern', 'names'));
  },
  filepathMatch(fact) {
    const pattern = input(fact, 'pattern');
    const matches: string[] = [];
    const have: Record<string, unknown> = { matches };
    for (const name of names(fact)) {
      const { value, error } = attempt(() => filepathMatch(pattern, name));
      if (value === true) matches.push(name);
      if (error !== undefined) have['error'] = error;
    }
    return differences(have, wanted(fact, 'pattern', 'names'));
  },
  path(fact) {
    const path = input(fact, 'path');
    const have = {
      base: basePath(path),
      clean: cleanPath(path),
      dir: dirPath(path),
      ext: extPath(path),
      isAbs: isAbsPath(path),
      join: joinPath('r', path, 'x'),
    };
    return differences(have, wanted(fact, 'path'));
  },
};

function names(fact: Fact): string[] {
  const list = fact['names'];
  return Array.isArray(list) ? list.map(String) : [];
}
