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
import { LookAhead } from './look-ahead.ts';
import { readNumber } from './number.ts';
import { printNode } from './print.ts';
import { isKeyword, type Token, type TokenKind } from './token.ts';
import { Variables } from './variables.ts';

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
  readonly #tokens: LookAhead;
  readonly #variables = new Variables();
  #actionLine = 0;
  #rangeDepth = 0;

  constructor(shared: Shared) {
    this.#shared = shared;
    this.#tokens = new LookAhead(shared.lexer);
  }

  parseText(): Pick<ParsedTemplates, 'main' | 'lastLine'> {
    const pos = this.#tokens.peek().pos;
    const nodes: BodyNode[] = [];
    while (this.#tokens.peek().kind !== 'eof') {
      if (this.#tokens.peek().kind === 'leftDelim') {
        const delim = this.#tokens.next();
        if (this.#tokens.nextNonSpace().kind === 'define') {
          new TreeParser(this.#shared).#definition();
          continue;
        }
        this.#tokens.backup2(delim);
      }
      const node = this.#textOrAction();
      if (isTerminator(node)) this.#fail(`unexpected {{${node.kind}}}`);
      nodes.push(node);
    }
    return { main: { kind: 'list', pos, nodes }, lastLine: this.#tokens.line };
  }

  #expect(kind: TokenKind, context: string): Token {
    const token = this.#tokens.nextNonSpace();
    if (token.kind !== kind) this.#unexpected(token, context);
    return token;
  }

  // Errors.

  #fail(problem: string): never {
    const { name } = this.#shared;
    const { line } = this.#tokens;
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
    const token = this.#tokens.nextNonSpace();
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
    const pos = this.#tokens.peekNonSpace().pos;
    const nodes: BodyNode[] = [];
    while (this.#tokens.peekNonSpace().kind !== 'eof') {
      const node = this.#textOrAction();
      if (isTerminator(node)) return { list: { kind: 'list', pos, nodes }, terminator: node };
      nodes.push(node);
    }
    return this.#fail('unexpected EOF');
  }

  #textOrAction(): BodyNode | Terminator {
    const token = this.#tokens.nextNonSpace();
    if (token.kind === 'text') return { kind: 'text', pos: token.pos, text: token.value };
    if (token.kind !== 'leftDelim') this.#unexpected(token, 'input');
    this.#actionLine = token.line;
    const node = this.#action();
    this.#actionLine = 0;
    return node;
  }

  #action(): BodyNode | Terminator {
    const token = this.#tokens.nextNonSpace();
    const { kind } = token;
    if (kind === 'if' || kind === 'range' || kind === 'with') return this.#nested(() => this.#control(kind));
    if (kind === 'template') return this.#template();
    if (kind === 'end') return { kind: 'end', pos: this.#expect('rightDelim', 'end').pos };
    if (kind === 'else') return this.#else();
    if (kind === 'block') return this.#block();
    if (kind === 'break' || kind === 'continue') return this.#loopControl(token, kind);
    this.#tokens.backup();
    return { kind: 'action', pos: this.#tokens.peek().pos, pipe: this.#pipeline('command', 'rightDelim') };
  }

  #loopControl(word: Token, kind: 'break' | 'continue'): BodyNode {
    const token = this.#tokens.nextNonSpace();
    if (token.kind !== 'rightDelim') this.#unexpected(token, `{{${kind}}}`);
    if (this.#rangeDepth === 0) this.#fail(`{{${kind}}} outside {{range}}`);
    return { kind, pos: word.pos };
  }

  #else(): Terminator {
    // `else if` and `else with`: the second keyword stays pending, #control takes it up.
    const token = this.#tokens.peekNonSpace();
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
    if (kind !== 'range' && this.#tokens.peek().kind === kind) {
      this.#tokens.next();
      return { kind: 'list', pos: terminator.pos, nodes: [this.#nested(() => this.#control(kind))] };
    }
    const { list, terminator: last } = this.#itemList();
    if (last.kind !== 'end') this.#fail(`expected end; found {{${last.kind}}}`);
    return list;
  }

  #block(): TemplateNode {
    const context = 'block clause';
    const token = this.#tokens.nextNonSpace();
    const name = this.#templateName(token, context);
    const pipe = this.#pipeline(context, 'rightDelim');
    this.#nested(() => new TreeParser(this.#shared).#body(name, context));
    return { kind: 'template', pos: token.pos, name, pipe };
  }

  #template(): TemplateNode {
    const context = 'template clause';
    const token = this.#tokens.nextNonSpace();
    const name = this.#templateName(token, context);
    if (this.#tokens.nextNonSpace().kind === 'rightDelim') return { kind: 'template', pos: token.pos, name, pipe: undefined };
    this.#tokens.backup();
    return { kind: 'template', pos: token.pos, name, pipe: this.#pipeline(context, 'rightDelim') };
  }

  #templateName(token: Token, context: string): string {
    if (token.kind !== 'string' && token.kind !== 'rawString') this.#unexpected(token, context);
    return this.#convert(() => unquote(token.value));
  }

  // Pipelines.

  #pipeline(context: string, end: TokenKind): PipeNode {
    const { pos } = this.#tokens.peekNonSpace();
    const { declarations, isAssign } = this.#declarations(context);
    const commands: CommandNode[] = [];
    for (;;) {
      const token = this.#tokens.nextNonSpace();
      if (token.kind === end) break;
      if (!operandKinds.has(token.kind)) this.#unexpected(token, context);
      this.#tokens.backup();
      commands.push(this.#command());
    }
    this.#checkPipeline(commands, context);
    return { kind: 'pipe', pos, isAssign, declarations, commands };
  }

  #declarations(context: string): { declarations: VariableNode[]; isAssign: boolean } {
    const declarations: VariableNode[] = [];
    for (;;) {
      const variable = this.#tokens.peekNonSpace();
      if (variable.kind !== 'variable') return { declarations, isAssign: false };
      this.#tokens.next();
      // Three tokens of look-ahead: "$x foo" uses a variable, "$x := foo" declares one.
      const after = this.#tokens.peek();
      const next = this.#tokens.peekNonSpace();
      const isLast = next.kind === 'assign' || next.kind === 'declare';
      if (!isLast && !(next.kind === 'char' && next.value === ',')) {
        if (after.kind === 'space') this.#tokens.backup3(variable, after);
        else this.#tokens.backup2(variable);
        return { declarations, isAssign: false };
      }
      this.#tokens.nextNonSpace();
      declarations.push({ kind: 'variable', pos: variable.pos, names: [variable.value] });
      this.#variables.push(variable.value);
      if (isLast) return { declarations, isAssign: next.kind === 'assign' };
      this.#expectSecondVariable(context, declarations.length);
    }
  }

  /** After `$x,`. */
  #expectSecondVariable(context: string, declared: number): void {
    if (context !== 'range' || declared >= 2) this.#fail(`too many declarations in ${context}`);
    const { kind } = this.#tokens.peekNonSpace();
    if (kind !== 'variable' && kind !== 'rightDelim' && kind !== 'rightParen') this.#fail('range can only initialize variables');
  }

  #checkPipeline(commands: readonly CommandNode[], context: string): void {
    if (commands.length === 0) this.#fail(`missing value for ${context}`);
    for (const [i, command] of commands.entries()) {
      if (i > 0 && literalKinds.has(command.args[0].kind)) this.#fail(`non executable command in pipeline stage ${i + 1}`);
    }
  }

  #command(): CommandNode {
    const { pos } = this.#tokens.peekNonSpace();
    const args: Operand[] = [];
    for (;;) {
      this.#tokens.peekNonSpace();
      const operand = this.#operand();
      if (operand !== undefined) args.push(operand);
      const token = this.#tokens.next();
      if (token.kind === 'space') continue;
      if (token.kind === 'rightDelim' || token.kind === 'rightParen') this.#tokens.backup();
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
    if (node === undefined || this.#tokens.peek().kind !== 'field') return node;
    const { pos } = this.#tokens.peek();
    const names: string[] = [];
    while (this.#tokens.peek().kind === 'field') names.push(this.#tokens.next().value.slice(1));
    if (node.kind === 'field') return { kind: 'field', pos, names: [...node.names, ...names] };
    if (node.kind === 'variable') return { kind: 'variable', pos, names: [...node.names, ...names] };
    if (node.kind === 'pipe' || node.kind === 'identifier') return { kind: 'chain', pos, node, names };
    return this.#fail(`unexpected . after term ${quote(printNode(node))}`);
  }

  #term(): Operand | undefined {
    const token = this.#tokens.nextNonSpace();
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
    this.#tokens.backup();
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
