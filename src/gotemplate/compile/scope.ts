import { GoStruct, structType } from '../../golang/index.ts';

/** A variable in scope. Bindings form a list from the newest to `$`; the list is never changed, only shadowed. */
export type Binding = {
  readonly name: string;
  readonly slot: number;
  /** Declared where evaluation may not come by (a later operand of `and` or `or`): its slot says whether it did. */
  readonly conditional: boolean;
  /** Set when a `range` gives it elements: slot + 1 then holds the container its value came from. */
  fromContainer: boolean;
  readonly below: Binding | undefined;
};

/** What a conditional binding's slot holds while its variable has not been declared. */
export const undeclared: GoStruct = new GoStruct(structType('undeclared variable', { fields: [] }), null);

/** The variables of one template while it is compiled. */
export class Scope {
  #slots = 0;
  #newest: Binding | undefined;
  #conditional = 0;

  constructor() {
    this.declare('$');
  }

  /** How many slots a frame of the template needs. */
  get slots(): number {
    return this.#slots;
  }

  /** Two slots each: the value and, for what a `range` gives, the container it came from. */
  declare(name: string): Binding {
    const slot = this.reserve(2);
    this.#newest = { name, slot, conditional: this.#conditional > 0, fromContainer: false, below: this.#newest };
    return this.#newest;
  }

  /** Slots for the compiler's own use. */
  reserve(count: number): number {
    const slot = this.#slots;
    this.#slots += count;
    return slot;
  }

  /** The bindings a name may mean, newest first: conditional ones and the first that is certain. */
  lookup(name: string): readonly Binding[] {
    const found: Binding[] = [];
    for (let binding = this.#newest; binding !== undefined; binding = binding.below) {
      if (binding.name !== name) continue;
      found.push(binding);
      if (!binding.conditional) break;
    }
    return found;
  }

  /** The newest binding, to go back to with {@link Scope.pop}. */
  mark(): Binding | undefined {
    return this.#newest;
  }

  pop(mark: Binding | undefined): void {
    this.#newest = mark;
  }

  /** Compiles operands that may be skipped; gives the slots of the variables they declare. */
  conditionally(compile: () => void): readonly number[] {
    const before = this.#newest;
    this.#conditional++;
    compile();
    this.#conditional--;
    const slots: number[] = [];
    for (let binding = this.#newest; binding !== undefined && binding !== before; binding = binding.below) slots.push(binding.slot);
    return slots;
  }
}
