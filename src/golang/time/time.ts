import { clampDuration, SECOND, type Nanoseconds } from './duration.ts';
import { utc, type Zone, type ZoneOffset } from './zone.ts';

/** An instant with nanoseconds, seen in a zone: Go's time.Time without the monotonic reading. */
export type GoTime = {
  /** Seconds since 1970, 64 bits. */
  readonly unix: bigint;
  /** 0–999,999,999. */
  readonly nanos: number;
  readonly zone: Zone;
};

/** The clock on the wall. */
export type CivilTime = {
  year: number;
  /** 1–12. */
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  /** 1–366. */
  yearDay: number;
  /** 0 is Sunday. */
  weekday: number;
};

/** January 1, year 1, 00:00 UTC: `Time{}`. */
export const zeroTime: GoTime = { unix: -62_135_596_800n, nanos: 0, zone: utc };

/** Seconds from Go's absolute beginning (March 1, −292277022400) to 1970; arithmetic wraps at 64 bits there. */
const ABSOLUTE_TO_UNIX = 9_223_372_028_741_760_000n;
/** Days from March 1 of year 0 to 1970. */
const MARCH_TO_UNIX = 719_468n;

/** Abbreviation and offset in force at the time, in its zone. */
export function offsetOf(time: GoTime): ZoneOffset {
  return time.zone.at(time.unix);
}

/** Year, month, day and so on of a time in its zone. */
export function civil(time: GoTime): CivilTime {
  const absolute = BigInt.asUintN(64, time.unix + BigInt(offsetOf(time).seconds) + ABSOLUTE_TO_UNIX);
  const seconds = absolute - ABSOLUTE_TO_UNIX;
  const days = floorDiv(seconds, 86_400n);
  const clock = Number(seconds - days * 86_400n);
  return {
    ...civilDate(days),
    hour: Math.trunc(clock / 3600),
    minute: Math.trunc(clock / 60) % 60,
    second: clock % 60,
    weekday: Number((((days + 4n) % 7n) + 7n) % 7n),
  };
}

function floorDiv(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b < 0n ? quotient - 1n : quotient;
}

/** Proleptic Gregorian date of a day counted from 1970. Years are counted from March, so the leap day comes last. */
function civilDate(days: bigint): { year: number; month: number; day: number; yearDay: number } {
  const shifted = days + MARCH_TO_UNIX;
  const era = floorDiv(shifted, 146_097n);
  const dayOfEra = Number(shifted - era * 146_097n);
  const yearOfEra = Math.trunc(
    (dayOfEra - Math.trunc(dayOfEra / 1460) + Math.trunc(dayOfEra / 36_524) - Math.trunc(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.trunc(yearOfEra / 4) - Math.trunc(yearOfEra / 100));
  const marchMonth = Math.trunc((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.trunc((153 * marchMonth + 2) / 5) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const year = Number(era * 400n) + yearOfEra + (month <= 2 ? 1 : 0);
  return { year, month, day, yearDay: dayBeforeMonth(month, year) + day };
}

const daysBefore = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];

/** Days of the year before the month begins. */
export function dayBeforeMonth(month: number, year: number): number {
  return (daysBefore[month - 1] ?? 0) + (month > 2 && isLeapYear(year) ? 1 : 0);
}

export function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

export function daysInMonth(month: number, year: number): number {
  if (month === 2) return isLeapYear(year) ? 29 : 28;
  return (daysBefore[month] ?? 0) - (daysBefore[month - 1] ?? 0);
}

/** Fields for {@link makeTime}; any may be out of its usual range. */
export type TimeFields = {
  year: number;
  month: number;
  day: number;
  hour?: number;
  minute?: number;
  second?: number;
  nanos?: number | bigint;
};

/** time.Date: normalises the fields and finds the instant in the zone. */
export function makeTime(fields: TimeFields, zone: Zone): GoTime {
  const { hour = 0, minute = 0, second = 0, nanos = 0 } = fields;
  const months = fields.month - 1;
  const year = fields.year + Math.floor(months / 12);
  const month = ((months % 12) + 12) % 12;
  const extra = floorDiv(BigInt(nanos), SECOND);
  const days = daysFromCivil(year, month + 1) + BigInt(fields.day) - 1n;
  const wall = days * 86_400n + BigInt(hour) * 3600n + BigInt(minute) * 60n + BigInt(second) + extra;
  return { unix: BigInt.asIntN(64, fromWall(wall, zone)), nanos: Number(BigInt(nanos) - extra * SECOND), zone };
}

/** The instant at which the zone's clock shows `wall`; in a gap or overlap it guesses as Go does. */
function fromWall(wall: bigint, zone: Zone): bigint {
  const first = BigInt(zone.at(wall).seconds);
  const guess = wall - first;
  const second = BigInt(zone.at(guess).seconds);
  return second === first ? guess : wall - second;
}

function daysFromCivil(year: number, month: number): bigint {
  const shifted = BigInt(month <= 2 ? year - 1 : year);
  const era = floorDiv(shifted, 400n);
  const yearOfEra = Number(shifted - era * 400n);
  const dayOfYear = Math.trunc((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5);
  const dayOfEra = yearOfEra * 365 + Math.trunc(yearOfEra / 4) - Math.trunc(yearOfEra / 100) + dayOfYear;
  return era * 146_097n + BigInt(dayOfEra) - MARCH_TO_UNIX;
}

/** time.Unix, in a zone. */
export function unixTime(seconds: bigint, nanos: bigint, zone: Zone): GoTime {
  const extra = floorDiv(nanos, SECOND);
  return { unix: BigInt.asIntN(64, seconds + extra), nanos: Number(nanos - extra * SECOND), zone };
}

/** The time of JavaScript's milliseconds since 1970. */
export function timeFromMillis(milliseconds: number, zone: Zone): GoTime {
  return unixTime(0n, BigInt(Math.trunc(milliseconds)) * 1_000_000n, zone);
}

/** Time.Add. */
export function addDuration(time: GoTime, duration: Nanoseconds): GoTime {
  return unixTime(time.unix, BigInt(time.nanos) + duration, time.zone);
}

/** Time.Sub: saturates. */
export function timeSince(later: GoTime, earlier: GoTime): Nanoseconds {
  return clampDuration((later.unix - earlier.unix) * SECOND + BigInt(later.nanos - earlier.nanos));
}

/** Time.Compare. */
export function compareTimes(a: GoTime, b: GoTime): number {
  if (a.unix !== b.unix) return a.unix < b.unix ? -1 : 1;
  return Math.sign(a.nanos - b.nanos);
}

/** Time.In. */
export function inZone(time: GoTime, zone: Zone): GoTime {
  return { ...time, zone };
}
