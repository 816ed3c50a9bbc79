import { quote } from '../../golang/index.ts';
import type { BranchNode, CommandNode, ListNode, Node, Operand, PipeNode } from './ast.ts';

/** The text Go prints for a node (its String method): what errors show between `<` and `>`. */
export function printNode(node: Node): string {
  switch (node.kind) {
    case 'text':
      return node.text;
    case 'action':
      return `{{${printPipe(node.pipe)}}}`;
    case 'break':
    case 'continue':
      return `{{${node.kind}}}`;
    case 'list':
      return printList(node);
    case 'if':
    case 'with':
    case 'range':
      return printBranch(node);
    case 'template':
      return `{{template ${quote(node.name)}${node.pipe === undefined ? '' : ` ${printPipe(node.pipe)}`}}}`;
    case 'pipe':
      return printPipe(node);
    case 'command':
      return printCommand(node);
    case 'bool':
    case 'chain':
    case 'dot':
    case 'field':
    case 'identifier':
    case 'nil':
    case 'number':
    case 'string':
    case 'variable':
      return printOperand(node);
  }
}

function printOperand(node: Exclude<Operand, PipeNode>): string {
  switch (node.kind) {
    case 'bool':
      return String(node.value);
    case 'dot':
      return '.';
    case 'nil':
      return 'nil';
    case 'field':
      return `.${node.names.join('.')}`;
    case 'identifier':
      return node.name;
    case 'variable':
      return node.names.join('.');
    case 'chain':
      return `${printArgument(node.node)}.${node.names.join('.')}`;
    case 'string':
      return node.quoted;
    case 'number':
      return node.text;
  }
}

function printArgument(node: Operand): string {
  return node.kind === 'pipe' ? `(${printPipe(node)})` : printOperand(node);
}

function printCommand(node: CommandNode): string {
  return node.args.map(printArgument).join(' ');
}

function printPipe(node: PipeNode): string {
  const commands = node.commands.map(printCommand).join(' | ');
  if (node.declarations.length === 0) return commands;
  return `${node.declarations.map(printOperand).join(', ')} ${node.isAssign ? '=' : ':='} ${commands}`;
}

function printList(node: ListNode): string {
  return node.nodes.map(printNode).join('');
}

function printBranch(node: BranchNode): string {
  const otherwise = node.elseList === undefined ? '' : `{{else}}${printList(node.elseList)}`;
  return `{{${node.kind} ${printPipe(node.pipe)}}}${printList(node.list)}${otherwise}{{end}}`;
}
