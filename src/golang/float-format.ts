/** A decimal number `0.d₁d₂d₃… × 10^point`: digits without trailing zeros, none for zero. */
type Decimal = { digits: string; point: number };

/** The formats of strconv.FormatFloat. */
export type FloatFormat = 'b' | 'e' | 'E' | 'f' | 'g' | 'G' | 'x' | 'X';

/**
 * strconv.FormatFloat. `precision` -1 asks for the fewest digits that read back as the same float.
 * `bits` says whether the value was a float32.
 */
export function formatFloat(value: number, format: FloatFormat, precision: number, bits: 32 | 64 = 64): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const size = Math.abs(value);
  if (format === 'b') return sign + formatBinary(size, bits);
  if (format === 'x' || format === 'X') return sign + formatHex(size, format, precision, bits);
  if (precision < 0) return sign + formatShortest(size, format, bits);
  return sign + formatFixed(size, format, precision);
}

/** The `%v` text of a float64: strconv's 'g' with the fewest digits. */
export function formatG(value: number): string {
  if (Number.isInteger(value) && value > -1e6 && value < 1e6) return Object.is(value, -0) ? '-0' : String(value);
  return formatFloat(value, 'g', -1);
}

function formatShortest(size: number, format: 'e' | 'E' | 'f' | 'g' | 'G', bits: 32 | 64): string {
  const decimal = shortestDecimal(size, bits);
  const count = decimal.digits.length;
  switch (format) {
    case 'e':
    case 'E':
      return layoutE(decimal, Math.max(count - 1, 0), format);
    case 'f':
      return layoutF(decimal, Math.max(count - decimal.point, 0));
    default:
      return layoutG(decimal, count, 6, format);
  }
}

function formatFixed(size: number, format: 'e' | 'E' | 'f' | 'g' | 'G', precision: number): string {
  const exact = exactDecimal(size);
  switch (format) {
    case 'e':
    case 'E':
      return layoutE(roundDecimal(exact, precision + 1), precision, format);
    case 'f':
      return layoutF(roundDecimal(exact, exact.point + precision), precision);
    default: {
      const wanted = precision === 0 ? 1 : precision;
      const decimal = roundDecimal(exact, wanted);
      const count = decimal.digits.length;
      return layoutG(decimal, wanted, wanted > count && count >= decimal.point ? count : wanted, format);
    }
  }
}

function layoutG(decimal: Decimal, precision: number, threshold: number, format: 'g' | 'G'): string {
  const exponent = decimal.point - 1;
  const count = decimal.digits.length;
  if (exponent < -4 || exponent >= threshold) return layoutE(decimal, Math.min(precision, count) - 1, format === 'g' ? 'e' : 'E');
  return layoutF(decimal, Math.max((precision > decimal.point ? count : precision) - decimal.point, 0));
}

