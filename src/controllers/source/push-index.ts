import type { OCIRepository } from '../../api/index.ts';
import { formatRepository, parseRepository, type Repository } from '../../oci/index.ts';
import { formatKey, type ResourceView } from '../../runtime/index.ts';
import type { Push } from './push-notification.ts';
import { wantedRef } from './revision.ts';
import { selectTag } from './select-tag.ts';

/** Which OCIRepositories a push concerns: kept by repository, as the objects are now. */
export class PushIndex {
  readonly #objects = new Map<string, Map<string, OCIRepository>>();
  readonly #places = new Map<string, string>();
  readonly #stop: () => void;

  constructor(view: Pick<ResourceView<OCIRepository>, 'subscribe'>) {
    this.#stop = view.subscribe({
      changed: (object) => this.#put(object),
      deleted: ({ metadata }) => this.#remove(formatKey(metadata)),
    });
  }

  /**
   * The keys of the objects that would look at what was pushed: those that follow the tag, or may select it by its version. Not those
   * that name a digest, and not those that are suspended.
   */
  match(pushes: readonly Push[]): readonly string[] {
    const keys = new Set<string>();
    for (const push of pushes) {
      for (const [key, object] of this.#objects.get(placeOf(push)) ?? []) if (!keys.has(key) && concerns(push, object)) keys.add(key);
    }
    return [...keys];
  }

  /** Follows the objects no longer. */
  close(): void {
    this.#stop();
  }

  #put(object: OCIRepository): void {
    const key = formatKey(object.metadata);
    this.#remove(key);
    const place = repositoryOf(object.spec.url);
    if (place === undefined) return;
    this.#places.set(key, place);
    const there = this.#objects.get(place) ?? new Map<string, OCIRepository>();
    there.set(key, object);
    this.#objects.set(place, there);
  }

  #remove(key: string): void {
    const place = this.#places.get(key);
    if (place === undefined) return;
    this.#places.delete(key);
    const there = this.#objects.get(place);
    there?.delete(key);
    if (there?.size === 0) this.#objects.delete(place);
  }
}

/** Host names do not tell upper from lower case, and the FIPS endpoint of an ECR registry serves the same repositories. */
function placeOf(repository: Repository): string {
  const registry = repository.registry.toLowerCase().replace(/^(\d+\.dkr\.ecr)-fips\./, '$1.');
  return formatRepository({ registry, path: repository.path });
}

function repositoryOf(url: string): string | undefined {
  try {
    return placeOf(parseRepository(url));
  } catch {
    // A URL that is no repository has no pushes; the object says so itself.
    return undefined;
  }
}

function concerns({ tag }: Push, { spec }: OCIRepository): boolean {
  if (spec.suspend === true || tag === undefined) return false;
  const wanted = wantedRef(spec.ref);
  switch (wanted.kind) {
    case 'digest':
      return false;
    case 'tag':
      return wanted.tag === tag;
    case 'semver':
      return selects(tag, wanted, spec.layerSelector?.mediaType ?? '');
  }
}

function selects(tag: string, { range, filter }: { range: string; filter: string | undefined }, mediaType: string): boolean {
  try {
    return selectTag([tag], { range, filter, mediaType }) === tag;
  } catch {
    // Not a version in the range; or a range that is none, which the object says itself.
    return false;
  }
}
