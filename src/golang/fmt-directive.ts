import type { Printer } from './fmt-printer.ts';
import { isEscapedByte } from './text.ts';
import { GoInt, goTypeName, type GoValue } from './value.ts';

/** Widths and precisions beyond this are refused by fmt itself. */
const LARGEST_NUMBER = 1_000_000;

/** Runs a format string on a printer: fmt's doPrintf. */
export function sprintfInto(printer: Printer, format: string, args: readonly GoValue[]): void {
  new Directives(printer, format, args).run();
}

class Directives {
  readonly #printer: Printer;
  readonly #format: string;
  readonly #args: readonly GoValue[];
  #at = 0;
  #arg = 0;
  #reordered = false;
  #goodArg = true;
  /** The previous item of the directive was an index such as `[3]`. */
  #afterIndex = false;

  constructor(printer: Printer, format: string, args: readonly GoValue[]) {
    this.#printer = printer;
    this.#format = format;
    this.#args = args;
  }

  run(): void {
    const format = this.#format;
    while (this.#at < format.length) {
      const percent = format.indexOf('%', this.#at);
      if (percent < 0) {
        this.#printer.write(format.slice(this.#at));
        break;
      }
      if (percent > this.#at) this.#printer.write(format.slice(this.#at, percent));
      this.#at = percent + 1;
      this.#goodArg = true;
      this.#printer.clearFlags();
      if (this.#readFlags()) continue;
      if (!this.#readDirective()) break;
    }
    if (!this.#reordered && this.#arg < this.#args.length) this.#extra();
  }

  /** Reads flags; true when a simple verb followed and was printed. */
  #readFlags(): boolean {
    const { flags } = this.#printer;
    for (; this.#at < this.#format.length; this.#at++) {
      const char = this.#format[this.#at] ?? '';
      if (char === '#') flags.sharp = true;
      else if (char === '0') flags.zero = true;
      else if (char === '+') flags.plus = true;
      else if (char === '-') flags.minus = true;
      else if (char === ' ') flags.space = true;
      else {
        if (char < 'a' || char > 'z' || this.#arg >= this.#args.length) return false;
        this.#at += 1;
        this.#print(char);
        return true;
      }
    }
    return false;
  }

  /** Index, width, precision and verb; false when the format ends before a verb. */
  #readDirective(): boolean {
    this.#readIndex();
    this.#readWidth();
    this.#readPrecision();
    if (!this.#afterIndex) this.#readIndex();
    if (this.#at >= this.#format.length) {
      this.#printer.write('%!(NOVERB)');
      return false;
    }
    const code = this.#format.codePointAt(this.#at) ?? 0;
    const verb = isEscapedByte(code) ? '\ufffd' : String.fromCodePoint(code);
    this.#at += code > 0xffff ? 2 : 1;
    if (verb === '%') this.#printer.write('%');
    else if (!this.#goodArg) this.#printer.write(`%!${verb}(BADINDEX)`);
    else if (this.#arg >= this.#args.length) this.#printer.write(`%!${verb}(MISSING)`);
    else this.#print(verb);
    return true;
  }

  #print(verb: string): void {
    const { flags } = this.#printer;
    if (verb === 'v' || verb === 'w') {
      flags.sharpV = flags.sharp;
      flags.sharp = false;
      flags.plusV = flags.plus;
      flags.plus = false;
    }
    this.#printer.printArg(this.#args[this.#arg], verb);
    this.#arg += 1;
  }

  /** `[n]`: chooses the argument by number. */
  #readIndex(): void {
    if (this.#format[this.#at] !== '[') {
      this.#afterIndex = false;
      return;
    }
    this.#reordered = true;
    const close = this.#format.indexOf(']', this.#at + 1);
    if (this.#format.length - this.#at < 3 || close < 0) {
      this.#goodArg = false;
      this.#afterIndex = false;
      this.#at += 1;
      return;
    }
    const index = smallNumber(this.#format.slice(this.#at + 1, close));
    this.#at = close + 1;
    this.#afterIndex = index !== undefined;
    if (index !== undefined && index >= 1 && index <= this.#args.length) this.#arg = index - 1;
    else this.#goodArg = false;
  }

  #readWidth(): void {
    const printer = this.#printer;
    if (this.#format[this.#at] !== '*') {
      printer.width = this.#readNumber();
      if (this.#afterIndex && printer.width !== undefined) this.#goodArg = false;
      return;
    }
    this.#at += 1;
    printer.width = this.#numberFromArg();
    if (printer.width === undefined) printer.write('%!(BADWIDTH)');
    else if (printer.width < 0) {
      printer.width = -printer.width;
      printer.flags.minus = true;
      printer.flags.zero = false;
    }
    this.#afterIndex = false;
  }

  #readPrecision(): void {
    if (this.#format[this.#at] !== '.' || this.#at + 1 >= this.#format.length) return;
    const printer = this.#printer;
    this.#at += 1;
    if (this.#afterIndex) this.#goodArg = false;
    this.#readIndex();
    if (this.#format[this.#at] !== '*') {
      printer.precision = this.#readNumber() ?? 0;
      return;
    }
    this.#at += 1;
    printer.precision = this.#numberFromArg();
    if (printer.precision === undefined || printer.precision < 0) {
      printer.precision = undefined;
      printer.write('%!(BADPREC)');
    }
    this.#afterIndex = false;
  }

  /** Decimal digits here, or undefined when there are none; a number beyond the limit swallows the rest of the format. */
  #readNumber(): number | undefined {
    let value = 0;
    let found = false;
    for (; this.#at < this.#format.length; this.#at++) {
      const digit = this.#format.charCodeAt(this.#at) - 48;
      if (digit < 0 || digit > 9) break;
      if (value > LARGEST_NUMBER) {
        this.#at = this.#format.length;
        return undefined;
      }
      value = value * 10 + digit;
      found = true;
    }
    return found ? value : undefined;
  }

  #numberFromArg(): number | undefined {
    if (this.#arg >= this.#args.length) return undefined;
    const arg = this.#args[this.#arg];
    this.#arg += 1;
    if (!(arg instanceof GoInt) || typeof arg.value !== 'number') return undefined;
    return Math.abs(arg.value) > LARGEST_NUMBER ? undefined : arg.value;
  }

  #extra(): void {
    const printer = this.#printer;
    printer.clearFlags();
    printer.write('%!(EXTRA ');
    for (const [i, arg] of this.#args.slice(this.#arg).entries()) {
      if (i > 0) printer.write(', ');
      if (arg === null || arg === undefined) {
        printer.write('<nil>');
        continue;
      }
      printer.write(`${goTypeName(arg)}=`);
      printer.printArg(arg, 'v');
    }
    printer.write(')');
  }
}

/** The number inside brackets, or undefined when it is none or out of range. */
function smallNumber(text: string): number | undefined {
  return /^\d{1,7}$/.test(text) && Number(text) <= LARGEST_NUMBER * 10 ? Number(text) : undefined;
}
