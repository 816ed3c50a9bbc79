import type { ServedKind } from '../catalog/kind.ts';
import { formatPath, type Manager } from '../fields/index.ts';
import { StatusError } from '../request/status.ts';

/** A configuration that does not fit the schema: the API server answers with its internal words and code 500. */
export function untypable(kind: ServedKind, name: string, cause: string): StatusError {
  const version = `${kind.group}/${kind.version}, Kind=${kind.kind}`;
  return new StatusError(500, '', `failed to create typed patch object (/${name}; ${version}): ${cause}`);
}

/** The 409 of an apply that others stand in the way of. */
export function applyConflict(conflicts: readonly { manager: Manager; path: readonly string[] }[]): StatusError {
  const named = conflicts.map(({ manager, path }) => ({ manager: describeManager(manager), path: formatPath(path) }));
  const causes = named.map(({ manager, path }) => ({ reason: 'FieldManagerConflict', message: `conflict with ${manager}`, field: path }));
  const [only] = named;
  if (named.length === 1 && only !== undefined)
    return new StatusError(409, 'Conflict', `Apply failed with 1 conflict: conflict with ${only.manager}: ${only.path}`, { causes });
  const lines: string[] = [];
  for (const manager of [...new Set(named.map((it) => it.manager))].sort()) {
    lines.push(`conflicts with ${manager}:`, ...named.filter((it) => it.manager === manager).map((it) => `- ${it.path}`));
  }
  return new StatusError(409, 'Conflict', `Apply failed with ${named.length} conflicts: ${lines.join('\n')}`, { causes });
}

function describeManager(manager: Manager): string {
  const name = JSON.stringify(manager.manager);
  const part = manager.subresource === '' ? name : `${name} with subresource ${JSON.stringify(manager.subresource)}`;
  return manager.operation === 'Update' ? `${part} using ${manager.apiVersion}` : part;
}
