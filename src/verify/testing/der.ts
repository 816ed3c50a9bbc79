// Writes DER (X.690), enough to mint certificates and timestamps in tests.

import { derElement as tlv } from '../../std/index.ts';

export { derOctetString as octets, derOid as oid, derSequence as sequence } from '../../std/index.ts';

export function set(...parts: readonly Uint8Array[]): Buffer {
  return tlv(0x31, ...parts);
}

/** A bit string of whole bytes, or with `unused` bits at its end. */
export function bits(value: Uint8Array, unused = 0): Buffer {
  return tlv(0x03, Buffer.from([unused]), value);
}

export function boolean(value: boolean): Buffer {
  return tlv(0x01, Buffer.from([value ? 0xff : 0]));
}

export function integer(value: number | Uint8Array): Buffer {
  const bytes =
    typeof value === 'number'
      ? Buffer.from(
          value
            .toString(16)
            .padStart(2, '0')
            .replace(/^(.(..)*)$/, '0$1'),
          'hex',
        )
      : value;
  return tlv(0x02, (bytes[0] ?? 0) >= 0x80 ? Buffer.from([0]) : Buffer.alloc(0), bytes);
}

export function text(value: string): Buffer {
  return tlv(0x0c, Buffer.from(value));
}

export function generalizedTime(date: Date): Buffer {
  return tlv(0x18, Buffer.from(`${date.toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}Z`));
}

/** A time as certificates write it until 2049 (RFC 5280 §4.1.2.5). */
export function utcTime(date: Date): Buffer {
  return tlv(0x17, Buffer.from(`${date.toISOString().slice(2, 19).replaceAll(/[-:T]/g, '')}Z`));
}

/** `[number]` around values (constructed), or instead of a value's own tag (primitive). */
export function tagged(number: number, kind: 'constructed' | 'primitive', ...parts: readonly Uint8Array[]): Buffer {
  return tlv((kind === 'constructed' ? 0xa0 : 0x80) | number, ...parts);
}
