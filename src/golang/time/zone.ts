import { GoError } from '../go-error.ts';

/** A time.Location: what the clock on the wall says at an instant. */
export type Zone = {
  /** time.Location.String: `UTC`, `Local`, `Europe/Berlin`; empty for a fabricated zone without a name. */
  readonly name: string;
  /** Abbreviation (empty when unknown) and seconds east of UTC at an instant (Unix seconds). */
  readonly at: (unix: bigint) => ZoneOffset;
};

export type ZoneOffset = { readonly abbreviation: string; readonly seconds: number };

/** Coordinated universal time. */
export const utc: Zone = fixed('UTC', 'UTC', 0);

/** The local zone of the engines: always UTC, as in the controllers' images, so that a render does not depend on the machine. */
export const local: Zone = fixed('Local', 'UTC', 0);

function fixed(name: string, abbreviation: string, seconds: number): Zone {
  const offset = { abbreviation, seconds };
  return { name, at: () => offset };
}

/** time.FixedZone. */
export function fixedZone(name: string, seconds: number): Zone {
  return fixed(name, name, seconds);
}

const loaded = new Map<string, Zone>([
  ['', utc],
  ['UTC', utc],
  ['Local', local],
  // Without history, unlike the cities that newer tz databases make them names of.
  ['EST', fixed('EST', 'EST', -5 * 3600)],
  ['MST', fixed('MST', 'MST', -7 * 3600)],
  ['HST', fixed('HST', 'HST', -10 * 3600)],
]);
const MAX_ZONES = 1000;

/** time.LoadLocation: IANA names, case-sensitive. Throws a GoError `unknown time zone …`. */
export function loadZone(name: string): Zone {
  const known = loaded.get(name);
  if (known !== undefined) return known;
  if (name.includes('..') || name.startsWith('/') || name.startsWith('\\')) throw new GoError('time: invalid location name');
  const zone = ianaZone(name);
  if (zone === undefined) throw new GoError(`unknown time zone ${name}`);
  if (loaded.size < MAX_ZONES) loaded.set(name, zone);
  return zone;
}

/** Zone file names that are not made of capitalised words. */
const oddNames = /^(?:[A-Z][A-Za-z0-9_+-]*|[A-Z]{2,4}\d[A-Z]{3})(?:\/[A-Z][A-Za-z0-9_+-]*)*$/;

/** Aliases that Intl takes for UTC but the tz database calls GMT. */
const greenwich = /^(?:Etc\/)?(?:GMT[+-]?0?|Greenwich)$/;

function ianaZone(name: string): Zone | undefined {
  if (greenwich.test(name) && !/[+-]$/.test(name)) return fixed(name, 'GMT', 0);
  if (!oddNames.test(name)) return undefined;
  try {
    const wall = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    const names = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'long' });
    const canonical = wall.resolvedOptions().timeZone;
    if (canonical !== name && canonical.toLowerCase() === name.toLowerCase()) return undefined;
    return { name, at: (unix) => offsetAt(wall, names, unix) };
  } catch {
    // Intl's way of saying that it knows no such zone.
    return undefined;
  }
}

/** A day before the end of JavaScript's dates, so that an offset does not lead beyond it. */
const LAST_DATE = 8_639_999_900_000n;

function offsetAt(wall: Intl.DateTimeFormat, names: Intl.DateTimeFormat, unix: bigint): ZoneOffset {
  const clamped = unix > LAST_DATE ? LAST_DATE : unix < -LAST_DATE ? -LAST_DATE : unix;
  const date = new Date(Number(clamped) * 1000);
  const fields: Record<string, string> = {};
  for (const part of wall.formatToParts(date)) fields[part.type] = part.value;
  const year = fields['era'] === 'BC' ? 1 - Number(fields['year']) : Number(fields['year']);
  const shown = new Date(0);
  shown.setUTCFullYear(year, Number(fields['month']) - 1, Number(fields['day']));
  shown.setUTCHours(Number(fields['hour']), Number(fields['minute']), Number(fields['second']));
  const seconds = Math.round((shown.getTime() - date.getTime()) / 1000);
  const long = names.formatToParts(date).find((part) => part.type === 'timeZoneName')?.value ?? '';
  return { abbreviation: abbreviations.get(long) ?? numericAbbreviation(seconds), seconds };
}

