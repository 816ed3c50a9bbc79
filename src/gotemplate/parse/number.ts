import { GoError, parseFloat64, quote, scanFloat, scanInt, scanUint, unquoteChar } from '../../golang/index.ts';
import type { NumberNode } from './ast.ts';

type Parts = Omit<NumberNode, 'kind' | 'pos' | 'text'>;

const minInt64 = -(2 ** 63);
const endOfInt64 = 2 ** 63;
const endOfUint64 = 2 ** 64;

/**
 * The node of a number, complex or character constant: the value under every type that can hold it, as Go's ideal constants.
 * @throws GoError with the text Go's parser puts after the line.
 */
export function readNumber(pos: number, text: string, kind: 'charConstant' | 'complex' | 'number'): NumberNode {
  return { kind: 'number', pos, text, ...readParts(text, kind) };
}

function readParts(text: string, kind: 'charConstant' | 'complex' | 'number'): Parts {
  if (kind === 'charConstant') return ofInteger(BigInt(readCharacter(text)));
  if (kind === 'complex') return readComplex(text);
  if (text.endsWith('i')) {
    const imaginary = scanFloat(text.slice(0, -1));
    if (imaginary.problem === undefined) return ofComplex(0, imaginary.value);
  }
  return readReal(text);
}

function readReal(text: string): Parts {
  const signed = scanInt(text, 0);
  const unsigned = scanUint(text, 0);
  const int64 = signed.problem === undefined ? signed.value : undefined;
  // "-0" is not unsigned to strconv, but it is zero.
  const uint64 = unsigned.problem === undefined ? unsigned.value : int64 === 0n ? 0n : undefined;
  const integer = int64 ?? uint64;
  if (integer !== undefined) return { int64, uint64, float64: Number(integer), complex: undefined };
  const { value, problem } = scanFloat(text);
  if (problem !== undefined) throw new GoError(`illegal number syntax: ${quote(text)}`);
  // Looks like an integer, but is too large for one.
  if (!/[.eEpP]/.test(text)) throw new GoError(`integer overflow: ${quote(text)}`);
  return { ...integersOf(value), float64: value, complex: undefined };
}

function readCharacter(text: string): number {
  try {
    return unquoteChar(text);
  } catch (error) {
    // More than one character between the quotes has an error text of its own.
    if (hasCharacterBefore(text)) throw new GoError(`malformed character constant: ${text}`, error);
    throw error;
  }
}

const longestEscape = '\\U0010ffff'.length;

function hasCharacterBefore(text: string): boolean {
  for (let length = 1; length <= longestEscape && length < text.length - 2; length++) {
    if (isCharacter(text.slice(0, length + 1))) return true;
  }
  return false;
}

function isCharacter(opened: string): boolean {
  try {
    unquoteChar(`${opened}'`);
    return true;
  } catch (error) {
    if (error instanceof GoError) return false;
    throw error;
  }
}

/** One float as fmt.Sscan cuts it out of a complex constant (it takes an `i` for the start of `inf`). */
const floatToken =
  /[+-]?[iI]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?|[0-9_]*(?:\.[0-9_]*)?(?:[eEpP][+-]?[0-9_]*)?)/y;

function readComplex(text: string): Parts {
  const real = tokenAt(text, 0);
  const sign = text[real.length];
  if (sign !== '+' && sign !== '-') throw new GoError('syntax error scanning complex number');
  const imaginary = tokenAt(text, real.length + 1);
  if (text[real.length + 1 + imaginary.length] !== 'i') throw new GoError('syntax error scanning complex number');
  return ofComplex(parseFloat64(real), parseFloat64(sign + imaginary));
}

function tokenAt(text: string, at: number): string {
  floatToken.lastIndex = at;
  return floatToken.exec(text)?.[0] ?? '';
}

function ofInteger(value: bigint): Parts {
  return { int64: value, uint64: value, float64: Number(value), complex: undefined };
}

function ofComplex(re: number, im: number): Parts {
  const complex = { re, im };
  if (im !== 0) return { int64: undefined, uint64: undefined, float64: undefined, complex };
  return { ...integersOf(re), float64: re, complex };
}

/** The integers equal to a float. */
function integersOf(value: number): Pick<Parts, 'int64' | 'uint64'> {
  if (!Number.isInteger(value)) return { int64: undefined, uint64: undefined };
  return {
    int64: value >= minInt64 && value < endOfInt64 ? BigInt(value) : undefined,
    uint64: value >= 0 && value < endOfUint64 ? BigInt(value) : undefined,
  };
}
