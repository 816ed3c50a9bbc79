/** One challenge of a `WWW-Authenticate` header (RFC 9110 §11.6.1): scheme in lower case, parameter names in lower case. */
export type Challenge = { scheme: string; parameters: Readonly<Record<string, string>> };

/** Characters of the header looked at, challenges and parameters kept. */
const MAX_HEADER = 8192;
const MAX_CHALLENGES = 10;
const MAX_PARAMETERS = 20;

const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;

/** Parses one or more `WWW-Authenticate` headers; what cannot be read ends the list. */
export function parseChallenges(headers: string | readonly string[] | undefined): Challenge[] {
  const list = headers === undefined ? [] : typeof headers === 'string' ? [headers] : headers;
  return list.flatMap((header) => parseHeader(header.slice(0, MAX_HEADER))).slice(0, MAX_CHALLENGES);
}

function parseHeader(text: string): Challenge[] {
  const challenges: Challenge[] = [];
  let current: { scheme: string; parameters: Record<string, string> } | undefined;
  let at = 0;
  const skip = (pattern: RegExp): void => {
    pattern.lastIndex = at;
    if (pattern.test(text)) at = pattern.lastIndex;
  };
  while (at < text.length && challenges.length < MAX_CHALLENGES) {
    skip(/[\s,]+/y);
    const name = token(text, at);
    if (name === '') break;
    at += name.length;
    const afterName = at;
    skip(/\s*/y);
    if (text[at] === '=' && current !== undefined) {
      at++;
      skip(/\s*/y);
      const [value, next] = parameterValue(text, at);
      at = next;
      if (Object.keys(current.parameters).length < MAX_PARAMETERS) current.parameters[name.toLowerCase()] = value;
      continue;
    }
    at = afterName;
    current = { scheme: name.toLowerCase(), parameters: {} };
    challenges.push(current);
  }
  return challenges;
}

function token(text: string, at: number): string {
  TOKEN.lastIndex = at;
  return TOKEN.exec(text)?.[0] ?? '';
}

function parameterValue(text: string, at: number): [string, number] {
  if (text[at] !== '"') {
    // Some registries leave values with ':' or '/' unquoted.
    const bare = /[^\s,"]*/y;
    bare.lastIndex = at;
    const value = bare.exec(text)?.[0] ?? '';
    return [value, at + value.length];
  }
  let value = '';
  let next = at + 1;
  for (; next < text.length && text[next] !== '"'; next++) {
    if (text[next] === '\\') next++;
    value += text[next] ?? '';
  }
  return [value, next + 1];
}
