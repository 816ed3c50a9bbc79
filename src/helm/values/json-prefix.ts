/**
 * Where the first JSON value of a text ends, for readers that take one value and leave the rest. A malformed value ends where its
 * brackets close or, for a scalar, at the next delimiter, so that a decoder given that part says what is wrong with it.
 * Undefined when the text stops inside the value.
 */
export function jsonValueEnd(text: string): number | undefined {
  let at = 0;
  while (isJsonSpace(text.charCodeAt(at))) at += 1;
  const first = text[at];
  if (first === undefined) return undefined;
  if (first === '{' || first === '[') return containerEnd(text, at);
  if (first === '"') return stringEnd(text, at);
  const number = /^-?\d+(\.\d+)?([eE][+-]?\d+)?/.exec(text.slice(at));
  if (number !== null) return at + (/^-?0/.exec(number[0]) === null || number[0].length < 2 ? number[0].length : zeroEnd(number[0]));
  const literal = /^(true|false|null)/.exec(text.slice(at));
  if (literal !== null) return at + literal[0].length;
  const end = text.slice(at).search(/[,\]}\s]/);
  return end < 0 ? text.length : at + Math.max(end, 1);
}

/** A leading zero is a number of its own: `01` is 0, then 1. */
function zeroEnd(number: string): number {
  return /^-?0(\.\d+)?([eE][+-]?\d+)?/.exec(number)?.[0].length ?? number.length;
}

function isJsonSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;
}

function stringEnd(text: string, from: number): number | undefined {
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5c) at += 1;
    else if (code === 0x22) return at + 1;
  }
  return undefined;
}

function containerEnd(text: string, from: number): number | undefined {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const char = text[at];
    if (char === '"') {
      const end = stringEnd(text, at);
      if (end === undefined) return undefined;
      at = end - 1;
    } else if (char === '{' || char === '[') depth += 1;
    else if (char === '}' || char === ']') {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return undefined;
}
