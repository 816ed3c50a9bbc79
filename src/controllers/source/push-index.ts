import { conditionTypes, type OCIRepository } from '../../api/index.ts';
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
   * The keys of the objects that would look at what was pushed: those that follow the tag, may select it by its version, or name the very
   * digest; and those that wait for a signature, when it can be one. Not those that are suspended.
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

/** Host names do not tell upper from lower case, and the FIPS and dual-stack names of an ECR registry serve the same repositories. */
function placeOf(repository: Repository): string {
  const registry = repository.registry
    .toLowerCase()
    .replace(/^(\d+\.dkr[.-]ecr)-fips\./, '$1.')
    .replace(/^(\d+)\.dkr-ecr\.(.*)\.on\.aws$/, '$1.dkr.ecr.$2.amazonaws.com')
    .replace(/^(\d+)\.dkr-ecr\.(.*)\.on\.amazonwebservices\.com\.cn$/, '$1.dkr.ecr.$2.amazonaws.com.cn')
    .replace(/^ecr-public\.aws\.com$/, 'public.ecr.aws');
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

function concerns(push: Push, object: OCIRepository): boolean {
  const { spec } = object;
  if (spec.suspend === true) return false;
  if (mayBeSignature(push) && waitsForSignature(object)) return true;
  const wanted = wantedRef(spec.ref);
  switch (wanted.kind) {
    case 'digest':
      return wanted.digest === push.digest;
    case 'tag':
      return wanted.tag === push.tag;
    case 'semver':
      return push.tag !== undefined && selects(push.tag, wanted, spec.layerSelector?.mediaType ?? '');
  }
}

/** Signatures are pushed after what they sign: by digest alone, or under a tag made of the digest. */
function mayBeSignature({ tag }: Push): boolean {
  return tag === undefined || /^sha(256|384|512)-[0-9a-f]{64,128}(\.[a-z]{1,10})?$/.test(tag);
}

function waitsForSignature({ status }: OCIRepository): boolean {
  return status.conditions?.some(({ type, status: value }) => type === conditionTypes.sourceVerified && value === 'False') === true;
}

function selects(tag: string, { range, filter }: { range: string; filter: string | undefined }, mediaType: string): boolean {
  try {
    return selectTag([tag], { range, filter, mediaType }) === tag;
  } catch {
    // Not a version in the range; or a range that is none, which the object says itself.
    return false;
  }
}
