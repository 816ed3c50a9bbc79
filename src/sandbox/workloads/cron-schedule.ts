/** A parsed CronJob schedule: the next time after an instant, both in milliseconds since the epoch. */
export type Schedule = { next(after: number): number | undefined };

/** Years after which a schedule that never comes (31 February) is given up. */
const HORIZON_YEARS = 5;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const MACROS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

type Field = { values: ReadonlySet<number>; any: boolean };
type Fields = { minute: Field; hour: Field; day: Field; month: Field; weekday: Field };

/**
 * Parses a schedule as CronJobs write it: five fields with `*`, `?`, lists, ranges, steps and names, or `@daily`, `@every 1h30m`.
 * Gives undefined for what is none. Times that a clock change skips do not come that day.
 * @param timeZone an IANA name; UTC when absent
 */
export function parseSchedule(text: string, timeZone = 'UTC'): Schedule | undefined {
  const every = /^@every\s+(.+)$/.exec(text.trim())?.[1];
  if (every !== undefined) return parseEvery(every);
  const zone = zoneOf(timeZone);
  const parts = (MACROS[text.trim()] ?? text.trim()).split(/\s+/);
  const [minute, hour, day, month, weekday] = [
    parseField(parts[0], 0, 59, []),
    parseField(parts[1], 0, 23, []),
    parseField(parts[2], 1, 31, []),
    parseField(parts[3], 1, 12, MONTHS, 1),
    parseField(parts[4], 0, 6, DAYS),
  ];
  if (parts.length !== 5 || zone === undefined) return undefined;
  if (minute === undefined || hour === undefined || day === undefined || month === undefined || weekday === undefined) return undefined;
  const fields = { minute, hour, day, month, weekday };
  return { next: (after) => nextTime(fields, zone, after) };
}

/** Go's duration text, whole seconds, at least one. */
function parseEvery(text: string): Schedule | undefined {
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  const units: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: MINUTE, h: HOUR };
  let total = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)) total += Number(number) * (units[unit ?? ''] ?? 0);
  const step = Math.max(1000, Math.floor(total / 1000) * 1000);
  return { next: (after) => Math.floor(after / 1000) * 1000 + step };
}

function parseField(text: string | undefined, least: number, most: number, names: readonly string[], base = 0): Field | undefined {
  if (text === undefined || text === '') return undefined;
  const values = new Set<number>();
  let any = false;
  for (const part of text.split(',')) {
    const [range = '', step, ...more] = part.split('/');
    const steps = step === undefined ? 1 : wholeNumber(step);
    if (more.length > 0 || steps === undefined || steps === 0) return undefined;
    const bounds = parseRange(range, least, most, names, base, step !== undefined);
    if (bounds === undefined) return undefined;
    if ((range === '*' || range === '?') && steps === 1) any = true;
    for (let i = bounds[0]; i <= bounds[1]; i += steps) values.add(i);
  }
  return { values, any };
}

function parseRange(
  text: string,
  least: number,
  most: number,
  names: readonly string[],
  base: number,
  stepped: boolean,
): readonly [number, number] | undefined {
  if (text === '*' || text === '?') return [least, most];
  const valueOf = (word: string): number | undefined => {
    const named = names.indexOf(word.toLowerCase());
    return named >= 0 ? named + base : wholeNumber(word);
  };
  const [from = '', to, ...more] = text.split('-');
  const first = valueOf(from);
  const last = to === undefined ? (stepped ? most : first) : valueOf(to);
  if (more.length > 0 || first === undefined || last === undefined || first < least || last > most || first > last) return undefined;
  return [first, last];
}

const wholeNumber = (text: string): number | undefined => (/^\d{1,4}$/.test(text) ? Number(text) : undefined);

/** How far a zone's wall clock is ahead of UTC at an instant, in milliseconds. */
type Zone = (instant: number) => number;

/** undefined for a zone nobody knows. */
function zoneOf(name: string): Zone | undefined {
  if (name === 'UTC' || name === 'Etc/UTC') return () => 0;
  try {
    const format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
    return (instant) => offsetOf(format.formatToParts(instant).find((it) => it.type === 'timeZoneName')?.value ?? '');
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** `GMT`, `GMT+05:30`, `GMT-03:30:12`. */
function offsetOf(text: string): number {
  const [, sign = '+', hours = '0', minutes = '0', seconds = '0'] = /^GMT([+-])(\d{2}):(\d{2})(?::(\d{2}))?$/.exec(text) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours) * HOUR + Number(minutes) * MINUTE + Number(seconds) * 1000);
}

/** Steps from the start of a month, day or hour to the next until all fields match. */
function nextTime(fields: Fields, zone: Zone, after: number): number | undefined {
  let time = (Math.floor(after / MINUTE) + 1) * MINUTE;
  const end = after + HORIZON_YEARS * 366 * 24 * HOUR;
  while (time < end) {
    const local = new Date(time + zone(time));
    if (!fields.month.values.has(local.getUTCMonth() + 1))
      time = instantOf(Date.UTC(local.getUTCFullYear(), local.getUTCMonth() + 1, 1), zone, time);
    else if (!matchesDay(fields, local))
      time = instantOf(Date.UTC(local.getUTCFullYear(), local.getUTCMonth(), local.getUTCDate() + 1), zone, time);
    else if (!fields.hour.values.has(local.getUTCHours())) time += HOUR - local.getUTCMinutes() * MINUTE;
    else if (!fields.minute.values.has(local.getUTCMinutes())) time += MINUTE;
    else return time;
  }
  return undefined;
}

/** Day of month and day of week: both must match if one is `*`, else either does. */
function matchesDay({ day, weekday }: Fields, local: Date): boolean {
  const [byDay, byWeekday] = [day.values.has(local.getUTCDate()), weekday.values.has(local.getUTCDay())];
  return day.any || weekday.any ? byDay && byWeekday : byDay || byWeekday;
}

/** The instant of a wall-clock time, never one before `floor`; of one that a clock change skips, the instant after the gap. */
function instantOf(local: number, zone: Zone, floor: number): number {
  const guess = local - zone(local);
  const instant = local - zone(guess);
  // A gap at midnight: the hour does not exist, the day begins after it.
  const begins = new Date(instant + zone(instant)).getTime() < local ? instant + HOUR : instant;
  return Math.max(begins, floor + MINUTE);
}
