import { readFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';

/** The recorded documents of this folder's README. */
export type Recorded = 'discovery' | 'openapi-v3' | 'openapi-v2' | 'columns' | 'bootstrap' | 'protobuf' | 'types';

const cache = new Map<Recorded, unknown>();

/** A recorded document, unpacked on first use and then shared: never change it. Our own file, so its shape is the caller's to state. */
export function recorded<T>(name: Recorded): T {
  if (!cache.has(name))
    cache.set(name, JSON.parse(brotliDecompressSync(readFileSync(new URL(`${name}.json.br`, import.meta.url))).toString()));
  return cache.get(name) as T;
}
