import { recorded } from '../data/load.ts';
import type { Json } from '../fields/index.ts';
import { badRequest } from './status.ts';

/** Field number → name, type (`map:KEY:VALUE` for maps) and whether it repeats. */
type Message = Readonly<Record<string, readonly [name: string, type: string, repeated?: 1]>>;

/** The four bytes before every Kubernetes protobuf object. */
const MAGIC = Buffer.from('k8s\0');
/** How deep messages may nest. */
const DEPTH_LIMIT = 100;
const META = 'k8s.io.apimachinery.pkg.apis.meta.v1';
const RUNTIME = 'k8s.io.apimachinery.pkg.runtime';

/**
 * Reads a request body in Kubernetes' protobuf form (`application/vnd.kubernetes.protobuf`), which kubectl's typed commands send, as
 * the JSON it stands for.
 * @throws StatusError 400
 */
export function readProtobuf(body: Uint8Array): Json {
  if (body.length < MAGIC.length || !MAGIC.equals(body.subarray(0, MAGIC.length))) throw malformed('it does not start with k8s\\0');
  const envelope = readMessage(`${RUNTIME}.Unknown`, Buffer.from(body.subarray(MAGIC.length)), 0) as {
    typeMeta?: { apiVersion?: string; kind?: string };
    raw?: string;
  };
  const { apiVersion = '', kind = '' } = envelope.typeMeta ?? {};
  const name = messageName(apiVersion, kind);
  if (!Object.hasOwn(messages(), name)) throw malformed(`no message is known for ${apiVersion}, Kind=${kind}`);
  const object = readMessage(name, Buffer.from(envelope.raw ?? '', 'base64'), 0);
  return { apiVersion, kind, ...(object as { readonly [key: string]: Json }) };
}

function messages(): Readonly<Record<string, Message>> {
  return recorded<Record<string, Message>>('protobuf');
}

/** The message of a kind: its package is in the group's name, or for groups with a domain, in its first part. */
function messageName(apiVersion: string, kind: string): string {
  const [group = '', version] = apiVersion.includes('/') ? apiVersion.split('/') : ['core', apiVersion];
  const suffix = `.${group.split('.')[0]?.replaceAll('-', '')}.${version}.${kind}`;
  const options = kind.endsWith('Options') ? `${META}.${kind}` : undefined;
  return Object.keys(messages()).find((name) => name.endsWith(suffix)) ?? options ?? '';
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw malformed('it is cut short');
      value |= BigInt(byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) return BigInt.asIntN(64, value);
    }
    throw malformed('a number is too long');
  }

  take(length: number): Buffer {
    if (length < 0 || this.#at + length > this.#bytes.length) throw malformed('it is cut short');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}

function malformed(cause: string): Error {
  return badRequest(`error decoding protobuf: ${cause}`);
}

function readMessage(name: string, bytes: Buffer, depth: number): Json {
  if (depth > DEPTH_LIMIT) throw malformed('messages nest too deep');
  const message = messages()[name];
  if (message === undefined) throw malformed(`message ${name} is unknown`);
  const out: Record<string, Json> = {};
  const reader = new Reader(bytes);
  while (!reader.done) {
    const tag = Number(reader.varint());
    const raw = readWire(reader, tag & 7);
    const field = message[String(tag >> 3)];
    if (field === undefined) continue;
    const [key, type, repeated] = field;
    if (type.startsWith('map:')) {
      const [, keyType = '', valueType = ''] = type.split(':');
      const entry = readEntry(raw, keyType, valueType, depth);
      const map = (out[key] ?? {}) as Record<string, Json>;
      Object.defineProperty(map, entry.key, { value: entry.value, enumerable: true, configurable: true, writable: true });
      out[key] = map;
    } else if (repeated === 1) {
      out[key] = [...((out[key] ?? []) as readonly Json[]), readValue(raw, type, depth)];
    } else {
      out[key] = readValue(raw, type, depth);
    }
  }
  return special(name, out);
}

type Wire = bigint | Buffer;

function readWire(reader: Reader, kind: number): Wire {
  switch (kind) {
    case 0:
      return reader.varint();
    case 1:
      return reader.take(8);
    case 2:
      return reader.take(Number(reader.varint()));
    case 5:
      return reader.take(4);
    default:
      throw malformed(`wire type ${kind} is unknown`);
  }
}

function readEntry(raw: Wire, keyType: string, valueType: string, depth: number): { key: string; value: Json } {
  const reader = new Reader(typeof raw === 'bigint' ? Buffer.alloc(0) : raw);
  let key = '';
  let found: Json = valueType === 'string' || valueType === 'bytes' ? '' : null;
  while (!reader.done) {
    const tag = Number(reader.varint());
    const part = readWire(reader, tag & 7);
    if (tag >> 3 === 1) key = String(readValue(part, keyType, depth));
    else found = readValue(part, valueType, depth);
  }
  return { key, value: found };
}

function readValue(raw: Wire, type: string, depth: number): Json {
  switch (type) {
    case 'string':
      return typeof raw === 'bigint' ? '' : raw.toString();
    case 'bytes':
      return typeof raw === 'bigint' ? '' : raw.toString('base64');
    case 'bool':
      return raw !== 0n;
    case 'double':
      return typeof raw === 'bigint' || raw.length !== 8 ? 0 : raw.readDoubleLE();
    case 'int32':
    case 'int64':
    case 'uint32':
    case 'uint64':
      return typeof raw === 'bigint' ? Number(raw) : 0;
    default:
      return typeof raw === 'bigint' ? null : readMessage(type, raw, depth + 1);
  }
}

/** Messages whose JSON form is not a map of their fields. */
function special(name: string, fields: Record<string, Json>): Json {
  switch (name) {
    case `${META}.Time`:
    case `${META}.MicroTime`: {
      // Go reads the first moment of the epoch as no time at all.
      if (Number(fields['seconds'] ?? 0) === 0 && Number(fields['nanos'] ?? 0) === 0) return null;
      const date = new Date(Number(fields['seconds'] ?? 0) * 1000).toISOString().slice(0, 19);
      const micros = String(Math.floor(Number(fields['nanos'] ?? 0) / 1000)).padStart(6, '0');
      return name.endsWith('.MicroTime') ? `${date}.${micros}Z` : `${date}Z`;
    }
    case 'k8s.io.apimachinery.pkg.api.resource.Quantity':
      return fields['string'] ?? '0';
    case 'k8s.io.apimachinery.pkg.util.intstr.IntOrString':
      return Number(fields['type'] ?? 0) === 1 ? (fields['strVal'] ?? '') : (fields['intVal'] ?? 0);
    case `${META}.FieldsV1`:
    case `${RUNTIME}.RawExtension`: {
      const raw = fields['Raw'] ?? fields['raw'];
      return typeof raw === 'string' && raw !== '' ? parseJson(Buffer.from(raw, 'base64').toString()) : null;
    }
    default:
      return fields;
  }
}

function parseJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw malformed('embedded JSON cannot be read');
  }
}
