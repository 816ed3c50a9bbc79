import { GoError } from '../go-error.ts';
import {
  boolType,
  float64Type,
  int64Type,
  intType,
  namedType,
  pointerTo,
  stringType,
  structType,
  type GoField,
  type GoMethod,
  type GoType,
} from '../go-type.ts';
import { goInt, goInt64, goIntOf, GoInt, GoStruct, type GoValue } from '../value.ts';
import { formatGoDuration, HOUR, MICROSECOND, MILLISECOND, MINUTE, SECOND, truncateDuration } from './duration.ts';
import { formatTime, timeToGoString, timeToJson, timeToString } from './format.ts';
import { longDays, longMonths } from './layout.ts';
import { addDuration, civil, compareTimes, inZone, makeTime, timeSince, zeroTime, type CivilTime, type GoTime } from './time.ts';
import { local, utc } from './zone.ts';

function method(params: readonly GoType[], result: GoType, call: GoMethod['call']): GoMethod {
  return { params, result, call };
}

function nanosOf(value: GoValue): bigint {
  return value instanceof GoInt ? BigInt(value.value) : 0n;
}

function floatOf(unit: bigint): GoMethod {
  return method([], float64Type, (self) => Number(nanosOf(self) / unit) + Number(nanosOf(self) % unit) / Number(unit));
}

/** time.Duration. */
export const durationType: GoType = namedType('time.Duration', int64Type, {
  String: method([], stringType, (self) => formatGoDuration(nanosOf(self))),
  Hours: floatOf(HOUR),
  Minutes: floatOf(MINUTE),
  Seconds: floatOf(SECOND),
  Milliseconds: method([], int64Type, (self) => goInt64(nanosOf(self) / MILLISECOND)),
  Microseconds: method([], int64Type, (self) => goInt64(nanosOf(self) / MICROSECOND)),
  Nanoseconds: method([], int64Type, (self) => goInt64(nanosOf(self))),
});

/** The Go value of a duration in nanoseconds. */
export function durationValue(nanoseconds: bigint): GoInt {
  return goIntOf(durationType, nanoseconds);
}

function enumName(names: readonly string[], first: number, fallback: string): GoMethod {
  return method([], stringType, (self) => {
    const value = self instanceof GoInt ? Number(self.value) : 0;
    return names[value - first] ?? `%!${fallback}(${value})`;
  });
}

/** time.Month. */
export const monthType: GoType = namedType('time.Month', intType, { String: enumName(longMonths, 1, 'Month') });
/** time.Weekday. */
export const weekdayType: GoType = namedType('time.Weekday', intType, { String: enumName(longDays, 0, 'Weekday') });

/** The time behind a Go value of type time.Time. Throws a GoError for anything else. */
export function timeOf(value: GoValue): GoTime {
  if (value instanceof GoStruct && value.structType === timeType) return value.data as GoTime;
  throw new GoError('value is not a time.Time');
}

/** The Go value of a time. */
export function timeValue(time: GoTime): GoStruct {
  return new GoStruct(timeType, time);
}

function part(type: GoType, read: (time: CivilTime) => number): GoMethod {
  return method([], type, (self) => goIntOf(type, read(civil(timeOf(self)))));
}

function compared(test: (order: number) => boolean): GoMethod {
  return {
    get params() {
      return [timeType];
    },
    result: boolType,
    call: (self, [other]) => test(compareTimes(timeOf(self), timeOf(other))),
  };
}

function changed(params: readonly GoType[], change: (time: GoTime, args: readonly GoValue[]) => GoTime): GoMethod {
  return {
    params,
    get result() {
      return timeType;
    },
    call: (self, args) => timeValue(change(timeOf(self), args)),
  };
}

const addDate = changed([intType, intType, intType], (time, [years, months, days]) => {
  const at = civil(time);
  const fields = {
    year: at.year + Number(nanosOf(years)),
    month: at.month + Number(nanosOf(months)),
    day: at.day + Number(nanosOf(days)),
    hour: at.hour,
    minute: at.minute,
    second: at.second,
    nanos: time.nanos,
  };
  return makeTime(fields, time.zone);
});

function sinceZero(time: GoTime): bigint {
  return (time.unix - zeroTime.unix) * SECOND + BigInt(time.nanos);
}

const methods: Readonly<Record<string, GoMethod>> = {
  String: method([], stringType, (self) => timeToString(timeOf(self))),
  GoString: method([], stringType, (self) => timeToGoString(timeOf(self))),
  Format: method([stringType], stringType, (self, [layout]) => formatTime(timeOf(self), String(layout))),
  Unix: method([], int64Type, (self) => goInt64(timeOf(self).unix)),
  UnixNano: method([], int64Type, (self) => goIntOf('int64', timeOf(self).unix * SECOND + BigInt(timeOf(self).nanos))),
  UnixMicro: method([], int64Type, (self) => goIntOf('int64', timeOf(self).unix * 1_000_000n + BigInt(timeOf(self).nanos) / 1000n)),
  UnixMilli: method([], int64Type, (self) => goIntOf('int64', timeOf(self).unix * 1000n + BigInt(timeOf(self).nanos) / 1_000_000n)),
  Year: part(intType, (time) => time.year),
  Month: part(monthType, (time) => time.month),
  Day: part(intType, (time) => time.day),
  YearDay: part(intType, (time) => time.yearDay),
  Weekday: part(weekdayType, (time) => time.weekday),
  Hour: part(intType, (time) => time.hour),
  Minute: part(intType, (time) => time.minute),
  Second: part(intType, (time) => time.second),
  Nanosecond: method([], intType, (self) => goInt(timeOf(self).nanos)),
  IsZero: method([], boolType, (self) => compareTimes(timeOf(self), zeroTime) === 0),
  Equal: compared((order) => order === 0),
  Before: compared((order) => order < 0),
  After: compared((order) => order > 0),
  Compare: {
    get params() {
      return [timeType];
    },
    result: intType,
    call: (self, [other]) => goInt(compareTimes(timeOf(self), timeOf(other))),
  },
  Sub: {
    get params() {
      return [timeType];
    },
    result: durationType,
    call: (self, [other]) => durationValue(timeSince(timeOf(self), timeOf(other))),
  },
  Add: changed([durationType], (time, [duration]) => addDuration(time, nanosOf(duration))),
  AddDate: addDate,
  UTC: changed([], (time) => inZone(time, utc)),
  Local: changed([], (time) => inZone(time, local)),
  Truncate: changed([durationType], (time, [unit]) => {
    const at = sinceZero(time);
    return addDuration(time, truncateDuration(at, nanosOf(unit)) - at);
  }),
  Round: changed([durationType], (time, [unit]) => {
    const at = sinceZero(time);
    return addDuration(time, roundTime(at, nanosOf(unit)) - at);
  }),
};

/** Times round halves up, also before year 1. */
function roundTime(at: bigint, unit: bigint): bigint {
  if (unit <= 0n) return at;
  const rest = ((at % unit) + unit) % unit;
  return rest + rest < unit ? at - rest : at + unit - rest;
}

/** Unexported fields: only what `%d` and the like would reach. */
const fields: readonly GoField[] = [];

/** time.Time. */
export const timeType: GoType = structType('time.Time', {
  fields,
  methods,
  marshal: (struct) => timeToJson(timeOf(struct)),
});
/** *time.Time. */
export const timePointerType: GoType = pointerTo(timeType);
