import { budgetExceeded } from '../go-error.ts';
import { runeSize } from '../text.ts';

/*
 * The matchers of gobwas/glob, with its habits: which strings a pattern matches follows from how it was compiled, also where that
 * differs from the plain meaning of the pattern. They work on byte strings: every character is one byte (Latin-1).
 */

/** Where a matcher can first begin in a string and the lengths it can have there; −1 when nowhere. */
export type Found = { at: number; lengths: readonly number[] };
const nowhere: Found = { at: -1, lengths: [] };

/** Bounds the work of one match: hostile patterns make it exponential. */
export class GlobWork {
  #left: number;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
    this.#left = limit;
  }

  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw budgetExceeded('steps of matching a glob', this.#limit);
  }
}

export interface Matcher {
  readonly kind: string;
  /** Runes it matches when that is fixed, else −1. */
  readonly length: number;
  match(text: string, work: GlobWork): boolean;
  find(text: string, work: GlobWork): Found;
}

type Rune = { at: number; code: number; size: number };

/** Runes of a byte string; bytes outside UTF-8 are U+FFFD of size 1. */
function runesOf(text: string): Rune[] {
  const bytes = Buffer.from(text, 'latin1');
  const runes: Rune[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = runeSize(bytes, at);
    const code = size === 0 ? 0xfffd : (bytes.toString('utf8', at, at + size).codePointAt(0) ?? 0xfffd);
    runes.push({ at, code, size: size === 0 ? 1 : size });
    at += size === 0 ? 1 : size;
  }
  return runes;
}

