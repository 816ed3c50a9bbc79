import { isDigit, isLetter } from '../unicode.ts';
import type { YamlObject } from './value.ts';

/* Classes of ASCII characters for the natural order. */
const LETTER = 1;
const DIGIT = 2;
const classes = new Uint8Array(128);
for (let c = 48; c <= 57; c++) classes[c] = DIGIT;
for (let c = 65; c <= 90; c++) {
  classes[c] = LETTER;
  classes[c + 32] = LETTER;
}

function isLetterCode(code: number): boolean {
  return code < 128 ? classes[code] === LETTER : isLetter(code);
}

function isDigitCode(code: number): boolean {
  return code < 128 ? classes[code] === DIGIT : isDigit(code);
}

/**
 * The order go-yaml sorts the keys of a map in: letters by code, other characters before letters, runs of digits by their value.
 * yaml.v3 (`modern`) puts letters before others after a digit.
 */
export function compareKeys(a: string, b: string, modern: boolean): number {
  const end = Math.min(a.length, b.length);
  let i = 0;
  while (i < end && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  if (i === end) return a.length - b.length;
  const c = a.charCodeAt(i);
  const d = b.charCodeAt(i);
  if (c < 128 && d < 128 && classes[c] === LETTER && classes[d] === LETTER) return c - d;
  return compareFrom(Array.from(a), Array.from(b), modern);
}

function compareFrom(a: readonly string[], b: readonly string[], modern: boolean): number {
  const end = Math.min(a.length, b.length);
  let i = 0;
  while (i < end && a[i] === b[i]) i++;
  if (i === end) return a.length - b.length;
  const code = (list: readonly string[], at: number): number => list[at]?.codePointAt(0) ?? -1;
  const isDigitAt = (list: readonly string[], at: number): boolean => at < list.length && isDigitCode(code(list, at));
  const aLetter = isLetterCode(code(a, i));
  const bLetter = isLetterCode(code(b, i));
  if (aLetter && bLetter) return code(a, i) - code(b, i);
  if (aLetter || bLetter) {
    const afterDigit = modern && i > 0 && isDigitAt(a, i - 1);
    return (afterDigit ? aLetter : bLetter) ? -1 : 1;
  }
  let aNumber = 0n;
  let bNumber = 0n;
  if (a[i] === '0' || b[i] === '0') {
    for (let j = i - 1; j >= 0 && isDigitAt(a, j); j--) {
      if (a[j] === '0') continue;
      aNumber = 1n;
      bNumber = 1n;
      break;
    }
  }
  let aEnd = i;
  for (; isDigitAt(a, aEnd); aEnd++) aNumber = BigInt.asIntN(64, aNumber * 10n + BigInt(code(a, aEnd) - 48));
  let bEnd = i;
  for (; isDigitAt(b, bEnd); bEnd++) bNumber = BigInt.asIntN(64, bNumber * 10n + BigInt(code(b, bEnd) - 48));
  if (aNumber !== bNumber) return aNumber < bNumber ? -1 : 1;
  return aEnd === bEnd ? code(a, i) - code(b, i) : aEnd - bEnd;
}

/** The keys of an object in go-yaml's order; a field that is undefined is not there, as in JSON. */
export function sortedKeys(object: YamlObject, modern: boolean): string[] {
  let keys = Object.keys(object);
  let sorted = true;
  let holes = false;
  for (let i = 0; i < keys.length; i++) {
    if (object[keys[i]!] === undefined) holes = true;
    if (sorted && i > 0 && compareKeys(keys[i - 1]!, keys[i]!, modern) > 0) sorted = false;
  }
  if (holes) keys = keys.filter((key) => object[key] !== undefined);
  return sorted ? keys : keys.sort((a, b) => compareKeys(a, b, modern));
}
