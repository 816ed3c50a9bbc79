import type { PlainScalar, ScalarTag } from './value.ts';

/** What a plain scalar means to yaml.v3. */
export type ResolvedScalar = { tag: ScalarTag; value: PlainScalar };

const KEYWORDS: ReadonlyMap<string, ResolvedScalar> = new Map<string, ResolvedScalar>([
  ...['true', 'True', 'TRUE'].map((word): [string, ResolvedScalar] => [word, { tag: '!!bool', value: true }]),
  ...['false', 'False', 'FALSE'].map((word): [string, ResolvedScalar] => [word, { tag: '!!bool', value: false }]),
  ...['', '~', 'null', 'Null', 'NULL'].map((word): [string, ResolvedScalar] => [word, { tag: '!!null', value: null }]),
  ...['.nan', '.NaN', '.NAN'].map((word): [string, ResolvedScalar] => [word, { tag: '!!float', value: Number.NaN }]),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((word): [string, ResolvedScalar] => [
    word,
    { tag: '!!float', value: Number.POSITIVE_INFINITY },
  ]),
  ...['-.inf', '-.Inf', '-.INF'].map((word): [string, ResolvedScalar] => [word, { tag: '!!float', value: Number.NEGATIVE_INFINITY }]),
  ['<<', { tag: '!!merge', value: '<<' }],
]);

const INTEGER = /^[-+]?(?:0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|0[0-7]*|[1-9][0-9]*)$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const DATE = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:(?:[Tt]|[ ])(\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,](\d{1,9}))?\s*(Z|[-+]\d{2}:\d{2})?)?$/;

/** Reads a plain scalar as yaml.v3 resolves it: YAML 1.2's core types, plus 1.1's octals (`0777`), binaries and timestamps. */
export function resolveScalar(text: string): ResolvedScalar {
  const first = text.charCodeAt(0);
  if (!mayBeSpecial(first)) return { tag: '!!str', value: text };
  const known = KEYWORDS.get(text);
  if (known !== undefined) return known;
  if (isDigitOrSign(first)) return resolveNumber(text);
  if (first === 0x2e && FLOAT.test(text)) return { tag: '!!float', value: Number(text) };
  return { tag: '!!str', value: text };
}

/** Letters and signs that begin something other than a string: digits, `+ - . ~ <`, and those of the keywords; NaN for the empty text. */
function mayBeSpecial(first: number): boolean {
  if (first !== first) return true;
  if (isDigitOrSign(first)) return true;
  return '.~<tTfFnN'.includes(String.fromCharCode(first));
}

function isDigitOrSign(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || code === 0x2b || code === 0x2d;
}

function resolveNumber(text: string): ResolvedScalar {
  const date = resolveTimestamp(text);
  if (date !== undefined) return date;
  const digits = text.includes('_') ? text.replaceAll('_', '') : text;
  if (INTEGER.test(digits)) {
    const value = integer(digits);
    if (value !== undefined) return { tag: '!!int', value };
  }
  if (FLOAT.test(digits)) {
    const value = Number(digits);
    if (Number.isFinite(value)) return { tag: '!!float', value };
  }
  return { tag: '!!str', value: text };
}

function integer(text: string): number | bigint | undefined {
  const negative = text.startsWith('-');
  const unsigned = text.replace(/^[-+]/, '');
  const body = /^0[0-7]+$/.test(unsigned) ? `0o${unsigned.slice(1)}` : unsigned;
  if (body.length <= 15 && /^[0-9]+$/.test(body)) return negative ? -Number(body) + 0 : Number(body);
  const magnitude = BigInt(body.toLowerCase());
  const value = negative ? -magnitude : magnitude;
  if (value < -(2n ** 63n) || value >= 2n ** 64n || (text.startsWith('+') && value >= 2n ** 63n)) return undefined;
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

/** Dates become the time encoding/json writes: RFC 3339, nanoseconds without trailing zeros. */
function resolveTimestamp(text: string): ResolvedScalar | undefined {
  const match = text.charCodeAt(4) === 0x2d ? DATE.exec(text) : null;
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction, zone] = match;
  if (year === undefined || month === undefined || day === undefined) return undefined;
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return undefined;
  const pad = (part: string): string => part.padStart(2, '0');
  const time = hour === undefined ? ['00', '00', '00'] : [pad(hour), pad(minute ?? ''), pad(second ?? '')];
  if (Number(time[0]) > 23 || Number(time[1]) > 59 || Number(time[2]) > 59) return undefined;
  const digits = (fraction ?? '').replace(/0+$/, '');
  const value = `${year}-${pad(month)}-${pad(day)}T${time.join(':')}${digits === '' ? '' : `.${digits}`}${zone === undefined || zone === '+00:00' ? 'Z' : zone}`;
  return { tag: '!!timestamp', value };
}
