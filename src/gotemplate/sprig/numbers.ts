import {
  anyType,
  budgetExceeded,
  float64Type,
  formatValue,
  GoError,
  GoInt,
  goInt,
  goInt64,
  goIntOf,
  GoSlice,
  int64Type,
  intSliceType,
  intType,
  MAX_LIST,
  scanInt,
  stringType,
  type GoValue,
} from '../../golang/index.ts';
import { toFloat64, toInt64 } from './convert.ts';
import { addDecimals, decimalOf, decimalToFloat, divideDecimals, multiplyDecimals, subtractDecimals, type Decimal } from './decimal.ts';
import { fn, int, variadic, type Functions } from './define.ts';

/** An int64 that wraps around. */
function wrapped(value: bigint): GoInt {
  return goIntOf('int64', value);
}

const safe = (value: GoValue): value is GoInt & { value: number } => value instanceof GoInt && typeof value.value === 'number';

/** Quick where both are small integers, exact otherwise. */
function sum(values: readonly GoValue[]): GoInt {
  let total = 0n;
  for (const value of values) total += toInt64(value);
  return wrapped(total);
}

function product(values: readonly GoValue[]): GoInt {
  let total = 1n;
  for (const value of values) total = BigInt.asIntN(64, total * toInt64(value));
  return wrapped(total);
}

function divisor(value: GoValue): bigint {
  const by = toInt64(value);
  if (by === 0n) throw new GoError('runtime error: integer divide by zero');
  return by;
}

function extreme(values: readonly GoValue[], better: (a: bigint, b: bigint) => boolean): GoInt {
  const numbers = values.map(toInt64);
  return goInt64(numbers.reduce((best, value) => (better(value, best) ? value : best)));
}

function reduceFloats(values: readonly GoValue[], pick: (a: number, b: number) => number): number {
  return values.map(toFloat64).reduce(pick);
}

function inDecimals(values: readonly GoValue[], combine: (a: Decimal, b: Decimal) => Decimal): number {
  const [first, ...others] = values;
  let total = decimalOf(toFloat64(first));
  for (const value of others) total = combine(total, decimalOf(toFloat64(value)));
  return decimalToFloat(total);
}

/** `start`, `start + step`, … before `stop`; empty when the step leads away. */
function steps(start: number, stop: number, step: number): number[] {
  const out: number[] = [];
  if (stop < start ? step >= 0 : step <= 0) return out;
  if (Math.abs(stop - start) / Math.abs(step) > MAX_LIST) throw budgetExceeded('length of a list of numbers', MAX_LIST);
  for (let i = start; stop < start ? i > stop : i < stop; i += step) out.push(i);
  return out;
}

function intList(numbers: readonly number[]): GoSlice {
  return new GoSlice(intSliceType, numbers.map(goInt));
}

function sequence(params: readonly number[]): string {
  const [first = 0, second = 0, third = 0] = params;
  switch (params.length) {
    case 1:
      return steps(1, first + (first < 1 ? -1 : 1), first < 1 ? -1 : 1).join(' ');
    case 2:
      return steps(first, second + (second < first ? -1 : 1), second < first ? -1 : 1).join(' ');
    case 3:
      if (third < first && second > 0) return '';
      return steps(first, third + (third < first ? -1 : 1), second).join(' ');
    default:
      return '';
  }
}

/** math.Pow(10, places) as Go computes it, by squaring: the last digit of 1e23 and beyond differs from the nearest float. */
function powerOfTen(places: number): number {
  if (Math.abs(places) > 400) return places < 0 ? 0 : Infinity;
  let result = 1;
  let exponent = 0;
  // 10 is 0.625 × 2⁴; the squares stay between ½ and 1.
  let factor = 0.625;
  let power = 4;
  for (let rest = Math.abs(places); rest > 0; rest = Math.trunc(rest / 2)) {
    if (rest % 2 === 1) {
      result *= factor;
      exponent += power;
    }
    factor *= factor;
    power *= 2;
    if (factor < 0.5) {
      factor += factor;
      power -= 1;
    }
  }
  if (places < 0) {
    result = 1 / result;
    exponent = -exponent;
  }
  const half = Math.trunc(exponent / 2);
  return result * 2 ** half * 2 ** (exponent - half);
}

function round(value: GoValue, places: number, threshold: number): number {
  const power = powerOfTen(places);
  const digits = power * toFloat64(value);
  const fraction = digits - Math.trunc(digits);
  return (fraction >= threshold ? Math.ceil(digits) : Math.floor(digits)) / power;
}

const A = anyType;
const I64 = int64Type;
const F = float64Type;

export const numberFunctions: Functions = {
  int64: fn([A], I64, (value) => goInt64(toInt64(value))),
  int: fn([A], intType, (value) => goInt(toInt64(value))),
  float64: fn([A], F, toFloat64),
  toDecimal: fn([A], I64, (value) => {
    const { value: scanned, problem } = scanInt(formatValue(value), 8);
    return goInt64(problem === undefined ? scanned : 0n);
  }),
  seq: variadic([intType], stringType, (params) => sequence(params.map(int))),
  until: fn([intType], intSliceType, (count) => intList(steps(0, int(count), int(count) < 0 ? -1 : 1))),
  untilStep: fn([intType, intType, intType], intSliceType, (start, stop, step) => intList(steps(int(start), int(stop), int(step)))),
  add1: fn([A], I64, (value) => (safe(value) && value.value < 2 ** 52 ? goInt64(value.value + 1) : wrapped(toInt64(value) + 1n))),
  add: variadic([A], I64, sum),
  sub: fn([A, A], I64, (a, b) => wrapped(toInt64(a) - toInt64(b))),
  div: fn([A, A], I64, (a, b) => wrapped(toInt64(a) / divisor(b))),
  mod: fn([A, A], I64, (a, b) => wrapped(toInt64(a) % divisor(b))),
  mul: variadic([A, A], I64, product),
  add1f: fn([A], F, (value) => inDecimals([value, 1], addDecimals)),
  addf: variadic([A], F, (values) => inDecimals([0, ...values], addDecimals)),
  subf: variadic([A, A], F, (values) => inDecimals(values, subtractDecimals)),
  divf: variadic([A, A], F, (values) => inDecimals(values, divideDecimals)),
  mulf: variadic([A, A], F, (values) => inDecimals(values, multiplyDecimals)),
  biggest: variadic([A, A], I64, (values) => extreme(values, (a, b) => a > b)),
  max: variadic([A, A], I64, (values) => extreme(values, (a, b) => a > b)),
  min: variadic([A, A], I64, (values) => extreme(values, (a, b) => a < b)),
  maxf: variadic([A, A], F, (values) => reduceFloats(values, (a, b) => Math.max(a, b))),
  minf: variadic([A, A], F, (values) => reduceFloats(values, (a, b) => Math.min(a, b))),
  ceil: fn([A], F, (value) => Math.ceil(toFloat64(value))),
  floor: fn([A], F, (value) => Math.floor(toFloat64(value))),
  round: variadic([A, intType, F], F, ([value, places, threshold]) =>
    round(value, int(places), typeof threshold === 'number' ? threshold : 0.5),
  ),
};
