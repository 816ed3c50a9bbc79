import {
  assignableTo,
  anyType,
  GoError,
  GoKeyedMap,
  GoMap,
  GoStruct,
  goTypeOf,
  pointerTo,
  quote,
  stringType,
  type GoMethod,
  type GoType,
  type GoValue,
} from '../../golang/index.ts';
import type { ChainNode, FieldNode, Operand, VariableNode } from '../parse/ast.ts';
import { heldType, isNilPointer, zeroValue } from '../value.ts';
import { coerce, dynamicArgument } from './argument.ts';
import { arityProblem, callFailure, parameterType } from './call.ts';
import type { Compiler } from './compiler.ts';
import { fail, type Frame } from './frame.ts';

/** A node that reads fields: errors in it point at the whole of it. */
export type FieldsNode = FieldNode | VariableNode | ChainNode;

/** Reads a chain of fields from a receiver. `container` is what the receiver was an element of, where a `range` took it out. */
export type FieldReader = (frame: Frame, receiver: GoValue, container: GoValue) => GoValue;

/** Compiles `.a.b.c` without arguments. Sets no node: the caller has evaluated the receiver and stands where Go would. */
export function fieldReader(node: FieldsNode, names: readonly string[]): FieldReader {
  const [name, second] = names;
  if (name === undefined) return (_, receiver) => receiver;
  if (second !== undefined) return (frame, receiver, container) => readChain(frame, node, names, receiver, container);
  return (frame, receiver, container) => {
    const held: GoValue = receiver instanceof GoMap ? element(receiver, name) : undefined;
    return held === undefined ? readField(frame, { node, name, receiver, container, via: undefined }) : held;
  };
}

/** What the map holds under the name, unless a method goes by it. */
function element(map: GoMap, name: string): GoValue {
  const { methods } = map.type;
  return methods === undefined || !methods.has(name) ? map.get(name) : undefined;
}

/** Reads field after field; a map's element is read here, everything else in {@link readField}. */
function readChain(frame: Frame, node: FieldsNode, names: readonly string[], receiver: GoValue, container: GoValue): GoValue {
  let value = receiver;
  let holder = container;
  let via: string | undefined;
  for (const name of names) {
    const held: GoValue = value instanceof GoMap ? element(value, name) : undefined;
    const next: GoValue = held === undefined ? readField(frame, { node, name, receiver: value, container: holder, via }) : held;
    holder = value;
    via = name;
    value = next;
  }
  return value;
}

/** Reads all fields but the last; gives the access to that one. */
function reachLast(frame: Frame, node: FieldsNode, names: readonly string[], receiver: GoValue, container: GoValue): Access {
  let access: Access = { node, name: names[0] ?? '', receiver, container, via: undefined };
  for (const name of names.slice(1)) {
    access = { node, name, receiver: readField(frame, access), container: access.receiver, via: access.name };
  }
  return access;
}

/** One field to be read: `via` is the name under which the container held the receiver. */
type Access = {
  readonly node: FieldsNode;
  readonly name: string;
  readonly receiver: GoValue;
  readonly container: GoValue;
  readonly via: string | undefined;
};

function readField(frame: Frame, access: Access): GoValue {
  const { receiver, name } = access;
  if (receiver instanceof GoMap && receiver.type.methods === undefined) {
    const held = receiver.get(name);
    return held === undefined ? missingKey(frame, receiver.type, name) : held;
  }
  const method = reachable(frame, receiver, name);
  if (method === undefined) return undefined;
  if (method !== noMethod) {
    const problem = arityProblem(name, method, 0, false);
    return problem === undefined ? callMethod(frame, access, method, []) : fail(frame, problem);
  }
  return readMember(frame, access, false);
}

const noMethod: unique symbol = Symbol('no method');

/** The method of that name; nothing at all when the receiver is missing, and then the field is missing too. */
function reachable(frame: Frame, receiver: GoValue, name: string): GoMethod | typeof noMethod | undefined {
  if (receiver === undefined) {
    if (frame.run.set.missingKey === 'error') fail(frame, `nil data; no entry for key ${quote(name)}`);
    return undefined;
  }
  if (receiver === null) fail(frame, `nil pointer evaluating interface {}.${name}`);
  return goTypeOf(receiver)?.methods?.get(name) ?? pointerMethod(receiver, name) ?? noMethod;
}

