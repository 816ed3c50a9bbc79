import { budgetExceeded, isLetter, isNumber, isSpace, isUpper, joinText, lowerRune, runes, upperRune } from '../../golang/index.ts';

/*
 * huandu/xstrings 1.5: ToPascalCase (sprig's camelcase), ToSnakeCase, ToKebabCase.
 */

/** Characters of a text that is split into words. */
const MAX_WORDS_TEXT = 4_000_000;

function bounded(value: string): string {
  if (value.length > MAX_WORDS_TEXT) throw budgetExceeded('length of a text split into words', MAX_WORDS_TEXT);
  return value;
}

function codes(value: string): number[] {
  return runes(bounded(value)).map((rune) => rune.codePointAt(0) ?? 0);
}

function lettersOf(input: readonly number[]): string {
  return input.map((code) => String.fromCodePoint(code)).join('');
}

function isConnector(code: number | undefined): boolean {
  return code === 0x2d || code === 0x5f || (code !== undefined && isSpace(code));
}

/** Words run together, each beginning in upper case; leading and repeated connectors stay. */
export function camelCase(value: string): string {
  const input = codes(value);
  let at = input.findIndex((code) => !isConnector(code));
  if (at < 0) return lastTwice(input);
  let out = lettersOf(input.slice(0, at));
  let current = input[at] ?? 0;
  let upperRun = isUpper(current);
  current = upperRune(current);
  for (at += 1; at < input.length; at++) {
    const previous = current;
    current = input[at] ?? 0;
    if (isConnector(previous)) {
      if (isConnector(current)) {
        out += String.fromCodePoint(previous);
        continue;
      }
      upperRun = isUpper(current);
      current = upperRune(current);
      continue;
    }
    if (upperRun && isUpper(current)) current = lowerRune(current);
    else upperRun = false;
    out += String.fromCodePoint(previous);
  }
  return out + String.fromCodePoint(current);
}

/** Only connectors: the library writes the last one twice. */
function lastTwice(input: readonly number[]): string {
  const last = input.at(-1);
  return last === undefined ? '' : lettersOf([...input, last]);
}

/** `first_name`. */
export function snakeCase(value: string): string {
  return splitWords(value, '_');
}

/** `first-name`. */
export function kebabCase(value: string): string {
  return splitWords(value, '-');
}

type WordKind = 'invalid' | 'number' | 'upper' | 'alphabet' | 'connector' | 'punctuation' | 'other';
type Word = { kind: WordKind; runes: readonly number[]; rest: readonly number[] };

const punctuation = /^\p{P}$/u;

function isPunctuation(code: number): boolean {
  return punctuation.test(String.fromCodePoint(code));
}

/** Letters with case, that is not of Chinese characters. */
function isAlphabet(code: number): boolean {
  if (!isLetter(code)) return false;
  if (code < 0x3400) return true;
  return !((code >= 0x4e00 && code <= 0x9fcc) || (code >= 0x3400 && code <= 0x4d85) || (code >= 0x20000 && code <= 0x2b81d));
}

const REPLACEMENT = 0xfffd;

/** True for what Go decodes as U+FFFD: that character itself and bytes outside UTF-8. */
function isInvalid(code: number): boolean {
  return code === REPLACEMENT || (code >= 0xd800 && code <= 0xdfff);
}

/** How many runes from `from` on satisfy `test`; a replacement character counts as what stood before it. */
function run(input: readonly number[], from: number, test: (code: number) => boolean): number {
  let at = from;
  let previous = input[from - 1] ?? REPLACEMENT;
  while (at < input.length) {
    const next = nextValid(input, at, previous);
    if (!test(next.code)) break;
    previous = next.code;
    at += next.size;
  }
  return at;
}

function nextValid(input: readonly number[], at: number, previous: number): { code: number; size: number } {
  for (let i = at; i < input.length; i++) {
    const code = input[i] ?? REPLACEMENT;
    if (!isInvalid(code)) return { code, size: i - at + 1 };
  }
  return { code: previous, size: input.length - at };
}

