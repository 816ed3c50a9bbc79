import { yamlLimitExceeded } from './error.ts';
import type { YamlLimits } from './limits.ts';
import {
  EVENT_DOCUMENT_END,
  EVENT_MAPPING_END,
  EVENT_MAPPING_START,
  EVENT_SCALAR,
  EVENT_SEQUENCE_END,
  EVENT_SEQUENCE_START,
  EVENT_STREAM_END,
  EVENT_STREAM_START,
} from './event.ts';
import type { Parser } from './parser.ts';
import { plainInteger, type Numbers } from './plain.ts';
import { mayResolve, resolvePlain } from './resolve.ts';
import { parseTimestamp } from './timestamp.ts';
import { PLAIN } from './token.ts';
import { setEntry, type YamlObject, type YamlValue } from './value.ts';

/** Thrown when a document has something the builder leaves to the decoders: anchors, tags, merge keys, keys that are no strings. */
export const UNUSUAL: unique symbol = Symbol('unusual');

const DECIMAL = /^-?(?:0|[1-9][0-9]{0,14})$/;

/**
 * Makes values straight from events, for the documents nearly all texts consist of. Where a result could depend on more than that, it
 * gives up with {@link UNUSUAL} and the caller reads the text again through nodes.
 */
export class Builder {
  readonly #parser: Parser;
  readonly #modern: boolean;
  readonly #unique: boolean;
  readonly #numbers: Numbers;
  readonly #limits: YamlLimits;
  #depth = 0;
  #values = 0;
  #documents = 0;

  constructor(parser: Parser, modern: boolean, unique: boolean, numbers: Numbers, limits: YamlLimits) {
    this.#parser = parser;
    this.#modern = modern;
    this.#unique = unique;
    this.#numbers = numbers;
    this.#limits = limits;
  }

  /** The next document's value; undefined after the last. */
  document(): YamlValue | undefined {
    const parser = this.#parser;
    if (parser.type === 0 || parser.type === EVENT_DOCUMENT_END) parser.next();
    if (parser.type === EVENT_STREAM_START) parser.next();
    if (parser.type === EVENT_STREAM_END) return undefined;
    this.#documents += 1;
    if (this.#documents > this.#limits.maxDocuments) throw yamlLimitExceeded('number of documents', this.#limits.maxDocuments);
    parser.next();
    const value = this.#value();
    parser.next();
    return value;
  }

  #value(): YamlValue {
    const parser = this.#parser;
    if (parser.anchor !== '' || parser.tag !== '') throw UNUSUAL;
    this.#values += 1;
    if (this.#values > this.#limits.maxValues) throw yamlLimitExceeded('number of values', this.#limits.maxValues);
    switch (parser.type) {
      case EVENT_SCALAR:
        return parser.style === PLAIN ? plainScalar(parser.value, this.#modern, this.#numbers) : parser.value;
      case EVENT_SEQUENCE_START:
        return this.#sequence();
      case EVENT_MAPPING_START:
        return this.#mapping();
      default:
        throw UNUSUAL;
    }
  }

  #enter(): void {
    this.#depth += 1;
    if (this.#depth > this.#limits.maxDepth) throw yamlLimitExceeded('depth', this.#limits.maxDepth);
  }

  #sequence(): YamlValue[] {
    this.#enter();
    const items: YamlValue[] = [];
    while (this.#parser.next() !== EVENT_SEQUENCE_END) items.push(this.#value());
    this.#depth -= 1;
    return items;
  }

  #mapping(): YamlObject {
    this.#enter();
    const parser = this.#parser;
    const object: YamlObject = {};
    while (parser.next() !== EVENT_MAPPING_END) {
      if (parser.type !== EVENT_SCALAR || parser.anchor !== '' || parser.tag !== '') throw UNUSUAL;
      const key = parser.value;
      if (parser.style === PLAIN && !isTextKey(key, this.#modern)) throw UNUSUAL;
      if (this.#unique && Object.hasOwn(object, key)) throw UNUSUAL;
      parser.next();
      setEntry(object, key, this.#value());
    }
    this.#depth -= 1;
    return object;
  }
}

/** The value of a plain scalar without a tag. Throws {@link UNUSUAL} for one that JSON cannot hold. */
export function plainScalar(text: string, modern: boolean, numbers: Numbers): YamlValue {
  if (!mayResolve(text)) return text;
  const c = text.charCodeAt(0);
  if (c >= 45 && c <= 57) {
    if (DECIMAL.test(text)) return text === '-0' ? 0 : Number(text);
    if (modern && text.charCodeAt(4) === 45) {
      const time = parseTimestamp(text);
      if (time !== undefined) {
        if (time.zoneHours > 23) throw UNUSUAL;
        return time.text;
      }
    }
  }
  const value = resolvePlain(text, modern);
  if (typeof value === 'bigint') return plainInteger(value, numbers);
  if (typeof value === 'number' && !Number.isFinite(value)) throw UNUSUAL;
  return value;
}

/** True when a plain key is text, and no merge key. */
export function isTextKey(key: string, modern: boolean): boolean {
  if (!mayResolve(key)) return key !== '<<';
  if (typeof resolvePlain(key, modern) !== 'string') return false;
  return !modern || parseTimestamp(key) === undefined;
}
