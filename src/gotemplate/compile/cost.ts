import type { BodyNode, Operand, PipeNode } from '../parse/ast.ts';

/** Steps a node of a list costs when it runs, lists within it apart: one for itself and for each operand and field. */
export function costOf(node: BodyNode): number {
  switch (node.kind) {
    case 'text':
    case 'break':
    case 'continue':
      return 1;
    case 'template':
      return node.pipe === undefined ? 1 : 1 + pipeCost(node.pipe);
    case 'action':
    case 'if':
    case 'with':
    case 'range':
      return 1 + pipeCost(node.pipe);
  }
}

function pipeCost(pipe: PipeNode): number {
  let cost = pipe.declarations.length;
  for (const { args } of pipe.commands) for (const arg of args) cost += operandCost(arg);
  return cost;
}

function operandCost(node: Operand): number {
  switch (node.kind) {
    case 'pipe':
      return pipeCost(node);
    case 'chain':
      return node.names.length + operandCost(node.node);
    case 'field':
    case 'variable':
      return node.names.length;
    case 'bool':
    case 'dot':
    case 'identifier':
    case 'nil':
    case 'number':
    case 'string':
      return 1;
  }
}
