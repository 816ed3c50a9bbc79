/** A variable in scope. Bindings form a list from the newest to `$`; the list is never changed, only shadowed. */
export type Binding = {
  readonly name: string;
  readonly slot: number;
  /** Declared where evaluation may not come by (a later operand of `and` or `or`): its slot says whether it did. */
  readonly conditional: boolean;
  /** Set when a `range` assigns to it: slot + 1 then holds the container its value came from. */
  fromContainer: boolean;
  readonly below: Binding | undefined;
};

/** What a slot holds while its variable has not been declared. */
export const undeclared: unique symbol = Symbol('undeclared');

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

  /** Two slots each: the value and, for what a `range` assigns, the container it came from. */
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

  lookup(name: string): Binding | undefined {
    for (let binding = this.#newest; binding !== undefined; binding = binding.below) if (binding.name === name) return binding;
    return undefined;
  }

  /** The newest binding, to go back to with {@link Scope.pop}. */
  mark(): Binding | undefined {
    return this.#newest;
  }

  pop(mark: Binding | undefined): void {
    this.#newest = mark;
  }

  /** Compiles operands that may be skipped; gives the bindings they declare. */
  conditionally(compile: () => void): readonly Binding[] {
    const before = this.#newest;
    this.#conditional++;
    compile();
    this.#conditional--;
    const declared: Binding[] = [];
    for (let binding = this.#newest; binding !== undefined && binding !== before; binding = binding.below) declared.push(binding);
    return declared;
  }
}
