import { CodedError } from './coded-error.ts';

/** A span of time in milliseconds. On the wire it is Go's text form (`1m30s`); in code always this. */
export type Duration = number & { readonly __brand: 'Duration' };

const UNIT: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `ms` milliseconds as a Duration. */
export function milliseconds(ms: number): Duration {
  return ms as Duration;
}

/** `s` seconds as a Duration. */
export function seconds(s: number): Duration {
  return (s * 1000) as Duration;
}

/** `m` minutes as a Duration. */
export function minutes(m: number): Duration {
  return (m * 60_000) as Duration;
}

/**
 * Parses Go's duration text (`time.ParseDuration`): `300ms`, `1.5h`, `1h15m30s`, `-2s`, `0`.
 * @throws CodedError `DurationInvalid`, with Go's wording.
 */
export function parseDuration(text: string): Duration {
  const fail = (cause: string): never => {
    throw new CodedError({ code: 'DurationInvalid', message: `time: ${cause}`, subject: text, retryable: false });
  };
  let rest = text;
  let sign = 1;
  if (rest.startsWith('-') || rest.startsWith('+')) {
    sign = rest.startsWith('-') ? -1 : 1;
    rest = rest.slice(1);
  }
  if (rest === '0') return milliseconds(0);
  if (rest === '') return fail(`invalid duration ${JSON.stringify(text)}`);
  let total = 0;
  while (rest !== '') {
    const number = /^(\d+\.?\d*|\.\d+)/.exec(rest)?.[0];
    if (number === undefined) return fail(`invalid duration ${JSON.stringify(text)}`);
    rest = rest.slice(number.length);
    const unit = /^[^.\d]*/.exec(rest)?.[0] ?? '';
    if (unit === '') return fail(`missing unit in duration ${JSON.stringify(text)}`);
    const scale = UNIT[unit];
    if (scale === undefined) return fail(`unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`);
    total += Number(number) * scale;
    rest = rest.slice(unit.length);
  }
  if (total > 9_223_372_036_854) return fail(`invalid duration ${JSON.stringify(text)}`);
  return milliseconds(sign * total);
}

/** Writes a duration as Go's `Duration.String` does: `1h0m0s`, `1m30s`, `1.5s`, `300ms`, `0s`. Resolution is a nanosecond. */
export function formatDuration(duration: Duration): string {
  const nanoseconds = Math.round(Math.abs(duration) * 1e6);
  if (nanoseconds === 0) return '0s';
  const sign = duration < 0 ? '-' : '';
  if (nanoseconds < 1000) return `${sign}${nanoseconds}ns`;
  if (nanoseconds < 1e6) return `${sign}${nanoseconds / 1e3}µs`;
  if (nanoseconds < 1e9) return `${sign}${nanoseconds / 1e6}ms`;
  const whole = Math.floor(nanoseconds / 1e9);
  const fraction = (nanoseconds % 1e9).toString().padStart(9, '0').replace(/0+$/, '');
  const hours = Math.floor(whole / 3600);
  const mins = Math.floor((whole % 3600) / 60);
  const head = hours > 0 ? `${hours}h${mins}m` : mins > 0 ? `${mins}m` : '';
  return `${sign}${head}${whole % 60}${fraction === '' ? '' : `.${fraction}`}s`;
}
