import { derTag as Tag } from '../../std/index.ts';
import { MAX_DER_ELEMENTS } from './bounds.ts';

export {
  derElement as tlv,
  derNull,
  derOctetString as octetString,
  derOid as oid,
  derSequence as sequence,
  derTag as Tag,
} from '../../std/index.ts';

/*
 * DER (ITU-T X.690), read and written: what certificates, CRLs, OCSP and timestamp tokens need. Signatures cover the very bytes, so an
 * element keeps them, and anything that is not DER is refused rather than understood in one of several ways.
 */

/** `[n]`: constructed, or primitive (IMPLICIT of a primitive type). */
export const context = (number: number): number => 0xa0 | number;
export const contextPrimitive = (number: number): number => 0x80 | number;

/** Malformed DER. */
export class DerError extends Error {
  override readonly name: string = 'DerError';
}

/** One element: `contents` inside, `bytes` with tag and length. */
export type Element = { readonly tag: number; readonly contents: Buffer; readonly bytes: Buffer };

/** Reads the element at `at`. @throws DerError */
export function readElement(bytes: Buffer, at = 0): Element {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) throw new DerError('truncated element');
  if ((tag & 0x1f) === 0x1f) throw new DerError('tag numbers above 30 are not used here');
  let header = 2;
  let length = first;
  if (first >= 0x80) {
    const octets = first & 0x7f;
    if (octets === 0) throw new DerError('indefinite length');
    if (octets > 4 || at + 2 + octets > bytes.length) throw new DerError('bad length');
    length = bytes.readUIntBE(at + 2, octets);
    if (length < 0x80 || length < 2 ** (8 * (octets - 1))) throw new DerError('length is not in its shortest form');
    header += octets;
  }
  const end = at + header + length;
  if (end > bytes.length) throw new DerError('truncated element');
  return { tag, contents: bytes.subarray(at + header, end), bytes: bytes.subarray(at, end) };
}

