/** The variables in scope while a text is parsed, in the order they were declared. */
export class Variables {
  readonly #names: string[] = ['$'];
  readonly #counts = new Map<string, number>([['$', 1]]);

  get count(): number {
    return this.#names.length;
  }

  push(name: string): void {
    this.#names.push(name);
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  has(name: string): boolean {
    return (this.#counts.get(name) ?? 0) > 0;
  }

  truncate(count: number): void {
    for (const name of this.#names.splice(count)) this.#counts.set(name, (this.#counts.get(name) ?? 1) - 1);
  }
}
