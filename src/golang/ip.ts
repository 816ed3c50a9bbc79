import { GoError } from './go-error.ts';
import { quote } from './quote.ts';

/** An IP address: 4 or 16 bytes. */
export type IpAddress = { readonly bytes: Uint8Array; readonly zone: string };

/** netip.ParseAddr. Throws a GoError with its text. */
export function parseIp(text: string): IpAddress {
  const first = /[.:%]/.exec(text)?.[0];
  if (first === '.') return { bytes: parseIp4(text, text), zone: '' };
  if (first === ':') return new Ip6Parser(text).parse();
  throw problem(text, first === '%' ? 'missing IPv6 address' : 'unable to parse IP');
}

function problem(text: string, message: string, at = ''): GoError {
  return new GoError(`ParseAddr(${quote(text)}): ${message}${at === '' ? '' : ` (at ${quote(at)})`}`);
}

function parseIp4(whole: string, text: string): Uint8Array {
  const fields: number[] = [];
  let value = 0;
  let digits = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (/\d/.test(char)) {
      if (digits === 1 && value === 0) throw problem(whole, 'IPv4 field has octet with leading zero');
      value = value * 10 + Number(char);
      digits += 1;
      if (value > 255) throw problem(whole, 'IPv4 field has value >255');
    } else if (char === '.') {
      if (i === 0 || i === text.length - 1 || text[i - 1] === '.') {
        throw problem(whole, 'IPv4 field must have at least one digit', text.slice(i));
      }
      if (fields.length === 3) throw problem(whole, 'IPv4 address too long');
      fields.push(value);
      value = 0;
      digits = 0;
    } else throw problem(whole, 'unexpected character', text.slice(i));
  }
  if (fields.length < 3) throw problem(whole, 'IPv4 address too short');
  return Uint8Array.from([...fields, value]);
}

class Ip6Parser {
  readonly #whole: string;
  #rest: string;
  readonly #zone: string;
  readonly #bytes: number[] = [];
  /** Where `::` stands. */
  #ellipsis = -1;

  constructor(text: string) {
    const percent = text.indexOf('%');
    this.#whole = text;
    this.#rest = percent < 0 ? text : text.slice(0, percent);
    this.#zone = percent < 0 ? '' : text.slice(percent + 1);
    if (percent >= 0 && this.#zone === '') throw problem(text, 'zone must be a non-empty string');
  }

  parse(): IpAddress {
    if (this.#rest.startsWith('::')) {
      this.#ellipsis = 0;
      this.#rest = this.#rest.slice(2);
    }
    if (this.#rest !== '' || this.#ellipsis < 0) while (this.#bytes.length < 16 && this.#group());
    if (this.#rest !== '') throw this.#problem('trailing garbage after address');
    return { bytes: this.#expanded(), zone: this.#zone };
  }

  #problem(message: string): GoError {
    return problem(this.#whole, message, this.#rest);
  }

  /** Reads a group and the colon after it; false at the end. */
  #group(): boolean {
    const hex = /^[0-9A-Fa-f]*/.exec(this.#rest)?.[0] ?? '';
    if (hex.length > 4) throw this.#problem('each group must have 4 or less digits');
    if (hex === '') throw this.#problem('each colon-separated field must have at least one digit');
    if (this.#rest[hex.length] === '.') return this.#embedded();
    const value = Number.parseInt(hex, 16);
    this.#bytes.push(value >> 8, value & 255);
    this.#rest = this.#rest.slice(hex.length);
    if (this.#rest === '') return false;
    if (!this.#rest.startsWith(':')) throw this.#problem('unexpected character, want colon');
    if (this.#rest === ':') throw this.#problem('colon must be followed by more characters');
    this.#rest = this.#rest.slice(1);
    if (!this.#rest.startsWith(':')) return true;
    if (this.#ellipsis >= 0) throw this.#problem('multiple :: in address');
    this.#ellipsis = this.#bytes.length;
    this.#rest = this.#rest.slice(1);
    return this.#rest !== '';
  }

  #embedded(): false {
    if (this.#ellipsis < 0 && this.#bytes.length !== 12) {
      throw this.#problem('embedded IPv4 address must replace the final 2 fields of the address');
    }
    if (this.#bytes.length > 12) throw this.#problem('too many hex fields to fit an embedded IPv4 at the end of the address');
    this.#bytes.push(...parseIp4(this.#whole, this.#rest));
    this.#rest = '';
    return false;
  }

  #expanded(): Uint8Array {
    const missing = 16 - this.#bytes.length;
    if (missing > 0 && this.#ellipsis < 0) throw problem(this.#whole, 'address string too short');
    if (missing === 0 && this.#ellipsis >= 0) throw problem(this.#whole, 'the :: must expand to at least one field of zeros');
    if (missing > 0) this.#bytes.splice(this.#ellipsis, 0, ...new Array<number>(missing).fill(0));
    return Uint8Array.from(this.#bytes);
  }
}
