import { formatG, GoError } from '../../golang/index.ts';

/**
 * An exact decimal `units × 10^exponent`, as shopspring/decimal 1.4: floats enter by their shortest digits, division keeps 16 digits
 * after the point.
 */
export type Decimal = { readonly units: bigint; readonly exponent: number };

const DIVISION_PRECISION = 16;

/** decimal.NewFromFloat. Throws a GoError with its panic for NaN and infinity. */
export function decimalOf(value: number): Decimal {
  if (!Number.isFinite(value)) throw new GoError(`Cannot create a Decimal from ${formatG(value)}`);
  if (value === 0) return { units: 0n, exponent: 0 };
  const [mantissa = '0', power = '0'] = value.toExponential().split('e');
  const fraction = mantissa.split('.')[1] ?? '';
  return { units: BigInt(mantissa.replace('.', '')), exponent: Number(power) - fraction.length };
}

function powerOfTen(exponent: number): bigint {
  return 10n ** BigInt(exponent);
}

/** Sum. */
export function addDecimals(a: Decimal, b: Decimal): Decimal {
  const exponent = Math.min(a.exponent, b.exponent);
  return { units: a.units * powerOfTen(a.exponent - exponent) + b.units * powerOfTen(b.exponent - exponent), exponent };
}

/** Difference. */
export function subtractDecimals(a: Decimal, b: Decimal): Decimal {
  return addDecimals(a, { units: -b.units, exponent: b.exponent });
}

/** Product. */
export function multiplyDecimals(a: Decimal, b: Decimal): Decimal {
  return { units: a.units * b.units, exponent: a.exponent + b.exponent };
}

function size(value: bigint): bigint {
  return value < 0n ? -value : value;
}

/** Quotient, rounded half away from zero. Throws a GoError with the panic of a division by zero. */
export function divideDecimals(a: Decimal, b: Decimal): Decimal {
  if (b.units === 0n) throw new GoError('decimal division by 0');
  const shift = a.exponent - b.exponent + DIVISION_PRECISION;
  const dividend = shift < 0 ? a.units : a.units * powerOfTen(shift);
  const divisor = shift < 0 ? b.units * powerOfTen(-shift) : b.units;
  const quotient = dividend / divisor;
  const half = size(dividend % divisor) * 2n >= size(divisor);
  const away = dividend < 0n === divisor < 0n ? 1n : -1n;
  return { units: half ? quotient + away : quotient, exponent: -DIVISION_PRECISION };
}

/** The nearest float64. */
export function decimalToFloat({ units, exponent }: Decimal): number {
  // Reading decimal digits rounds to the nearest float, halves to even.
  return units === 0n ? 0 : Number(`${units}e${exponent}`);
}
