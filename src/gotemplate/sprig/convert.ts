import {
  budgetExceeded,
  bytesToText,
  formatValue,
  GoByteSlice,
  GoFloat32,
  GoInt,
  GoStruct,
  intTypes,
  joinText,
  MAX_TEXT,
  monthType,
  scanFloat,
  scanInt,
  sliceItems,
  weekdayType,
  type GoValue,
} from '../../golang/index.ts';

/** Go's conversion of a float to a 64-bit integer on amd64: what does not fit becomes the smallest integer. */
export function truncateToInt64(value: number): bigint {
  const truncated = Math.trunc(value);
  return truncated >= -9223372036854775808 && truncated < 9223372036854775808 ? BigInt(truncated) : -(1n << 63n);
}

/** True for the predeclared integer types and the two named ones that cast knows. */
function isPlainInt(value: GoInt): boolean {
  return value.type === intTypes[value.kind] || value.type === monthType || value.type === weekdayType;
}

/** `012.00` reads as `012`: only zeros after the last point. */
function trimZeroDecimal(text: string): string {
  return text.replace(/\.0+$/, '');
}

/** cast.ToInt64 (spf13/cast 1.7): 0 for what cannot be converted. Text is read with Go's prefixes (`0x1F`, `017` is 15). */
export function toInt64(value: GoValue): bigint {
  if (value instanceof GoInt) return isPlainInt(value) ? BigInt.asIntN(64, BigInt(value.value)) : 0n;
  if (typeof value === 'number') return truncateToInt64(value);
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (value instanceof GoFloat32) return truncateToInt64(value.value);
  if (typeof value !== 'string') return 0n;
  const { value: scanned, problem } = scanInt(trimZeroDecimal(value), 0);
  return problem === undefined ? scanned : 0n;
}

/** cast.ToFloat64: 0 for what cannot be converted. */
export function toFloat64(value: GoValue): number {
  if (typeof value === 'number') return value;
  if (value instanceof GoInt) return isPlainInt(value) ? Number(value.value) : 0;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (value instanceof GoFloat32) return value.value;
  if (typeof value !== 'string') return 0;
  const { value: scanned, problem } = scanFloat(value);
  return problem === undefined ? scanned : 0;
}

/** Sprig's text of a value: Error, String, or `%v`. */
export function toText(value: GoValue): string {
  if (typeof value === 'string') return value;
  if (value instanceof GoByteSlice && !value.type.named) return bytesToText(value.bytes);
  return methodText(value) ?? formatValue(value);
}

function methodText(value: GoValue): string | undefined {
  if (!(value instanceof GoStruct) && !(value instanceof GoInt)) return undefined;
  const method = value.type.methods?.get('Error') ?? value.type.methods?.get('String');
  return method === undefined ? undefined : String(method.call(value, []));
}

/** The texts of a list's elements without the nils; one text for anything else but nil. */
export function toTexts(value: GoValue): string[] {
  const items = sliceItems(value);
  if (items === undefined) return value === null || value === undefined ? [] : [toText(value)];
  const texts: string[] = [];
  for (const item of items) if (item !== null && item !== undefined) texts.push(toText(item));
  return texts;
}

/** strings.Join. */
export function joinTexts(texts: readonly string[], separator: string): string {
  let length = separator.length * texts.length;
  for (const text of texts) length += text.length;
  if (length > MAX_TEXT) throw budgetExceeded('length of a joined text', MAX_TEXT);
  return joinText(texts.join(separator));
}
