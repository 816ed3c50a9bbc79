import { inventoryEntry, type Inventory } from '../../../apply/index.ts';
import { objectRef, type KubeObject } from '../../../manifest/index.ts';
import { type ActionContext } from './action.ts';
import { resolveStored } from './objects.ts';
import { Run } from './run.ts';

const HOOK = 'helm.sh/hook';

/** `status.inventory` of a release (HB60): the objects of its manifest, and those of the chart's crds/ folders. */
export async function buildInventory(
  manifest: readonly KubeObject[],
  crds: readonly KubeObject[],
  context: ActionContext,
): Promise<Inventory> {
  const run = new Run(context);
  const objects = await resolveStored(
    manifest.filter(({ metadata }) => metadata.annotations?.[HOOK] === undefined),
    run,
  );
  return { entries: [...objects, ...crds].map((object) => inventoryEntry(objectRef(object), object.apiVersion)) };
}
