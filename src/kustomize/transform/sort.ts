import { compareUtf8 } from '../../std/index.ts';
import { KustomizeError } from '../errors.ts';
import { formatGvk, gvkEquals, type ResId } from '../gvk.ts';
import { FIRST_KINDS, LAST_KINDS, sortText } from '../kind-order.ts';
import type { SortOptionFields } from '../kustomization.ts';
import type { ResourceList } from '../resource-list.ts';

/** Orders the resources as `sortOptions` says. */
export function sortByOptions(list: ResourceList, options: SortOptionFields): void {
  const { order = '', legacySortOptions } = options;
  if (order !== 'fifo' && order !== 'legacy') {
    throw new KustomizeError('KustomizationInvalid', "the field 'sortOptions.order' must be one of [fifo, legacy]");
  }
  if (order === 'legacy') {
    if (legacySortOptions === undefined) sortLegacy(list);
    else sortLegacy(list, legacySortOptions.orderFirst ?? [], legacySortOptions.orderLast ?? []);
  } else if (legacySortOptions !== undefined) {
    const message = `the field 'sortOptions.legacySortOptions' is set but the selected sort order is '${order}', not 'legacy'`;
    throw new KustomizeError('KustomizationInvalid', message);
  }
}

/** kustomize's legacy order: some kinds first, some last, within that by group, version, kind, namespace and name. */
export function sortLegacy(list: ResourceList, first: readonly string[] = FIRST_KINDS, last: readonly string[] = LAST_KINDS): void {
  const rank = new Map<string, number>();
  first.forEach((kind, i) => rank.set(kind, i - first.length));
  last.forEach((kind, i) => rank.set(kind, i + 1));
  const keyed = list.items.map((resource) => ({
    resource,
    id: resource.id,
    rank: rank.get(resource.id.kind) ?? 0,
    gvk: sortText(resource.id),
    text: idText(resource.id),
  }));
  keyed.sort((a, b) => {
    if (gvkEquals(a.id, b.id)) return compareUtf8(a.text, b.text);
    if (a.rank !== b.rank) return a.rank - b.rank;
    const namespaces = a.id.kind === 'Namespace' && b.id.kind === 'Namespace' && (a.id.group === '' || b.id.group === '');
    return namespaces ? compareUtf8(b.gvk, a.gvk) : compareUtf8(a.gvk, b.gvk);
  });
  list.setItems(keyed.map(({ resource }) => resource));
}

function idText(id: ResId): string {
  return `${formatGvk(id)}|${id.namespace === '' ? '~X' : id.namespace}|${id.name === '' ? '~N' : id.name}`;
}
