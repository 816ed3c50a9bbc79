import { KustomizeError } from '../errors.ts';
import { fieldSpecs, type FieldSpec } from '../field-spec.ts';
import { formatGvk, isSelected } from '../gvk.ts';
import { wrongKind } from '../plain.ts';
import type { ResourceList } from '../resource-list.ts';
import { assignScalar, isScalar } from '../value.ts';

/** Sets the number of replicas of the resources that have, or once had, a name. Throws when there are none. */
export function setReplicas(list: ResourceList, name: string, count: number, specs: readonly FieldSpec[]): void {
  let found = false;
  for (const spec of specs) {
    const ready = fieldSpecs([spec]);
    for (const resource of list.items) {
      const ids = [...resource.previousIds, resource.id];
      if (!ids.some((id) => id.name === name && isSelected(id, spec))) continue;
      found = true;
      ready.visit(resource.object, resource.id, 'scalar', (value, holder, key) => {
        if (!isScalar(value)) throw wrongKind('ScalarNode', value);
        assignScalar(holder, key, count);
      });
    }
  }
  if (found) return;
  const kinds = specs.map((spec) => formatGvk(spec)).join(' ');
  throw new KustomizeError('TransformFailed', `resource with name ${name} does not match a config with the following GVK [${kinds}]`, {
    subject: name,
  });
}
