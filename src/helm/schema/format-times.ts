import { quoteForTime, quoteRune, sliceBytes } from '../../golang/index.ts';

/** RFC 3339 full-date, with the texts of Go's time.Parse("2006-01-02"). */
export function checkDate(text: string): string | undefined {
  const failed = (rest: string, want: string): string =>
    `parsing time ${quoteForTime(text)} as "2006-01-02": cannot parse ${quoteForTime(rest)} as ${quoteForTime(want)}`;
  if (!/^\d{4}/.test(text)) return failed(text, '2006');
  let at = 4;
  const numbers: number[] = [];
  for (const want of ['01', '02']) {
    if (text[at] !== '-') return failed(text.slice(at), '-');
    const digits = text.slice(at + 1, at + 3);
    if (!/^\d\d$/.test(digits)) return failed(text.slice(at + 1), want);
    numbers.push(Number(digits));
    if (want === '01' && (Number(digits) < 1 || Number(digits) > 12)) return `parsing time ${quoteForTime(text)}: month out of range`;
    at += 3;
  }
  if (at < text.length) return `parsing time ${quoteForTime(text)}: extra text: ${quoteForTime(text.slice(at))}`;
  const [month = 1, day = 1] = numbers;
  const days = new Date(Date.UTC(2000 + (Number(text.slice(0, 4)) % 400), month, 0)).getUTCDate();
  return day < 1 || day > days ? `parsing time ${quoteForTime(text)}: day out of range` : undefined;
}

/** RFC 3339 full-time, leap seconds allowed. */
export function checkTime(text: string): string | undefined {
  if (Buffer.byteLength(text) < 9) return 'less than 9 characters long';
  if (byteAt(text, 2) !== ':' || byteAt(text, 5) !== ':') return 'missing colon in correct place';
  const parts = sliceBytes(text, 0, 8).split(':');
  if (!parts.every((part) => /^[+-]?\d+$/.test(part))) return 'invalid hour/min/sec';
  const [hour = 0, minute = 0, second = 0] = parts.map(Number);
  if (hour < 0 || minute < 0 || second < 0) return 'non-positive hour/min/sec';
  if (hour > 23 || minute > 59 || second > 60) return 'hour/min/sec out of range';
  let rest = sliceBytes(text, 8, Buffer.byteLength(text));
  if (rest.startsWith('.')) {
    const digits = /^\d*/.exec(rest.slice(1))?.[0] ?? '';
    if (digits === '') return 'no digits in second fraction';
    rest = rest.slice(1 + digits.length);
  }
  const offset = offsetMinutes(rest);
  if (typeof offset === 'string') return offset;
  const utc = (hour * 60 + minute + offset + 24 * 60) % (24 * 60);
  return second >= 60 && utc !== 23 * 60 + 59 ? 'invalid leap second' : undefined;
}

function offsetMinutes(text: string): number | string {
  if (text === 'z' || text === 'Z') return 0;
  if (Buffer.byteLength(text) !== 6) return 'offset must be 6 characters long';
  const sign = text.startsWith('+') ? -1 : text.startsWith('-') ? 1 : 0;
  if (sign === 0) return 'offset must begin with plus/minus';
  if (text[3] !== ':') return 'missing colon in offset in correct place';
  const parts = text.slice(1).split(':');
  if (!parts.every((part) => /^[+-]?\d+$/.test(part))) return 'invalid hour/min in offset';
  const [hour = 0, minute = 0] = parts.map(Number);
  if (hour < 0 || minute < 0) return 'non-positive hour/min in offset';
  return hour > 23 || minute > 59 ? 'hour/min in offset out of range' : sign * (hour * 60 + minute);
}

/** RFC 3339 date-time. */
export function checkDateTime(text: string): string | undefined {
  if (Buffer.byteLength(text) < 20) return 'less than 20 characters long';
  if (byteAt(text, 10) !== 't' && byteAt(text, 10) !== 'T') return '11th character must be t or T';
  const date = checkDate(sliceBytes(text, 0, 10));
  if (date !== undefined) return `invalid date element: ${date}`;
  const time = checkTime(sliceBytes(text, 11, Buffer.byteLength(text)));
  return time === undefined ? undefined : `invalid time element: ${time}`;
}

const UNITS = ['YMD', 'HMS'];

/** RFC 3339 appendix A duration. */
export function checkDuration(text: string): string | undefined {
  if (!text.startsWith('P')) return 'must start with P';
  const body = text.slice(1);
  if (body === '') return 'nothing after P';
  if (body.endsWith('W')) {
    const weeks = body.slice(0, -1);
    if (weeks === '') return 'no number in week';
    return /^\d+$/.test(weeks) ? undefined : 'invalid week';
  }
  for (const [i, part] of body.split('T').entries()) {
    if (i !== 0 && part === '') return 'no time elements';
    const all = UNITS[i];
    if (all === undefined) return 'more than one T';
    const problem = checkDurationPart(part, all);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function checkDurationPart(text: string, all: string): string | undefined {
  let rest = text;
  let units = all;
  while (rest !== '') {
    const digits = /^\d*/.exec(rest)?.[0] ?? '';
    if (digits === '') return 'missing number';
    const unit = rest[digits.length];
    if (unit === undefined) return 'missing unit';
    const at = units.indexOf(unit);
    if (at < 0)
      return all.includes(unit) ? `unit ${quoteRune(unit.charCodeAt(0))} out of order` : `invalid unit ${quoteRune(unit.charCodeAt(0))}`;
    units = units.slice(at + 1);
    rest = rest.slice(digits.length + 1);
  }
  return undefined;
}

/** ISO 8601 period: two of start, duration and end. */
export function checkPeriod(text: string): string | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return 'missing slash';
  const start = text.slice(0, slash);
  const end = text.slice(slash + 1);
  const first = start.startsWith('P') ? named('start duration', checkDuration(start)) : named('start date-time', checkDateTime(start));
  if (first !== undefined) return first;
  const duration = !start.startsWith('P') && end.startsWith('P');
  return duration ? named('end duration', checkDuration(end)) : named('end date-time', checkDateTime(end));
}

function named(what: string, problem: string | undefined): string | undefined {
  return problem === undefined ? undefined : `invalid ${what}: ${problem}`;
}

function byteAt(text: string, at: number): string {
  return sliceBytes(text, at, at + 1);
}
