import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';

/** The answers of a real API server by case. */
export type Recording = Readonly<Record<string, readonly string[]>>;

const FILE: string = join(import.meta.dirname, 'answers.json.br');

export function readRecording(): Recording {
  return JSON.parse(brotliDecompressSync(readFileSync(FILE)).toString()) as Recording;
}

export function writeRecording(recording: Recording): void {
  const text = Buffer.from(JSON.stringify(recording));
  writeFileSync(FILE, brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: text.length } }));
}
