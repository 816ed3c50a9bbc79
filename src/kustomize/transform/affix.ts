import { fieldSpecs, type FieldSpec } from '../field-spec.ts';
import { isSelected, type Gvk } from '../gvk.ts';
import { wrongKind } from '../plain.ts';
import type { ResourceList } from '../resource-list.ts';
import type { Resource } from '../resource.ts';
import { assignScalar, isScalar, textOf, withText } from '../value.ts';

/** Kinds whose names other objects know: they get no prefix or suffix. */
const KEPT: readonly Gvk[] = [
  { group: '', version: '', kind: 'CustomResourceDefinition' },
  { group: 'apiregistration.k8s.io', version: '', kind: 'APIService' },
  { group: '', version: '', kind: 'Namespace' },
];

/** Puts a prefix before (or a suffix behind) the names of resources, and remembers it as part of their lineage. */
export function addAffix(list: ResourceList, where: 'prefix' | 'suffix', affix: string, specs: readonly FieldSpec[]): void {
  for (const resource of list.items) {
    const { originalId } = resource;
    if (KEPT.some((kept) => isSelected(originalId, kept))) continue;
    for (const spec of specs) if (isSelected(originalId, spec)) addTo(resource, where, affix, spec);
  }
  list.invalidate();
}

const single = new WeakMap<FieldSpec, ReturnType<typeof fieldSpecs>>();

function prepare(spec: FieldSpec): ReturnType<typeof fieldSpecs> {
  let ready = single.get(spec);
  if (ready === undefined) {
    ready = fieldSpecs([spec]);
    single.set(spec, ready);
  }
  return ready;
}

function addTo(resource: Resource, where: 'prefix' | 'suffix', affix: string, spec: FieldSpec): void {
  if (spec.path === 'metadata/name' && affix !== '') {
    (where === 'prefix' ? resource.state.prefixes : resource.state.suffixes).push(affix);
    resource.storePreviousId();
  }
  prepare(spec).visit(resource.object, resource.id, 'scalar', (value, holder, key) => {
    if (!isScalar(value)) throw wrongKind('ScalarNode', value);
    const text = textOf(value);
    assignScalar(holder, key, withText(value, where === 'prefix' ? affix + text : text + affix));
  });
}