/** utf8.RuneLen: 3 for the replacement character, whatever it stood for. */
function runeLength(code: number): number {
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

function hasSeparator(text: string, separators: string): boolean {
  return firstSeparator(text, separators) >= 0;
}

function firstSeparator(text: string, separators: string): number {
  let first = -1;
  for (const separator of separators) {
    const at = text.indexOf(separator);
    if (at >= 0 && (first < 0 || at < first)) first = at;
  }
  return first;
}

function lastSeparator(text: string, separators: string): number {
  return Math.max(-1, ...[...separators].map((separator) => text.lastIndexOf(separator)));
}

/** Matches the empty string only. */
export const nothing: Matcher = {
  kind: 'nothing',
  length: 0,
  match: (text) => text === '',
  find: () => ({ at: 0, lengths: [0] }),
};

/** `**`. */
export const superMatcher: Matcher = {
  kind: 'super',
  length: -1,
  match: () => true,
  find: (text) => ({ at: 0, lengths: [...runesOf(text).map((rune) => rune.at), text.length] }),
};

/** `*`: no separator inside. Separators are ASCII. */
export class AnyMatcher implements Matcher {
  readonly kind = 'any';
  readonly length = -1;
  readonly separators: string;

  constructor(separators: string) {
    this.separators = separators;
  }

  match(text: string): boolean {
    return !hasSeparator(text, this.separators);
  }

  find(text: string): Found {
    const stop = firstSeparator(text, this.separators);
    if (stop === 0) return { at: 0, lengths: [0] };
    const part = stop < 0 ? text : text.slice(0, stop);
    return { at: 0, lengths: [...runesOf(part).map((rune) => rune.at), part.length] };
  }
}

/** One rune that passes a test: `?`, `[abc]`, `[a-c]`. */
export class OneMatcher implements Matcher {
  readonly kind: 'single' | 'list' | 'range';
  readonly length = 1;
  /** For `single` the separators, for a negated `list` its characters: what gluing compares. */
  readonly chars: string;
  readonly not: boolean;
  readonly #test: (code: number) => boolean;

  constructor(kind: 'single' | 'list' | 'range', chars: string, not: boolean, test: (code: number) => boolean) {
    this.kind = kind;
    this.chars = chars;
    this.not = not;
    this.#test = test;
  }

  match(text: string): boolean {
    const [first] = runesOf(text);
    if (text.length > (first?.size ?? 0)) return false;
    return this.#test(first?.code ?? 0xfffd);
  }

  find(text: string): Found {
    for (const { at, code } of runesOf(text)) if (this.#test(code)) return { at, lengths: [runeLength(code)] };
    return nowhere;
  }
}

/** Literal text. */
export class TextMatcher implements Matcher {
  readonly kind = 'text';
  readonly text: string;
  readonly length: number;

  constructor(text: string) {
    this.text = text;
    this.length = runesOf(text).length;
  }

  match(text: string): boolean {
    return text === this.text;
  }

  find(text: string): Found {
    const at = text.indexOf(this.text);
    return at < 0 ? nowhere : { at, lengths: [this.text.length] };
  }
}

/** Text anywhere, or nowhere when `not`. */
export class ContainsMatcher implements Matcher {
  readonly kind = 'contains';
  readonly length = -1;
  readonly #needle: string;
  readonly #not: boolean;

  constructor(needle: string, not: boolean) {
    this.#needle = needle;
    this.#not = not;
  }

  match(text: string): boolean {
    return text.includes(this.#needle) !== this.#not;
  }

  find(text: string): Found {
    const at = text.indexOf(this.#needle);
    let rest = text;
    let offset = 0;
    if (!this.#not) {
      if (at < 0) return nowhere;
      offset = at + this.#needle.length;
      if (text.length <= offset) return { at: 0, lengths: [offset] };
      rest = text.slice(offset);
    } else if (at >= 0) rest = text.slice(0, at);
    return { at: 0, lengths: [...runesOf(rest).map((rune) => offset + rune.at), offset + rest.length] };
  }
}

/** Text at the beginning. */
export class PrefixMatcher implements Matcher {
  readonly kind = 'prefix';
  readonly length = -1;
  readonly prefix: string;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  match(text: string): boolean {
    return text.startsWith(this.prefix);
  }

  find(text: string): Found {
    const at = text.indexOf(this.prefix);
    if (at < 0) return nowhere;
    const { length } = this.prefix;
    return { at, lengths: [length, ...runesOf(text.slice(at + length)).map((rune) => length + rune.at + runeLength(rune.code))] };
  }
}

/** Text at the end. */
export class SuffixMatcher implements Matcher {
  readonly kind = 'suffix';
  readonly length = -1;
  readonly suffix: string;

  constructor(suffix: string) {
    this.suffix = suffix;
  }

  match(text: string): boolean {
    return text.endsWith(this.suffix);
  }

  find(text: string): Found {
    const at = text.indexOf(this.suffix);
    return at < 0 ? nowhere : { at: 0, lengths: [at + this.suffix.length] };
  }
}

/** Text at the beginning and text at the end; they may overlap. */
export class PrefixSuffixMatcher implements Matcher {
  readonly kind = 'prefixSuffix';
  readonly length = -1;
  readonly #prefix: string;
  readonly #suffix: string;

  constructor(prefix: string, suffix: string) {
    this.#prefix = prefix;
    this.#suffix = suffix;
  }

  match(text: string): boolean {
    return text.startsWith(this.#prefix) && text.endsWith(this.#suffix);
  }

  find(text: string): Found {
    const at = text.indexOf(this.#prefix);
    if (at < 0) return nowhere;
    if (this.#suffix === '') return { at, lengths: [text.length - at] };
    const lengths: number[] = [];
    let rest = text.slice(at);
    for (let end = rest.lastIndexOf(this.#suffix); end >= 0; end = rest.lastIndexOf(this.#suffix)) {
      lengths.push(end + this.#suffix.length);
      rest = rest.slice(0, end);
    }
    return lengths.length === 0 ? nowhere : { at, lengths: lengths.reverse() };
  }
}

/** Text, then no separator. */
export class PrefixAnyMatcher implements Matcher {
  readonly kind = 'prefixAny';
  readonly length = -1;
  readonly #prefix: string;
  readonly #separators: string;

  constructor(prefix: string, separators: string) {
    this.#prefix = prefix;
    this.#separators = separators;
  }

  match(text: string): boolean {
    return text.startsWith(this.#prefix) && !hasSeparator(text.slice(this.#prefix.length), this.#separators);
  }

  find(text: string): Found {
    const at = text.indexOf(this.#prefix);
    if (at < 0) return nowhere;
    const { length } = this.#prefix;
    const rest = text.slice(at + length);
    const stop = firstSeparator(rest, this.#separators);
    const part = stop < 0 ? rest : rest.slice(0, stop);
    return { at, lengths: [length, ...runesOf(part).map((rune) => length + rune.at + runeLength(rune.code))] };
  }
}

/** No separator, then text. */
export class SuffixAnyMatcher implements Matcher {
  readonly kind = 'suffixAny';
  readonly length = -1;
  readonly #suffix: string;
  readonly #separators: string;

  constructor(suffix: string, separators: string) {
    this.#suffix = suffix;
    this.#separators = separators;
  }

  match(text: string): boolean {
    return text.endsWith(this.#suffix) && !hasSeparator(text.slice(0, text.length - this.#suffix.length), this.#separators);
  }

  find(text: string): Found {
    const end = text.indexOf(this.#suffix);
    if (end < 0) return nowhere;
    const at = lastSeparator(text.slice(0, end), this.#separators) + 1;
    return { at, lengths: [end + this.#suffix.length - at] };
  }
}

/** At least, or at most, so many runes. */
export class CountMatcher implements Matcher {
  readonly kind: 'min' | 'max';
  readonly length = -1;
  readonly #limit: number;

  constructor(kind: 'min' | 'max', limit: number) {
    this.kind = kind;
    this.#limit = limit;
  }

  match(text: string): boolean {
    const count = runesOf(text).length;
    return this.kind === 'min' ? count >= this.#limit : count <= this.#limit;
  }

  find(text: string): Found {
    const ends = runesOf(text).map((rune) => rune.at + runeLength(rune.code));
    if (this.kind === 'max') return { at: 0, lengths: [0, ...ends.slice(0, this.#limit)] };
    const lengths = text.length - this.#limit + 1 <= 0 ? [] : ends.slice(this.#limit - 1);
    return lengths.length === 0 ? nowhere : { at: 0, lengths };
  }
}

/** All of several at once. */
export class EveryMatcher implements Matcher {
  readonly kind = 'every';
  readonly length: number;
  readonly #matchers: readonly Matcher[];

  constructor(matchers: readonly Matcher[]) {
    this.#matchers = matchers;
    this.length = matchers.length === 0 ? 0 : -1;
  }

  match(text: string, work: GlobWork): boolean {
    return this.#matchers.every((matcher) => matcher.match(text, work));
  }

  find(text: string, work: GlobWork): Found {
    let index = 0;
    let offset = 0;
    let current: readonly number[] = [];
    let rest = text;
    for (const [i, matcher] of this.#matchers.entries()) {
      const { at, lengths } = matcher.find(rest, work);
      if (at < 0) return nowhere;
      if (i === 0) current = lengths;
      else {
        const shift = index - (at + offset);
        const possible = new Set(lengths);
        work.spend(current.length + lengths.length);
        current = current.filter((length) => possible.has(length + shift)).map((length) => length + shift);
        if (current.length === 0) return nowhere;
      }
      index = at + offset;
      rest = text.slice(index);
      offset += at;
    }
    return { at: index, lengths: current };
  }
}

/** One of several. */
export class AnyOfMatcher implements Matcher {
  readonly kind = 'anyOf';
  readonly matchers: readonly Matcher[];
  readonly length: number;

  constructor(matchers: readonly Matcher[]) {
    this.matchers = matchers;
    this.length = commonLength(matchers);
  }

  match(text: string, work: GlobWork): boolean {
    return this.matchers.some((matcher) => matcher.match(text, work));
  }

  find(text: string, work: GlobWork): Found {
    let best = -1;
    let lengths: readonly number[] = [];
    for (const matcher of this.matchers) {
      const found = matcher.find(text, work);
      if (found.at < 0 || (best >= 0 && found.at > best)) continue;
      if (best < 0 || found.at < best) {
        best = found.at;
        ({ lengths } = found);
      } else lengths = [...new Set([...lengths, ...found.lengths])].sort((a, b) => a - b);
    }
    return best < 0 ? nowhere : { at: best, lengths };
  }
}

function commonLength(matchers: readonly Matcher[]): number {
  let common = -1;
  for (const { length } of matchers) {
    if (common === -1) common = length;
    else if (length !== common) return -1;
  }
  return common;
}

/** A row of matchers of fixed length. */
export class RowMatcher implements Matcher {
  readonly kind = 'row';
  readonly length: number;
  readonly #matchers: readonly Matcher[];

  constructor(length: number, matchers: readonly Matcher[]) {
    this.length = length;
    this.#matchers = matchers;
  }

  match(text: string, work: GlobWork): boolean {
    return runesOf(text).length === this.length && this.#all(text, work);
  }

  find(text: string, work: GlobWork): Found {
    for (const { at } of runesOf(text)) {
      if (text.length - at < this.length) break;
      work.spend(this.#matchers.length);
      if (this.#all(text.slice(at), work)) return { at, lengths: [this.length] };
    }
    return nowhere;
  }

  /** Parts end one byte after the start of their last rune: runes of several bytes at a part's end are cut, as in gobwas. */
  #all(text: string, work: GlobWork): boolean {
    let from = 0;
    for (const matcher of this.#matchers) {
      const runes = runesOf(text.slice(from));
      const last = runes[matcher.length - 1] ?? runes.at(-1);
      const end = from + (last?.at ?? 0) + 1;
      if (runes.length < matcher.length || !matcher.match(text.slice(from, end), work)) return false;
      from = end;
    }
    return true;
  }
}

/** A matcher with one to its left and one to its right. */
export class TreeMatcher implements Matcher {
  readonly kind = 'tree';
  readonly value: Matcher;
  readonly left: Matcher | undefined;
  readonly right: Matcher | undefined;
  readonly length: number;

  constructor(value: Matcher, left: Matcher | undefined, right: Matcher | undefined) {
    this.value = value;
    this.left = left;
    this.right = right;
    const lengths = [value.length, left?.length ?? 0, right?.length ?? 0];
    this.length = lengths.includes(-1) ? -1 : lengths.reduce((sum, length) => sum + length, 0);
  }

  find(): Found {
    return nowhere;
  }

  match(text: string, work: GlobWork): boolean {
    if (this.length !== -1 && this.length > text.length) return false;
    const rightLength = this.right?.length ?? 0;
    const limit = rightLength >= 0 ? text.length - rightLength : text.length;
    let offset = Math.max(this.left?.length ?? 0, 0);
    while (offset < limit) {
      work.spend(1 + limit - offset);
      const { at, lengths } = this.value.find(text.slice(offset, limit), work);
      if (at < 0) return false;
      const start = offset + at;
      if (matchSide(this.left, text.slice(0, start), work) && this.#matchRight(text, start, lengths, work)) return true;
      const [rune] = runesOf(text.slice(start, start + 4));
      offset = start + (rune?.size ?? 0);
      if (rune === undefined) return false;
    }
    return false;
  }

  #matchRight(text: string, start: number, lengths: readonly number[], work: GlobWork): boolean {
    for (let i = lengths.length - 1; i >= 0; i--) if (matchSide(this.right, text.slice(start + (lengths[i] ?? 0)), work)) return true;
    return false;
  }
}

function matchSide(side: Matcher | undefined, text: string, work: GlobWork): boolean {
  work.spend(1 + text.length);
  return side === undefined ? text === '' : side.match(text, work);
}
