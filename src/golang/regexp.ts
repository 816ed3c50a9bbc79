import { RE2JS, RE2JSException } from 're2js';
import { Lru } from '../std/index.ts';
import { budgetExceeded, GoError } from './go-error.ts';
import { MAX_LIST, MAX_PATTERN, MAX_REGEXP_WORK, MAX_TEXT } from './limits.ts';
import { RegexpScan } from './regexp-scan.ts';
import { joinText, textToBytes, toValidText } from './text.ts';

/** Start and end of the match and of each group, in code units of the text; −1 for a group that took no part. */
export type MatchSpan = readonly number[];

/**
 * A compiled Go regular expression: RE2 syntax and leftmost-first matching in linear time. Texts may hold bytes outside UTF-8, which
 * match as U+FFFD, as in Go.
 */
export class GoRegexp {
  readonly source: string;
  readonly #compiled: RE2JS;
  readonly #size: number;
  #names: readonly string[] | undefined;

  private constructor(source: string, compiled: RE2JS, names: readonly string[] | undefined) {
    this.source = source;
    this.#compiled = compiled;
    this.#size = compiled.programSize();
    this.#names = names;
  }

  /** regexp.Compile; compiled expressions are kept. Throws a GoError `error parsing regexp: …`. */
  static compile(pattern: string): GoRegexp {
    const known = cache.get(pattern) ?? remember(pattern, tryCompile(pattern));
    if (known instanceof GoRegexp) return known;
    throw new GoError(known);
  }

  /** @internal */
  static create(source: string, compiled: RE2JS, names?: readonly string[]): GoRegexp {
    return new GoRegexp(source, compiled, names);
  }

