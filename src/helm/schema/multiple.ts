/** True when `value / of` is an integer, computed on their decimal digits as exact fractions (0.3 is a multiple of 0.1). */
export function isMultipleOf(value: number, of: number): boolean {
  if (!Number.isFinite(value) || !Number.isFinite(of) || of === 0) return false;
  if (Number.isSafeInteger(value) && Number.isSafeInteger(of)) return value % of === 0;
  const a = fraction(value);
  const b = fraction(of);
  const scale = Math.max(a.decimals, b.decimals);
  const x = a.digits * 10n ** BigInt(scale - a.decimals);
  const y = b.digits * 10n ** BigInt(scale - b.decimals);
  return x % y === 0n;
}

function fraction(value: number): { digits: bigint; decimals: number } {
  const [mantissa = '0', exponent = '0'] = value.toExponential().split('e');
  const [whole = '0', part = ''] = mantissa.split('.');
  const decimals = part.length - Number(exponent);
  const digits = BigInt(whole + part);
  return decimals >= 0 ? { digits, decimals } : { digits: digits * 10n ** BigInt(-decimals), decimals: 0 };
}
