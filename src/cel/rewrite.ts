import { serialize, type ASTNode } from '@marcbachmann/cel-js';

/** What the shape of an expression says about its cost. */
export type Shape = {
  /** Nodes of the syntax tree. */
  nodes: number;
  /** How deep comprehensions (`all`, `exists`, `map`, …) are nested; 0 for none. */
  depth: number;
  /** Elements of its longest list literal. */
  longestLiteral: number;
  /** It splits text into lists. */
  splits: boolean;
  /** Names of CEL types it uses as values: `type`, which is also a field of Secrets. */
  typeNames: Set<string>;
};

/** A node as this module reads and writes it. */
type Node = { op: string; args: unknown };

const COMPREHENSIONS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);
const TYPE_NAMES: ReadonlySet<string> = new Set([
  'bool',
  'bytes',
  'double',
  'duration',
  'int',
  'list',
  'map',
  'string',
  'timestamp',
  'type',
  'uint',
]);
/** Namespaces of extension functions; the library would take them for variables. */
const NAMESPACES: ReadonlySet<string> = new Set(['sets', 'base64', 'strings']);

/**
 * Turns a parsed expression into the text that is run: `matches` goes to RE2 instead of JavaScript's backtracking, `sets.contains(…)` and its
 * kind become plain functions, `optMap` and `optFlatMap` become what they mean. Also measures it.
 * @param renamed variables that have the name of a type, and become `<name>_variable`
 * @throws SyntaxError for what Flux's environment does not have (`cel.bind`)
 */
export function rewrite(ast: ASTNode, renamed: ReadonlySet<string> = new Set()): { text: string; shape: Shape } {
  const shape: Shape = { nodes: 0, depth: 0, longestLiteral: 0, splits: false, typeNames: new Set() };
  const rewritten = rename(rewriteNode(ast, shape, 0), renamed);
  return { text: serialize(rewritten as ASTNode), shape };
}

function rewriteNode(node: Node, shape: Shape, depth: number): Node {
  shape.nodes++;
  if (node.op === 'call') return rewriteCall(node.args as [string, Node[]], shape, depth);
  if (node.op === 'rcall') return rewriteMethod(node.args as [string, Node, Node[]], shape, depth);
  if (node.op === 'id' && typeof node.args === 'string' && TYPE_NAMES.has(node.args)) shape.typeNames.add(node.args);
  if (node.op === 'list' && Array.isArray(node.args)) shape.longestLiteral = Math.max(shape.longestLiteral, node.args.length);
  return { op: node.op, args: rewriteArgs(node.args, shape, depth) };
}

function rewriteArgs(args: unknown, shape: Shape, depth: number): unknown {
  if (Array.isArray(args)) return args.map((each) => rewriteArgs(each, shape, depth));
  return isNode(args) ? rewriteNode(args, shape, depth) : args;
}

function rewriteCall([name, args]: [string, Node[]], shape: Shape, depth: number): Node {
  return { op: 'call', args: [name === 'matches' ? 're2_matches' : name, args.map((each) => rewriteNode(each, shape, depth))] };
}

function rewriteMethod([name, receiver, args]: [string, Node, Node[]], shape: Shape, depth: number): Node {
  if (receiver.op === 'id' && receiver.args === 'cel') throw new SyntaxError(`undeclared function cel.${name}`);
  if (receiver.op === 'id' && typeof receiver.args === 'string' && NAMESPACES.has(receiver.args)) {
    return { op: 'call', args: [`${receiver.args}_${name}`, args.map((each) => rewriteNode(each, shape, depth))] };
  }
  const on = rewriteNode(receiver, shape, depth);
  if (name === 'split') shape.splits = true;
  const [variable] = args;
  if (COMPREHENSIONS.has(name) && args.length >= 2 && variable?.op === 'id') {
    shape.depth = Math.max(shape.depth, depth + 1);
    return { op: 'rcall', args: [name, on, [variable, ...args.slice(1).map((each) => rewriteNode(each, shape, depth + 1))]] };
  }
  const rest = args.map((each) => rewriteNode(each, shape, depth));
  if ((name === 'optMap' || name === 'optFlatMap') && rest.length === 2) return optionalMap(name, on, rest);
  return { op: 'rcall', args: [name === 'matches' ? 're2_matches' : name, on, rest] };
}

/** `o.optMap(v, e)`: `o.hasValue() ? optional.of([o.value()].map(v, e)[0]) : optional.none()`. */
function optionalMap(name: string, optional: Node, args: readonly Node[]): Node {
  const method = (on: Node, called: string, ...given: Node[]): Node => ({ op: 'rcall', args: [called, on, given] });
  const namespace: Node = { op: 'id', args: 'optional' };
  const list: Node = { op: 'list', args: [method(optional, 'value')] };
  const mapped: Node = { op: '[]', args: [method(list, 'map', ...args), { op: 'value', args: 0n }] };
  const some = name === 'optMap' ? method(namespace, 'of', mapped) : mapped;
  return { op: '?:', args: [method(optional, 'hasValue'), some, method(namespace, 'none')] };
}

function rename(node: Node, renamed: ReadonlySet<string>): Node {
  if (renamed.size === 0) return node;
  if (node.op === 'id' && typeof node.args === 'string' && renamed.has(node.args)) return { op: 'id', args: `${node.args}_variable` };
  const inside = (args: unknown): unknown => (Array.isArray(args) ? args.map(inside) : isNode(args) ? rename(args, renamed) : args);
  return { op: node.op, args: inside(node.args) };
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'op' in value && typeof value.op === 'string' && 'args' in value;
}
