import { type ArchiveTree, ArchiveTreeBuilder, walkArchive } from './archive-tree.ts';
import { type ArtifactError, artifactError } from './errors.ts';
import type { ArchiveLimits } from './limits.ts';

/** What one layer adds: the content of an archive, or a single file. */
export type LayerContent = { kind: 'archive'; tree: ArchiveTree; whiteouts: boolean } | { kind: 'file'; path: string; bytes: Uint8Array };

type Folder = { mode: number; entries: Map<string, Node> };
type Node = { mode: number; bytes: Uint8Array } | Folder;

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
const FILE_MODE = 0o644;
const FOLDER_MODE = 0o755;

/** Puts layers on top of each other, as container runtimes do: the last one that has a path decides. */
export class LayerMerge {
  readonly #limits: ArchiveLimits;
  readonly #root: Folder = { mode: FOLDER_MODE, entries: new Map() };
  #entries = 0;
  #bytes = 0;

  constructor(limits: ArchiveLimits) {
    this.#limits = limits;
  }

  /** Adds the next layer. @throws ArtifactError `PathRefused`, `LimitExceeded` */
  add(layer: LayerContent): void {
    if (layer.kind === 'file') {
      this.#put(this.#title(layer.path), { mode: FILE_MODE, bytes: layer.bytes });
      return;
    }
    const { tree, whiteouts } = layer;
    const entries = [...walkArchive(tree)].filter(({ path }) => path !== '');
    // Deletions mean what lies below, never what the same layer brings.
    if (whiteouts) for (const { path } of entries) this.#whiteout(path.split('/'));
    for (const { path, kind } of entries) {
      const segments = path.split('/');
      if (whiteouts && segments.at(-1)?.startsWith(WHITEOUT) === true) continue;
      if (kind === 'directory') this.#folder(segments, tree.mode(path));
      else this.#put(segments, { mode: tree.mode(path) ?? FILE_MODE, bytes: tree.read(path) ?? new Uint8Array() });
    }
  }

  /** What is there after the last layer. */
  build(): ArchiveTree {
    const builder = new ArchiveTreeBuilder();
    const walk = (folder: Folder, prefix: string): void => {
      for (const [name, node] of folder.entries) {
        const path = `${prefix}${name}`;
        if ('bytes' in node) builder.addFile(path, node.bytes, node.mode);
        else {
          builder.addFolder(path, node.mode);
          walk(node, `${path}/`);
        }
      }
    };
    walk(this.#root, '');
    return builder.build();
  }

  #put(segments: readonly string[], node: { mode: number; bytes: Uint8Array }): void {
    this.#count(node.bytes.length);
    this.#folder(segments.slice(0, -1)).entries.set(segments.at(-1) ?? '', node);
  }

  /** The folder at a path, made where there is none; a file in its way goes. */
  #folder(segments: readonly string[], mode?: number): Folder {
    let at = this.#root;
    for (const [index, segment] of segments.entries()) {
      const there = at.entries.get(segment);
      let next: Folder;
      if (there === undefined || 'bytes' in there) {
        this.#count(0);
        next = { mode: FOLDER_MODE, entries: new Map() };
        at.entries.set(segment, next);
      } else next = there;
      if (index === segments.length - 1 && mode !== undefined) next.mode = mode;
      at = next;
    }
    return at;
  }

  #whiteout(segments: readonly string[]): void {
    const name = segments.at(-1) ?? '';
    if (!name.startsWith(WHITEOUT)) return;
    let at: Node | undefined = this.#root;
    for (const segment of segments.slice(0, -1)) at = at === undefined || 'bytes' in at ? undefined : at.entries.get(segment);
    if (at === undefined || 'bytes' in at) return;
    if (name === OPAQUE) at.entries.clear();
    else at.entries.delete(name.slice(WHITEOUT.length));
  }

  /** The bounds of one archive hold for all layers together; what a later layer replaces counts as well. */
  #count(bytes: number): void {
    this.#entries += 1;
    this.#bytes += bytes;
    if (this.#entries > this.#limits.entries) throw this.#exceeded('entries', this.#limits.entries);
    if (this.#bytes > this.#limits.bytes) throw this.#exceeded('bytes', this.#limits.bytes);
  }

  #exceeded(what: string, limit: number): ArtifactError {
    return artifactError('LimitExceeded', `merge layers: more than ${limit} ${what}`);
  }

  /** The path a file was pushed with, as strict as names in archives. */
  #title(title: string): string[] {
    const segments = title.split('/').filter((segment) => segment !== '' && segment !== '.');
    const bad = title.startsWith('/') || /[\\\0]/.test(title) || segments.length === 0 || segments.includes('..');
    if (bad || Buffer.byteLength(title) > this.#limits.pathBytes || segments.length > this.#limits.depth) {
      const shown = title.slice(0, 300);
      throw artifactError('PathRefused', `merge layers: title ${JSON.stringify(shown)} is not a path inside the artifact`, {
        subject: shown,
      });
    }
    return segments;
  }
}
