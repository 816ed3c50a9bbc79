import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { bytesToText, type YamlValue } from '../golang/index.ts';
import { TemplateCache, TemplateError, TemplateSet, type MissingKey } from './index.ts';
import { world, worldFunctions } from './testdata/world.ts';

/*
 * What Go 1.26's text/template answered for the same texts, data and functions (testdata/world.ts). The cases follow what Go's own
 * exec_test, multi_test, parse_test and lex_test exercise, in words of our own, and add texts from a random grammar.
 */
type Case = {
  template?: string;
  /** Name and text; the one called `t` is executed. */
  texts?: [string, string][];
  missingKey?: MissingKey;
  left?: string;
  right?: string;
  output?: string;
  outputB64?: string;
  error?: string;
  /** The texts of the errors behind the error. */
  causes?: string[];
};

const data: YamlValue = { s: 'str', n: 5, b: true, l: [1, 'a', null, { k: 'v' }], m: { a: 1, n: null, e: {} }, nil: null };
const cases = readFileSync(join(import.meta.dirname, 'testdata/cases.jsonl'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Case);

function run(one: Case, cache: TemplateCache): Partial<Case> {
  const { template = '', texts = [['t', template]], missingKey = 'default', left = '', right = '' } = one;
  const set = new TemplateSet({ name: 'root', functions: worldFunctions, missingKey, left, right, cache });
  try {
    for (const [name, text] of texts) set.parse(name, text);
    return { output: set.execute('t', world(data)) };
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return { error: error.message, causes: causesOf(error) };
  }
}

function causesOf(error: Error): string[] {
  return error.cause instanceof Error ? [error.cause.message, ...causesOf(error.cause)] : [];
}

function expected({ output, outputB64, error, causes = [] }: Case): Partial<Case> {
  if (error !== undefined) return { error, causes };
  return { output: outputB64 === undefined ? (output ?? '') : bytesToText(Buffer.from(outputB64, 'base64')) };
}

test('every template gives the text or the error that Go gives', () => {
  const cache = new TemplateCache();
  for (const one of cases) assert.deepEqual(run(one, cache), expected(one), JSON.stringify(one.texts ?? one.template));
});

test('a second run from the cache gives the same', () => {
  const cache = new TemplateCache();
  for (const one of cases.slice(0, 300)) {
    run(one, cache);
    assert.deepEqual(run(one, cache), expected(one), JSON.stringify(one.texts ?? one.template));
  }
});
