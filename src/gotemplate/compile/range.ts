import { formatValue, GoInt, GoKeyedMap, GoMap, GoStruct, goInt, goIntOf, sliceItems, type GoValue } from '../../golang/index.ts';
import type { BranchNode } from '../parse/ast.ts';
import { isNilPointer } from '../value.ts';
import type { Compiler } from './compiler.ts';
import { fail, type Exec, type Frame } from './frame.ts';
import type { Binding } from './scope.ts';
import { assignVariable } from './variable.ts';

/** Gives one turn's values to the loop variables. */
type Bind = (frame: Frame, key: GoValue, element: GoValue, container: GoValue) => void;
/** Runs the body once; true when the loop is to end. */
type Turn = (frame: Frame, key: GoValue, element: GoValue) => boolean;

/** Compiles `range`, with its `else` for what is empty. */
export function compileRange(compiler: Compiler, node: BranchNode): Exec {
  const { scope } = compiler;
  const before = scope.mark();
  const pipe = compiler.pipeline(node.pipe, 'strict');
  const bind = compileBind(compiler, node);
  const loop = scope.mark();
  const container = scope.reserve(1);
  const outer = compiler.dotContainer;
  compiler.dotContainer = container;
  const body = compiler.list(node.list);
  compiler.dotContainer = outer;
  scope.pop(loop);
  const otherwise = node.elseList === undefined ? undefined : compiler.list(node.elseList);
  scope.pop(before);
  const variables = node.pipe.declarations.length;
  return (frame, dot) => {
    const value = pipe(frame, dot);
    frame.slots[container] = value;
    let turns = 0;
    const turn: Turn = (_, key, element) => {
      turns++;
      bind?.(frame, key, element, value);
      return body(frame, element) === 1;
    };
    iterate(frame, value, variables, turn);
    if (turns > 0 || otherwise === undefined) return 0;
    return otherwise(frame, dot);
  };
}

function compileBind({ scope }: Compiler, { pipe }: BranchNode): Bind | undefined {
  const [first, second] = pipe.declarations;
  if (first === undefined) return undefined;
  if (pipe.isAssign) return compileAssign(scope, first.names[0], second?.names[0]);
  const newest = scope.mark();
  if (newest === undefined) return undefined;
  newest.fromContainer = true;
  const element = newest.slot;
  const key = second === undefined ? undefined : newest.below?.slot;
  return (frame, index, item, container) => {
    frame.slots[element] = item;
    frame.slots[element + 1] = container;
    if (key !== undefined) frame.slots[key] = index;
  };
}

/** `range $x = …` and `range $i, $x = …`. */
function compileAssign(scope: Compiler['scope'], first: string, second: string | undefined): Bind {
  const elementName = second ?? first;
  const setElement = assignVariable(scope, elementName);
  const setKey = second === undefined ? undefined : assignVariable(scope, first);
  const [target]: readonly Binding[] = scope.lookup(elementName);
  if (target !== undefined) target.fromContainer = true;
  return (frame, key, element, container) => {
    setKey?.(frame, key);
    setElement(frame, element);
    if (target !== undefined) frame.slots[target.slot + 1] = container;
  };
}

function iterate(frame: Frame, value: GoValue, variables: number, turn: Turn): void {
  if (value instanceof GoMap) return iterateMap(frame, value, turn);
  const items = sliceItems(value);
  if (items !== undefined) {
    for (let i = 0; i < items.length; i++) if (turn(frame, goInt(i), items[i])) return;
    return;
  }
  if (value === undefined || value === null) return;
  if (value instanceof GoInt) return iterateInteger(frame, value, variables, turn);
  if (value instanceof GoKeyedMap) {
    for (const [key, element] of value.pairs) if (turn(frame, key, element)) return;
    return;
  }
  fail(frame, `range can't iterate over ${formatValue(pointedAt(value))}`);
}

/** Keys and values are those of the start, whatever the body does to the map. */
function iterateMap(frame: Frame, map: GoMap, turn: Turn): void {
  const keys = map.sortedKeys();
  const values = keys.map((key) => map.get(key));
  for (let i = 0; i < keys.length; i++) if (turn(frame, keys[i], values[i])) return;
}

function iterateInteger(frame: Frame, value: GoInt, variables: number, turn: Turn): void {
  if (variables > 1) fail(frame, `can't use ${formatValue(value)} to iterate over more than one variable`);
  for (let i = 0; i < value.value; i++) if (turn(frame, undefined, goIntOf(value.type, i))) return;
}

function pointedAt(value: GoValue): GoValue {
  if (!(value instanceof GoStruct) || value.type.kind !== 'ptr' || value.type.elem === undefined) return value;
  return isNilPointer(value) ? null : new GoStruct(value.type.elem, value.data);
}
