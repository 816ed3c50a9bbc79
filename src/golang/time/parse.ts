import { GoError } from '../go-error.ts';
import { quoteForTime } from './duration.ts';
import { layoutChunks, longDays, longMonths, type Chunk, type Element } from './layout.ts';
import { dayBeforeMonth, daysInMonth, isLeapYear, makeTime, type GoTime } from './time.ts';
import { fixedZone, local, utc, type Zone } from './zone.ts';

/** Value does not have the form the element asks for. */
class BadField extends Error {}
/** Value has the form but not the range. */
class OutOfRange extends Error {}

/**
 * time.ParseInLocation; for time.Parse give `utc`. Zone offsets and names are matched against `matching` first (time.Parse: Local).
 * Throws a GoError with the library's text.
 */
export function parseTime(layout: string, value: string, zone: Zone = utc, matching: Zone = local): GoTime {
  return new TimeParser(layout, value).parse(zone, matching);
}

class TimeParser {
  readonly #layout: string;
  readonly #whole: string;
  #rest: string;
  #year = 0;
  #month = -1;
  #day = -1;
  #yearDay = -1;
  #hour = 0;
  #minute = 0;
  #second = 0;
  #nanos = 0;
  #pm = false;
  #am = false;
  #utc = false;
  #offset = -1;
  #zoneName = '';

  constructor(layout: string, value: string) {
    this.#layout = layout;
    this.#whole = value;
    this.#rest = value;
  }

