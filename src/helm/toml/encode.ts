import {
  budgetExceeded,
  durationType,
  formatFloat,
  formatTime,
  formatValue,
  GoByteSlice,
  GoError,
  GoFloat32,
  GoInt,
  goKind,
  GoKeyedMap,
  GoMap,
  GoSlice,
  GoStruct,
  goTypeName,
  sliceItems,
  timeOf,
  timeType,
  MAX_VALUE_DEPTH,
  type GoValue,
} from '../../golang/index.ts';
import { keyPart, keyText, quotedText } from './key.ts';
import { tomlTimeLayout } from './numbers.ts';

/**
 * Writes a value as BurntSushi/toml 1.6 does: keys sorted, plain ones before tables, two spaces for each level.
 * @throws GoError with its text
 */
export function encodeToml(value: GoValue): string {
  if (value === null || value === undefined) throw new GoError('reflect: call of reflect.Value.Type on zero Value');
  const encoder = new Encoder();
  encoder.encode([], value, 0);
  return encoder.text;
}

/** What a value is in TOML; undefined for nil. */
type TomlType = 'plain' | 'table' | 'array' | 'tables';

type Entry = readonly [name: string, value: GoValue];

class Encoder {
  readonly #out: string[] = [];

  get text(): string {
    return this.#out.join('');
  }

  encode(key: readonly string[], value: GoValue, depth: number): void {
    if (depth > MAX_VALUE_DEPTH) throw budgetExceeded('nesting of a value', MAX_VALUE_DEPTH);
    // A nil list at the top is an empty one.
    if (isNil(value) && !(value instanceof GoSlice)) return;
    switch (typeOf(value, depth)) {
      case 'table':
        return this.#table(key, value, depth);
      case 'tables':
        return this.#tables(key, sliceItems(value) ?? [], depth);
      default:
        this.#pair(key, value, false, depth);
    }
  }

  #write(text: string): void {
    this.#out.push(text);
  }

  #newline(): void {
    if (this.#out.length > 0) this.#write('\n');
  }

  #table(key: readonly string[], value: GoValue, depth: number): void {
    if (key.length === 1) this.#newline();
    if (key.length > 0) {
      this.#write(`${indent(key)}[${keyText(key)}]`);
      this.#newline();
    }
    this.#entries(key, value, false, depth);
  }

  #tables(key: readonly string[], items: readonly GoValue[], depth: number): void {
    if (key.length === 0) throw new GoError('toml: top-level values must be Go maps or structs');
    for (const item of items) {
      if (isNil(item)) continue;
      this.#newline();
      this.#write(`${indent(key)}[[${keyText(key)}]]`);
      this.#newline();
      this.#entries(key, item, false, depth);
    }
  }

  /** The entries of a map or struct: plain values, then tables. */
  #entries(key: readonly string[], value: GoValue, inline: boolean, depth: number): void {
    const entries = entriesOf(value);
    const isTable = ([, item]: Entry): boolean => ['table', 'tables'].includes(typeOf(item, depth + 1) ?? '');
    const tables = entries.filter(isTable);
    const plain = entries.filter((entry) => !isTable(entry));
    if (inline) this.#write('{');
    this.#group(key, plain, inline, tables.length > 0, depth);
    this.#group(key, tables, inline, false, depth);
    if (inline) this.#write('}');
  }

  #group(key: readonly string[], entries: readonly Entry[], inline: boolean, more: boolean, depth: number): void {
    for (const [i, [name, item]] of entries.entries()) {
      if (isNil(item)) continue;
      if (!inline) this.encode([...key, name], item, depth + 1);
      else {
        this.#pair([name], item, true, depth + 1);
        if (more || i !== entries.length - 1) this.#write(', ');
      }
    }
  }

  #pair(key: readonly string[], value: GoValue, inline: boolean, depth: number): void {
    if (key.length === 0) return this.#element(value, depth);
    this.#write(`${indent(key)}${keyPart(key.at(-1) ?? '')} = `);
    this.#element(value, depth);
    if (!inline) this.#newline();
  }

  #element(value: GoValue, depth: number): void {
    if (depth > MAX_VALUE_DEPTH) throw budgetExceeded('nesting of a value', MAX_VALUE_DEPTH);
    const scalar = scalarText(value);
    if (scalar !== undefined) return this.#write(scalar);
    const items = sliceItems(value);
    if (items !== undefined) {
      this.#write('[');
      for (const [i, item] of items.entries()) {
        if (i > 0) this.#write(', ');
        this.#element(item, depth + 1);
      }
      return this.#write(']');
    }
    if (value instanceof GoMap || value instanceof GoStruct || value instanceof GoKeyedMap) return this.#entries([], value, true, depth);
    throw new GoError(`unexpected type: ${goTypeName(value)}`);
  }
}

function indent(key: readonly string[]): string {
  return '  '.repeat(key.length - 1);
}

function isNil(value: GoValue): boolean {
  if (value === null || value === undefined) return true;
  return (value instanceof GoMap || value instanceof GoSlice) && value.isNil;
}

function scalarText(value: GoValue): string | undefined {
  switch (typeof value) {
    case 'string':
      return quotedText(value);
    case 'boolean':
      return String(value);
    case 'number':
      return floatText(value, 64);
    default:
  }
  if (value instanceof GoInt) return value.type === durationType ? quotedText(formatValue(value)) : String(value.value);
  if (value instanceof GoFloat32) return floatText(value.value, 32);
  if (!(value instanceof GoStruct)) return undefined;
  if (isTime(value)) {
    const time = timeOf(value);
    return formatTime(time, tomlTimeLayout(time.zone));
  }
  const text = value.type.marshal?.(value);
  return typeof text === 'string' ? quotedText(text) : undefined;
}

function isTime(value: GoStruct): boolean {
  return value.structType === timeType;
}

function floatText(value: number, bits: 32 | 64): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf';
  const text = formatFloat(value, 'g', -1, bits);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** What a value is in TOML, looking into lists as far as it takes to know; nil inside a list is an error. */
function typeOf(value: GoValue, depth: number): TomlType | undefined {
  if (depth > MAX_VALUE_DEPTH) throw budgetExceeded('nesting of a value', MAX_VALUE_DEPTH);
  if (isNil(value)) return undefined;
  if (value instanceof GoStruct) return scalarText(value) === undefined ? 'table' : 'plain';
  if (value instanceof GoMap || value instanceof GoKeyedMap) return 'table';
  const items = value instanceof GoByteSlice ? [] : sliceItems(value);
  if (items === undefined) {
    if (goKind(value) === 'func') throw new GoError('unsupported type: func');
    return 'plain';
  }
  let tables = items.length > 0;
  for (const item of items) {
    const type = typeOf(item, depth + 1);
    if (type === undefined) throw new GoError('toml: cannot encode array with nil element');
    if (type !== 'table') tables = false;
  }
  return tables ? 'tables' : 'array';
}

function entriesOf(value: GoValue): readonly Entry[] {
  if (value instanceof GoMap) return value.sortedKeys().map((name) => [name, value.get(name)] as const);
  if (value instanceof GoKeyedMap) throw new GoError('toml: cannot encode a map with non-string key type');
  if (!(value instanceof GoStruct)) return [];
  const fields = value.structType.fields ?? [];
  return fields.filter(({ name }) => /^\p{Lu}/u.test(name)).map((field) => [field.name, field.get(value)] as const);
}
