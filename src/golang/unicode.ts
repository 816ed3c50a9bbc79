/*
 * Go's unicode package (Unicode 15.0, as Go 1.26 has it) on top of the engine's own tables, which are newer: what was assigned after
 * 15.0 is taken out again, and case mapping is one rune to one rune.
 */

/** Code points assigned after Unicode 15.0 (up to 17.0): pairs of first and last. */
const addedAfter15: readonly number[] = [
  0x88f, 0x88f, 0x897, 0x897, 0xc5c, 0xc5c, 0xcdc, 0xcdc, 0x1acf, 0x1add, 0x1ae0, 0x1aeb, 0x1b4e, 0x1b4f, 0x1b7f, 0x1b7f, 0x1c89, 0x1c8a,
  0x20c1, 0x20c1, 0x2427, 0x2429, 0x2b96, 0x2b96, 0x2ffc, 0x2fff, 0x31e4, 0x31e5, 0x31ef, 0x31ef, 0xa7cb, 0xa7cf, 0xa7d2, 0xa7d2, 0xa7d4,
  0xa7d4, 0xa7da, 0xa7dc, 0xa7f1, 0xa7f1, 0xfbc3, 0xfbd2, 0xfd90, 0xfd91, 0xfdc8, 0xfdce, 0x105c0, 0x105f3, 0x10940, 0x10959, 0x10d40,
  0x10d65, 0x10d69, 0x10d85, 0x10d8e, 0x10d8f, 0x10ec2, 0x10ec7, 0x10ed0, 0x10ed8, 0x10efa, 0x10efc, 0x11380, 0x11389, 0x1138b, 0x1138b,
  0x1138e, 0x1138e, 0x11390, 0x113b5, 0x113b7, 0x113c0, 0x113c2, 0x113c2, 0x113c5, 0x113c5, 0x113c7, 0x113ca, 0x113cc, 0x113d5, 0x113d7,
  0x113d8, 0x113e1, 0x113e2, 0x116d0, 0x116e3, 0x11b60, 0x11b67, 0x11bc0, 0x11be1, 0x11bf0, 0x11bf9, 0x11db0, 0x11ddb, 0x11de0, 0x11de9,
  0x11f5a, 0x11f5a, 0x13460, 0x143fa, 0x16100, 0x16139, 0x16d40, 0x16d79, 0x16ea0, 0x16eb8, 0x16ebb, 0x16ed3, 0x16ff2, 0x16ff6, 0x187f8,
  0x187ff, 0x18cff, 0x18cff, 0x18d09, 0x18d1e, 0x18d80, 0x18df2, 0x1cc00, 0x1ccfc, 0x1cd00, 0x1ceb3, 0x1ceba, 0x1ced0, 0x1cee0, 0x1cef0,
  0x1e5d0, 0x1e5fa, 0x1e5ff, 0x1e5ff, 0x1e6c0, 0x1e6de, 0x1e6e0, 0x1e6f5, 0x1e6fe, 0x1e6ff, 0x1f6d8, 0x1f6d8, 0x1f777, 0x1f77a, 0x1f8b2,
  0x1f8bb, 0x1f8c0, 0x1f8c1, 0x1f8d0, 0x1f8d8, 0x1fa54, 0x1fa57, 0x1fa89, 0x1fa8a, 0x1fa8e, 0x1fa8f, 0x1fabe, 0x1fabe, 0x1fac6, 0x1fac6,
  0x1fac8, 0x1fac8, 0x1facd, 0x1facd, 0x1fadc, 0x1fadc, 0x1fadf, 0x1fadf, 0x1fae9, 0x1faea, 0x1faef, 0x1faef, 0x1fbcb, 0x1fbef, 0x1fbfa,
  0x1fbfa, 0x2b73a, 0x2b73f, 0x2cea2, 0x2cead, 0x2ebf0, 0x2ee5d, 0x323b0, 0x33479,
];

/** True when the code point was not yet assigned in Unicode 15.0. */
function isTooNew(code: number): boolean {
  if (code < 0x88f) return false;
  let low = 0;
  let high = addedAfter15.length / 2 - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (code < (addedAfter15[2 * middle] ?? 0)) high = middle - 1;
    else if (code > (addedAfter15[2 * middle + 1] ?? 0)) low = middle + 1;
    else return true;
  }
  return false;
}

