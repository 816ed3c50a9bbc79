import { labelValueFault, qualifiedNameFault } from './label-names.ts';
import { badRequest, type StatusError } from './status.ts';

/** One condition of a selector. */
export type Requirement =
  | { key: string; operator: 'in' | 'notin'; values: ReadonlySet<string> }
  | { key: string; operator: 'exists' | 'absent' }
  | { key: string; operator: 'gt' | 'lt'; value: number };

type Token = {
  kind: 'identifier' | 'end' | 'error' | '!' | ',' | '(' | ')' | '=' | '==' | '!=' | '<' | '>' | 'in' | 'notin';
  text: string;
};

const SYMBOLS = '=!(),><';
const BINARY = ['in', 'notin', '=', '==', '!=', 'gt', 'lt'];

/** Reads a label selector; faults are told in apimachinery's words. */
export class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = tokens(text);
  }

  /** @throws StatusError 400 */
  parse(): Requirement[] {
    const requirements: Requirement[] = [];
    for (;;) {
      const token = this.#peek();
      if (token.kind === 'end') return requirements;
      if (token.kind !== 'identifier' && token.kind !== '!') throw found(token, ", expected: !, identifier, or 'end of string'");
      requirements.push(this.#requirement());
      const after = this.#next();
      if (after.kind === 'end') return requirements;
      if (after.kind !== ',') throw found(after, ", expected: ',' or 'end of string'");
      const following = this.#peek();
      if (following.kind !== 'identifier' && following.kind !== '!') throw found(following, ", expected: identifier after ','");
    }
  }

  #requirement(): Requirement {
    let token = this.#next();
    const isAbsent = token.kind === '!';
    if (isAbsent) token = this.#next();
    if (token.kind !== 'identifier') throw requirementFault(`found '${token.text}', expected: identifier`);
    const key = token.text;
    const fault = qualifiedNameFault(key);
    if (fault !== undefined) throw requirementFault(`<nil>: Invalid value: ${JSON.stringify(key)}: ${fault}`);
    const { kind } = this.#peek();
    if (isAbsent) return { key, operator: 'absent' };
    if (kind === 'end' || kind === ',') return { key, operator: 'exists' };
    const operator = this.#next(false);
    switch (operator.kind) {
      case 'in':
      case 'notin':
        return { key, operator: operator.kind, values: this.#checked(key, this.#values()) };
      case '=':
      case '==':
        return { key, operator: 'in', values: this.#checked(key, new Set([this.#exactValue()])) };
      case '!=':
        return { key, operator: 'notin', values: this.#checked(key, new Set([this.#exactValue()])) };
      case '>':
      case '<':
        return { key, operator: operator.kind === '>' ? 'gt' : 'lt', value: this.#number() };
      default:
        throw requirementFault(`found '${operator.text}', expected: ${BINARY.join(', ')}`);
    }
  }

  #checked(key: string, values: ReadonlySet<string>): ReadonlySet<string> {
    for (const value of [...values].sort()) {
      const fault = labelValueFault(value);
      if (fault !== undefined) throw requirementFault(`values[0][${key}]: Invalid value: ${JSON.stringify(value)}: ${fault}`);
    }
    return values;
  }

  #number(): number {
    const text = this.#exactValue();
    if (!/^[+-]?\d+$/.test(text))
      throw requirementFault(`values[0]: Invalid value: ${JSON.stringify(text)}: for 'Gt', 'Lt' operators, the value must be an integer`);
    return Number(text);
  }

  #exactValue(): string {
    const { kind } = this.#peek();
    if (kind === 'end' || kind === ',') return '';
    const token = this.#next();
    if (token.kind !== 'identifier') throw requirementFault(`found '${token.text}', expected: identifier`);
    return token.text;
  }

  /** `(a,b)`; empty places are the empty value. */
  #values(): Set<string> {
    const open = this.#next();
    if (open.kind !== '(') throw requirementFault(`found '${open.text}' expected: '('`);
    const values = new Set<string>();
    const first = this.#peek();
    if (first.kind === ')') {
      this.#next();
      return new Set(['']);
    }
    if (first.kind !== 'identifier' && first.kind !== ',')
      throw requirementFault(`found '${first.text}', expected: ',', ')' or identifier`);
    for (;;) {
      const token = this.#next();
      if (token.kind === 'identifier') {
        values.add(token.text);
        const after = this.#peek();
        if (after.kind !== ',' && after.kind !== ')') throw requirementFault(`found '${after.text}', expected: ',' or ')'`);
      } else if (token.kind === ',') {
        if (values.size === 0) values.add('');
        const after = this.#peek();
        if (after.kind === ')' || after.kind === ',') values.add('');
      } else {
        throw requirementFault(`found '${token.text}', expected: ',', or identifier`);
      }
      if (this.#peek().kind === ')') {
        this.#next();
        return values;
      }
    }
  }

  /** The token that comes next. Where a value may stand, `in` and `notin` are names. */
  #peek(asValue = true): Token {
    const token = this.#tokens[this.#at] ?? { kind: 'end', text: '' };
    return asValue && (token.kind === 'in' || token.kind === 'notin') ? { kind: 'identifier', text: token.text } : token;
  }

  #next(asValue = true): Token {
    const token = this.#peek(asValue);
    this.#at += 1;
    return token;
  }
}

function found(token: Token, expected: string): StatusError {
  return badRequest(`found '${token.text}'${expected}`);
}

function requirementFault(text: string): StatusError {
  return badRequest(`unable to parse requirement: ${text}`);
}

function tokens(text: string): Token[] {
  const out: Token[] = [];
  for (const [part] of text.matchAll(/[=!<>]+|[(),]|[^\s=!(),><]+/g)) {
    if (!SYMBOLS.includes(part[0] ?? '')) {
      out.push(part === 'in' || part === 'notin' ? { kind: part, text: part } : { kind: 'identifier', text: part });
      continue;
    }
    let rest = part;
    while (rest !== '') {
      const symbol = /^(==|!=|[=!(),<>])/.exec(rest)?.[0] ?? rest;
      out.push({ kind: symbol as Token['kind'], text: symbol });
      rest = rest.slice(symbol.length);
    }
  }
  return out;
}
