import { KustomizeError } from './errors.ts';
import { quote } from './go-text.ts';

/** True when labels (or annotations) fit a selector. */
export type LabelMatcher = (labels: ReadonlyMap<string, string>) => boolean;

type Operator = 'exists' | '!' | 'in' | 'notin' | '=' | '==' | '!=' | '>' | '<';
type Token = { readonly kind: 'word' | 'symbol' | 'end'; readonly text: string };

const SYMBOLS: ReadonlySet<string> = new Set([')', ',', '!', '==', '=', '>', '<', '!=', '(']);
const SPECIAL = '=!(),><';
const SPACE = ' \t\r\n';

function fail(message: string): never {
  throw new KustomizeError('TransformFailed', message, { remedy: 'write a label selector as in Kubernetes: a=b, c in (d, e), !f' });
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length;) {
    const char = text.charAt(at);
    if (SPACE.includes(char)) {
      at += 1;
    } else if (SPECIAL.includes(char)) {
      let end = at + 1;
      while (end < text.length && SPECIAL.includes(text.charAt(end)) && SYMBOLS.has(text.slice(at, end + 1))) end += 1;
      tokens.push({ kind: 'symbol', text: text.slice(at, end) });
      at = end;
    } else {
      let end = at + 1;
      while (end < text.length && !SPECIAL.includes(text.charAt(end)) && !SPACE.includes(text.charAt(end))) end += 1;
      tokens.push({ kind: 'word', text: text.slice(at, end) });
      at = end;
    }
  }
  tokens.push({ kind: 'end', text: '' });
  return tokens;
}

/** Reads a label selector as Kubernetes writes them; the empty one fits everything. */
export function parseLabelSelector(text: string): LabelMatcher {
  const requirements = new Parser(tokenize(text)).parse();
  return (labels) => requirements.every((matches) => matches(labels));
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? { kind: 'end', text: '' };
  }

  #take(): Token {
    const token = this.#peek();
    this.#at += 1;
    return token;
  }

  parse(): LabelMatcher[] {
    const requirements: LabelMatcher[] = [];
    for (;;) {
      const token = this.#peek();
      if (token.kind === 'end') return requirements;
      if (!startsRequirement(token)) fail(`found '${token.text}', expected: !, identifier, or 'end of string'`);
      requirements.push(this.#requirement());
      const next = this.#take();
      if (next.kind === 'end') return requirements;
      if (next.text !== ',') fail(`found '${next.text}', expected: ',' or 'end of string'`);
      const after = this.#peek();
      if (!startsRequirement(after)) fail(`found '${after.text}', expected: identifier after ','`);
    }
  }

  #requirement(): LabelMatcher {
    try {
      return this.#parseRequirement();
    } catch (error) {
      throw error instanceof KustomizeError ? new KustomizeError(error.code, `unable to parse requirement: ${error.message}`) : error;
    }
  }

  #parseRequirement(): LabelMatcher {
    let token = this.#take();
    const negated = token.text === '!';
    if (negated) token = this.#take();
    if (token.kind !== 'word') fail(`found '${token.text}', expected: identifier`);
    const key = token.text;
    checkKey(key);
    const next = this.#peek();
    if (next.kind === 'end' || next.text === ',') return requirement(key, negated ? '!' : 'exists', []);
    if (negated) return requirement(key, this.#operator(), []);
    const operator = this.#operator();
    return requirement(key, operator, operator === 'in' || operator === 'notin' ? this.#values() : [this.#exactValue()]);
  }

  #operator(): Operator {
    const { text } = this.#take();
    switch (text) {
      case 'in':
      case 'notin':
      case '=':
      case '==':
      case '!=':
      case '>':
      case '<':
        return text;
      default:
        return fail(`found '${text}', expected: '=', '!=', '==', 'in', notin'`);
    }
  }

  #exactValue(): string {
    const token = this.#peek();
    if (token.kind === 'end' || token.text === ',') return '';
    this.#at += 1;
    return token.kind === 'word' ? token.text : fail(`found '${token.text}', expected: identifier`);
  }

  #values(): string[] {
    const open = this.#take();
    if (open.text !== '(') fail(`found '${open.text}' expected: '('`);
    const values: string[] = [];
    let word = '';
    for (;;) {
      const token = this.#take();
      if (token.kind === 'word' && word === '') {
        word = token.text;
      } else if (token.text === ',' || token.text === ')') {
        values.push(word);
        word = '';
        if (token.text === ')') return [...new Set(values)];
      } else {
        fail(`found '${token.text}', expected: ',' or ')'`);
      }
    }
  }
}

function startsRequirement(token: Token): boolean {
  return token.kind === 'word' || token.text === '!';
}

function requirement(key: string, operator: Operator, values: readonly string[]): LabelMatcher {
  for (const value of values) checkValue(key, value);
  switch (operator) {
    case 'exists':
      return (labels) => labels.has(key);
    case '!':
      return (labels) => !labels.has(key);
    case 'in':
    case '=':
    case '==':
      return (labels) => labels.has(key) && values.includes(labels.get(key) ?? '');
    case 'notin':
    case '!=':
      return (labels) => !labels.has(key) || !values.includes(labels.get(key) ?? '');
    default:
      return comparison(key, operator, values[0] ?? '');
  }
}

const INTEGER = /^[-+]?\d+$/;

function comparison(key: string, operator: '>' | '<', bound: string): LabelMatcher {
  if (!INTEGER.test(bound)) fail("for 'Gt', 'Lt' operators, the value must be an integer");
  return (labels) => {
    const value = labels.get(key);
    if (value === undefined || !INTEGER.test(value)) return false;
    return operator === '>' ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound);
  };
}

const NAME = /^(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const DOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const LABEL_RULE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const NAME_RULE =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

function checkKey(key: string): void {
  const slash = key.indexOf('/');
  const prefix = slash < 0 ? undefined : key.slice(0, slash);
  const name = key.slice(slash + 1);
  if (prefix !== undefined && (prefix.length > 253 || !DOMAIN.test(prefix)))
    fail(`invalid label key ${quote(key)}: prefix part is no domain`);
  if (name.length > 63 || !NAME.test(name)) fail(`invalid label key ${quote(key)}: ${NAME_RULE}`);
}

function checkValue(key: string, value: string): void {
  if (value.length <= 63 && (value === '' || NAME.test(value))) return;
  fail(
    `invalid label value: ${quote(value)}: at key: ${quote(key)}: ${value.length > 63 ? 'must be no more than 63 characters' : LABEL_RULE}`,
  );
}
