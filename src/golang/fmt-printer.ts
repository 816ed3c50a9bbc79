import { budgetExceeded } from './go-error.ts';
import { formatFloat, type FloatFormat } from './float-format.ts';
import { anyType, isUnsignedKind, type GoType } from './go-type.ts';
import { MAX_TEXT, MAX_VALUE_DEPTH, MAX_VISITS } from './limits.ts';
import { canBackquote, quote, quoteRune } from './quote.ts';
import { bytesToText, textToBytes } from './text.ts';
import { isPrint } from './unicode.ts';
import {
  GoByteSlice,
  GoComplex,
  GoFloat32,
  GoFunc,
  GoInt,
  goIntOf,
  GoKeyedMap,
  GoMap,
  GoSlice,
  GoStruct,
  goTypeName,
  type GoValue,
} from './value.ts';

/** The flags of one directive; `plusV` and `sharpV` are `%+v` and `%#v`. */
export type PrintFlags = {
  minus: boolean;
  plus: boolean;
  sharp: boolean;
  space: boolean;
  zero: boolean;
  plusV: boolean;
  sharpV: boolean;
};

function noFlags(): PrintFlags {
  return { minus: false, plus: false, sharp: false, space: false, zero: false, plusV: false, sharpV: false };
}

/** Where Go prints a memory address, we print this one: an address cannot be reproduced. */
const ADDRESS = 0xc000000000n;

const stringableVerbs = 'vsxXq';

/** fmt's printer: one directive's state, and values written by verb. */
export class Printer {
  out = '';
  flags: PrintFlags = noFlags();
  width: number | undefined = undefined;
  precision: number | undefined = undefined;
  /** While the argument of a bad verb is printed, methods are not called. */
  #erroring = false;
  #visits = 0;

  write(text: string): void {
    this.out += text;
    if (this.out.length > MAX_TEXT) throw budgetExceeded('length of a formatted text', MAX_TEXT);
  }

  clearFlags(): void {
    this.flags = noFlags();
    this.width = undefined;
    this.precision = undefined;
  }

  /** One operand under a verb (fmt's printArg). */
  printArg(arg: GoValue, verb: string): void {
    if (arg === null || arg === undefined) {
      if (verb === 'T' || verb === 'v') this.#pad('<nil>');
      else this.#badVerb(verb, arg);
      return;
    }
    if (verb === 'T') {
      this.#formatS(goTypeName(arg));
      return;
    }
    if (verb === 'p') {
      this.#pointer(arg, verb);
      return;
    }
    if (typeof arg === 'string') this.#string(arg, verb);
    else if (arg instanceof GoByteSlice && !arg.type.named) this.#bytes(arg, verb, '[]byte');
    else if (!this.#methods(arg, verb)) this.#value(arg, verb, 0);
  }

  /** Calls Error or String where the verb takes a string; true when that was the output. */
  #methods(arg: GoValue, verb: string): boolean {
    if (this.#erroring) return false;
    if (verb === 'w') {
      this.#badVerb(verb, arg);
      return true;
    }
    if (typeof arg !== 'object' || arg === null || !('type' in arg)) return false;
    const { methods } = arg.type;
    if (methods === undefined) return false;
    if (this.flags.sharpV) {
      const goString = methods.get('GoString');
      if (goString === undefined) return false;
      this.#formatS(String(goString.call(arg, [])));
      return true;
    }
    const method = stringableVerbs.includes(verb) ? (methods.get('Error') ?? methods.get('String')) : undefined;
    if (method === undefined) return false;
    this.#string(String(method.call(arg, [])), verb);
    return true;
  }

  #badVerb(verb: string, arg: GoValue): void {
    this.#erroring = true;
    this.write(`%!${verb}(`);
    if (arg === null || arg === undefined) this.write('<nil>');
    else {
      this.write(`${goTypeName(arg)}=`);
      this.printArg(arg, 'v');
    }
    this.write(')');
    this.#erroring = false;
  }

