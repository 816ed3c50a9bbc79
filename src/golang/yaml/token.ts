/* Kinds of tokens (libyaml's), small integers because the scanner makes millions of them. */
export const STREAM_START = 1;
export const STREAM_END = 2;
export const VERSION_DIRECTIVE = 3;
export const TAG_DIRECTIVE = 4;
export const DOCUMENT_START = 5;
export const DOCUMENT_END = 6;
export const BLOCK_SEQUENCE_START = 7;
export const BLOCK_MAPPING_START = 8;
export const BLOCK_END = 9;
export const FLOW_SEQUENCE_START = 10;
export const FLOW_SEQUENCE_END = 11;
export const FLOW_MAPPING_START = 12;
export const FLOW_MAPPING_END = 13;
export const BLOCK_ENTRY = 14;
export const FLOW_ENTRY = 15;
export const KEY = 16;
export const VALUE = 17;
export const ALIAS = 18;
export const ANCHOR = 19;
export const TAG = 20;
export const SCALAR = 21;

/* Styles of scalars. */
export const PLAIN = 1;
export const SINGLE_QUOTED = 2;
export const DOUBLE_QUOTED = 3;
export const LITERAL = 4;
export const FOLDED = 5;

/** One token. `value` is a scalar, an anchor's name, a tag's handle or a %TAG's; `suffix` a tag's suffix or a %TAG's prefix. */
export class Token {
  readonly type: number;
  /** Line of its start, counted from 0. */
  readonly line: number;
  /** Characters before its start. */
  readonly index: number;
  readonly value: string;
  readonly suffix: string;
  readonly style: number;

  constructor(type: number, line: number, index: number, value: string, suffix: string, style: number) {
    this.type = type;
    this.line = line;
    this.index = index;
    this.value = value;
    this.suffix = suffix;
    this.style = style;
  }
}

const TOKEN_BYTES = 144;
const PAGE = 8192;
const SMALL_CAPACITIES = [1, 2, 4, 8, 18, 37, 75, 151, 341];

/** Capacity Go gives a full token slice that grows by one: yaml.v3's comment rules look at what is left in its queue's memory. */
function grownCapacity(capacity: number): number {
  const small = SMALL_CAPACITIES.find((size) => size > capacity);
  if (small !== undefined) return small;
  const wanted = capacity + ((capacity + 768) >> 2);
  return Math.floor((Math.ceil((wanted * TOKEN_BYTES) / PAGE) * PAGE) / TOKEN_BYTES);
}

/** Slots after which the queue's tokens move to the front again. */
const MAX_SLOTS = 1024;

/**
 * The tokens between scanner and parser. Taken tokens stay visible behind the head until Go's queue would have moved up; `length` and
 * the capacity are those of Go's slice.
 */
export class TokenQueue {
  readonly #slots: Token[] = [];
  /** Slot after the last token. */
  #end = 0;
  #capacity = 0;
  /** Tokens visible, taken ones included. */
  length = 0;
  /** Tokens waiting for the parser. */
  waiting = 0;
  /** Tokens the parser has taken. */
  taken = 0;

  /** The next token; there must be one. */
  get first(): Token {
    return this.#slots[this.#end - this.waiting]!;
  }

  /** The last token; there must be one. */
  get last(): Token {
    return this.#slots[this.#end - 1]!;
  }

  /** The token before the last, or undefined where Go's queue has only one. */
  get beforeLast(): Token | undefined {
    return this.length > 1 ? this.#slots[this.#end - 2] : undefined;
  }

  push(token: Token): void {
    if (this.length === this.#capacity) this.#makeRoom();
    if (this.#end >= MAX_SLOTS && this.length * 2 < this.#end) this.#moveUp();
    this.#slots[this.#end] = token;
    this.#end += 1;
    this.length += 1;
    this.waiting += 1;
  }

  /** Inserts before the token that is `position` behind the first; -1 appends. */
  insert(position: number, token: Token): void {
    this.push(token);
    if (position < 0) return;
    const slots = this.#slots;
    const at = this.#end - this.waiting + position;
    for (let i = this.#end - 1; i > at; i--) slots[i] = slots[i - 1]!;
    slots[at] = token;
  }

  skip(): void {
    this.waiting -= 1;
    this.taken += 1;
  }

  /** Go's queue is full: it forgets the tokens taken, or grows when there are none. */
  #makeRoom(): void {
    if (this.length > this.waiting) this.length = this.waiting;
    else this.#capacity = grownCapacity(this.#capacity);
  }

  #moveUp(): void {
    const slots = this.#slots;
    const from = this.#end - this.length;
    for (let i = 0; i < this.length; i++) slots[i] = slots[from + i]!;
    this.#end = this.length;
  }
}
