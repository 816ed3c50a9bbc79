import { derNull, oid, sequence, Tag, tlv } from '../der.ts';

/** A non-negative INTEGER. */
export function integer(value: bigint | number): Buffer {
  const hex = BigInt(value).toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return tlv(Tag.integer, (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
}

export function enumerated(value: number): Buffer {
  return tlv(Tag.enumerated, Buffer.from([value]));
}

export function boolean(value: boolean): Buffer {
  return tlv(Tag.boolean, Buffer.from([value ? 0xff : 0]));
}

export function bitString(bytes: Uint8Array): Buffer {
  return tlv(Tag.bitString, Buffer.from([0]), bytes);
}

/** A SET OF, sorted as DER wants it. */
export function setOf(...items: readonly Buffer[]): Buffer {
  return tlv(Tag.set, ...items.toSorted(Buffer.compare));
}

/** Bit `i` of `bits` as bit `i` of a named-bit BIT STRING. */
export function namedBits(bits: number): Buffer {
  if (bits === 0) return tlv(Tag.bitString, Buffer.from([0]));
  const last = 31 - Math.clz32(bits);
  const octets = Buffer.alloc((last >> 3) + 1);
  for (let i = 0; i <= last; i++) if ((bits & (1 << i)) !== 0) octets[i >> 3] = (octets[i >> 3] ?? 0) | (0x80 >> (i & 7));
  return tlv(Tag.bitString, Buffer.from([7 - (last & 7)]), octets);
}

export function generalizedTime(time: Date): Buffer {
  return tlv(Tag.generalizedTime, Buffer.from(`${time.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`));
}

/** UTCTime to 2049, as RFC 5280 wants it. */
export function certificateTime(time: Date): Buffer {
  if (time.getUTCFullYear() >= 2050) return generalizedTime(time);
  return tlv(Tag.utcTime, Buffer.from(`${time.toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`));
}

const NAME_IDS: Readonly<Record<string, string>> = {
  CN: '2.5.4.3',
  C: '2.5.4.6',
  L: '2.5.4.7',
  ST: '2.5.4.8',
  O: '2.5.4.10',
  OU: '2.5.4.11',
};

/** A Name of `C=RO,O=…` in this order, each attribute in an RDN of its own; a backslash keeps the next character. */
export function name(text: string): Buffer {
  const rdns = text.split(/(?<!\\),/).map((part) => {
    const [type = '', ...rest] = part.split('=');
    const value = rest.join('=').replaceAll(/\\([^])/g, '$1');
    const tag = type === 'C' ? Tag.printableString : Tag.utf8String;
    return setOf(sequence(oid(NAME_IDS[type] ?? type), tlv(tag, Buffer.from(value))));
  });
  return sequence(...rdns);
}

/** AlgorithmIdentifier of a hash. */
export function hashAlgorithm(hash: string): Buffer {
  const ids: Readonly<Record<string, string>> = {
    sha1: '1.3.14.3.2.26',
    sha256: '2.16.840.1.101.3.4.2.1',
    sha384: '2.16.840.1.101.3.4.2.2',
    sha512: '2.16.840.1.101.3.4.2.3',
  };
  return sequence(oid(ids[hash] ?? hash), derNull);
}
