import { GoError } from '../go-error.ts';
import { layoutChunks, longDays, longMonths, RFC3339_NANO, type Chunk } from './layout.ts';
import { civil, offsetOf, type CivilTime, type GoTime } from './time.ts';
import { local, utc, type ZoneOffset } from './zone.ts';

/** Time.Format. */
export function formatTime(time: GoTime, layout: string): string {
  const shown = civil(time);
  const offset = offsetOf(time);
  let out = '';
  for (const chunk of layoutChunks(layout)) {
    out += chunk.prefix;
    if (chunk.element !== undefined) out += formatElement(chunk, shown, offset, time.nanos);
  }
  return out;
}

function padded(value: number, width: number): string {
  return value < 0 ? `-${String(-value).padStart(width, '0')}` : String(value).padStart(width, '0');
}

function formatElement(chunk: Chunk, time: CivilTime, offset: ZoneOffset, nanos: number): string {
  const month = longMonths[time.month - 1] ?? '';
  const day = longDays[time.weekday] ?? '';
  const hour12 = time.hour % 12 === 0 ? 12 : time.hour % 12;
  switch (chunk.element) {
    case '06':
      return padded(Math.abs(time.year) % 100, 2);
    case '2006':
      return padded(time.year, 4);
    case 'Jan':
      return month.slice(0, 3);
    case 'January':
      return month;
    case '1':
      return String(time.month);
    case '01':
      return padded(time.month, 2);
    case 'Mon':
      return day.slice(0, 3);
    case 'Monday':
      return day;
    case '2':
      return String(time.day);
    case '_2':
      return String(time.day).padStart(2, ' ');
    case '02':
      return padded(time.day, 2);
    case '__2':
      return String(time.yearDay).padStart(3, ' ');
    case '002':
      return padded(time.yearDay, 3);
    case '15':
      return padded(time.hour, 2);
    case '3':
      return String(hour12);
    case '03':
      return padded(hour12, 2);
    case '4':
      return String(time.minute);
    case '04':
      return padded(time.minute, 2);
    case '5':
      return String(time.second);
    case '05':
      return padded(time.second, 2);
    case 'PM':
      return time.hour >= 12 ? 'PM' : 'AM';
    case 'pm':
      return time.hour >= 12 ? 'pm' : 'am';
    case 'MST':
      return offset.abbreviation === '' ? formatOffset('-0700', offset.seconds) : offset.abbreviation;
    case 'fraction':
      return formatFraction(chunk.text, nanos);
    case undefined:
      return '';
    default:
      return formatOffset(chunk.element, offset.seconds);
  }
}

function formatFraction(layout: string, nanos: number): string {
  const trim = layout.endsWith('9');
  if (trim && nanos === 0) return '';
  const digits = String(nanos)
    .padStart(9, '0')
    .slice(0, layout.length - 1);
  const shown = trim ? digits.replace(/0+$/, '') : digits;
  return shown === '' ? '' : `${layout[0]}${shown}`;
}

function formatOffset(element: string, seconds: number): string {
  if (seconds === 0 && element.startsWith('Z')) return 'Z';
  const minutes = Math.trunc(seconds / 60);
  const negative = minutes < 0;
  const size = Math.abs(minutes);
  const colon = element.includes(':') ? ':' : '';
  let out = (negative ? '-' : '+') + padded(Math.trunc(size / 60), 2);
  const digits = element.slice(1).replaceAll(':', '').length;
  if (digits >= 4) out += colon + padded(size % 60, 2);
  if (digits === 6) out += colon + padded((negative ? -seconds : seconds) % 60, 2);
  return out;
}

/** Time.String. */
export function timeToString(time: GoTime): string {
  return formatTime(time, '2006-01-02 15:04:05.999999999 -0700 MST');
}

/** Time.GoString, the `%#v` text. */
export function timeToGoString(time: GoTime): string {
  const { year, month, day, hour, minute, second } = civil(time);
  const zone = time.zone === utc ? 'time.UTC' : time.zone === local ? 'time.Local' : `time.Location(${JSON.stringify(time.zone.name)})`;
  return `time.Date(${year}, time.${longMonths[month - 1] ?? ''}, ${day}, ${hour}, ${minute}, ${second}, ${time.nanos}, ${zone})`;
}

/** The RFC 3339 text that encoding/json writes. Throws a GoError for years outside 0–9999 and offsets of a day or more. */
export function timeToJson(time: GoTime): string {
  const { year } = civil(time);
  const prefix = 'Time.MarshalJSON: ';
  if (year < 0 || year > 9999) throw new GoError(`${prefix}year outside of range [0,9999]`);
  if (Math.abs(offsetOf(time).seconds) >= 86_400) throw new GoError(`${prefix}timezone hour outside of range [0,23]`);
  return formatTime(time, RFC3339_NANO);
}