/** The tz database's style for zones without letters: `+03`, `-0330`, and `LMT`. */
function numericAbbreviation(seconds: number): string {
  // Sun time, before zones were agreed on.
  if (seconds % 900 !== 0) return 'LMT';
  const minutes = Math.abs(Math.trunc(seconds / 60));
  const hours = String(Math.trunc(minutes / 60)).padStart(2, '0');
  return `${seconds < 0 ? '-' : '+'}${hours}${minutes % 60 === 0 ? '' : String(minutes % 60).padStart(2, '0')}`;
}

/** Intl's long English names to the tz database's letters. */
const abbreviations: ReadonlyMap<string, string> = new Map([
  ['Coordinated Universal Time', 'UTC'],
  ['Greenwich Mean Time', 'GMT'],
  ['British Summer Time', 'BST'],
  ['Irish Standard Time', 'IST'],
  ['Western European Standard Time', 'WET'],
  ['Western European Summer Time', 'WEST'],
  ['Central European Standard Time', 'CET'],
  ['Central European Summer Time', 'CEST'],
  ['Eastern European Standard Time', 'EET'],
  ['Eastern European Summer Time', 'EEST'],
  ['Moscow Standard Time', 'MSK'],
  ['Israel Standard Time', 'IST'],
  ['Israel Daylight Time', 'IDT'],
  ['Pakistan Standard Time', 'PKT'],
  ['India Standard Time', 'IST'],
  ['Western Indonesia Time', 'WIB'],
  ['Central Indonesia Time', 'WITA'],
  ['Eastern Indonesia Time', 'WIT'],
  ['China Standard Time', 'CST'],
  ['Taipei Standard Time', 'CST'],
  ['Hong Kong Standard Time', 'HKT'],
  ['Philippine Standard Time', 'PST'],
  ['Japan Standard Time', 'JST'],
  ['Korean Standard Time', 'KST'],
  ['Australian Western Standard Time', 'AWST'],
  ['Australian Central Standard Time', 'ACST'],
  ['Australian Central Daylight Time', 'ACDT'],
  ['Australian Eastern Standard Time', 'AEST'],
  ['Australian Eastern Daylight Time', 'AEDT'],
  ['New Zealand Standard Time', 'NZST'],
  ['New Zealand Daylight Time', 'NZDT'],
  ['Chamorro Standard Time', 'ChST'],
  ['Samoa Standard Time', 'SST'],
  ['West Africa Standard Time', 'WAT'],
  ['Central Africa Time', 'CAT'],
  ['East Africa Time', 'EAT'],
  ['South Africa Standard Time', 'SAST'],
  ['Hawaii-Aleutian Standard Time', 'HST'],
  ['Hawaii-Aleutian Daylight Time', 'HDT'],
  ['Alaska Standard Time', 'AKST'],
  ['Alaska Daylight Time', 'AKDT'],
  ['Pacific Standard Time', 'PST'],
  ['Pacific Daylight Time', 'PDT'],
  ['Mountain Standard Time', 'MST'],
  ['Mountain Daylight Time', 'MDT'],
  ['Central Standard Time', 'CST'],
  ['Central Daylight Time', 'CDT'],
  ['Eastern Standard Time', 'EST'],
  ['Eastern Daylight Time', 'EDT'],
  ['Atlantic Standard Time', 'AST'],
  ['Atlantic Daylight Time', 'ADT'],
  ['Newfoundland Standard Time', 'NST'],
  ['Newfoundland Daylight Time', 'NDT'],
  ['Cuba Standard Time', 'CST'],
  ['Cuba Daylight Time', 'CDT'],
]);
