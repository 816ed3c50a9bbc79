/*
 * The tree of one template, as Go's text/template/parse builds it. `pos` is where Go says the node is, in UTF-16 units from the start
 * of the text (for a chain of fields that is its second field: see parser.ts), turned into line and byte column only for errors.
 */

export type TextNode = { readonly kind: 'text'; readonly pos: number; readonly text: string };
export type ActionNode = { readonly kind: 'action'; readonly pos: number; readonly pipe: PipeNode };
export type BreakNode = { readonly kind: 'break'; readonly pos: number };
export type ContinueNode = { readonly kind: 'continue'; readonly pos: number };
export type ListNode = { readonly kind: 'list'; readonly pos: number; readonly nodes: readonly BodyNode[] };

export type BranchNode = {
  readonly kind: 'if' | 'with' | 'range';
  readonly pos: number;
  readonly pipe: PipeNode;
  readonly list: ListNode;
  readonly elseList: ListNode | undefined;
};

export type TemplateNode = { readonly kind: 'template'; readonly pos: number; readonly name: string; readonly pipe: PipeNode | undefined };

/** What a list holds. */
export type BodyNode = TextNode | ActionNode | BreakNode | ContinueNode | BranchNode | TemplateNode;

export type PipeNode = {
  readonly kind: 'pipe';
  readonly pos: number;
  /** `=` rather than `:=`. */
  readonly isAssign: boolean;
  readonly declarations: readonly VariableNode[];
  readonly commands: readonly CommandNode[];
};

/** An operand, or a function or method with its arguments. */
export type CommandNode = { readonly kind: 'command'; readonly pos: number; readonly args: readonly [Operand, ...Operand[]] };

export type BoolNode = { readonly kind: 'bool'; readonly pos: number; readonly value: boolean };
export type DotNode = { readonly kind: 'dot'; readonly pos: number };
export type NilNode = { readonly kind: 'nil'; readonly pos: number };
export type FieldNode = { readonly kind: 'field'; readonly pos: number; readonly names: readonly string[] };
export type IdentifierNode = { readonly kind: 'identifier'; readonly pos: number; readonly name: string };
/** `names[0]` is the variable with its `$`, the rest are fields of it. */
export type VariableNode = { readonly kind: 'variable'; readonly pos: number; readonly names: readonly [string, ...string[]] };
/** A parenthesised pipeline or a function, followed by fields. */
export type ChainNode = {
  readonly kind: 'chain';
  readonly pos: number;
  readonly node: PipeNode | IdentifierNode;
  readonly names: readonly string[];
};
export type StringNode = { readonly kind: 'string'; readonly pos: number; readonly quoted: string; readonly text: string };

/** A number constant under all the types that can hold it, as Go's ideal constants are. */
export type NumberNode = {
  readonly kind: 'number';
  readonly pos: number;
  readonly text: string;
  readonly int64: bigint | undefined;
  readonly uint64: bigint | undefined;
  readonly float64: number | undefined;
  readonly complex: { readonly re: number; readonly im: number } | undefined;
};

export type Operand =
  | BoolNode
  | ChainNode
  | DotNode
  | FieldNode
  | IdentifierNode
  | NilNode
  | NumberNode
  | PipeNode
  | StringNode
  | VariableNode;

/** Every node an error can point at. */
export type Node = BodyNode | ListNode | PipeNode | CommandNode | Operand;

/** True when the list holds only white space, so that it does not replace another definition. */
export function isEmptyList(list: ListNode): boolean {
  return list.nodes.every((node) => node.kind === 'text' && isBlank(node.text));
}

/** Only Unicode white space, as bytes.TrimSpace sees it. */
function isBlank(text: string): boolean {
  return /^[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*$/.test(text);
}
