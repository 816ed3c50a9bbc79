import { GoError, quote, textByteLength, unquote } from '../../golang/index.ts';
import { TemplateError } from '../error.ts';
import { maxNesting } from '../limits.ts';
import {
  isEmptyList,
  type BodyNode,
  type BranchNode,
  type CommandNode,
  type ListNode,
  type Operand,
  type PipeNode,
  type TemplateNode,
  type VariableNode,
} from './ast.ts';
import { Lexer } from './lexer.ts';
import { readNumber } from './number.ts';
import { printNode } from './print.ts';
import { isKeyword, type Token, type TokenKind } from './token.ts';

export type ParseOptions = {
  /** Says which names are functions. */
  isFunction: (name: string) => boolean;
  /** Action delimiters; `{{` and `}}` where empty or absent. */
  left?: string;
  right?: string;
};

/** What a text holds. */
export type ParsedTemplates = {
  /** The text's own template. */
  readonly main: ListNode;
  /** Its `define`s and `block`s by name. */
  readonly definitions: ReadonlyMap<string, ListNode>;
  /** The line on which the text ends. */
  readonly lastLine: number;
};

/**
 * Parses one template text as Go's text/template/parse does.
 * @throws TemplateError `TemplateSyntax` with Go's message, `template: NAME:LINE: …`.
 */
export function parse(name: string, text: string, options: ParseOptions): ParsedTemplates {
  const lexer = new Lexer(text, {
    left: options.left || '{{',
    right: options.right || '}}',
    breakIsKeyword: !options.isFunction('break'),
    continueIsKeyword: !options.isFunction('continue'),
  });
  const shared: Shared = { name, lexer, isFunction: options.isFunction, definitions: new Map(), nesting: 0 };
  return { ...new TreeParser(shared).parseText(), definitions: shared.definitions };
}

/** What the parsers of one text's templates have in common. */
type Shared = {
  readonly name: string;
  readonly lexer: Lexer;
  readonly isFunction: (name: string) => boolean;
  readonly definitions: Map<string, ListNode>;
  nesting: number;
};

/** Ends of lists: they never enter the tree. */
type Terminator = { readonly kind: 'end' | 'else'; readonly pos: number };
type Control = 'if' | 'range' | 'with';

const noToken: Token = { kind: 'eof', pos: 0, value: '', line: 0 };
const operandKinds: ReadonlySet<TokenKind> = new Set<TokenKind>([
  'bool',
  'charConstant',
  'complex',
  'dot',
  'field',
  'identifier',
  'number',
  'nil',
  'rawString',
  'string',
  'variable',
  'leftParen',
]);

/** What can stand only at the head of a pipeline. */
const literalKinds: ReadonlySet<Operand['kind']> = new Set<Operand['kind']>(['bool', 'dot', 'nil', 'number', 'string']);

/** Parses one template; each `define` and `block` gets a parser (variables, look-ahead) of its own over the same lexer. */
class TreeParser {
  readonly #shared: Shared;
  /** Look-ahead; the first entry is always the token read last, whose line errors report. */
  readonly #tokens: [Token, Token, Token] = [noToken, noToken, noToken];
  #peekCount = 0;
  readonly #variables = new Variables();
  #actionLine = 0;
  #rangeDepth = 0;

  constructor(shared: Shared) {
    this.#shared = shared;
  }

  parseText(): Pick<ParsedTemplates, 'main' | 'lastLine'> {
    const pos = this.#peek().pos;
    const nodes: BodyNode[] = [];
    while (this.#peek().kind !== 'eof') {
      if (this.#peek().kind === 'leftDelim') {
        const delim = this.#next();
        if (this.#nextNonSpace().kind === 'define') {
          new TreeParser(this.#shared).#definition();
          continue;
        }
        this.#backup2(delim);
      }
      const node = this.#textOrAction();
      if (isTerminator(node)) this.#fail(`unexpected {{${node.kind}}}`);
      nodes.push(node);
    }
    return { main: { kind: 'list', pos, nodes }, lastLine: this.#tokens[0].line };
  }

  // Look-ahead.

  #next(): Token {
    if (this.#peekCount > 0) this.#peekCount--;
    else this.#tokens[0] = this.#shared.lexer.next();
    return this.#tokens[this.#peekCount] ?? noToken;
  }

  #backup(): void {
    this.#peekCount++;
  }

  #backup2(before: Token): void {
    this.#tokens[1] = before;
    this.#peekCount = 2;
  }