  /** An element of a collection: `declared` is the collection's element type. */
  #element(value: GoValue, declared: GoType | undefined, verb: string, depth: number): void {
    if (depth > MAX_VALUE_DEPTH) throw budgetExceeded('nesting of a printed value', MAX_VALUE_DEPTH);
    if (++this.#visits > MAX_VISITS) throw budgetExceeded('size of a printed value', MAX_VISITS);
    if (value === null || value === undefined) {
      this.write(this.flags.sharpV ? `${(declared ?? anyType).name}(nil)` : '<nil>');
      return;
    }
    if (typeof value !== 'string' && this.#methods(value, verb)) return;
    this.#value(value, verb, depth);
  }

  /** fmt's printValue for a value whose methods were already considered. */
  #value(value: GoValue, verb: string, depth: number): void {
    if (typeof value === 'string') this.#string(value, verb);
    else if (typeof value === 'number') this.#float(value, 64, verb, value);
    else if (typeof value === 'boolean') this.#bool(value, verb);
    else if (value instanceof GoInt) this.#integer(value, verb);
    else if (Array.isArray(value)) this.#list('[]interface {}', anyType, value, verb, depth);
    else if (value instanceof GoMap) this.#map(value, verb, depth);
    else if (value instanceof GoSlice) this.#slice(value, verb, depth);
    else if (value instanceof GoStruct) this.#struct(value, verb, depth);
    else this.#rare(value, verb, depth);
  }

  #rare(value: GoValue, verb: string, depth: number): void {
    if (value instanceof GoByteSlice) {
      if ('sqxX'.includes(verb)) this.#bytes(value, verb, value.type.name);
      else if ('vd'.includes(verb) && this.#isPlain()) this.write(`[${decimals(value.bytes)}]`);
      else this.#list(value.type.name, value.type.elem, byteItems(value), verb, depth);
    } else if (value instanceof GoFloat32) this.#float(value.value, 32, verb, value);
    else if (value instanceof GoComplex) this.#complex(value, verb);
    else if (value instanceof GoKeyedMap) this.#pairs(value, verb, depth);
    else if (value instanceof GoFunc) this.#pointer(value, verb);
  }

