/** What the handles of tags stand for in one document: `!!` and what `%TAG` directives say. */
export class TagHandles {
  readonly #prefixes = new Map<string, string>();

  /** Takes a `%TAG` directive; false when the handle has one already. */
  add(handle: string, prefix: string): boolean {
    if (this.#prefixes.has(handle)) return false;
    this.#prefixes.set(handle, prefix);
    return true;
  }

  /** Adds the handles every document has, unless a directive changed them. */
  addDefaults(): void {
    this.add('!', '!');
    this.add('!!', 'tag:yaml.org,2002:');
  }

  clear(): void {
    this.#prefixes.clear();
  }

  /** The whole tag; `` when its handle is unknown. A tag without a handle is its suffix. */
  resolve(handle: string, suffix: string): string {
    if (handle === '') return suffix;
    const prefix = this.#prefixes.get(handle);
    return prefix === undefined ? '' : prefix + suffix;
  }
}