  #backup3(first: Token, second: Token): void {
    this.#tokens[1] = second;
    this.#tokens[2] = first;
    this.#peekCount = 3;
  }

  #peek(): Token {
    if (this.#peekCount > 0) return this.#tokens[this.#peekCount - 1] ?? noToken;
    this.#peekCount = 1;
    this.#tokens[0] = this.#shared.lexer.next();
    return this.#tokens[0];
  }

  #nextNonSpace(): Token {
    for (;;) {
      const token = this.#next();
      if (token.kind !== 'space') return token;
    }
  }

  #peekNonSpace(): Token {
    const token = this.#nextNonSpace();
    this.#backup();
    return token;
  }

  #expect(kind: TokenKind, context: string): Token {
    const token = this.#nextNonSpace();
    if (token.kind !== kind) this.#unexpected(token, context);
    return token;
  }

  // Errors.

  #fail(problem: string): never {
    const { name } = this.#shared;
    const { line } = this.#tokens[0];
    throw new TemplateError({ code: 'TemplateSyntax', message: `template: ${name}:${line}: ${problem}`, line: { source: name, line } });
  }

  #unexpected(token: Token, context: string): never {
    if (token.kind !== 'error') this.#fail(`unexpected ${describeToken(token)} in ${context}`);
    if (this.#actionLine === 0 || this.#actionLine === token.line) this.#fail(token.value);
    const started = ` started at ${this.#shared.name}:${this.#actionLine}`;
    this.#fail(`${token.value}${token.value.endsWith(' action') ? '' : ' in action'}${started}`);
  }

  /** Runs a conversion whose failure is a syntax error of the template. */
  #convert<T>(convert: () => T): T {
    try {
      return convert();
    } catch (error) {
      if (error instanceof GoError) this.#fail(error.message);
      throw error;
    }
  }

  #nested<T>(parseInner: () => T): T {
    if (this.#shared.nesting >= maxNesting) this.#fail('max expression depth exceeded');
    this.#shared.nesting++;
    const result = parseInner();
    this.#shared.nesting--;
    return result;
  }

  // Templates.

  #add(name: string, root: ListNode): void {
    const { definitions } = this.#shared;
    const known = definitions.get(name);
    if (known === undefined || isEmptyList(known)) definitions.set(name, root);
    else if (!isEmptyList(root)) this.#fail(`template: multiple definition of template ${quote(name)}`);
  }

  /** After `define`. */
  #definition(): void {
    const token = this.#nextNonSpace();
    if (token.kind !== 'string' && token.kind !== 'rawString') this.#unexpected(token, 'define clause');
    const name = this.#convert(() => unquote(token.value));
    this.#expect('rightDelim', 'define clause');
    this.#body(name, 'define clause');
  }

  /** The list up to `end`, added as a template. */
  #body(name: string, context: string): void {
    const { list, terminator } = this.#itemList();
    if (terminator.kind !== 'end') this.#fail(`unexpected {{${terminator.kind}}} in ${context}`);
    this.#add(name, list);
  }

  #itemList(): { list: ListNode; terminator: Terminator } {
    const pos = this.#peekNonSpace().pos;
    const nodes: BodyNode[] = [];
    while (this.#peekNonSpace().kind !== 'eof') {
      const node = this.#textOrAction();
      if (isTerminator(node)) return { list: { kind: 'list', pos, nodes }, terminator: node };
      nodes.push(node);
    }
    return this.#fail('unexpected EOF');
  }

  #textOrAction(): BodyNode | Terminator {
    const token = this.#nextNonSpace();
    if (token.kind === 'text') return { kind: 'text', pos: token.pos, text: token.value };
    if (token.kind !== 'leftDelim') this.#unexpected(token, 'input');
    this.#actionLine = token.line;
    const node = this.#action();
    this.#actionLine = 0;
    return node;
  }

  #action(): BodyNode | Terminator {
    const token = this.#nextNonSpace();
    const { kind } = token;
    if (kind === 'if' || kind === 'range' || kind === 'with') return this.#nested(() => this.#control(kind));
    if (kind === 'template') return this.#template();
    if (kind === 'end') return { kind: 'end', pos: this.#expect('rightDelim', 'end').pos };
    if (kind === 'else') return this.#else();
    if (kind === 'block') return this.#block();
    if (kind === 'break' || kind === 'continue') return this.#loopControl(token, kind);
    this.#backup();
    return { kind: 'action', pos: this.#peek().pos, pipe: this.#pipeline('command', 'rightDelim') };
  }

  #loopControl(word: Token, kind: 'break' | 'continue'): BodyNode {
    const token = this.#nextNonSpace();
    if (token.kind !== 'rightDelim') this.#unexpected(token, `{{${kind}}}`);
    if (this.#rangeDepth === 0) this.#fail(`{{${kind}}} outside {{range}}`);
    return { kind, pos: word.pos };
  }

  #else(): Terminator {
    // `else if` and `else with`: the second keyword stays pending, #control takes it up.
    const token = this.#peekNonSpace();
    if (token.kind === 'if' || token.kind === 'with') return { kind: 'else', pos: token.pos };
    return { kind: 'else', pos: this.#expect('rightDelim', 'else').pos };
  }

  /** After `if`, `range` or `with`: up to and including its `end`. */
  #control(kind: Control): BranchNode {
    const variables = this.#variables.count;
    const pipe = this.#pipeline(kind, 'rightDelim');
    if (kind === 'range') this.#rangeDepth++;
    const { list, terminator } = this.#itemList();
    if (kind === 'range') this.#rangeDepth--;
    const elseList = terminator.kind === 'else' ? this.#elseList(kind, terminator) : undefined;
    this.#variables.truncate(variables);
    return { kind, pos: pipe.pos, pipe, list, elseList };
  }

  #elseList(kind: Control, terminator: Terminator): ListNode {
    // {{if a}}…{{else if b}}…{{end}} is {{if a}}…{{else}}{{if b}}…{{end}}{{end}}: the inner one takes the only end.
    if (kind !== 'range' && this.#peek().kind === kind) {
      this.#next();
      return { kind: 'list', pos: terminator.pos, nodes: [this.#nested(() => this.#control(kind))] };
    }
    const { list, terminator: last } = this.#itemList();
    if (last.kind !== 'end') this.#fail(`expected end; found {{${last.kind}}}`);
    return list;
  }

  #block(): TemplateNode {
    const context = 'block clause';
    const token = this.#nextNonSpace();
    const name = this.#templateName(token, context);
    const pipe = this.#pipeline(context, 'rightDelim');
    this.#nested(() => new TreeParser(this.#shared).#body(name, context));
    return { kind: 'template', pos: token.pos, name, pipe };
  }

  #template(): TemplateNode {
    const context = 'template clause';
    const token = this.#nextNonSpace();
    const name = this.#templateName(token, context);
    if (this.#nextNonSpace().kind === 'rightDelim') return { kind: 'template', pos: token.pos, name, pipe: undefined };
    this.#backup();
    return { kind: 'template', pos: token.pos, name, pipe: this.#pipeline(context, 'rightDelim') };
  }

  #templateName(token: Token, context: string): string {
    if (token.kind !== 'string' && token.kind !== 'rawString') this.#unexpected(token, context);
    return this.#convert(() => unquote(token.value));
  }

  // Pipelines.

  #pipeline(context: string, end: TokenKind): PipeNode {
    const { pos } = this.#peekNonSpace();
    const { declarations, isAssign } = this.#declarations(context);
    const commands: CommandNode[] = [];
    for (;;) {
      const token = this.#nextNonSpace();
      if (token.kind === end) break;
      if (!operandKinds.has(token.kind)) this.#unexpected(token, context);
      this.#backup();
      commands.push(this.#command());
    }
    this.#checkPipeline(commands, context);
    return { kind: 'pipe', pos, isAssign, declarations, commands };
  }

  #declarations(context: string): { declarations: VariableNode[]; isAssign: boolean } {
    const declarations: VariableNode[] = [];
    for (;;) {
      const variable = this.#peekNonSpace();
      if (variable.kind !== 'variable') return { declarations, isAssign: false };
      this.#next();
      // Three tokens of look-ahead: "$x foo" uses a variable, "$x := foo" declares one.
      const after = this.#peek();
      const next = this.#peekNonSpace();
      const isLast = next.kind === 'assign' || next.kind === 'declare';
      if (!isLast && !(next.kind === 'char' && next.value === ',')) {
        if (after.kind === 'space') this.#backup3(variable, after);
        else this.#backup2(variable);
        return { declarations, isAssign: false };
      }
      this.#nextNonSpace();
      declarations.push({ kind: 'variable', pos: variable.pos, names: [variable.value] });
      this.#variables.push(variable.value);
      if (isLast) return { declarations, isAssign: next.kind === 'assign' };
      this.#expectSecondVariable(context, declarations.length);
    }
  }

  /** After `$x,`. */
  #expectSecondVariable(context: string, declared: number): void {
    if (context !== 'range' || declared >= 2) this.#fail(`too many declarations in ${context}`);
    const { kind } = this.#peekNonSpace();
    if (kind !== 'variable' && kind !== 'rightDelim' && kind !== 'rightParen') this.#fail('range can only initialize variables');
  }

  #checkPipeline(commands: readonly CommandNode[], context: string): void {
    if (commands.length === 0) this.#fail(`missing value for ${context}`);
    for (const [i, command] of commands.entries()) {
      if (i > 0 && literalKinds.has(command.args[0].kind)) this.#fail(`non executable command in pipeline stage ${i + 1}`);
    }
  }

  #command(): CommandNode {
    const { pos } = this.#peekNonSpace();
    const args: Operand[] = [];
    for (;;) {
      this.#peekNonSpace();
      const operand = this.#operand();
      if (operand !== undefined) args.push(operand);
      const token = this.#next();
      if (token.kind === 'space') continue;
      if (token.kind === 'rightDelim' || token.kind === 'rightParen') this.#backup();
      else if (token.kind !== 'pipe') this.#unexpected(token, 'operand');
      break;
    }
    const [first, ...rest] = args;
    if (first === undefined) return this.#fail('empty command');
    return { kind: 'command', pos, args: [first, ...rest] };
  }

  /** A term and the fields after it. Fields join a field or variable, whose position becomes that of the first joined field. */
  #operand(): Operand | undefined {
    const node = this.#term();
    if (node === undefined || this.#peek().kind !== 'field') return node;
    const { pos } = this.#peek();
    const names: string[] = [];
    while (this.#peek().kind === 'field') names.push(this.#next().value.slice(1));
    if (node.kind === 'field') return { kind: 'field', pos, names: [...node.names, ...names] };
    if (node.kind === 'variable') return { kind: 'variable', pos, names: [...node.names, ...names] };
    if (node.kind === 'pipe' || node.kind === 'identifier') return { kind: 'chain', pos, node, names };
    return this.#fail(`unexpected . after term ${quote(printNode(node))}`);
  }

  #term(): Operand | undefined {
    const token = this.#nextNonSpace();
    const { kind, pos, value } = token;
    if (kind === 'identifier') return this.#function(pos, value);
    if (kind === 'variable') return this.#variable(pos, value);
    if (kind === 'field') return { kind, pos, names: [value.slice(1)] };
    if (kind === 'string' || kind === 'rawString') {
      return { kind: 'string', pos, quoted: value, text: this.#convert(() => unquote(value)) };
    }
    if (kind === 'leftParen') return this.#nested(() => this.#pipeline('parenthesized pipeline', 'rightParen'));
    if (kind === 'dot' || kind === 'nil') return { kind, pos };
    if (kind === 'bool') return { kind, pos, value: value === 'true' };
    if (kind === 'charConstant' || kind === 'complex' || kind === 'number') return this.#convert(() => readNumber(pos, value, kind));
    this.#backup();
    return undefined;
  }

  #function(pos: number, name: string): Operand {
    if (!this.#shared.isFunction(name)) this.#fail(`function ${quote(name)} not defined`);
    return { kind: 'identifier', pos, name };
  }

  #variable(pos: number, name: string): Operand {
    if (!this.#variables.has(name)) this.#fail(`undefined variable ${quote(name)}`);
    return { kind: 'variable', pos, names: [name] };
  }
}

/** The variables in scope, in the order they were declared. */
class Variables {
  readonly #names: string[] = ['$'];
  readonly #counts = new Map<string, number>([['$', 1]]);

  get count(): number {
    return this.#names.length;
  }

  push(name: string): void {
    this.#names.push(name);
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  has(name: string): boolean {
    return (this.#counts.get(name) ?? 0) > 0;
  }

  truncate(count: number): void {
    for (const name of this.#names.splice(count)) this.#counts.set(name, (this.#counts.get(name) ?? 1) - 1);
  }
}

function isTerminator(node: BodyNode | Terminator): node is Terminator {
  return node.kind === 'end' || node.kind === 'else';
}

/** The token as Go's errors show it. */
function describeToken(token: Token): string {
  if (token.kind === 'eof') return 'EOF';
  if (isKeyword(token.kind)) return `<${token.value}>`;
  if (textByteLength(token.value) <= 10) return quote(token.value);
  return `${quote(Array.from(token.value).slice(0, 10).join(''))}...`;
}