  /** Names of the groups by number; empty for the whole match and for unnamed groups. */
  get groupNames(): readonly string[] {
    if (this.#names === undefined) {
      const names = new Array<string>(this.#compiled.groupCount() + 1).fill('');
      for (const [name, index] of Object.entries(this.#compiled.namedGroups())) names[index] = name;
      this.#names = names;
    }
    return this.#names;
  }

  /** MatchString. */
  test(text: string): boolean {
    return this.#compiled.matcher(this.#checked(text)).find();
  }

  /** FindStringSubmatchIndex: the leftmost match, if any. */
  find(text: string): MatchSpan | undefined {
    return this.findAll(text, 1)[0];
  }

  /** FindAllStringSubmatchIndex: at most `limit` matches that do not overlap, all of them when it is negative. */
  findAll(text: string, limit = -1): MatchSpan[] {
    const input = this.#checked(text);
    const scan = new RegexpScan(this.#compiled, this.#size, input);
    const found: MatchSpan[] = [];
    const most = limit < 0 ? Infinity : limit;
    let at = 0;
    let previousEnd = -1;
    while (found.length < most && at <= input.length) {
      const matcher = scan.find(at);
      if (matcher === undefined) break;
      const start = matcher.start();
      const end = matcher.end();
      const accept = end !== at || start !== previousEnd;
      at = end === at ? at + runeWidth(input, at) : end;
      previousEnd = end;
      if (!accept) continue;
      found.push(this.#span(matcher));
      if (found.length > MAX_LIST) throw budgetExceeded('number of regular expression matches', MAX_LIST);
    }
    return found;
  }

  /** FindAllString. */
  findAllText(text: string, limit = -1): string[] {
    return this.findAll(text, limit).map(([start, end]) => text.slice(start, end));
  }

  /** ReplaceAllString: `$name` and `${name}` in `replacement` stand for groups. */
  replaceAll(text: string, replacement: string): string {
    if (!replacement.includes('$')) return this.#replace(text, () => replacement);
    const pieces = parseTemplate(replacement, this.groupNames);
    return this.#replace(text, (span) => expandPieces(pieces, text, span));
  }

  /** ReplaceAllLiteralString. */
  replaceAllLiteral(text: string, replacement: string): string {
    return this.#replace(text, () => replacement);
  }

  /** Expand: the replacement template for one match. */
  expand(template: string, text: string, span: MatchSpan): string {
    return joinText(expandPieces(parseTemplate(template, this.groupNames), text, span));
  }

  /** Split; `undefined` (a nil slice) when `limit` is 0. */
  split(text: string, limit: number): string[] | undefined {
    if (limit === 0) return undefined;
    if (this.source !== '' && text === '') return [''];
    const parts: string[] = [];
    let begin = 0;
    let end = 0;
    for (const [from = 0, to = 0] of this.findAll(text, limit)) {
      if (limit > 0 && parts.length >= limit - 1) break;
      end = from;
      if (to !== 0) parts.push(text.slice(begin, end));
      begin = to;
    }
    if (end !== text.length) parts.push(text.slice(begin));
    return parts;
  }

  #replace(text: string, replacement: (span: MatchSpan) => string): string {
    const input = this.#checked(text);
    const scan = new RegexpScan(this.#compiled, this.#size, input);
    let out = '';
    let copied = 0;
    let at = 0;
    while (at <= input.length) {
      const matcher = scan.find(at);
      if (matcher === undefined) break;
      const start = matcher.start();
      const end = matcher.end();
      out += text.slice(copied, start);
      // No replacement for an empty match right after another match.
      if (end > copied || start === 0) out += replacement(this.#span(matcher));
      if (out.length > MAX_TEXT) throw budgetExceeded('length of a replaced text', MAX_TEXT);
      copied = end;
      at = Math.max(end, at + runeWidth(input, at));
    }
    return joinText(out + text.slice(copied));
  }

  #span(matcher: ReturnType<RE2JS['matcher']>): MatchSpan {
    const span: number[] = [];
    for (let group = 0; group <= this.#compiled.groupCount(); group++) span.push(matcher.start(group), matcher.end(group));
    return span;
  }

  #checked(text: string): string {
    if (text.length * this.#size > MAX_REGEXP_WORK) throw budgetExceeded('work of a regular expression', MAX_REGEXP_WORK);
    return toValidText(text);
  }
}

function runeWidth(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
}

/** Compiled expressions, or the text of the error, by pattern. */
const cache = new Lru<string, GoRegexp | string>(1000);

function remember(pattern: string, value: GoRegexp | string): GoRegexp | string {
  cache.set(pattern, value);
  return value;
}

function tryCompile(pattern: string): GoRegexp | string {
  if (pattern.length > MAX_PATTERN) throw budgetExceeded('length of a regular expression', MAX_PATTERN);
  if (!pattern.isWellFormed()) return `error parsing regexp: invalid UTF-8: \`${pattern}\``;
  try {
    return GoRegexp.create(pattern, RE2JS.compile(pattern));
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return error.message.includes(': duplicate capture group name:') ? compileUnnamed(pattern) : goMessage(error.message, pattern);
  }
}

/** Parts of a pattern that matter for finding its groups: quoted text, escapes, classes, groups that capture. */
const groupToken = /\\Q.*?(?:\\E|$)|\\.|\[\^?\]?(?:\[:[^\]]*:\]|\\.|[^\]\\])*\]|\(\?P?<(\w+)>|\((?!\?)/gs;

/** Go lets groups share a name, re2js does not: compiles the pattern without names and keeps them beside it. */
function compileUnnamed(pattern: string): GoRegexp | string {
  const names = [''];
  const unnamed = pattern.replaceAll(groupToken, (token, name: string | undefined) => {
    if (!token.startsWith('(')) return token;
    names.push(name ?? '');
    return '(';
  });
  try {
    return GoRegexp.create(pattern, RE2JS.compile(unnamed), names);
  } catch (error) {
    if (error instanceof RE2JSException) return goMessage(error.message, pattern).replace(unnamed, () => pattern);
    throw error;
  }
}

/** Go quotes the offending part of the pattern even where it is all of it, or nothing. */
function goMessage(message: string, pattern: string): string {
  if (message.endsWith('`')) return message;
  return `${message}: \`${/expression (?:too large|nests too deeply)/.test(message) ? pattern : ''}\``;
}

/** A replacement template: literal text, or the numbers of the groups a reference may mean (the first that took part counts). */
type Piece = string | readonly number[];

function parseTemplate(template: string, names: readonly string[]): Piece[] {
  const pieces: Piece[] = [];
  let rest = template;
  for (;;) {
    const dollar = rest.indexOf('$');
    if (dollar < 0) break;
    pieces.push(rest.slice(0, dollar));
    rest = rest.slice(dollar + 1);
    const reference = rest.startsWith('$') ? undefined : /^(?:\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/u.exec(rest);
    if (reference === null) pieces.push('$');
    else if (reference === undefined) {
      pieces.push('$');
      rest = rest.slice(1);
    } else {
      pieces.push(groupNumbers(reference[1] ?? reference[2] ?? '', names));
      rest = rest.slice(reference[0].length);
    }
  }
  return [...pieces, rest];
}

function groupNumbers(name: string, names: readonly string[]): readonly number[] {
  if (/^(?:0|[1-9]\d{0,8})$/.test(name)) return [Number(name)];
  return names.flatMap((known, group) => (known === name ? [group] : []));
}

function expandPieces(pieces: readonly Piece[], text: string, span: MatchSpan): string {
  let out = '';
  for (const piece of pieces) {
    if (typeof piece === 'string') {
      out += piece;
      continue;
    }
    const group = piece.find((number) => (span[2 * number] ?? -1) >= 0);
    if (group !== undefined) out += text.slice(span[2 * group], span[2 * group + 1]);
    if (out.length > MAX_TEXT) throw budgetExceeded('length of a replaced text', MAX_TEXT);
  }
  return out;
}

/** regexp.QuoteMeta. */
export function quoteMeta(text: string): string {
  return text.replaceAll(/[\\.+*?()|[\]{}^$]/g, '\\$&');
}

/** Code unit offsets into `text` as byte offsets of the Go string; −1 stays. */
export function toByteOffsets(text: string, span: MatchSpan): number[] {
  return span.map((at) => (at < 0 ? -1 : textToBytes(text.slice(0, at)).length));
}
