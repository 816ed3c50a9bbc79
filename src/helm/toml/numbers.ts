import {
  fixedZone,
  GoError,
  goInt64,
  local,
  parseFloat64,
  parseInteger,
  parseTime,
  timeValue,
  type GoTime,
  type GoValue,
  type Zone,
} from '../../golang/index.ts';
import { type Cursor, END, isDigit, isHexDigit, shown, shownText, TomlFailure } from './cursor.ts';

/** A number, date or time: the first rune is a digit or a sign. */
export function readNumber(cursor: Cursor): GoValue {
  const from = cursor.position;
  const sign = cursor.peek();
  if (sign === '+' || sign === '-') {
    cursor.next();
    const special = readSigned(cursor, from);
    if (special !== undefined) return special;
    return decimal(cursor, from);
  }
  if (cursor.accept('0')) return afterZero(cursor, from);
  return numberOrDate(cursor, from);
}

/** What follows a sign: `inf`, `nan`, or a first digit; undefined when digits follow. */
function readSigned(cursor: Cursor, from: number): GoValue {
  const rune = cursor.next();
  if (rune === 'i' || rune === 'n') {
    const rest = rune === 'i' ? 'nf' : 'an';
    for (const char of rest) if (!cursor.accept(char)) throw cursor.failure(`invalid float: '${cursor.since(from)}'`, cursor.look(0));
    return float(cursor, cursor.since(from));
  }
  if (rune === '.') throw cursor.failure("floats must start with a digit, not '.'", rune);
  if (rune === '0' && ['b', 'o', 'x'].includes(cursor.peek())) {
    throw cursor.failure(`cannot use sign with non-decimal numbers: '${cursor.since(from)}${cursor.peek()}'`, rune);
  }
  if (!isDigit(rune)) throw cursor.failure(`expected a digit but got ${shown(rune)}`, rune);
  return undefined;
}

const BASES: Readonly<Record<string, { name: string; isDigit: (rune: string) => boolean }>> = {
  b: { name: 'a binary', isDigit: (rune) => rune === '0' || rune === '1' },
  o: { name: 'an octal', isDigit: (rune) => /^[0-7]$/.test(rune) },
  x: { name: 'a hexadecimal', isDigit: isHexDigit },
};

function afterZero(cursor: Cursor, from: number): GoValue {
  const rune = cursor.peek();
  const base = BASES[rune];
  if (rune !== END && base !== undefined) {
    cursor.next();
    const digit = cursor.peek();
    if (!base.isDigit(digit))
      throw cursor.failure(`not ${base.name} number: '${cursor.since(from)}${digit === END ? '\0' : digit}'`, digit);
    cursor.takeWhile((next) => next === '_' || base.isDigit(next));
    return integer(cursor, cursor.since(from));
  }
  if (isDigit(rune)) return numberOrDate(cursor, from);
  if (rune === '_') return decimal(cursor, from);
  return rune === '.' || rune === 'e' || rune === 'E' ? floatRest(cursor, from) : integer(cursor, cursor.since(from));
}

function numberOrDate(cursor: Cursor, from: number): GoValue {
  cursor.takeWhile(isDigit);
  const rune = cursor.peek();
  if (rune === '-' || rune === ':') {
    cursor.takeWhile((next) => isDigit(next) || /^[-:Tt .Zz+]$/.test(next));
    return dateTime(cursor, cursor.since(from).trim());
  }
  return decimal(cursor, from);
}

function decimal(cursor: Cursor, from: number): GoValue {
  cursor.takeWhile((rune) => isDigit(rune) || rune === '_');
  return /^[.eE]$/.test(cursor.peek()) ? floatRest(cursor, from) : integer(cursor, cursor.since(from));
}

function floatRest(cursor: Cursor, from: number): GoValue {
  cursor.takeWhile((rune) => isDigit(rune) || /^[-_.+eE]$/.test(rune));
  return float(cursor, cursor.since(from));
}

