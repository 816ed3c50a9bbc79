import type { GoValue } from '../../golang/index.ts';
import type { Frame } from './frame.ts';
import { fail } from './frame.ts';
import { undeclared, type Binding, type Scope } from './scope.ts';

export type ReadVariable = (frame: Frame) => GoValue;
export type WriteVariable = (frame: Frame, value: GoValue) => void;
/** A variable's value and the slot of the container it is an element of (0: none; slot 0 is `$`). */
export type Variable = { readonly read: ReadVariable; readonly container: ReadVariable };

const nothing: ReadVariable = () => undefined;

/** Compiles the reading of a variable. */
export function readVariable(scope: Scope, name: string): Variable {
  const bindings = scope.lookup(name);
  const [binding] = bindings;
  if (binding !== undefined && !binding.conditional) {
    const { slot } = binding;
    return { read: (frame) => frame.slots[slot], container: name === '$' ? nothing : containerOf(binding) };
  }
  const read: ReadVariable = (frame) => frame.slots[declaredSlot(frame, bindings, name)];
  return { read, container: nothing };
}

/** Compiles `$x = …`: the newest variable of that name is overwritten. */
export function assignVariable(scope: Scope, name: string): WriteVariable {
  const bindings = scope.lookup(name);
  const [binding] = bindings;
  if (binding === undefined || binding.conditional) {
    return (frame, value) => {
      frame.slots[declaredSlot(frame, bindings, name)] = value;
    };
  }
  return (frame, value) => write(frame, binding, value);
}

/** Compiles `$x := …`. */
export function declareVariable(scope: Scope, name: string): WriteVariable {
  const binding = scope.declare(name);
  return (frame, value) => write(frame, binding, value);
}

function write(frame: Frame, binding: Binding, value: GoValue): void {
  frame.slots[binding.slot] = value;
  if (binding.fromContainer) frame.slots[binding.slot + 1] = undefined;
}

function containerOf(binding: Binding): ReadVariable {
  return (frame) => (binding.fromContainer ? frame.slots[binding.slot + 1] : undefined);
}

/** The first of the bindings that was declared when the program came by. */
function declaredSlot(frame: Frame, bindings: readonly Binding[], name: string): number {
  const binding = bindings.find((candidate) => frame.slots[candidate.slot] !== undeclared);
  return binding === undefined ? fail(frame, `undefined variable: ${name}`) : binding.slot;
}
