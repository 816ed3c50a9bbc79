/*
 * DER (ITU-T X.690): just what certificates and keys need, written by hand because node:crypto neither builds certificates nor shows
 * their parts.
 */

/** Tags of the universal types used. */
export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  printableString: 0x13,
  utcTime: 0x17,
  generalizedTime: 0x18,
} as const;

/** A type-length-value. */
export function tlv(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag]), lengthOctets(body.length), body]);
}

function lengthOctets(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.trunc(rest / 256)) octets.unshift(rest % 256);
  return Buffer.from([0x80 | octets.length, ...octets]);
}

export function sequence(...items: readonly Uint8Array[]): Buffer {
  return tlv(Tag.sequence, ...items);
}

/** A non-negative INTEGER. */
export function integer(value: bigint): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return tlv(Tag.integer, (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
}

/** An OBJECT IDENTIFIER from its dotted form. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...others] = dotted.split('.').map(Number);
  const octets: number[] = [];
  for (const arc of [first * 40 + second, ...others]) {
    const group = [arc & 0x7f];
    for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) group.unshift(0x80 | (rest & 0x7f));
    octets.push(...group);
  }
  return tlv(Tag.oid, Buffer.from(octets));
}

export function bitString(bytes: Uint8Array, unusedBits = 0): Buffer {
  return tlv(Tag.bitString, Buffer.from([unusedBits]), bytes);
}

export function octetString(bytes: Uint8Array): Buffer {
  return tlv(Tag.octetString, bytes);
}

export const derNull: Buffer = tlv(Tag.null);
export const derTrue: Buffer = tlv(Tag.boolean, Buffer.from([0xff]));

/** One element of a DER text: `contents` inside, `bytes` with tag and length. */
export type Element = { readonly tag: number; readonly contents: Buffer; readonly bytes: Buffer };

/** Malformed DER. */
export class DerError extends Error {}

/** Reads the element at `at`. Throws a DerError. */
export function readElement(bytes: Buffer, at = 0): Element {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) throw new DerError('truncated element');
  let length = first;
  let header = 2;
  if (first >= 0x80) {
    const octets = first & 0x7f;
    if (octets === 0 || octets > 4) throw new DerError('bad length');
    length = bytes.length >= at + 2 + octets ? bytes.readUIntBE(at + 2, octets) : Number.MAX_SAFE_INTEGER;
    header += octets;
  }
  if (at + header + length > bytes.length) throw new DerError('truncated element');
  return { tag, contents: bytes.subarray(at + header, at + header + length), bytes: bytes.subarray(at, at + header + length) };
}

/** The elements inside a constructed one. Throws a DerError. */
export function readElements(contents: Buffer): Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < contents.length;) {
    const element = readElement(contents, at);
    elements.push(element);
    at += element.bytes.length;
  }
  return elements;
}

/** The value of an INTEGER element. */
export function integerValue(element: Element): bigint {
  return BigInt(`0x${element.contents.toString('hex') || '0'}`);
}
