import {
  addDuration,
  anyType,
  formatGoDuration,
  formatTime,
  GoError,
  GoInt,
  GoStruct,
  inZone,
  intTypes,
  loadZone,
  local,
  parseGoDuration,
  parseTime,
  roundDuration,
  scanInt,
  stringType,
  timeFromMillis,
  timeOf,
  timeSince,
  timeType,
  timeValue,
  unixTime,
  utc,
  zeroTime,
  type GoTime,
  type GoValue,
  type IntKind,
} from '../../golang/index.ts';
import { fn, text, type Functions } from './define.ts';
import type { Providers } from './providers.ts';

const SECOND = 1_000_000_000n;
const S = stringType;
const A = anyType;

/** A value of one of the predeclared integer types named, as a bigint. */
function integerOf(value: GoValue, ...kinds: readonly IntKind[]): bigint | undefined {
  if (!(value instanceof GoInt) || !kinds.some((kind) => value.type === intTypes[kind])) return undefined;
  return BigInt(value.value);
}

function isTime(value: GoValue): value is GoStruct {
  return value instanceof GoStruct && value.structType === timeType;
}

/** The value when reading succeeds, `otherwise` when Go would report an error. */
function orElse<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof GoError) return otherwise;
    throw error;
  }
}

function zoneOrUtc(name: string): GoTime['zone'] {
  return orElse(() => loadZone(name), utc);
}

/** Nanoseconds that a duration of whole seconds has, wrapped to 64 bits. */
function seconds(value: GoValue): bigint {
  if (typeof value === 'string') return scanInt(value).value;
  return integerOf(value, 'int64') ?? 0n;
}

const units: readonly (readonly [bigint, string])[] = [
  [365n * 86_400n * SECOND, 'y'],
  [30n * 86_400n * SECOND, 'mo'],
  [86_400n * SECOND, 'd'],
  [3600n * SECOND, 'h'],
  [60n * SECOND, 'm'],
  [SECOND, 's'],
];

/** The largest unit of which there is more than one's worth; the sign is lost. */
function roundToUnit(duration: bigint): string {
  const size = duration < 0n ? -duration : duration;
  const unit = units.find(([length]) => size > length);
  return unit === undefined ? '0s' : `${size / unit[0]}${unit[1]}`;
}

/** Dates. Whatever is no time (and no number of seconds) means now. */
export function dateFunctions(providers: Providers): Functions {
  const now = (): GoTime => timeFromMillis(providers.now(), local);
  const moment = (value: GoValue, ...kinds: readonly IntKind[]): GoTime => {
    if (isTime(value)) return timeOf(value);
    const unix = integerOf(value, ...kinds);
    return unix === undefined ? now() : unixTime(unix, 0n, local);
  };
  const format = (layout: GoValue, value: GoValue, zone: string): string =>
    formatTime(inZone(moment(value, 'int', 'int32', 'int64'), zoneOrUtc(zone)), text(layout));
  const dateInZone = fn([S, A, S], S, (layout, value, zone) => format(layout, value, text(zone)));
  const dateModify = fn([S, timeType], timeType, (change, time) =>
    orElse(() => timeValue(addDuration(timeOf(time), parseGoDuration(text(change)))), time),
  );
  const mustDateModify = fn([S, timeType], timeType, (change, time) => timeValue(addDuration(timeOf(time), parseGoDuration(text(change)))));
  const parse = (layout: GoValue, value: GoValue): GoStruct => timeValue(parseTime(text(layout), text(value), local, local));
  return {
    now: fn([], timeType, () => timeValue(now())),
    date: fn([S, A], S, (layout, value) => format(layout, value, 'Local')),
    dateInZone,
    date_in_zone: dateInZone,
    htmlDate: fn([A], S, (value) => format('2006-01-02', value, 'Local')),
    htmlDateInZone: fn([A, S], S, (value, zone) => format('2006-01-02', value, text(zone))),
    dateModify,
    date_modify: dateModify,
    mustDateModify,
    must_date_modify: mustDateModify,
    toDate: fn([S, S], timeType, (layout, value) => orElse(() => parse(layout, value), timeValue(zeroTime))),
    mustToDate: fn([S, S], timeType, parse),
    ago: fn([A], S, (value) => formatGoDuration(roundDuration(timeSince(now(), moment(value, 'int', 'int64')), SECOND))),
    duration: fn([A], S, (value) => formatGoDuration(BigInt.asIntN(64, seconds(value) * SECOND))),
    durationRound: fn([A], S, (value) => {
      if (typeof value === 'string') return roundToUnit(orElse(() => parseGoDuration(value), 0n));
      if (isTime(value) && value.type === timeType) return roundToUnit(timeSince(now(), timeOf(value)));
      return roundToUnit(integerOf(value, 'int64') ?? 0n);
    }),
    unixEpoch: fn([timeType], S, (time) => String(timeOf(time).unix)),
  };
}