function integer(cursor: Cursor, text: string): GoValue {
  const failed = (why: string): TomlFailure => new TomlFailure(why, cursor.line);
  if (!underscoresOk(text)) throw failed(`Invalid integer ${shownText(text)}: underscores must be surrounded by digits`);
  if (hasLeadingZero(text)) throw failed(`Invalid integer ${shownText(text)}: cannot have leading zeroes`);
  try {
    return goInt64(parseInteger(text.replaceAll('_', ''), 0));
  } catch (error) {
    if (!(error instanceof GoError)) throw error;
    throw failed(`${text} is out of range for int64`);
  }
}

function float(cursor: Cursor, text: string): GoValue {
  const failed = (why: string): TomlFailure => new TomlFailure(why, cursor.line);
  const parts = text.split(/[.eE]/).filter((part) => part !== '');
  if (!parts.every(underscoresOk)) throw failed(`Invalid float ${shownText(text)}: underscores must be surrounded by digits`);
  if (hasLeadingZero(parts[0] ?? '')) throw failed(`Invalid float ${shownText(text)}: cannot have leading zeroes`);
  if (/\.(\D|$)/.test(text)) throw failed(`Invalid float ${shownText(text)}: '.' must be followed by one or more digits`);
  const plain = text.replaceAll('_', '');
  if (/^[+-]?nan$/.test(plain)) return Number.NaN;
  try {
    return parseFloat64(plain);
  } catch (error) {
    if (!(error instanceof GoError)) throw error;
    throw failed(
      error.message.endsWith('value out of range') ? `${text} is out of range for float64` : `Invalid float value: ${shownText(text)}`,
    );
  }
}

function underscoresOk(text: string): boolean {
  if (/^[+-]?(nan|inf)$/.test(text)) return true;
  let accept = false;
  for (const rune of text) {
    if (rune === '_' && !accept) return false;
    accept = isHexDigit(rune);
  }
  return accept;
}

function hasLeadingZero(text: string): boolean {
  return (text.length > 1 && text.startsWith('0') && !/^0[box]/.test(text)) || /^[+-]0./.test(text);
}

const localDateTime: Zone = fixedZone('datetime-local', 0);
const localDate: Zone = fixedZone('date-local', 0);
const localTime: Zone = fixedZone('time-local', 0);

const LAYOUTS: readonly (readonly [layout: string, zone: Zone])[] = [
  ['2006-01-02T15:04:05.999999999Z07:00', local],
  ['2006-01-02T15:04:05.999999999', localDateTime],
  ['2006-01-02', localDate],
  ['15:04:05.999999999', localTime],
  ['2006-01-02T15:04Z07:00', local],
  ['2006-01-02T15:04', localDateTime],
  ['15:04', localTime],
];

function dateTime(cursor: Cursor, written: string): GoValue {
  const text = written.replaceAll('z', 'Z').replaceAll('t', 'T').replaceAll(' ', 'T');
  for (const [layout, zone] of LAYOUTS) {
    const time = tryParse(layout, text, zone);
    if (time === undefined) continue;
    if (lacksLeadingZero(text, layout)) break;
    return timeValue(time);
  }
  throw new TomlFailure(`invalid datetime: ${shownText(text)}`, cursor.line);
}

function tryParse(layout: string, text: string, zone: Zone): GoTime | undefined {
  try {
    return parseTime(layout, text, zone);
  } catch (error) {
    // Another layout may fit.
    if (error instanceof GoError) return undefined;
    throw error;
  }
}

/** Go reads `7:00` for `07:00`; TOML does not. */
function lacksLeadingZero(text: string, layout: string): boolean {
  for (const [i, char] of [...layout].entries()) {
    if (char === '.' || char === 'Z') return false;
    if (!isDigit(char) && text[i] !== char) return true;
  }
  return false;
}

/** The format a time is written in: its zone says what it had. */
export function tomlTimeLayout(zone: Zone): string {
  if (zone === localDateTime) return '2006-01-02T15:04:05.999999999';
  if (zone === localDate) return '2006-01-02';
  return zone === localTime ? '15:04:05.999999999' : '2006-01-02T15:04:05.999999999Z07:00';
}
