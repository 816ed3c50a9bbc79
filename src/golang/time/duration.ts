import { GoError } from '../go-error.ts';
import { textToBytes } from '../text.ts';

/** Nanoseconds: Go's time.Duration, always within 64 bits. */
export type Nanoseconds = bigint;

export const MICROSECOND = 1_000n;
export const MILLISECOND = 1_000_000n;
export const SECOND = 1_000_000_000n;
export const MINUTE: bigint = 60n * SECOND;
export const HOUR: bigint = 60n * MINUTE;

const MAX = (1n << 63n) - 1n;
const MIN = -(1n << 63n);

/** time.Duration.String: `1h30m0s`, `1.5ms`, `0s`. */
export function formatGoDuration(duration: Nanoseconds): string {
  const size = duration < 0n ? -duration : duration;
  return (duration < 0n ? '-' : '') + (size < SECOND ? formatSmall(size) : formatLarge(size));
}

function formatSmall(size: bigint): string {
  if (size === 0n) return '0s';
  if (size < MICROSECOND) return `${size}ns`;
  return size < MILLISECOND ? `${decimal(size, MICROSECOND)}µs` : `${decimal(size, MILLISECOND)}ms`;
}

function formatLarge(size: bigint): string {
  const seconds = `${decimal(size % MINUTE, SECOND)}s`;
  if (size < MINUTE) return seconds;
  const minutes = `${(size % HOUR) / MINUTE}m${seconds}`;
  return size < HOUR ? minutes : `${size / HOUR}h${minutes}`;
}

function decimal(size: bigint, unit: bigint): string {
  const fraction = (size % unit)
    .toString()
    .padStart(unit.toString().length - 1, '0')
    .replace(/0+$/, '');
  return fraction === '' ? `${size / unit}` : `${size / unit}.${fraction}`;
}

const units: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', MICROSECOND],
  ['\u00b5s', MICROSECOND],
  ['\u03bcs', MICROSECOND],
  ['ms', MILLISECOND],
  ['s', SECOND],
  ['m', MINUTE],
  ['h', HOUR],
]);

/** time.ParseDuration. Throws a GoError with its text. */
export function parseGoDuration(text: string): Nanoseconds {
  const invalid = (problem = 'invalid duration'): GoError => new GoError(`time: ${problem} ${quoteForTime(text)}`);
  const negative = text.startsWith('-');
  const body = negative || text.startsWith('+') ? text.slice(1) : text;
  if (body === '0') return 0n;
  if (body === '') throw invalid();
  const component = /(\d*)(?:(\.)(\d*))?([^\d.]*)/y;
  let total = 0n;
  while (component.lastIndex < body.length) {
    const [, whole = '', , fraction = '', unitName = ''] = component.exec(body) ?? [];
    if (whole === '' && fraction === '') throw invalid();
    const value = BigInt(whole === '' ? 0 : whole);
    if (value > 1n << 63n) throw invalid();
    if (unitName === '') throw invalid('missing unit in duration');
    const unit = units.get(unitName);
    if (unit === undefined) throw invalid(`unknown unit ${quoteForTime(unitName)} in duration`);
    if (value > (1n << 63n) / unit) throw invalid();
    total += value * unit + fractionOf(fraction, unit);
    if (total > 1n << 63n) throw invalid();
  }
  if (negative) return -total;
  if (total > MAX) throw invalid();
  return total;
}

/** The part after the point, in float64 arithmetic as Go does it; digits beyond 63 bits are dropped. */
function fractionOf(digits: string, unit: bigint): bigint {
  let value = 0n;
  let scale = 1;
  for (const digit of digits) {
    if (value > MAX / 10n) break;
    const next = value * 10n + BigInt(digit);
    if (next > 1n << 63n) break;
    value = next;
    scale *= 10;
  }
  return value === 0n ? 0n : BigInt(Math.trunc(Number(value) * (Number(unit) / scale)));
}

/** time.Duration.Truncate. */
export function truncateDuration(duration: Nanoseconds, unit: Nanoseconds): Nanoseconds {
  return unit <= 0n ? duration : duration - (duration % unit);
}

/** time.Duration.Round: halves away from zero; saturates. */
export function roundDuration(duration: Nanoseconds, unit: Nanoseconds): Nanoseconds {
  if (unit <= 0n) return duration;
  const size = duration < 0n ? -duration : duration;
  const rest = size % unit;
  const rounded = rest + rest < unit ? size - rest : size - rest + unit;
  return clampDuration(duration < 0n ? -rounded : rounded);
}

/** Saturates to what a Duration holds. */
export function clampDuration(duration: bigint): Nanoseconds {
  return duration > MAX ? MAX : duration < MIN ? MIN : duration;
}

/** The time package's own quoting: printable ASCII as it is, everything else as `\x` bytes. */
export function quoteForTime(text: string): string {
  let out = '"';
  for (const byte of textToBytes(text)) {
    if (byte >= 0x80 || byte < 0x20) out += `\\x${byte.toString(16).padStart(2, '0')}`;
    else out += byte === 0x22 || byte === 0x5c ? `\\${String.fromCharCode(byte)}` : String.fromCharCode(byte);
  }
  return `${out}"`;
}