  #isPlain(): boolean {
    const { minus, plus, sharp, space, zero, plusV, sharpV } = this.flags;
    return this.width === undefined && this.precision === undefined && ![minus, plus, sharp, space, zero, plusV, sharpV].includes(true);
  }

  #slice(value: GoSlice, verb: string, depth: number): void {
    if (this.flags.sharpV && value.isNil) this.write(`${value.type.name}(nil)`);
    else this.#list(value.type.name, value.type.elem, value.items, verb, depth);
  }

  #list(typeName: string, elem: GoType | undefined, items: readonly GoValue[], verb: string, depth: number): void {
    const { sharpV } = this.flags;
    this.write(sharpV ? `${typeName}{` : '[');
    for (let i = 0; i < items.length; i++) {
      if (i > 0) this.write(sharpV ? ', ' : ' ');
      this.#element(items[i], elem, verb, depth + 1);
    }
    this.write(sharpV ? '}' : ']');
  }

  #map(map: GoMap, verb: string, depth: number): void {
    const { sharpV } = this.flags;
    if (sharpV && map.isNil) {
      this.write(`${map.type.name}(nil)`);
      return;
    }
    this.write(sharpV ? `${map.type.name}{` : 'map[');
    let first = true;
    for (const key of map.sortedKeys()) {
      if (!first) this.write(sharpV ? ', ' : ' ');
      first = false;
      this.#element(key, map.type.key, verb, depth + 1);
      this.write(':');
      this.#element(map.get(key), map.type.elem, verb, depth + 1);
    }
    this.write(sharpV ? '}' : ']');
  }

  #pairs(map: GoKeyedMap, verb: string, depth: number): void {
    const { sharpV } = this.flags;
    this.write(sharpV ? `${map.type.name}{` : 'map[');
    for (const [i, [key, item]] of map.pairs.entries()) {
      if (i > 0) this.write(sharpV ? ', ' : ' ');
      this.#element(key, map.type.key, verb, depth + 1);
      this.write(':');
      this.#element(item, map.type.elem, verb, depth + 1);
    }
    this.write(sharpV ? '}' : ']');
  }

  #struct(value: GoStruct, verb: string, depth: number): void {
    if (value.type.kind === 'ptr') {
      if (depth > 0) {
        this.#pointer(value, verb);
        return;
      }
      this.write('&');
    }
    const { sharpV, plusV } = this.flags;
    const struct = value.structType;
    this.write(sharpV ? `${struct.name}{` : '{');
    for (const [i, field] of (struct.fields ?? []).entries()) {
      if (i > 0) this.write(sharpV ? ', ' : ' ');
      if (sharpV || plusV) this.write(`${field.name}:`);
      this.#element(field.get(value), field.type, verb, depth + 1);
    }
    this.write('}');
  }

  #pointer(value: GoValue, verb: string): void {
    const pointers = ['slice', 'map', 'ptr', 'func'];
    const type = goTypeName(value);
    const kind = Array.isArray(value) ? 'slice' : typeof value === 'object' && value !== null && 'type' in value ? value.type.kind : '';
    if (!pointers.includes(kind)) this.#badVerb(verb, value);
    else if (verb === 'v' && this.flags.sharpV) this.write(`(${type})(0x${ADDRESS.toString(16)})`);
    else if (verb === 'v' || verb === 'p') this.#digits(ADDRESS, 16, false, 'v', false, !this.flags.sharp);
    else if ('bodxX'.includes(verb)) this.#integer(goIntOf('uintptr', ADDRESS), verb);
    else this.#badVerb(verb, value);
  }

  #bool(value: boolean, verb: string): void {
    if (verb === 't' || verb === 'v') this.#pad(value ? 'true' : 'false');
    else this.#badVerb(verb, value);
  }

  #string(text: string, verb: string): void {
    switch (verb) {
      case 'v':
        if (this.flags.sharpV) this.#formatQ(text);
        else this.#formatS(text);
        break;
      case 's':
        this.#formatS(text);
        break;
      case 'x':
      case 'X':
        this.#formatHex(textToBytes(text), verb);
        break;
      case 'q':
        this.#formatQ(text);
        break;
      default:
        this.#badVerb(verb, text);
    }
  }

  #bytes(value: GoByteSlice, verb: string, typeName: string): void {
    switch (verb) {
      case 'v':
      case 'd': {
        const { sharpV } = this.flags;
        this.write(sharpV ? `${typeName}{` : '[');
        for (const [i, byte] of value.bytes.entries()) {
          if (i > 0) this.write(sharpV ? ', ' : ' ');
          if (sharpV) this.#digits(BigInt(byte), 16, false, 'v', false, true);
          else this.#digits(BigInt(byte), 10, false, verb, false, this.flags.sharp);
        }
        this.write(sharpV ? '}' : ']');
        break;
      }
      case 's':
        this.#formatS(bytesToText(value.bytes));
        break;
      case 'x':
      case 'X':
        this.#formatHex(value.bytes, verb);
        break;
      case 'q':
        this.#formatQ(bytesToText(value.bytes));
        break;
      default:
        this.#value(value, verb, 0);
    }
  }

  #integer(value: GoInt, verb: string): void {
    const unsigned = isUnsignedKind(value.kind);
    if (verb === 'd' || (verb === 'v' && !(this.flags.sharpV && unsigned))) {
      if (this.width === undefined && this.precision === undefined && !this.flags.plus && !this.flags.space) {
        this.write(String(value.value));
        return;
      }
    }
    const size = BigInt(value.value);
    const magnitude = size < 0n ? -size : size;
    switch (verb) {
      case 'v':
        if (this.flags.sharpV && unsigned) this.#digits(magnitude, 16, false, verb, false, true);
        else this.#digits(magnitude, 10, size < 0n, verb, false, this.flags.sharp);
        break;
      case 'd':
        this.#digits(magnitude, 10, size < 0n, verb, false, this.flags.sharp);
        break;
      case 'b':
        this.#digits(magnitude, 2, size < 0n, verb, false, this.flags.sharp);
        break;
      case 'o':
      case 'O':
        this.#digits(magnitude, 8, size < 0n, verb, false, this.flags.sharp);
        break;
      case 'x':
      case 'X':
        this.#digits(magnitude, 16, size < 0n, verb, verb === 'X', this.flags.sharp);
        break;
      case 'c':
        this.#pad(runeText(size));
        break;
      case 'q':
        this.#pad(quoteRune(runeText(size).codePointAt(0) ?? 0, this.flags.plus ? 'ascii' : 'print'));
        break;
      case 'U':
        this.#unicode(BigInt.asUintN(64, size));
        break;
      default:
        this.#badVerb(verb, value);
    }
  }

  #digits(magnitude: bigint, base: 2 | 8 | 10 | 16, negative: boolean, verb: string, upper: boolean, sharp: boolean): void {
    const { flags } = this;
    let least = 0;
    if (this.precision !== undefined) {
      least = this.precision;
      if (least === 0 && magnitude === 0n) {
        this.write(' '.repeat(this.width ?? 0));
        return;
      }
    } else if (flags.zero && !flags.minus && this.width !== undefined) {
      least = this.width - (negative || flags.plus || flags.space ? 1 : 0);
    }
    let text = magnitude.toString(base).padStart(least, '0');
    if (upper) text = text.toUpperCase();
    if (sharp) {
      if (base === 2) text = `0b${text}`;
      else if (base === 8 && !text.startsWith('0')) text = `0${text}`;
      else if (base === 16) text = `${upper ? '0X' : '0x'}${text}`;
    }
    if (verb === 'O') text = `0o${text}`;
    const sign = negative ? '-' : flags.plus ? '+' : flags.space ? ' ' : '';
    this.#padWith(sign + text, false);
  }

  #unicode(code: bigint): void {
    const least = this.precision !== undefined && this.precision > 4 ? this.precision : 4;
    let text = `U+${code.toString(16).toUpperCase().padStart(least, '0')}`;
    if (this.flags.sharp && code <= 0x10ffffn && isPrint(Number(code))) text += ` '${String.fromCodePoint(Number(code))}'`;
    this.#padWith(text, false);
  }

  #float(value: number, bits: 32 | 64, verb: string, arg: GoValue): void {
    switch (verb) {
      case 'v':
        this.#formatFloat(value, bits, 'g', -1);
        break;
      case 'b':
      case 'g':
      case 'G':
      case 'x':
      case 'X':
        this.#formatFloat(value, bits, verb, -1);
        break;
      case 'f':
      case 'e':
      case 'E':
        this.#formatFloat(value, bits, verb, 6);
        break;
      case 'F':
        this.#formatFloat(value, bits, 'f', 6);
        break;
      default:
        this.#badVerb(verb, arg);
    }
  }

  #formatFloat(value: number, bits: 32 | 64, format: FloatFormat, byDefault: number): void {
    const { flags } = this;
    const precision = this.precision ?? byDefault;
    let number = formatFloat(value, format, precision, bits);
    const signed = number.startsWith('-') || number.startsWith('+');
    let sign = signed ? (number[0] ?? '+') : '+';
    if (signed) number = number.slice(1);
    if (flags.space && sign === '+' && !flags.plus) sign = ' ';
    if (number === 'Inf' || number === 'NaN') {
      this.#padWith(number === 'NaN' && !flags.space && !flags.plus ? number : sign + number, false);
      return;
    }
    if (flags.sharp && format !== 'b') number = withPoint(number, format, precision);
    if (!flags.plus && sign === '+') {
      this.#pad(number);
      return;
    }
    if (flags.zero && !flags.minus && this.width !== undefined && this.width > number.length + 1) {
      this.write(sign + number.padStart(this.width - 1, '0'));
      return;
    }
    this.#pad(sign + number);
  }

  #complex(value: GoComplex, verb: string): void {
    if (!'vbgGxXfFeE'.includes(verb)) {
      this.#badVerb(verb, value);
      return;
    }
    const { plus } = this.flags;
    this.write('(');
    this.#float(value.re, 64, verb, value);
    this.flags.plus = true;
    this.#float(value.im, 64, verb, value);
    this.write('i)');
    this.flags.plus = plus;
  }

  #formatS(text: string): void {
    this.#pad(this.#truncated(text));
  }

  #formatQ(text: string): void {
    const shown = this.#truncated(text);
    if (this.flags.sharp && canBackquote(shown)) this.#pad(`\`${shown}\``);
    else this.#pad(quote(shown, this.flags.plus ? 'ascii' : 'print'));
  }

  #truncated(text: string): string {
    if (this.precision === undefined || text.length <= this.precision) return text;
    return [...text].slice(0, this.precision).join('');
  }

  #formatHex(bytes: Uint8Array, verb: 'x' | 'X'): void {
    const { flags } = this;
    const shown = this.precision === undefined ? bytes : bytes.subarray(0, this.precision);
    const prefix = flags.sharp ? `0${verb}` : '';
    const hex = Buffer.from(shown).toString('hex');
    const digits = verb === 'X' ? hex.toUpperCase() : hex;
    if (digits === '') {
      this.write(this.#padding(this.width ?? 0, flags.zero));
      return;
    }
    const text = flags.space ? (digits.match(/../g) ?? []).map((pair) => prefix + pair).join(' ') : prefix + digits;
    this.#pad(text);
  }

  #padding(count: number, zero: boolean): string {
    if (count <= 0) return '';
    return (zero && !this.flags.minus ? '0' : ' ').repeat(count);
  }

  #pad(text: string): void {
    if (this.width === undefined || this.width === 0) this.write(text);
    else this.#padWith(text, this.flags.zero);
  }

  #padWith(text: string, zero: boolean): void {
    const padding = this.width === undefined ? '' : this.#padding(this.width - runeCount(text), zero);
    this.write(this.flags.minus ? text + padding : padding + text);
  }
}

