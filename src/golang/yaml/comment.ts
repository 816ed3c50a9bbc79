import { isBlank, isBreak, isBreakOrEnd } from './characters.ts';
import type { Scanner } from './scanner.ts';
import { FLOW_ENTRY, VALUE } from './token.ts';

/** How far yaml.v3 looks for a comment before it gives up. */
const MAX_LOOK_AHEAD = 512;

/** A comment the scanner has seen and the parser will hang on the token at `tokenIndex`. Exactly one of the texts is not empty. */
export type Comment = {
  /** Where the scan that found it began. */
  scanIndex: number;
  tokenIndex: number;
  startIndex: number;
  startLine: number;
  startColumn: number;
  endIndex: number;
  head: string;
  line: string;
  foot: string;
};

/** What stands for a comment that was used. */
export const USED_COMMENT: Comment = {
  scanIndex: 0,
  tokenIndex: 0,
  startIndex: 0,
  startLine: 0,
  startColumn: 0,
  endIndex: 0,
  head: '',
  line: '',
  foot: '',
};

/** Line breaks since the last character that is no blank. */
function newlinesBefore(text: string, pos: number): number {
  let count = 0;
  for (let i = pos - 1; i >= 0; i--) {
    const c = text.charCodeAt(i);
    if (isBreak(c)) count += c === 13 && text.charCodeAt(i + 1) === 10 && i + 1 < pos ? 0 : 1;
    else if (!isBlank(c)) break;
  }
  return count;
}

/** Takes a comment that stands in the line of the token just scanned. */
export function scanLineComment(scanner: Scanner, tokenIndex: number): void {
  const { text } = scanner;
  let at = scanner.pos;
  const last = at + MAX_LOOK_AHEAD;
  while (at < last && isBlank(text.charCodeAt(at))) at++;
  if (at === last || text.charCodeAt(at) !== 35 || newlinesBefore(text, scanner.pos) > 0) return;
  const from = at;
  while (!isBreakOrEnd(text.charCodeAt(at))) at++;
  scanner.moveTo(from);
  const { index, line, column } = scanner;
  scanner.moveTo(at);
  scanner.comments.push({
    ...USED_COMMENT,
    tokenIndex,
    startIndex: index,
    startLine: line,
    startColumn: column,
    line: text.slice(from, at),
  });
}

/** One scan over the blank and comment lines between two tokens. */
class CommentScan {
  readonly #scanner: Scanner;
  #scanIndex: number;
  #tokenIndex: number;
  #startIndex = 0;
  #startLine = 0;
  #startColumn = 0;
  #text = '';

  constructor(scanner: Scanner, scanIndex: number, tokenIndex: number) {
    this.#scanner = scanner;
    this.#scanIndex = scanIndex;
    this.#tokenIndex = tokenIndex;
  }

  get pending(): boolean {
    return this.#text !== '';
  }

  get startLine(): number {
    return this.#startLine;
  }

  get startColumn(): number {
    return this.#startColumn;
  }

  start(index: number, line: number, column: number): void {
    this.#startIndex = index;
    this.#startLine = line;
    this.#startColumn = column;
  }

  append(text: string): void {
    this.#text += text;
  }

  /** What was collected belongs to no token before it. */
  detach(): void {
    this.#tokenIndex = this.#startIndex;
  }

  /** Ends a comment below the token before it. */
  endFoot(endIndex: number): void {
    this.#push(endIndex, this.#tokenIndex, '', this.#text);
    this.#scanIndex = endIndex;
    this.#tokenIndex = endIndex;
    this.#text = '';
  }

  /** Ends a comment above the token that follows. */
  endHead(endIndex: number): void {
    this.#push(endIndex, this.#startIndex, this.#text, '');
  }

  #push(endIndex: number, tokenIndex: number, head: string, foot: string): void {
    this.#scanner.comments.push({
      scanIndex: this.#scanIndex,
      tokenIndex,
      startIndex: this.#startIndex,
      startLine: this.#startLine,
      startColumn: this.#startColumn,
      endIndex,
      head,
      line: '',
      foot,
    });
  }
}

/** Stands for the rest of a line break that is more than one byte: yaml.v3 takes it for content. */
const INSIDE_WIDE_BREAK = 0x58;

/**
 * Takes the comment lines between the last token and the next one, and decides for each paragraph whether it is the foot of what came
 * before or the head of what comes after.
 */
export function scanComments(scanner: Scanner, scanIndex: number, scanLine: number): void {
  const { text } = scanner;
  const { last, beforeLast } = scanner.tokens;
  const token = last.type === FLOW_ENTRY ? (beforeLast ?? last) : last;
  const scan = new CommentScan(scanner, scanIndex, token.index);
  const newlines = newlinesBefore(text, scanner.pos);
  const footLine = scanLine > 0 ? scanner.line - newlines + (newlines === 0 && scanner.column > 1 ? 2 : 1) : -1;
  const mayEndValue = token.type !== VALUE;
  let nextIndent = Math.max(scanner.indent, 0);
  let recentEmpty = false;
  let firstEmpty = newlines <= 1;
  let { line, column } = scanner;
  let wide = false;
  let ahead = 0;
  for (; ahead < MAX_LOOK_AHEAD; ahead++) {
    column += 1;
    const c: number = wide ? INSIDE_WIDE_BREAK : text.charCodeAt(scanner.pos + ahead);
    wide = false;
    if (isBlank(c)) continue;
    const closesFlow = scanner.flowLevel > 0 && (c === 93 || c === 125);
    if (closesFlow || isBreakOrEnd(c)) {
      if (closesFlow || !recentEmpty) {
        const dedented = scan.startColumn - 1 < nextIndent;
        if (closesFlow || (firstEmpty && ((scan.startLine === footLine && mayEndValue) || dedented))) {
          if (scan.pending) {
            if (dedented) scan.detach();
            scan.endFoot(scanner.index + ahead);
          }
        } else if (scan.pending && c !== 0) {
          scan.append('\n');
        }
      }
      if (!isBreak(c)) break;
      firstEmpty = false;
      recentEmpty = true;
      column = 0;
      line += 1;
      wide = c > 127;
      if (wide) ahead -= 1;
      continue;
    }
    if (scan.pending && (closesFlow || (column - 1 < nextIndent && column !== scan.startColumn))) scan.endFoot(scanner.index + ahead);
    if (c !== 35) break;
    if (scan.pending) scan.append('\n');
    else scan.start(scanner.index + ahead, line, column);
    recentEmpty = false;
    takeCommentLine(scanner, scan, scanner.index + ahead);
    wide = text.charCodeAt(scanner.pos) > 127;
    ahead = wide ? -1 : 0;
    column = 0;
    line = scanner.line;
    nextIndent = Math.max(scanner.indent, 0);
  }
  if (scan.pending) scan.endHead(scanner.index + ahead - 1);
}

/** Moves to the comment that begins at `index` and takes it up to the end of its line. */
function takeCommentLine(scanner: Scanner, scan: CommentScan, index: number): void {
  const { text } = scanner;
  while (scanner.index < index) if (scanner.takeBreak() === '') scanner.moveTo(scanner.pos + 1);
  const from = scanner.pos;
  let at = from;
  while (!isBreakOrEnd(text.charCodeAt(at))) at++;
  scan.append(text.slice(from, at));
  scanner.moveTo(at);
}
