import { DerError, oidText, readElements, Tag, type Element } from './der.ts';

/** Attribute names of RFC 4514 §3, and those Go's crypto/x509 prints. */
const ATTRIBUTE_NAMES: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.5': 'SERIALNUMBER',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'STREET',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.17': 'POSTALCODE',
};

/** A name in a certificate. */
export type DistinguishedName = {
  /** Its DER, to compare. */
  readonly der: Buffer;
  /** Its text (RFC 4514: the last RDN first). */
  readonly text: string;
  /** Attribute name (or dotted object identifier) to value; undefined when an attribute occurs twice or an RDN has several. */
  readonly attributes: ReadonlyMap<string, string> | undefined;
};

/** Reads a Name. @throws DerError */
export function readName(element: Element): DistinguishedName {
  if (element.tag !== Tag.sequence) throw new DerError('bad name');
  const texts: string[] = [];
  const attributes = new Map<string, string>();
  let unique = true;
  for (const rdn of readElements(element.contents)) {
    if (rdn.tag !== Tag.set) throw new DerError('bad relative distinguished name');
    const parts = readElements(rdn.contents).map(readAttribute);
    unique &&= parts.length === 1;
    for (const { name, value } of parts) {
      unique &&= !attributes.has(name);
      attributes.set(name, value);
    }
    texts.unshift(parts.map(({ name, value }) => `${name}=${escapeValue(value)}`).join('+'));
  }
  return { der: element.bytes, text: texts.join(','), attributes: unique ? attributes : undefined };
}

function readAttribute(element: Element): { name: string; value: string } {
  const [type, value, ...others] = readElements(element.contents);
  if (type === undefined || value === undefined || others.length > 0) throw new DerError('bad attribute of a name');
  const id = oidText(type);
  return { name: ATTRIBUTE_NAMES[id] ?? id, value: directoryString(value) };
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function directoryString({ tag, contents }: Element): string {
  switch (tag) {
    case Tag.utf8String:
      try {
        return decoder.decode(contents);
      } catch (error) {
        throw new DerError('name is not valid UTF-8', { cause: error });
      }
    case Tag.printableString:
    case Tag.ia5String:
    case Tag.teletexString:
      return contents.toString('latin1');
    case Tag.bmpString:
      if (contents.length % 2 !== 0) throw new DerError('bad BMPString');
      return Buffer.from(contents).swap16().toString('utf16le');
    default:
      return `#${contents.toString('hex')}`;
  }
}

/** RFC 4514 §2.4. */
function escapeValue(value: string): string {
  return value
    .replace(/[\\"+,;<>]/g, '\\$&')
    .replace(/\0/g, '\\00')
    .replace(/^[ #]/, '\\$&')
    .replace(/(?<=.) $/s, '\\ ');
}

/** The parts that Notary Project requires in every trusted identity (trust-store-trust-policy.md, Trusted Identities Constraints). */
const MANDATORY = ['C', 'ST', 'O'] as const;

/**
 * Reads the text of a distinguished name with Notary Project's rules: RFC 4514, `S` is another name of `ST`, each attribute once, no
 * multi-valued RDN, no `=#`, at least C, ST and O.
 * @returns the attributes, or what is wrong with the text
 */
export function parseIdentityName(text: string): ReadonlyMap<string, string> | { problem: string } {
  if (text.includes('=#')) return { problem: 'a value written as "=#…", which trust policies do not support' };
  const pairs = splitName(text);
  if ('problem' in pairs) return pairs;
  const attributes = new Map<string, string>();
  for (const { name, value } of pairs.pairs) {
    const type = name === 'S' ? 'ST' : name;
    if (attributes.has(type)) return { problem: `the attribute ${JSON.stringify(type)} twice` };
    if (value !== '') attributes.set(type, value);
  }
  const missing = MANDATORY.filter((name) => !attributes.has(name));
  return missing.length > 0 ? { problem: `no ${missing.join(', ')}` } : attributes;
}

type Pair = { name: string; value: string };

/** Splits at separators outside of escapes, and undoes the escapes. */
function splitName(text: string): { pairs: Pair[] } | { problem: string } {
  const pairs: Pair[] = [];
  const pattern = /\s*([A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)*)\s*=((?:\\[0-9A-Fa-f]{2}|\\[^0-9A-Fa-f]|[^\\,;+])*)([,;+]|$)/y;
  if (text.trim() === '') return { pairs };
  for (;;) {
    const at = pattern.lastIndex;
    const part = pattern.exec(text);
    if (part === null) return { problem: `${JSON.stringify(text.slice(at))}, which is not NAME=VALUE` };
    const [, name = '', raw = '', separator = ''] = part;
    if (separator === '+') return { problem: 'an RDN of several attributes ("+")' };
    const value = unescapeValue(raw);
    if (value === undefined) return { problem: `the value ${JSON.stringify(raw)}, whose escapes are not UTF-8` };
    pairs.push({ name, value });
    if (separator === '') return { pairs };
  }
}

function unescapeValue(raw: string): string | undefined {
  const kept = trimUnescaped(raw);
  const octets: Uint8Array[] = [];
  for (const [, hex, escaped, plain] of kept.matchAll(/\\([0-9A-Fa-f]{2})|\\([^])|([^\\]+)/g)) {
    octets.push(hex === undefined ? Buffer.from(escaped ?? plain ?? '') : Buffer.from(hex, 'hex'));
  }
  try {
    return decoder.decode(Buffer.concat(octets));
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** Without the spaces around, but for an escaped last one. */
function trimUnescaped(raw: string): string {
  let end = raw.length;
  while (raw[end - 1] === ' ' && !/(?:^|[^\\])(?:\\\\)*\\$/.test(raw.slice(Math.max(0, end - 40), end - 1))) end -= 1;
  return raw.slice(0, end).replace(/^ +/, '');
}

/** True when every attribute of `wanted` is in `found` with the same value. */
export function isSubsetName(wanted: ReadonlyMap<string, string>, found: ReadonlyMap<string, string>): boolean {
  return [...wanted].every(([name, value]) => found.get(name) === value);
}