/** Restores the decimal point and trailing zeros that the `#` flag asks for. */
function withPoint(number: string, format: FloatFormat, precision: number): string {
  const hex = format === 'x' || format === 'X';
  let digits = format === 'g' || format === 'G' || format === 'x' ? (precision === -1 ? 6 : precision) : 0;
  const mark = number.search(hex ? /[pP]/ : /[eEpP]/);
  const tail = mark < 0 ? '' : number.slice(mark);
  let body = mark < 0 ? number : number.slice(0, mark);
  const significant = body.replace(/^[0.]*/, '').replace('.', '');
  digits -= significant.length;
  if (!body.includes('.')) {
    if (body === '0') digits -= 1;
    body += '.';
  }
  return body + '0'.repeat(Math.max(digits, 0)) + tail;
}

function runeText(code: bigint): string {
  if (code < 0n || code > 0x10ffffn || (code >= 0xd800n && code <= 0xdfffn)) return '\ufffd';
  return String.fromCodePoint(Number(code));
}

/** utf8.RuneCountInString: an invalid byte counts as one. */
export function runeCount(text: string): number {
  let count = text.length;
  for (let i = 0; i + 1 < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0xd800 && code < 0xdc00) {
      count -= 1;
      i += 1;
    }
  }
  return count;
}

function byteItems(value: GoByteSlice): GoValue[] {
  return Array.from(value.bytes, (byte) => goIntOf('uint8', byte));
}

/** Bytes as numbers with spaces between them: whole files are printed like that when a chart prints `$`. */
function decimals(bytes: Uint8Array): string {
  const out = Buffer.allocUnsafe(bytes.length * 4);
  let at = 0;
  for (const byte of bytes) {
    if (at > 0) out[at++] = 0x20;
    if (byte >= 100) out[at++] = 0x30 + Math.floor(byte / 100);
    if (byte >= 10) out[at++] = 0x30 + (Math.floor(byte / 10) % 10);
    out[at++] = 0x30 + (byte % 10);
  }
  return out.toString('latin1', 0, at);
}
