import { derElement as tlv, derTag as Tag } from '../../../std/index.ts';

export {
  derElement as tlv,
  derNull,
  derOctetString as octetString,
  derOid as oid,
  derSequence as sequence,
  derTag as Tag,
} from '../../../std/index.ts';

/*
 * DER (ITU-T X.690): just what certificates and keys need, written by hand because node:crypto neither builds certificates nor shows
 * their parts.
 */

/** A non-negative INTEGER. */
export function integer(value: bigint): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return tlv(Tag.integer, (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
}

export function bitString(bytes: Uint8Array, unusedBits = 0): Buffer {
  return tlv(Tag.bitString, Buffer.from([unusedBits]), bytes);
}

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
