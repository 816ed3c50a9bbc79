import { KustomizeError } from './errors.ts';
import { formatGvk, type ResId } from './gvk.ts';
import type { ResourceList } from './resource-list.ts';
import { metaMap, setMetaMap, type Resource } from './resource.ts';
import { field, isMapping, keyFault, setField, textOf, type Mapping } from './value.ts';

/** Adds a generated resource to those that are there: as a new one, or replacing or merging with the one of its identity. */
export function absorb(list: ResourceList, generated: Resource): void {
  const { id } = generated;
  const { behavior } = generated.state;
  const [old, ...others] = list.withAnyId(id);
  if (old === undefined) {
    if (behavior === 'merge' || behavior === 'replace') {
      throw new KustomizeError('GeneratorFailed', `id ${goId(id)} does not exist; cannot merge or replace`, { subject: id.name });
    }
    list.append(generated);
    return;
  }
  if (others.length > 0) {
    throw new KustomizeError(
      'GeneratorFailed',
      `found multiple objects ${list.withAnyId(id).length} that could accept merge of ${formatGvk(id)}`,
    );
  }
  if (behavior !== 'merge' && behavior !== 'replace') {
    const message = `id ${goId(id)} exists; can not use behavior: '${behavior}', behavior must be merge or replace`;
    throw new KustomizeError('GeneratorFailed', message, { subject: id.name, remedy: 'set behavior: merge or behavior: replace' });
  }
  takeMetadata(generated, old);
  if (behavior === 'merge') {
    mergeData(generated.object, old.object, 'data');
    mergeData(generated.object, old.object, 'binaryData');
    if (old.state.origin !== undefined) generated.state.origin = old.state.origin;
  }
  list.replace(old, generated);
}

/** Labels and annotations of both, and of the old one its name, namespace and everything the build knows of it. */
function takeMetadata(generated: Resource, old: Resource): void {
  for (const key of ['labels', 'annotations'] as const) {
    setMetaMap(generated.object, key, new Map([...metaMap(old.object, key), ...metaMap(generated.object, key)]));
  }
  generated.setName(old.name);
  generated.setNamespace(old.namespace);
  const { needsHash, origin } = generated.state;
  Object.assign(generated.state, {
    ...old.state,
    needsHash: needsHash && old.state.needsHash,
    origin: origin ?? old.state.origin,
    previous: [...old.state.previous],
    prefixes: [...old.state.prefixes],
    suffixes: [...old.state.suffixes],
    refVarNames: [...old.state.refVarNames],
  });
}

function mergeData(object: Mapping, old: Mapping, key: 'data' | 'binaryData'): void {
  const merged = new Map([...textMap(old, key), ...textMap(object, key)]);
  delete object[key];
  if (merged.size === 0) return;
  const result: Mapping = {};
  for (const name of [...merged.keys()].sort()) setField(result, name, merged.get(name) ?? '');
  object[key] = result;
}

function textMap(object: Mapping, key: string): Map<string, string> {
  const map = field(object, key);
  if (!isMapping(map)) return new Map();
  const last = keyFault(map)?.last ?? {};
  return new Map(Object.keys(map).map((name) => [name, textOf(field(last, name) ?? map[name])]));
}

/** Go's `%#v` of an id. */
function goId({ group, version, kind, name, namespace, clusterScoped }: ResId): string {
  const text = (value: string): string => JSON.stringify(value);
  const gvk = `resid.Gvk{Group:${text(group)}, Version:${text(version)}, Kind:${text(kind)}, isClusterScoped:${clusterScoped}}`;
  return `resid.ResId{Gvk:${gvk}, Name:${text(name)}, Namespace:${text(namespace)}}`;
}