  parse(zone: Zone, matching: Zone): GoTime {
    const chunks = layoutChunks(this.#layout);
    for (const [i, chunk] of chunks.entries()) {
      this.#skip(chunk.prefix);
      if (chunk.element === undefined) {
        if (this.#rest !== '') throw this.#problem(`: extra text: ${quoteForTime(this.#rest)}`);
        break;
      }
      this.#element(chunk, chunks[i + 1]);
    }
    if (this.#pm && this.#hour < 12) this.#hour += 12;
    else if (this.#am && this.#hour === 12) this.#hour = 0;
    this.#resolveDate();
    return this.#result(zone, matching);
  }

  #problem(message: string): GoError {
    return new GoError(`parsing time ${quoteForTime(this.#whole)}${message}`);
  }

  #cannotParse(value: string, element: string): GoError {
    return this.#problem(` as ${quoteForTime(this.#layout)}: cannot parse ${quoteForTime(value)} as ${quoteForTime(element)}`);
  }

  /** Passes literal text; runs of spaces match runs of spaces. */
  #skip(prefix: string): void {
    let at = 0;
    while (at < prefix.length) {
      if (prefix[at] === ' ') {
        if (this.#rest !== '' && !this.#rest.startsWith(' ')) throw this.#cannotParse(this.#rest, prefix);
        while (prefix[at] === ' ') at += 1;
        this.#rest = this.#rest.replace(/^ +/, '');
      } else {
        if (this.#rest[0] !== prefix[at]) throw this.#cannotParse(this.#rest, prefix);
        at += 1;
        this.#rest = this.#rest.slice(1);
      }
    }
  }

  #element(chunk: Chunk, next: Chunk | undefined): void {
    const before = this.#rest;
    try {
      this.#read(chunk.element ?? '1', chunk.text, next);
    } catch (error) {
      if (error instanceof BadField) throw this.#cannotParse(before, chunk.text);
      if (error instanceof OutOfRange) throw this.#problem(`: ${error.message} out of range`);
      throw error;
    }
  }

  #read(element: Element, text: string, next: Chunk | undefined): void {
    switch (element) {
      case '06': {
        const year = this.#takeInteger(2);
        this.#year = year + (year >= 69 ? 1900 : 2000);
        break;
      }
      case '2006':
        if (!/^\d/.test(this.#rest)) throw new BadField();
        this.#year = this.#takeInteger(4);
        break;
      case 'Jan':
      case 'January':
        this.#month = this.#name(longMonths, element === 'Jan') + 1;
        break;
      case '1':
      case '01':
        this.#month = this.#digits(2, element === '01');
        if (this.#month < 1 || this.#month > 12) throw new OutOfRange('month');
        break;
      case 'Mon':
      case 'Monday':
        this.#name(longDays, element === 'Mon');
        break;
      case '2':
      case '_2':
      case '02':
        if (element === '_2') this.#rest = this.#rest.replace(/^ /, '');
        this.#day = this.#digits(2, element === '02');
        break;
      case '__2':
      case '002':
        if (element === '__2') this.#rest = this.#rest.replace(/^ {1,2}/, '');
        this.#yearDay = this.#digits(3, element === '002');
        break;
      default:
        this.#readClock(element, text, next);
    }
  }

  #readClock(element: Element, text: string, next: Chunk | undefined): void {
    switch (element) {
      case '15':
        this.#hour = this.#digits(2, false);
        if (this.#hour >= 24) throw new OutOfRange('hour');
        break;
      case '3':
      case '03':
        this.#hour = this.#digits(2, element === '03');
        if (this.#hour > 12) throw new OutOfRange('hour');
        break;
      case '4':
      case '04':
        this.#minute = this.#digits(2, element === '04');
        if (this.#minute >= 60) throw new OutOfRange('minute');
        break;
      case '5':
      case '05':
        this.#readSecond(element === '05', next);
        break;
      case 'PM':
      case 'pm': {
        const mark = this.#take(2);
        const [am, pm] = element === 'PM' ? ['AM', 'PM'] : ['am', 'pm'];
        if (mark === pm) this.#pm = true;
        else if (mark === am) this.#am = true;
        else throw new BadField();
        break;
      }
      case 'MST':
        this.#readZoneName();
        break;
      case 'fraction':
        this.#readFraction(text);
        break;
      default:
        this.#readOffset(element);
    }
  }

  #readSecond(fixed: boolean, next: Chunk | undefined): void {
    this.#second = this.#digits(2, fixed);
    if (this.#second >= 60) throw new OutOfRange('second');
    // A fraction in the value is taken even when the layout has none.
    const fraction = /^[.,]\d+/.exec(this.#rest);
    if (fraction !== null && next?.element !== 'fraction') this.#takeNanos(fraction[0].length);
  }

  #readFraction(text: string): void {
    if (text.endsWith('0')) {
      if (this.#rest.length < text.length || !/^[.,]/.test(this.#rest)) throw new BadField();
      this.#takeNanos(text.length);
      return;
    }
    const fraction = /^[.,]\d+/.exec(this.#rest);
    if (fraction !== null) this.#takeNanos(fraction[0].length);
  }

  #takeNanos(length: number): void {
    const digits = this.#rest.slice(1, Math.min(length, 10));
    // A sign inside the digits is what Go's atoi lets through; a negative fraction is then out of range.
    if (!/^[+-]?\d+$/.test(digits)) throw new BadField();
    const value = Number(digits);
    if (value < 0) throw new OutOfRange('fractional second');
    this.#nanos = value * 10 ** (10 - Math.min(length, 10));
    this.#rest = this.#rest.slice(length);
  }

  #readZoneName(): void {
    if (this.#rest.startsWith('UTC')) {
      this.#utc = true;
      this.#rest = this.#rest.slice(3);
      return;
    }
    const length = zoneNameLength(this.#rest);
    if (length === 0) throw new BadField();
    this.#zoneName = this.#take(length);
  }

  #readOffset(element: Element): void {
    if (element.startsWith('Z') && this.#rest.startsWith('Z')) {
      this.#utc = true;
      this.#rest = this.#rest.slice(1);
      return;
    }
    const value = this.#take(element.length);
    if (element.includes(':') && (value[3] !== ':' || (element.length === 9 && value[6] !== ':'))) throw new BadField();
    const digits = element.includes(':') ? value.slice(1).replaceAll(':', '') : value.slice(1);
    const parts = [digits.slice(0, 2), digits.slice(2, 4), digits.slice(4, 6)].map((part) => (part === '' ? '00' : part));
    let bad = false;
    const numbers = parts.map((part) => {
      bad ||= !/^\d\d$/.test(part);
      return bad ? 0 : Number(part);
    });
    const [hours = 0, minutes = 0, seconds = 0] = numbers;
    if (hours > 24) throw new OutOfRange('time zone offset hour');
    if (minutes > 60) throw new OutOfRange('time zone offset minute');
    if (seconds > 60) throw new OutOfRange('time zone offset second');
    if (bad || (value[0] !== '+' && value[0] !== '-')) throw new BadField();
    const size = (hours * 60 + minutes) * 60 + seconds;
    this.#offset = value[0] === '-' ? -size : size;
  }

  #take(length: number): string {
    if (this.#rest.length < length) throw new BadField();
    const taken = this.#rest.slice(0, length);
    this.#rest = this.#rest.slice(length);
    return taken;
  }

  /** Exactly `length` characters that Go's atoi takes. */
  #takeInteger(length: number): number {
    const text = this.#take(length);
    if (!/^[+-]?\d+$/.test(text)) throw new BadField();
    return Number(text);
  }

  /** Up to `most` digits; all of them when `fixed`. */
  #digits(most: 2 | 3, fixed: boolean): number {
    const found = (most === 2 ? /^\d{1,2}/ : /^\d{1,3}/).exec(this.#rest);
    if (found === null || (fixed && found[0].length < most)) throw new BadField();
    this.#rest = this.#rest.slice(found[0].length);
    return Number(found[0]);
  }

  #name(names: readonly string[], short: boolean): number {
    const rest = this.#rest.toLowerCase();
    for (const [i, long] of names.entries()) {
      const name = short ? long.slice(0, 3) : long;
      if (!rest.startsWith(name.toLowerCase())) continue;
      this.#rest = this.#rest.slice(name.length);
      return i;
    }
    throw new BadField();
  }

  #resolveDate(): void {
    if (this.#yearDay >= 0) this.#resolveYearDay();
    if (this.#month < 0) this.#month = 1;
    if (this.#day < 0) this.#day = 1;
    if (this.#day < 1 || this.#day > daysInMonth(this.#month, this.#year)) throw this.#problem(': day out of range');
  }

  #resolveYearDay(): void {
    const length = isLeapYear(this.#year) ? 366 : 365;
    if (this.#yearDay < 1 || this.#yearDay > length) throw this.#problem(': day-of-year out of range');
    let month = 12;
    while (dayBeforeMonth(month, this.#year) >= this.#yearDay) month -= 1;
    const day = this.#yearDay - dayBeforeMonth(month, this.#year);
    if (this.#month >= 0 && this.#month !== month) throw this.#problem(': day-of-year does not match month');
    if (this.#day >= 0 && this.#day !== day) throw this.#problem(': day-of-year does not match day');
    this.#month = month;
    this.#day = day;
  }

  #result(zone: Zone, matching: Zone): GoTime {
    const fields = {
      year: this.#year,
      month: this.#month,
      day: this.#day,
      hour: this.#hour,
      minute: this.#minute,
      second: this.#second,
      nanos: this.#nanos,
    };
    if (this.#utc) return makeTime(fields, utc);
    const name = this.#zoneName;
    if (this.#offset !== -1) {
      const shown = makeTime(fields, utc);
      const time = { ...shown, unix: shown.unix - BigInt(this.#offset) };
      const known = matching.at(time.unix);
      const matches = known.seconds === this.#offset && (name === '' || known.abbreviation === name);
      return { ...time, zone: matches ? matching : fixedZone(name, this.#offset) };
    }
    if (name === '') return makeTime(fields, zone);
    const shown = makeTime(fields, utc);
    const known = matching.at(shown.unix);
    if (known.abbreviation === name) return { ...shown, unix: shown.unix - BigInt(known.seconds), zone: matching };
    const offset = name.startsWith('GMT') && name.length > 3 ? Number(name.slice(3)) * 3600 : 0;
    return { ...shown, zone: fixedZone(name, offset) };
  }
}

/** How much of the value is a zone abbreviation, 0 when it does not start with one. */
function zoneNameLength(value: string): number {
  if (value.length < 3) return 0;
  if (value.startsWith('ChST') || value.startsWith('MeST')) return 4;
  if (value.startsWith('GMT')) return 3 + signedOffsetLength(value.slice(3));
  if (/^[+-]/.test(value)) return signedOffsetLength(value);
  const upper = /^[A-Z]{0,6}/.exec(value)?.[0].length ?? 0;
  if (upper === 5) return value[4] === 'T' ? 5 : 0;
  if (upper === 4) return value[3] === 'T' || value.startsWith('WITA') ? 4 : 0;
  return upper === 3 ? 3 : 0;
}

function signedOffsetLength(value: string): number {
  const found = /^[+-](\d+)/.exec(value);
  return found === null || Number(found[1]) > 23 ? 0 : found[0].length;
}
