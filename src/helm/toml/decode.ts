import { budgetExceeded, GoMap, GoSlice, anyMapType, isLetter, sliceOf, type GoType, type GoValue } from '../../golang/index.ts';
import { Cursor, END, isBareKey, isBlank, isBreak, isDigit, shown, shownText, tomlError, TomlFailure } from './cursor.ts';
import { keyText } from './key.ts';
import { readNumber } from './numbers.ts';
import { readBasicString, readLiteralString, readMultilineLiteral, readMultilineString } from './strings.ts';

/** Arrays and inline tables within each other. */
export const MAX_TOML_DEPTH = 500;

const tablesType: GoType = sliceOf(anyMapType);

/**
 * Reads a TOML document (BurntSushi 1.6: TOML 1.1).
 * @throws GoError with the text of BurntSushi/toml
 */
export function decodeToml(text: string): GoMap {
  const source = text.startsWith('\ufeff') ? text.slice(1) : text;
  const decoder = new Decoder(source);
  try {
    decoder.document();
    return decoder.result();
  } catch (error) {
    if (error instanceof TomlFailure) throw tomlError(error, decoder.lastKey);
    throw error;
  }
}

/** An array of tables while it grows. */
class Tables {
  readonly items: Table[] = [];

  get last(): Table {
    const last = this.items.at(-1);
    if (last === undefined) throw new Error('an array of tables is never empty');
    return last;
  }
}
type Table = Map<string, Node>;
type Node = GoValue | Table | Tables;

class Decoder {
  readonly #cursor: Cursor;
  readonly #root: Table = new Map();
  /** Tables that only came to be because of keys below them; they may still be defined. */
  readonly #implicit = new Set<string>();
  /** Keys whose value is an array. */
  readonly #arrays = new Set<string>();
  #context: readonly string[] = [];
  #key = '';
  #keyLine = 1;
  #depth = 0;

  constructor(text: string) {
    const nul = text.slice(0, 6).indexOf('\0');
    if (nul >= 0)
      throw tomlError(new TomlFailure('files cannot contain NULL bytes; probably using UTF-16; TOML files must be UTF-8', 1), '');
    this.#cursor = new Cursor(text);
  }