function layoutE(decimal: Decimal, precision: number, mark: 'e' | 'E'): string {
  const { digits, point } = decimal;
  const fraction = precision > 0 ? `.${digits.slice(1, precision + 1).padEnd(precision, '0')}` : '';
  const exponent = digits === '' ? 0 : point - 1;
  return `${digits[0] ?? '0'}${fraction}${mark}${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

function layoutF(decimal: Decimal, precision: number): string {
  const { digits, point } = decimal;
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '0';
  if (precision <= 0) return whole;
  const fraction = point >= 0 ? digits.slice(point) : '0'.repeat(-point) + digits;
  return `${whole}.${fraction.slice(0, precision).padEnd(precision, '0')}`;
}

function shortestDecimal(size: number, bits: 32 | 64): Decimal {
  if (size === 0) return { digits: '', point: 0 };
  if (bits === 32) return shortestFloat32(size);
  const text = size.toExponential();
  const mark = text.indexOf('e');
  const digits = text.slice(0, mark).replace('.', '').replace(/0+$/, '');
  return { digits, point: Number(text.slice(mark + 1)) + 1 };
}

/** The fewest digits that read back as the same float32. */
function shortestFloat32(size: number): Decimal {
  const exact = exactDecimal(size);
  for (let count = 1; count < 9; count++) {
    const rounded = roundDecimal(exact, count);
    if (Math.fround(Number(`0.${rounded.digits}e${rounded.point}`)) === size) return rounded;
  }
  return roundDecimal(exact, 9);
}

const parts = new DataView(new ArrayBuffer(8));

/** Mantissa and binary exponent: `mantissa × 2^exponent`, for a float of the given size. */
function decompose(size: number, bits: 32 | 64): { mantissa: bigint; exponent: number } {
  if (bits === 32) {
    parts.setFloat32(0, size);
    const raw = parts.getUint32(0);
    const biased = raw >>> 23;
    return { mantissa: BigInt(biased === 0 ? raw : (raw & 0x7fffff) | 0x800000), exponent: Math.max(biased, 1) - 150 };
  }
  parts.setFloat64(0, size);
  const raw = parts.getBigUint64(0);
  const biased = Number(raw >> 52n);
  const fraction = raw & 0xfffffffffffffn;
  return { mantissa: biased === 0 ? fraction : fraction | 0x10000000000000n, exponent: Math.max(biased, 1) - 1075 };
}

/** All decimal digits of the float: every float has finitely many. */
function exactDecimal(size: number): Decimal {
  if (size === 0) return { digits: '', point: 0 };
  const { mantissa, exponent } = decompose(size, 64);
  const text = (exponent >= 0 ? mantissa << BigInt(exponent) : mantissa * 5n ** BigInt(-exponent)).toString();
  return { digits: text.replace(/0+$/, ''), point: text.length + Math.min(exponent, 0) };
}

/** Rounds to `count` digits, halves to even (what strconv does with the exact value). */
function roundDecimal(decimal: Decimal, count: number): Decimal {
  const { digits, point } = decimal;
  if (count >= digits.length) return decimal;
  if (count < 0) return { digits: '', point: 0 };
  const kept = digits.slice(0, count);
  const rest = digits.charCodeAt(count) - 48;
  const half = rest === 5 && digits.length === count + 1;
  const odd = count > 0 && (digits.charCodeAt(count - 1) & 1) === 1;
  if (rest < 5 || (half && !odd)) return trimmed(kept, point);
  return roundUp(kept, point);
}

function trimmed(digits: string, point: number): Decimal {
  const kept = digits.replace(/0+$/, '');
  return kept === '' ? { digits: '', point: 0 } : { digits: kept, point };
}

function roundUp(kept: string, point: number): Decimal {
  const nines = /9*$/.exec(kept)?.index ?? kept.length;
  if (nines === 0) return { digits: '1', point: point + 1 };
  return { digits: kept.slice(0, nines - 1) + String.fromCharCode(kept.charCodeAt(nines - 1) + 1), point };
}

function formatBinary(size: number, bits: 32 | 64): string {
  const { mantissa, exponent } = decompose(size, bits);
  return `${mantissa}p${exponent >= 0 ? '+' : ''}${exponent}`;
}

function formatHex(size: number, format: 'x' | 'X', precision: number, bits: 32 | 64): string {
  const { mantissa, exponent } = decompose(size, bits);
  // One digit before the point, then 60 bits of fraction.
  let scaled = mantissa;
  let power = 0;
  if (mantissa !== 0n) {
    const length = mantissa.toString(2).length;
    scaled = mantissa << BigInt(61 - length);
    power = exponent + length - 1;
  }
  if (precision >= 0 && precision < 15) ({ scaled, power } = roundHex(scaled, power, precision));
  const fraction = (scaled & ((1n << 60n) - 1n)).toString(16).padStart(15, '0');
  const shown = precision < 0 ? fraction.replace(/0+$/, '') : fraction.slice(0, precision).padEnd(precision, '0');
  const text = `0x${scaled >> 60n}${shown === '' ? '' : `.${shown}`}p${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
  return format === 'x' ? text : text.toUpperCase();
}

function roundHex(scaled: bigint, power: number, precision: number): { scaled: bigint; power: number } {
  const drop = BigInt(60 - precision * 4);
  const extra = scaled & ((1n << drop) - 1n);
  const half = 1n << (drop - 1n);
  let kept = scaled >> drop;
  if (extra > half || (extra === half && (kept & 1n) === 1n)) kept += 1n;
  kept <<= drop;
  return kept >> 61n === 1n ? { scaled: kept >> 1n, power: power + 1 } : { scaled: kept, power };
}
