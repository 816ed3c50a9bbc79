import type { GoValue } from '../../golang/index.ts';
import { reflectValueType } from '../function.ts';
import type { CommandNode, Operand, PipeNode, VariableNode } from '../parse/ast.ts';
import { compileCall, failNotAFunction } from './call.ts';
import type { Compiler, Constant, NilResult } from './compiler.ts';
import { idealConstant } from './constant.ts';
import { fieldCall, fieldReader, type FieldsNode } from './field.ts';
import { failAt, type Eval, type Frame, type Stage } from './frame.ts';
import { assignVariable, declareVariable, readVariable, type ReadVariable, type WriteVariable } from './variable.ts';

/** Compiles a pipeline: its value with interfaces taken off (nil becomes missing), after its declarations. */
export function compilePipeline(compiler: Compiler, pipe: PipeNode, nil: NilResult): Eval {
  const value = compileCommands(compiler, pipe, pipe.declarations.length > 0 ? 'strict' : nil);
  // The value is known before the variables are: `$x := f $x` reads the old one.
  const writers = pipe.declarations.map(({ names: [name] }): WriteVariable =>
    pipe.isAssign ? assignVariable(compiler.scope, name) : declareVariable(compiler.scope, name),
  );
  const [first, second] = writers;
  if (first === undefined) return value;
  if (second === undefined) {
    return (frame, dot) => {
      const result = value(frame, dot);
      first(frame, result);
      return result;
    };
  }
  return (frame, dot) => {
    const result = value(frame, dot);
    for (const write of writers) write(frame, result);
    return result;
  };
}

function compileCommands(compiler: Compiler, pipe: PipeNode, nil: NilResult): Eval {
  const [first, second, ...rest] = pipe.commands.map((command, i) => compileCommand(compiler, pipe, command, i > 0));
  if (first === undefined) return () => undefined;
  if (second === undefined) {
    // A command that is alone needs no closure around it where nil does not matter or cannot be.
    if (nil === 'loose' || !mayBeNil(compiler, pipe.commands[0])) return first;
    return (frame, dot) => first(frame, dot) ?? undefined;
  }
  if (rest.length === 0) return (frame, dot) => second(frame, dot, first(frame, dot, undefined) ?? undefined) ?? undefined;
  const later = [second, ...rest];
  return (frame, dot) => {
    let value: GoValue = first(frame, dot, undefined) ?? undefined;
    for (const stage of later) value = stage(frame, dot, value) ?? undefined;
    return value;
  };
}

/** False for functions whose result is of a type that has no nil interface. */
function mayBeNil(compiler: Compiler, command: CommandNode | undefined): boolean {
  const first = command?.args[0];
  if (first?.kind !== 'identifier') return true;
  const result = compiler.use(first.name)?.signature.result;
  return result === undefined || result.kind === 'interface' || result === reflectValueType;
}

function compileCommand(compiler: Compiler, pipe: PipeNode, command: CommandNode, piped: boolean): Stage {
  const [first, ...args] = command.args;
  const plain = args.length === 0 && !piped;
  switch (first.kind) {
    case 'identifier':
      return compileCall(compiler, { identifier: first, node: command, args, piped });
    case 'field':
    case 'chain':
      return plain ? compileOperand(compiler, first) : fieldsWithArguments(compiler, first, args, piped);
    case 'variable':
      if (plain) return compileOperand(compiler, first);
      return first.names.length > 1 ? fieldsWithArguments(compiler, first, args, piped) : variableWithArguments(compiler, first);
    case 'pipe':
      // Go stands on the pipeline then, or where the command before left it.
      return plain ? compiler.pipeline(first, 'strict') : notAFunction(first, piped ? undefined : pipe);
    case 'dot':
      return plain ? compileOperand(compiler, first) : notAFunction(first, first);
    case 'nil':
      return plain ? (frame) => failAt(frame, first, 'nil is not a command') : notAFunction(first, first);
    case 'bool':
    case 'number':
    case 'string':
      return plain ? idealConstant(first) : notAFunction(first, first);
  }
}

function notAFunction(first: Operand, at: Operand | undefined): Stage {
  return (frame) => {
    if (at !== undefined) frame.node = at;
    return failNotAFunction(frame, first);
  };
}

/** A variable is looked up before it is found to be no function. */
function variableWithArguments(compiler: Compiler, node: VariableNode): Stage {
  const { read } = readVariable(compiler.scope, node.names[0]);
  return (frame) => {
    frame.node = node;
    read(frame);
    return failNotAFunction(frame, node);
  };
}

/** Compiles an operand that is not a constant. */
export function compileOperand(compiler: Compiler, node: Exclude<Operand, Constant>): Eval {
  switch (node.kind) {
    case 'dot':
      return (frame, dot) => {
        frame.node = node;
        return dot;
      };
    case 'pipe':
      return compiler.pipeline(node, 'strict');
    case 'identifier':
      return compileCall(compiler, { identifier: node, node, args: [], piped: false });
    case 'field':
    case 'variable':
    case 'chain':
      return compileFields(compiler, node);
  }
}

function compileFields(compiler: Compiler, node: FieldsNode): Eval {
  if (node.kind === 'chain') {
    const receiver = chainReceiver(compiler, node);
    const read = fieldReader(node, node.names);
    return (frame, dot) => read(frame, receiver(frame, dot), undefined);
  }
  if (node.kind === 'variable') {
    const { read: variable, container } = readVariable(compiler.scope, node.names[0]);
    const read = fieldReader(node, node.names.slice(1));
    return (frame) => {
      frame.node = node;
      return read(frame, variable(frame), container(frame));
    };
  }
  const read = fieldReader(node, node.names);
  const container = dotContainer(compiler);
  return (frame, dot) => {
    frame.node = node;
    return read(frame, dot, container(frame));
  };
}

function fieldsWithArguments(compiler: Compiler, node: FieldsNode, args: readonly Operand[], piped: boolean): Stage {
  if (node.kind === 'chain') {
    const receiver = chainReceiver(compiler, node);
    const call = fieldCall(compiler, node, node.names, { args, piped });
    return (frame, dot, final) => call(frame, dot, receiver(frame, dot), undefined, final);
  }
  if (node.kind === 'variable') {
    const { read: variable, container } = readVariable(compiler.scope, node.names[0]);
    const call = fieldCall(compiler, node, node.names.slice(1), { args, piped });
    return (frame, dot, final) => {
      frame.node = node;
      return call(frame, dot, variable(frame), container(frame), final);
    };
  }
  const container = dotContainer(compiler);
  const call = fieldCall(compiler, node, node.names, { args, piped });
  return (frame, dot, final) => {
    frame.node = node;
    return call(frame, dot, dot, container(frame), final);
  };
}

/** The value before the fields of a chain. */
function chainReceiver(compiler: Compiler, node: Extract<FieldsNode, { kind: 'chain' }>): Eval {
  return compileOperand(compiler, node.node);
}

function dotContainer(compiler: Compiler): ReadVariable {
  const slot = compiler.dotContainer;
  return slot === undefined ? (): GoValue => undefined : (frame: Frame): GoValue => frame.slots[slot];
}