function nextWord(input: readonly number[]): Word {
  const first = nextValid(input, 0, REPLACEMENT);
  const cut = (kind: WordKind, end: number): Word => ({ kind, runes: input.slice(0, end), rest: input.slice(end) });
  const { code, size } = first;
  if (input.length === 0 || isInvalid(code)) return cut('invalid', input.length === 0 ? 0 : size);
  if (isConnector(code)) return cut('connector', run(input, size, isConnector));
  if (isPunctuation(code)) return cut('punctuation', run(input, size, isPunctuation));
  if (isUpper(code)) return cut('upper', endOfUpper(input, size));
  const small = (next: number): boolean => isAlphabet(next) && !isUpper(next);
  if (isAlphabet(code)) return cut('alphabet', run(input, size, small));
  if (isNumber(code)) return cut('number', run(input, size, isNumber));
  return cut(
    'other',
    run(input, size, (next) => !isConnector(next) && !isAlphabet(next) && !isNumber(next) && !isPunctuation(next)),
  );
}

/** `HTTPServer` is `HTTP` and `Server`; `Server` is one word. */
function endOfUpper(input: readonly number[], size: number): number {
  if (size >= input.length) return size;
  const second = nextValid(input, size, input[size - 1] ?? REPLACEMENT);
  if (isUpper(second.code)) {
    const end = run(input, size, isUpper);
    const after = end < input.length ? nextValid(input, end, input[end - 1] ?? REPLACEMENT).code : undefined;
    return after !== undefined && isAlphabet(after) ? end - 1 : end;
  }
  if (!isAlphabet(second.code)) return size;
  return run(input, size, (code) => isAlphabet(code) && !isUpper(code));
}

/** Writes words in lower case with a connector between them. */
class WordWriter {
  out = '';
  word: Word;
  readonly #connector: string;

  constructor(input: readonly number[], connector: string) {
    this.#connector = connector;
    this.word = nextWord(input);
  }

  kind(): WordKind {
    return this.word.kind;
  }

  get done(): boolean {
    return this.word.rest.length === 0;
  }

  advance(): void {
    this.word = nextWord(this.word.rest);
  }

  connect(): void {
    this.out += this.#connector;
  }

  /** Only words of capitals and connectors are changed. */
  write({ kind, runes: letters }: Pick<Word, 'kind' | 'runes'>): void {
    const change = kind === 'upper' || kind === 'connector';
    for (const code of letters) {
      if (change && isConnector(code)) this.out += this.#connector;
      else if (change && isInvalid(code)) this.out += '\ufffd';
      else this.out += String.fromCodePoint(change && isUpper(code) ? lowerRune(code) : code);
    }
  }

  /** Letters and numbers after a number belong to it. */
  writeMixed(): void {
    while (this.kind() === 'alphabet' || this.kind() === 'number') {
      this.write(this.word);
      this.advance();
    }
  }
}

function splitWords(value: string, connector: string): string {
  if (value === '') return '';
  const writer = new WordWriter(
    [...bounded(value)].map((rune) => rune.codePointAt(0) ?? 0),
    connector,
  );
  while (!writer.done) {
    if (writer.kind() !== 'connector') writer.write(writer.word);
    const previous = writer.word;
    writer.advance();
    if (previous.kind === 'number') {
      writer.writeMixed();
      if (!['invalid', 'punctuation', 'connector'].includes(writer.kind())) writer.connect();
    } else if (previous.kind === 'connector') writer.write(previous);
    else if (previous.kind !== 'punctuation') afterWord(writer);
  }
  writer.write(writer.word);
  return joinText(writer.out);
}

function afterWord(writer: WordWriter): void {
  if (writer.kind() !== 'number') {
    if (writer.kind() !== 'connector' && writer.kind() !== 'punctuation') writer.connect();
    return;
  }
  if (writer.done) return;
  const number = writer.word;
  writer.advance();
  if (writer.kind() !== 'alphabet') {
    // The number belongs to the word before it: `bld4_floor`.
    writer.write(number);
    if (writer.kind() !== 'connector' && writer.kind() !== 'punctuation') writer.connect();
    return;
  }
  // Small letters follow: the number begins a word of its own, `http_2xx`.
  writer.connect();
  writer.write(number);
  writer.writeMixed();
  if (!['invalid', 'punctuation', 'connector'].includes(writer.kind())) writer.connect();
}
