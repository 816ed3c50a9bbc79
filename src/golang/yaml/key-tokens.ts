/**
 * At which tokens simple keys may begin, and on which flow level. Entries outlive their keys exactly as in go-yaml, where that decides
 * how far the scanner runs ahead of the parser. Tokens are set in ascending order.
 */
export class KeyTokens {
  readonly #tokens: number[] = [];
  readonly #levels: number[] = [];
  #front = 0;
  #end = 0;

  set(token: number, level: number): void {
    if (this.#front === this.#end) this.#clear();
    if (this.#end > this.#front && this.#tokens[this.#end - 1] === token) this.#end -= 1;
    this.#tokens[this.#end] = token;
    this.#levels[this.#end] = level;
    this.#end += 1;
  }

  delete(token: number): void {
    const tokens = this.#tokens;
    for (let i = this.#end - 1; i >= this.#front && tokens[i]! >= token; i--) if (tokens[i] === token) this.#levels[i] = -1;
    while (this.#end > this.#front && this.#levels[this.#end - 1] === -1) this.#end -= 1;
  }

  /** The flow level of the key at a token, or -1; asked for tokens in ascending order. */
  levelOf(token: number): number {
    const tokens = this.#tokens;
    while (this.#front < this.#end && tokens[this.#front]! < token) this.#front += 1;
    return this.#front < this.#end && tokens[this.#front] === token ? this.#levels[this.#front]! : -1;
  }

  #clear(): void {
    this.#front = 0;
    this.#end = 0;
  }
}
