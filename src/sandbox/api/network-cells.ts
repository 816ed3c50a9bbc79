import type { KubeObject } from '../../manifest/index.ts';
import { mapAt, mapsOf } from '../kinds/index.ts';

/** How many addresses a row tells before it counts the rest. */
const ADDRESSES_SHOWN = 3;

/** The addresses of an `Endpoints`: `10.0.0.1:80,10.0.0.2:80 + 5 more...`. */
export function endpointsCell(object: KubeObject): string {
  const found = mapsOf(object, 'subsets').flatMap((subset) => {
    const ports = mapsOf(subset, 'ports');
    return mapsOf(subset, 'addresses').flatMap(({ ip }) =>
      ports.length === 0 ? [String(ip)] : ports.map((port) => `${String(ip)}:${String(port['port'])}`),
    );
  });
  return shortened(found, '<none>');
}

/** The addresses of an EndpointSlice. */
export function sliceAddresses(slice: KubeObject): string {
  return shortened(
    mapsOf(slice, 'endpoints').flatMap(({ addresses }) => (Array.isArray(addresses) ? addresses.map(String) : [])),
    '<unset>',
  );
}

/** The ports of an EndpointSlice. */
export function slicePorts(slice: KubeObject): string {
  const ports = mapsOf(slice, 'ports').map((port) => String(port['port'] ?? '*'));
  return shortened(ports, '<unset>');
}

/** Who a ControllerRevision is of, as `statefulset.apps/db`. */
export function revisionController(revision: KubeObject): string {
  const owner = revision.metadata.ownerReferences?.find((it) => it.controller === true);
  if (owner === undefined) return '<none>';
  const [group, version] = owner.apiVersion.split('/');
  return `${owner.kind.toLowerCase()}${version === undefined ? '' : `.${group ?? ''}`}/${owner.name}`;
}

/** A count or percentage that may be absent. */
export function budgetCell(budget: KubeObject, field: string): string {
  const value = mapAt(budget, 'spec')?.[field];
  return value === undefined ? 'N/A' : String(value);
}

function shortened(list: readonly string[], none: string): string {
  if (list.length === 0) return none;
  const more = list.length - ADDRESSES_SHOWN;
  return more > 0 ? `${list.slice(0, ADDRESSES_SHOWN).join(',')} + ${more} more...` : list.join(',');
}
