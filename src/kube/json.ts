/** Numbers of 16 digits or more may not fit a double; everything shorter always does. */
const LONG_NUMBER = /\d{16}/;

type RawJson = { readonly rawJSON: string };

// Node 24 has JSON.rawJSON and the reviver's context (ECMAScript "JSON.parse source text access"); TypeScript's library does not know them yet.
type SourceTextJson = {
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
  rawJSON(text: string): RawJson;
  isRawJSON(value: unknown): value is RawJson;
};
const sourceText = JSON as unknown as SourceTextJson;

/**
 * Parses JSON so that integers beyond 2^53 survive: such a number becomes a `JSON.rawJSON` value, which writes itself back
 * digit by digit with any JSON.stringify. The slow way is taken only when the text holds a run of 16 digits.
 * @throws SyntaxError as JSON.parse
 */
export function parseJson(text: string): unknown {
  return LONG_NUMBER.test(text) ? sourceText.parse(text, keepBigIntegers) : (JSON.parse(text) as unknown);
}

function keepBigIntegers(_key: string, value: unknown, context: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value) || context.source === undefined) return value;
  return /^-?\d+$/.test(context.source) ? sourceText.rawJSON(context.source) : value;
}

/** Writes JSON; a `bigint` becomes an integer literal. */
export function writeJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    // JSON.stringify refuses a bigint with a TypeError; asking for one first would cost a walk of every object written.
    if (!(error instanceof TypeError)) throw error;
    return JSON.stringify(value, bigIntLiteral);
  }
}

function bigIntLiteral(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? sourceText.rawJSON(value.toString()) : value;
}

/** True for a JSON object that is not an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
