import { CodedError } from '../../std/index.ts';

const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const DECIMAL: readonly (readonly [suffix: string, exponent: number])[] = [
  ['n', -9],
  ['u', -6],
  ['m', -3],
  ['', 0],
  ['k', 3],
  ['M', 6],
  ['G', 9],
  ['T', 12],
  ['P', 15],
  ['E', 18],
];
const FORM = /^([+-]?)(\d+(?:\.\d*)?|\.\d+)(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?\d+)?$/;
/** Longest text of a quantity that is looked at. */
const LENGTH_LIMIT = 64;

/**
 * A Kubernetes quantity in its canonical form (apimachinery's resource.Quantity): no fraction, the largest suffix that needs none;
 * the kind of suffix (binary, decimal, exponent) stays. Finer than nano is rounded up.
 * @throws CodedError `QuantityInvalid`
 */
export function canonicalQuantity(text: string): string {
  const match = text.length <= LENGTH_LIMIT ? FORM.exec(text) : null;
  if (match === null) {
    throw new CodedError({
      code: 'QuantityInvalid',
      message: "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
      subject: text,
      retryable: false,
    });
  }
  const [, sign = '', digits = '', suffix = ''] = match;
  const [whole = '', fraction = ''] = digits.split('.');
  const exponent = /^[eE][+-]?\d+$/.test(suffix) ? Number(suffix.slice(1)) : undefined;
  const binary = BINARY.indexOf(suffix);
  // Nano-units, exactly: the finest a quantity keeps.
  let nano = scale(
    BigInt(`${whole}${fraction}` || '0'),
    9 - fraction.length + (exponent ?? DECIMAL.find(([it]) => it === suffix)?.[1] ?? 0),
    binary > 0 ? binary : 0,
  );
  if (nano === 0n) return '0';
  if (sign === '-') nano = -nano;
  if (binary > 0) return formatBinary(nano);
  return exponent === undefined ? formatDecimal(nano) : formatExponent(nano);
}

/** The value of a quantity as a number (cores, bytes); for comparing, not for keeping. */
export function quantityValue(text: string): number {
  const [, sign = '', digits = '0', suffix = ''] = FORM.exec(text) ?? [];
  const binary = BINARY.indexOf(suffix);
  const factor = /^[eE][+-]?\d+$/.test(suffix)
    ? 10 ** Number(suffix.slice(1))
    : binary > 0
      ? 1024 ** binary
      : 10 ** (DECIMAL.find(([it]) => it === suffix)?.[1] ?? 0);
  return Number(`${sign}${digits}`) * factor;
}

function scale(value: bigint, tens: number, binary: number): bigint {
  const big = value * 1024n ** BigInt(binary);
  if (tens >= 0) return big * 10n ** BigInt(Math.min(tens, 100));
  const divisor = 10n ** BigInt(Math.min(-tens, 200));
  const quotient = big / divisor;
  return big % divisor === 0n ? quotient : quotient + 1n;
}

function formatDecimal(nano: bigint): string {
  let best: string | undefined;
  for (const [suffix, exponent] of DECIMAL) {
    const unit = 10n ** BigInt(exponent + 9);
    if (nano % unit === 0n) best = `${nano / unit}${suffix}`;
  }
  return best ?? '0';
}

function formatBinary(nano: bigint): string {
  const unit = 10n ** 9n;
  if (nano % unit !== 0n) return formatDecimal(nano);
  let value = nano / unit;
  // Below 1024 the binary form has no suffix to carry it and turns decimal.
  if (value > -1024n && value < 1024n) return formatDecimal(nano);
  let power = 0;
  while (power < BINARY.length - 1 && value % 1024n === 0n) {
    value /= 1024n;
    power += 1;
  }
  return `${value}${BINARY[power]}`;
}

function formatExponent(nano: bigint): string {
  let exponent = -9;
  let value = nano;
  while (value % 1000n === 0n) {
    value /= 1000n;
    exponent += 3;
  }
  return exponent === 0 ? String(value) : `${value}e${exponent}`;
}
