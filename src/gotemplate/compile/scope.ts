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
  /** The binding of the same name that this one hides. */
  readonly hidden: Binding | undefined;
};

/** What a conditional binding's slot holds while its variable has not been declared. */
export const undeclared: GoStruct = new GoStruct(structType('undeclared variable', { fields: [] }), null);

/** The variables of one template while it is compiled. */
export class Scope {
  #slots = 0;
  #newest: Binding | undefined;
  readonly #byName = new Map<string, Binding>();
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
    const hidden = this.#byName.get(name);
    const binding: Binding = { name, slot, conditional: this.#conditional > 0, fromContainer: false, below: this.#newest, hidden };
    this.#byName.set(name, binding);
    this.#newest = binding;
    return binding;
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
    for (let binding = this.#byName.get(name); binding !== undefined; binding = binding.hidden) {
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
    for (let binding = this.#newest; binding !== undefined && binding !== mark; binding = binding.below) {
      if (binding.hidden === undefined) this.#byName.delete(binding.name);
      else this.#byName.set(binding.name, binding.hidden);
    }
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