const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
const spaceSeparator = /^\p{Zs}$/u;

/** strconv.IsPrint. */
export function isPrint(code: number): boolean {
  if (code < 0x7f) return code >= 0x20;
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return false;
  return printable.test(String.fromCodePoint(code)) && !isTooNew(code);
}

/** strconv.IsGraphic: printable or a space separator. */
export function isGraphic(code: number): boolean {
  return isPrint(code) || (code >= 0x80 && code <= 0x10ffff && spaceSeparator.test(String.fromCodePoint(code)));
}

/** unicode.IsSpace. */
export function isSpace(code: number): boolean {
  if (code <= 0xff) return code === 0x20 || (code >= 9 && code <= 13) || code === 0x85 || code === 0xa0;
  if (code === 0x1680 || code === 0x202f || code === 0x205f || code === 0x3000) return true;
  return (code >= 0x2000 && code <= 0x200a) || code === 0x2028 || code === 0x2029;
}

function hasProperty(code: number, property: RegExp): boolean {
  return code <= 0x10ffff && property.test(String.fromCodePoint(code)) && !isTooNew(code);
}

/** unicode.IsLetter. */
export function isLetter(code: number): boolean {
  return hasProperty(code, /^\p{L}$/u);
}

/** unicode.IsUpper. */
export function isUpper(code: number): boolean {
  return hasProperty(code, /^\p{Lu}$/u);
}

/** unicode.IsLower. */
export function isLower(code: number): boolean {
  return code === 0x295 || hasProperty(code, /^\p{Ll}$/u);
}

/** unicode.IsTitle. */
export function isTitle(code: number): boolean {
  return hasProperty(code, /^\p{Lt}$/u);
}

/** unicode.IsNumber. */
export function isNumber(code: number): boolean {
  return hasProperty(code, /^\p{N}$/u);
}

/** unicode.IsDigit. */
export function isDigit(code: number): boolean {
  return hasProperty(code, /^\p{Nd}$/u);
}

/** The one rune a case mapping gives, or `code` itself where the mapping is newer than Unicode 15 or longer than one rune. */
function mapped(code: number, text: string): number {
  const to = text.codePointAt(0) ?? code;
  if (text.length > (to > 0xffff ? 2 : 1)) return code;
  return isTooNew(code) || isTooNew(to) ? code : to;
}

/** unicode.ToUpper. */
export function upperRune(code: number): number {
  if (code < 0x80) return code >= 0x61 && code <= 0x7a ? code - 32 : code;
  if (code >= 0x1f80 && code <= 0x1fff) {
    // Greek with iota subscript: full mapping is two runes, Go has the single title case letter.
    if (code < 0x1fb0) return (code & 8) === 0 ? code + 8 : code;
    if (code === 0x1fb3 || code === 0x1fc3 || code === 0x1ff3) return code + 9;
  }
  return mapped(code, String.fromCodePoint(code).toUpperCase());
}

/** unicode.ToLower. */
export function lowerRune(code: number): number {
  if (code < 0x80) return code >= 0x41 && code <= 0x5a ? code + 32 : code;
  if (code === 0x130) return 0x69;
  return mapped(code, String.fromCodePoint(code).toLowerCase());
}

/** unicode.ToTitle. */
export function titleRune(code: number): number {
  if (code >= 0x1c4 && code <= 0x1cc) return 0x1c5 + 3 * Math.floor((code - 0x1c4) / 3);
  if (code >= 0x1f1 && code <= 0x1f3) return 0x1f2;
  if (code >= 0x10d0 && code <= 0x10ff) return code;
  return upperRune(code);
}

/** strings.Map over the runes of a Go string: an invalid byte reaches `map` as U+FFFD and comes back as that, as in Go. */
export function mapRunes(text: string, map: (code: number) => number): string {
  let out = '';
  for (const char of text.toWellFormed()) out += String.fromCodePoint(map(char.codePointAt(0) ?? 0));
  return out;
}

/** strings.ToUpper. */
export function toUpperText(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return /^[\0-\x7f]*$/.test(text) ? text.toUpperCase() : mapRunes(text, upperRune);
}

/** strings.ToLower. */
export function toLowerText(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return /^[\0-\x7f]*$/.test(text) ? text.toLowerCase() : mapRunes(text, lowerRune);
}