  get lastKey(): string {
    if (this.#key === '') return keyText(this.#context);
    return this.#context.length === 0 ? this.#key : `${keyText(this.#context)}.${this.#key}`;
  }

  result(): GoMap {
    return toGo(this.#root) as GoMap;
  }

  document(): void {
    const cursor = this.#cursor;
    for (;;) {
      const rune = cursor.next();
      if (rune === END) return;
      if (isBlank(rune) || isBreak(rune)) continue;
      if (rune === '#') this.#comment();
      else if (rune === '[') this.#header();
      else {
        cursor.back();
        this.#pair();
        this.#lineEnd();
      }
    }
  }

  #comment(): void {
    this.#cursor.takeWhile((rune) => !isBreak(rune));
  }

  #lineEnd(): void {
    for (;;) {
      const rune = this.#cursor.next();
      if (rune === END || isBreak(rune)) return;
      if (rune === '#') return this.#comment();
      if (!isBlank(rune)) {
        throw this.#cursor.failure(
          `expected a top-level item to end with a newline, comment, or EOF, but got ${shown(rune)} instead`,
          rune,
        );
      }
    }
  }

  #header(): void {
    const cursor = this.#cursor;
    const array = cursor.accept('[');
    const key: string[] = [];
    for (;;) {
      cursor.skipBlanks();
      const rune = cursor.peek();
      if (rune === ']' || rune === END) throw cursor.failure('unexpected end of table name (table names cannot be empty)', rune);
      if (rune === '.') throw cursor.failure('unexpected table separator (table names cannot be empty)', rune);
      this.#keyLine = cursor.line;
      key.push(this.#keyPart());
      cursor.skipBlanks();
      const end = cursor.next();
      if (end === ']') break;
      if (end !== '.') throw cursor.failure(`expected '.' or ']' to end table name, but got ${shown(end)} instead`, end);
    }
    if (array) {
      const end = cursor.next();
      if (end !== ']') throw cursor.failure(`expected end of table array name delimiter ']', but got ${shown(end)} instead`, end);
    }
    this.#enter(key, array);
    this.#lineEnd();
  }

  /** `key = value`; the context is as before afterwards. */
  #pair(): { key: readonly string[]; value: Node } {
    const outer = this.#context;
    const key = this.#dottedKey();
    this.#key = key.at(-1) ?? '';
    for (const part of key.slice(0, -1)) this.#enterImplicit([...this.#context, part]);
    const value = this.#value(false);
    this.#set(this.#key, value);
    if (Array.isArray(value)) this.#arrays.add(keyText([...this.#context, this.#key]));
    this.#context = outer;
    this.#key = '';
    return { key, value };
  }

  #dottedKey(): string[] {
    const cursor = this.#cursor;
    const parts: string[] = [];
    cursor.skipBlanks();
    const first = cursor.peek();
    if (first === '=' || first === END) throw cursor.failure("unexpected '=': key name appears blank", first);
    if (first === '.') throw cursor.failure("unexpected '.': keys cannot start with a '.'", first);
    this.#keyLine = cursor.line;
    for (;;) {
      cursor.skipBlanks();
      const rune = cursor.peek();
      if (rune === '=' || rune === END) throw cursor.failure("unexpected '='", rune);
      if (rune === '.') throw cursor.failure("unexpected '.'", rune);
      parts.push(this.#keyPart());
      cursor.skipBlanks();
      const end = cursor.next();
      if (end === '=') return parts;
      if (end === END) throw cursor.failure("unexpected EOF; expected key separator '='", end);
      if (end !== '.') {
        const message = `expected '.' or '=', but got ${shown(end)} instead`;
        throw end === '\n' ? cursor.failureBefore(message) : cursor.failure(message, end);
      }
    }
  }

  #keyPart(): string {
    const cursor = this.#cursor;
    if (cursor.accept('"')) return readBasicString(cursor);
    if (cursor.accept("'")) return readLiteralString(cursor);
    return cursor.takeWhile(isBareKey);
  }

  #value(inArray: boolean): Node {
    const cursor = this.#cursor;
    cursor.skipBlanks();
    const rune = cursor.peek();
    if (isDigit(rune) || rune === '+' || rune === '-') return readNumber(cursor);
    cursor.next();
    switch (rune) {
      case '[':
        return this.#nested(() => this.#array());
      case '{':
        return this.#nested(() => this.#inlineTable(inArray));
      case '"':
        if (cursor.look(0) !== '"' || cursor.look(1) !== '"') return readBasicString(cursor);
        cursor.next();
        cursor.next();
        return readMultilineString(cursor);
      case "'":
        if (cursor.look(0) !== "'" || cursor.look(1) !== "'") return readLiteralString(cursor);
        cursor.next();
        cursor.next();
        return readMultilineLiteral(cursor);
      case '.':
        throw cursor.failure("floats must start with a digit, not '.'", rune);
      default:
        return this.#word(rune);
    }
  }

  #nested<T>(read: () => T): T {
    this.#depth += 1;
    if (this.#depth > MAX_TOML_DEPTH) throw budgetExceeded('nesting of a TOML value', MAX_TOML_DEPTH);
    const value = read();
    this.#depth -= 1;
    return value;
  }

  /** `true`, `false`, `inf` and `nan`; the first rune was read. */
  #word(first: string): Node {
    const cursor = this.#cursor;
    if (first === 'i' && cursor.accept('n') && cursor.accept('f')) return Number.POSITIVE_INFINITY;
    if (first === 'n' && cursor.accept('a') && cursor.accept('n')) return Number.NaN;
    if (first !== END && isLetter(first.codePointAt(0) ?? 0)) {
      cursor.back();
      const word = cursor.takeWhile((rune) => isLetter(rune.codePointAt(0) ?? 0));
      if (word === 'true' || word === 'false') return word === 'true';
      throw cursor.failure(`expected value but found ${shownText(word)} instead`, cursor.look(0));
    }
    if (first === END) throw cursor.failure('unexpected EOF; expected value', first);
    const message = `expected value but found ${shown(first)} instead`;
    throw first === '\n' ? cursor.failureBefore(message) : cursor.failure(message, first);
  }

  #array(): GoValue[] {
    const cursor = this.#cursor;
    this.#arrays.add(keyText([...this.#context, this.#key]));
    const items: GoValue[] = [];
    for (let wantsValue = true; ;) {
      const rune = cursor.next();
      if (rune !== END && (isBlank(rune) || isBreak(rune))) continue;
      if (rune === '#') this.#comment();
      else if (rune === ']') return items;
      else if (wantsValue) {
        if (rune === ',') throw cursor.failure('unexpected comma', rune);
        if (rune !== END) cursor.back();
        items.push(toGo(this.#value(true)));
        wantsValue = false;
      } else if (rune === ',') wantsValue = true;
      else {
        const got = rune === END ? 'end of file' : `'${rune}'`;
        throw cursor.failure(`expected a comma (',') or array terminator (']'), but got ${got}`, rune);
      }
    }
  }

  #inlineTable(inArray: boolean): Table {
    const table: Table = new Map();
    const outer = { context: this.#context, key: this.#key };
    const here = [...this.#context, this.#key];
    this.#key = '';
    this.#implicit.add(keyText(here));
    this.#enter(here, inArray);
    const inside = this.#context;
    for (const { key, value } of this.#inlinePairs()) {
      let target = table;
      for (const part of key.slice(0, -1)) {
        const next = target.get(part) ?? new Map<string, Node>();
        target.set(part, next);
        if (!(next instanceof Map)) throw new TomlFailure(`${shownText(keyText(this.#context))} is not a table`, this.#keyLine);
        target = next;
      }
      target.set(key.at(-1) ?? '', value);
      this.#context = inside;
    }
    this.#context = outer.context;
    this.#key = outer.key;
    return table;
  }

  *#inlinePairs(): Generator<{ key: readonly string[]; value: Node }> {
    const cursor = this.#cursor;
    for (let wantsPair = true; ;) {
      const rune = cursor.next();
      if (rune !== END && (isBlank(rune) || isBreak(rune))) continue;
      if (rune === '#') this.#comment();
      else if (rune === '}') return;
      else if (wantsPair) {
        if (rune === ',') throw cursor.failure('unexpected comma', rune);
        if (rune !== END) cursor.back();
        yield this.#pair();
        wantsPair = false;
      } else if (rune === ',') wantsPair = true;
      else {
        const got = rune === END ? 'end of file' : `'${rune}'`;
        throw cursor.failure(`expected a comma or an inline table terminator '}', but got ${got} instead`, rune);
      }
    }
  }

  #refused(message: string): TomlFailure {
    return new TomlFailure(message, this.#keyLine);
  }

  #enterImplicit(key: readonly string[]): void {
    this.#implicit.add(keyText(key));
    this.#enter(key, false);
  }

  /** Makes a table (or one more of an array of tables) and everything above it the place where keys go. */
  #enter(key: readonly string[], array: boolean): void {
    let table = this.#root;
    const above: string[] = [];
    for (const part of key.slice(0, -1)) {
      above.push(part);
      if (!table.has(part)) {
        this.#implicit.add(keyText(above));
        table.set(part, new Map());
      }
      const next = table.get(part);
      if (next instanceof Tables) table = next.last;
      else if (next instanceof Map) table = next;
      else throw this.#refused(`Key '${keyText(above)}' was already created as a hash.`);
    }
    this.#context = above;
    const last = key.at(-1) ?? '';
    if (array) {
      const existing = table.get(last) ?? new Tables();
      if (!(existing instanceof Tables)) throw this.#refused(`Key '${keyText(key)}' was already created and cannot be used as an array.`);
      existing.items.push(new Map());
      table.set(last, existing);
    } else this.#set(last, new Map());
    this.#context = [...above, last];
  }

  #set(key: string, value: Node): void {
    let table = this.#root;
    const path: string[] = [];
    for (const part of this.#context) {
      path.push(part);
      const next = table.get(part);
      if (next instanceof Tables) table = next.last;
      else if (next instanceof Map) table = next;
      else throw this.#refused(`Key '${keyText(path)}' has already been defined.`);
    }
    const full = keyText([...path, key]);
    if (!table.has(key)) {
      table.set(key, value);
      return;
    }
    if (!this.#implicit.has(full)) throw this.#refused(`Key '${full}' has already been defined.`);
    this.#implicit.delete(full);
    if (this.#arrays.has(full)) table.set(key, value);
  }
}

function toGo(node: Node): GoValue {
  if (node instanceof Map) return new GoMap(anyMapType, new Map([...node].map(([key, value]) => [key, toGo(value)])));
  if (node instanceof Tables) return new GoSlice(tablesType, node.items.map(toGo));
  return node;
}
