/** A time.Time that yaml.v3 made of a timestamp. */
export class YamlTime {
  /** RFC 3339 with as many digits of the second as there are, as Go formats it. */
  readonly text: string;
  /** Hours of the zone: encoding/json refuses more than 23. */
  readonly zoneHours: number;

  constructor(text: string, zoneHours: number) {
    this.text = text;
    this.zoneHours = zoneHours;
  }
}

const MONTHS = 'January February March April May June July August September October November December'.split(' ');

/** The text `%#v` prints for a time. */
export function timeSyntax(time: YamlTime): string {
  const [, year, month, day, hour, minute, second, fraction = '', zone] =
    /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)(?:\.(\d+))?(.*)$/.exec(time.text) ?? [];
  const numbers = [day, hour, minute, second, fraction.padEnd(9, '0')].map(Number).join(', ');
  const location = zone === 'Z' ? 'time.UTC' : 'time.Location("")';
  return `time.Date(${Number(year)}, time.${MONTHS[Number(month) - 1]}, ${numbers}, ${location})`;
}

const DATE = String.raw`(\d{4})-(\d{1,2})-(\d{1,2})`;
const CLOCK = String.raw`(\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,](\d+))?`;
const ZONED = new RegExp(`^${DATE}[Tt]${CLOCK}(?:Z|([-+])(\\d{2}):(\\d{2}))$`);
const SPACED = new RegExp(`^${DATE} +${CLOCK}$`);
const DAY = new RegExp(`^${DATE}$`);

/** Reads a timestamp in one of the four layouts go-yaml knows; undefined when it is none. */
export function parseTimestamp(text: string): YamlTime | undefined {
  if (text.charCodeAt(4) !== 45) return undefined;
  const match = ZONED.exec(text) ?? SPACED.exec(text) ?? DAY.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map((part) => Number(part ?? 0));
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const zoneHours = Number(match[9] ?? 0);
  const zoneMinutes = Number(match[10] ?? 0);
  if (zoneHours > 24 || zoneMinutes > 60) return undefined;
  const fraction = (match[7] ?? '').slice(0, 9).replace(/0+$/, '');
  const date = `${pad(year, 4)}-${pad(month)}-${pad(day)}T${pad(hour)}:${pad(minute)}:${pad(second)}`;
  const zone = zoneHours * 60 + zoneMinutes;
  const suffix = zone === 0 ? 'Z' : `${match[8]}${pad(Math.floor(zone / 60))}:${pad(zone % 60)}`;
  return new YamlTime(date + (fraction === '' ? '' : `.${fraction}`) + suffix, Math.floor(zone / 60));
}

function pad(value: number, width = 2): string {
  return String(value).padStart(width, '0');
}

function daysIn(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}