/** Reads bytes that are exactly one element. @throws DerError */
export function readWhole(bytes: Uint8Array, tag: number, what: string): Element {
  const element = readElement(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  if (element.bytes.length !== bytes.length) throw new DerError(`${what} has trailing bytes`);
  if (element.tag !== tag) throw new DerError(`${what} has tag ${element.tag}, want ${tag}`);
  return element;
}

/** The elements inside a constructed one, one after the other. @throws DerError */
export function* eachElement(contents: Buffer): Generator<Element> {
  for (let at = 0; at < contents.length;) {
    const element = readElement(contents, at);
    yield element;
    at += element.bytes.length;
  }
}

/** The elements inside a constructed one, at most MAX_DER_ELEMENTS. @throws DerError */
export function readElements(contents: Buffer): Element[] {
  const elements: Element[] = [];
  for (const element of eachElement(contents)) {
    if (elements.length === MAX_DER_ELEMENTS) throw new DerError(`more than ${MAX_DER_ELEMENTS} elements`);
    elements.push(element);
  }
  return elements;
}

/** Reads the fields of a SEQUENCE in order. Its methods throw a DerError. */
export class Fields {
  readonly #contents: Buffer;
  readonly #what: string;
  #at = 0;

  constructor(parent: Element | Buffer, what: string) {
    this.#contents = Buffer.isBuffer(parent) ? parent : parent.contents;
    this.#what = what;
  }

  get done(): boolean {
    return this.#at === this.#contents.length;
  }

  /** The next field, whatever it is. */
  any(name: string): Element {
    if (this.done) throw new DerError(`${this.#what} has no ${name}`);
    const element = readElement(this.#contents, this.#at);
    this.#at += element.bytes.length;
    return element;
  }

  /** The next field, which must have one of the tags. */
  next(name: string, ...tags: readonly number[]): Element {
    const element = this.any(name);
    if (!tags.includes(element.tag)) throw new DerError(`${name} of ${this.#what} has tag ${element.tag}, want ${tags.join(' or ')}`);
    return element;
  }

  /** The next field if it has one of the tags. */
  optional(...tags: readonly number[]): Element | undefined {
    const tag = this.#contents[this.#at];
    return tag !== undefined && tags.includes(tag) ? this.any('field') : undefined;
  }

  /** Refuses fields that nobody asked for. */
  end(): void {
    if (!this.done) throw new DerError(`${this.#what} has more fields than expected`);
  }
}

/** The dotted form of an OBJECT IDENTIFIER. @throws DerError */
export function oidText(element: Element): string {
  const { contents, tag } = element;
  const last = contents.at(-1);
  if (tag !== Tag.oid || last === undefined || last >= 0x80) throw new DerError('bad object identifier');
  const arcs: number[] = [];
  let value = 0;
  for (const octet of contents) {
    if (value === 0 && octet === 0x80) throw new DerError('bad object identifier');
    value = value * 128 + (octet & 0x7f);
    if (value > 2 ** 45) throw new DerError('object identifier is out of range');
    if (octet < 0x80) {
      arcs.push(value);
      value = 0;
    }
  }
  const first = Math.min(Math.floor((arcs[0] ?? 0) / 40), 2);
  return [first, (arcs[0] ?? 0) - first * 40, ...arcs.slice(1)].join('.');
}

/** The contents of an INTEGER or ENUMERATED in its shortest form. @throws DerError */
export function integerBytes(element: Element): Buffer {
  const { contents } = element;
  const [first, second] = contents;
  if (first === undefined) throw new DerError('empty integer');
  if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) {
    throw new DerError('integer is not in its shortest form');
  }
  return contents;
}

/** The value of a small non-negative INTEGER or ENUMERATED. @throws DerError */
export function smallInteger(element: Element): number {
  const bytes = integerBytes(element);
  if ((bytes[0] ?? 0) >= 0x80 || bytes.length > 6) throw new DerError('integer is out of range');
  return bytes.readUIntBE(0, bytes.length);
}

/** The value of an INTEGER of any size. @throws DerError */
export function bigInteger(element: Element): bigint {
  const bytes = integerBytes(element);
  if (bytes.length > 64) throw new DerError('integer is out of range');
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`));
}

/** @throws DerError */
export function booleanValue(element: Element): boolean {
  const [octet] = element.contents;
  if (element.tag !== Tag.boolean || element.contents.length !== 1 || (octet !== 0 && octet !== 0xff)) throw new DerError('bad boolean');
  return octet === 0xff;
}

/** The octets of a BIT STRING that is a whole number of them. @throws DerError */
export function wholeBits(element: Element): Buffer {
  if (element.tag !== Tag.bitString || element.contents[0] !== 0) throw new DerError('bad bit string');
  return element.contents.subarray(1);
}

/** Bit `i` of a named-bit BIT STRING is bit `i` of the result (at most 16). @throws DerError */
export function namedBits(element: Element): number {
  const [unused, ...octets] = element.contents;
  if (element.tag !== Tag.bitString || unused === undefined || unused > 7 || octets.length > 2) throw new DerError('bad named bits');
  let bits = 0;
  for (let i = 0; i < octets.length * 8; i++) {
    if (((octets[i >> 3] ?? 0) & (0x80 >> (i & 7))) !== 0) bits |= 1 << i;
  }
  return bits;
}

/** Milliseconds since 1970 of a UTCTime or GeneralizedTime in the profile of RFC 5280 §4.1.2.5, fractions allowed as RFC 3161 does. @throws DerError */
export function timeValue(element: Element): number {
  const text = element.contents.toString('latin1');
  const pattern =
    element.tag === Tag.utcTime ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)()Z$/ : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d{1,9})?Z$/;
  const parts = element.tag === Tag.utcTime || element.tag === Tag.generalizedTime ? pattern.exec(text) : null;
  if (parts === null) throw new DerError('bad time');
  const [, year = '', month = '', day = '', hour = '', minute = '', second = '', fraction = ''] = parts;
  const fullYear = year.length === 4 ? year : Number(year) < 50 ? `20${year}` : `19${year}`;
  const iso = `${fullYear}-${month}-${day}T${hour}:${minute}:${second}Z`;
  const value = Date.parse(iso);
  // Date.parse takes the 30th of February for the 1st or 2nd of March.
  if (!Number.isFinite(value) || new Date(value).toISOString() !== iso.replace('Z', '.000Z')) throw new DerError('bad time');
  return value + Math.round(Number(`0${fraction || '.0'}`) * 1000);
}