/** A method that needs the address of a struct: fields of structs behind pointers have one. */
function pointerMethod(receiver: GoValue, name: string): GoMethod | undefined {
  if (!(receiver instanceof GoStruct) || receiver.type.kind !== 'struct') return undefined;
  if (receiver.type.fields?.some((field) => field.name === name) === true) return undefined;
  return pointerTo(receiver.type).methods?.get(name);
}

/** A struct field or map element. */
function readMember(frame: Frame, access: Access, hasArguments: boolean): GoValue {
  const { receiver, name } = access;
  if (receiver instanceof GoMap || receiver instanceof GoKeyedMap) {
    const key = receiver.type.key ?? stringType;
    if (assignableTo(stringType, key)) {
      if (hasArguments) fail(frame, `${name} is not a method but has arguments`);
      const held = receiver instanceof GoMap ? receiver.get(name) : receiver.pairs.find((pair) => pair[0] === name)?.[1];
      return held === undefined ? missingKey(frame, receiver.type, name) : held;
    }
  }
  if (receiver instanceof GoStruct) return readStructField(frame, access, receiver, hasArguments);
  return cannotEvaluate(frame, access);
}

function readStructField(frame: Frame, access: Access, receiver: GoStruct, hasArguments: boolean): GoValue {
  const { name } = access;
  const field = receiver.structType.fields?.find((candidate) => candidate.name === name);
  if (field === undefined) return cannotEvaluate(frame, access);
  if (isNilPointer(receiver)) fail(frame, `nil pointer evaluating ${staticTypeName(access)}.${name}`);
  if (!isExported(name)) fail(frame, `${name} is an unexported field of struct type ${staticTypeName(access)}`);
  if (hasArguments) fail(frame, `${name} has arguments but cannot be invoked as function`);
  return field.get(receiver);
}

function cannotEvaluate(frame: Frame, access: Access): never {
  return fail(frame, `can't evaluate field ${access.name} in type ${staticTypeName(access)}`);
}

function missingKey(frame: Frame, type: GoType, name: string): GoValue {
  switch (frame.run.set.missingKey) {
    case 'error':
      return fail(frame, `map has no entry for key ${quote(name)}`);
    case 'zero':
      return zeroValue(type.elem ?? anyType);
    case 'default':
      return undefined;
  }
}

/** The type reflect sees for the receiver: what its container declares for it, or its own. */
function staticTypeName({ receiver, container, via }: Access): string {
  const declared = heldType(container, via);
  if (declared?.kind === 'interface') return declared.name;
  return goTypeOf(receiver)?.name ?? anyType.name;
}

function isExported(name: string): boolean {
  return /^\p{Lu}/u.test(name);
}

function callMethod(frame: Frame, { node, name, receiver }: Access, method: GoMethod, args: readonly GoValue[]): GoValue {
  try {
    if (receiver instanceof GoStruct && isNilPointer(receiver)) throw nilReceiver(receiver.structType.name, name);
    return method.call(receiver, args);
  } catch (error) {
    throw callFailure(frame, name, node, error);
  }
}

/** A chain that ends in a call: `final` is the value piped into it. */
export type FieldCall = (frame: Frame, dot: GoValue, receiver: GoValue, container: GoValue, final: GoValue) => GoValue;

/** Compiles fields whose last one is given arguments or a piped value: it must be a method. */
export function fieldCall(
  compiler: Compiler,
  node: FieldsNode,
  names: readonly string[],
  given: { args: readonly Operand[]; piped: boolean },
): FieldCall {
  const args = given.args.map((arg) => dynamicArgument(compiler, arg));
  return (frame, dot, receiver, container, final) => {
    const access = reachLast(frame, node, names, receiver, container);
    const { name } = access;
    const method = reachable(frame, access.receiver, name);
    if (method === undefined) return undefined;
    if (method === noMethod) return readMember(frame, access, true);
    const problem = arityProblem(name, method, args.length, given.piped);
    if (problem !== undefined) fail(frame, problem);
    const values = args.map((arg, i) => arg(parameterType(method, i))(frame, dot));
    if (given.piped) values.push(coerce(frame, final, parameterType(method, args.length)));
    return callMethod(frame, access, method, values);
  };
}

/** Go's panic for a method of a struct called on a nil pointer. */
function nilReceiver(type: string, name: string): GoError {
  return new GoError(`value method ${type}.${name} called using nil *${type.slice(type.lastIndexOf('.') + 1)} pointer`);
}
