import { bytesToText } from '../text.ts';
import { hexValue, isBlank, isBlankOrEnd, isBreak, isBreakOrEnd, isDigit, isUri, isWord } from './characters.ts';
import type { Scanner } from './scanner.ts';
import { TAG, TAG_DIRECTIVE, Token, VERSION_DIRECTIVE } from './token.ts';

function skipBlanks(scanner: Scanner): void {
  while (isBlank(scanner.text.charCodeAt(scanner.pos))) scanner.pos += 1;
}

function takeWord(scanner: Scanner): string {
  const from = scanner.pos;
  let at = from;
  while (isWord(scanner.text.charCodeAt(at))) at++;
  scanner.pos = at;
  return scanner.text.slice(from, at);
}

/** Characters that may follow an anchor's or alias's name: `?:,]}%@` and a backquote. */
function endsAnchor(c: number): boolean {
  return isBlankOrEnd(c) || c === 63 || c === 58 || c === 44 || c === 93 || c === 125 || c === 37 || c === 64 || c === 96;
}

/** Scans `&name` or `*name`; `type` says which. */
export function scanAnchor(scanner: Scanner, type: number): Token {
  const { line, index } = scanner;
  scanner.pos += 1;
  const name = takeWord(scanner);
  if (name === '' || !endsAnchor(scanner.text.charCodeAt(scanner.pos))) {
    scanner.fail(line, 'did not find expected alphabetic or numeric character');
  }
  return new Token(type, line, index, name, '', 0);
}

/** Scans a node's tag: `!<uri>`, `!suffix`, `!handle!suffix` or `!`. */
export function scanTag(scanner: Scanner): Token {
  const { text, line, index } = scanner;
  let handle = '';
  let suffix = '';
  if (text.charCodeAt(scanner.pos + 1) === 60) {
    scanner.pos += 2;
    suffix = tagUri(scanner, '', line);
    if (text.charCodeAt(scanner.pos) !== 62) scanner.fail(line, "did not find the expected '>'");
    scanner.pos += 1;
  } else {
    handle = tagHandle(scanner, false, line);
    if (handle.length > 1 && handle.endsWith('!')) {
      suffix = tagUri(scanner, '', line);
    } else {
      suffix = tagUri(scanner, handle, line);
      handle = '!';
      if (suffix === '') [handle, suffix] = ['', '!'];
    }
  }
  if (!isBlankOrEnd(text.charCodeAt(scanner.pos))) scanner.fail(line, 'did not find expected whitespace or line break');
  return new Token(TAG, line, index, handle, suffix, 0);
}

function tagHandle(scanner: Scanner, directive: boolean, line: number): string {
  const { text } = scanner;
  if (text.charCodeAt(scanner.pos) !== 33) scanner.fail(line, "did not find expected '!'");
  scanner.pos += 1;
  const handle = `!${takeWord(scanner)}`;
  if (text.charCodeAt(scanner.pos) === 33) {
    scanner.pos += 1;
    return `${handle}!`;
  }
  if (directive && handle !== '!') scanner.fail(line, "did not find expected '!'");
  return handle;
}

/** A tag's URI; `head` is a handle that turned out to be its beginning. */
function tagUri(scanner: Scanner, head: string, line: number): string {
  const { text } = scanner;
  let uri = head.slice(1);
  let found = head !== '';
  for (let c = text.charCodeAt(scanner.pos); isUri(c); c = text.charCodeAt(scanner.pos)) {
    if (c === 37) {
      uri += uriEscapes(scanner, line);
    } else {
      uri += String.fromCharCode(c);
      scanner.pos += 1;
    }
    found = true;
  }
  if (!found) scanner.fail(line, 'did not find expected tag URI');
  return uri;
}

/** One `%xx` escaped UTF-8 character of a URI. */
function uriEscapes(scanner: Scanner, line: number): string {
  const { text } = scanner;
  const bytes: number[] = [];
  let left = 0;
  do {
    const high = hexValue(text.charCodeAt(scanner.pos + 1));
    const low = hexValue(text.charCodeAt(scanner.pos + 2));
    if (text.charCodeAt(scanner.pos) !== 37 || high < 0 || low < 0) scanner.fail(line, 'did not find URI escaped octet', 3);
    const octet = high * 16 + low;
    if (bytes.length === 0) {
      left = sequenceLength(octet);
      if (left === 0) scanner.fail(line, 'found an incorrect leading UTF-8 octet');
    } else if ((octet & 0xc0) !== 0x80) {
      scanner.fail(line, 'found an incorrect trailing UTF-8 octet');
    }
    bytes.push(octet);
    scanner.pos += 3;
    left -= 1;
  } while (left > 0);
  return bytesToText(Uint8Array.from(bytes));
}

function sequenceLength(octet: number): number {
  if (octet < 0x80) return 1;
  if ((octet & 0xe0) === 0xc0) return 2;
  if ((octet & 0xf0) === 0xe0) return 3;
  return (octet & 0xf8) === 0xf0 ? 4 : 0;
}

/** Scans a `%YAML` or `%TAG` directive with the rest of its line. */
export function scanDirective(scanner: Scanner): Token {
  const { text, line, index } = scanner;
  scanner.pos += 1;
  const name = takeWord(scanner);
  if (name === '') scanner.fail(line, 'could not find expected directive name');
  if (!isBlankOrEnd(text.charCodeAt(scanner.pos))) scanner.fail(line, 'found unexpected non-alphabetical character');
  let token: Token;
  if (name === 'YAML') token = versionDirective(scanner, line, index);
  else if (name === 'TAG') token = tagDirective(scanner, line, index);
  else return scanner.fail(line, 'found unknown directive name');
  skipBlanks(scanner);
  if (text.charCodeAt(scanner.pos) === 35) {
    let at = scanner.pos;
    while (!isBreakOrEnd(text.charCodeAt(at))) at++;
    scanner.moveTo(at);
  }
  const c = text.charCodeAt(scanner.pos);
  if (!isBreakOrEnd(c)) scanner.fail(line, 'did not find expected comment or line break');
  if (isBreak(c)) scanner.takeBreak();
  return token;
}

function versionDirective(scanner: Scanner, line: number, index: number): Token {
  skipBlanks(scanner);
  const major = versionNumber(scanner, line);
  if (scanner.text.charCodeAt(scanner.pos) !== 46) scanner.fail(line, "did not find expected digit or '.' character");
  scanner.pos += 1;
  const minor = versionNumber(scanner, line);
  return new Token(VERSION_DIRECTIVE, line, index, `${major}.${minor}`, '', 0);
}

function versionNumber(scanner: Scanner, line: number): number {
  const from = scanner.pos;
  while (isDigit(scanner.text.charCodeAt(scanner.pos))) {
    if (scanner.pos - from >= 2) scanner.fail(line, 'found extremely long version number');
    scanner.pos += 1;
  }
  if (scanner.pos === from) scanner.fail(line, 'did not find expected version number');
  return Number(scanner.text.slice(from, scanner.pos));
}

function tagDirective(scanner: Scanner, line: number, index: number): Token {
  skipBlanks(scanner);
  const handle = tagHandle(scanner, true, line);
  if (!isBlank(scanner.text.charCodeAt(scanner.pos))) scanner.fail(line, 'did not find expected whitespace');
  skipBlanks(scanner);
  const prefix = tagUri(scanner, '', line);
  if (!isBlankOrEnd(scanner.text.charCodeAt(scanner.pos))) scanner.fail(line, 'did not find expected whitespace or line break');
  return new Token(TAG_DIRECTIVE, line, index, handle, prefix, 0);
}
