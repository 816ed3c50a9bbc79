import type { KubeObject } from '../../manifest/index.ts';
import { isMap, type Json } from '../fields/index.ts';
import { deleteOptionsFault, propagationFault } from '../request/options.ts';
import type { StatusError } from '../request/status.ts';
import { type ApiRequest, header } from './call.ts';

/** What every write can be told. */
export type WriteOptions = {
  dryRun: boolean;
  fieldManager: string;
  fieldValidation: 'Strict' | 'Warn' | 'Ignore';
  /** `status`, or empty for the object itself. */
  subresource: string;
  /** Fields the body names twice. */
  doubled?: readonly string[];
  /** True for a patch, whose faults are told otherwise. */
  isPatch?: boolean | 'strategic';
  /** Refuses what the user may not write. */
  guard?: (draft: KubeObject, old: KubeObject | undefined) => void;
  /** What the managed fields say instead, for `scale`, which writes the object itself. */
  managerSubresource?: string;
};

export type DeleteOptions = {
  dryRun: boolean;
  propagation: 'Background' | 'Foreground' | 'Orphan' | undefined;
  gracePeriodSeconds: number | undefined;
  uid: string | undefined;
  resourceVersion: string | undefined;
};

/** Throws a fault that was found. */
export function refuse(fault: StatusError | undefined): void {
  if (fault !== undefined) throw fault;
}

/** The options of a write, from its query; the field manager is the client's name when none is given. */
export function writeOptions(request: ApiRequest, info: { subresource: string }, query: URLSearchParams): WriteOptions {
  const dryRun = query.getAll('dryRun');
  const validation = query.get('fieldValidation');
  const agent = (header(request, 'user-agent') ?? '').split('/')[0] ?? '';
  return {
    dryRun: dryRun.includes('All'),
    fieldManager: query.get('fieldManager') ?? (agent === '' ? 'unknown' : agent),
    fieldValidation: validation === 'Strict' || validation === 'Ignore' ? validation : 'Warn',
    subresource: info.subresource === 'finalize' ? '' : info.subresource,
  };
}

/** The options of a deletion, from its body and query. @throws StatusError 422 */
export function deleteOptions(body: Json | undefined, query: URLSearchParams): DeleteOptions {
  const options = isMap(body) ? body : {};
  const preconditions = isMap(options['preconditions']) ? options['preconditions'] : {};
  const propagation = options['propagationPolicy'] ?? query.get('propagationPolicy') ?? undefined;
  const orphan = options['orphanDependents'];
  const grace = options['gracePeriodSeconds'] ?? query.get('gracePeriodSeconds') ?? undefined;
  const list = options['dryRun'];
  const dryRun = [...(Array.isArray(list) ? list.map(String) : []), ...query.getAll('dryRun')].filter((it) => it !== '');
  const isPropagation = propagation === 'Background' || propagation === 'Foreground' || propagation === 'Orphan';
  refuse(deleteOptionsFault(options, dryRun));
  refuse(propagationFault(propagation, orphan));
  return {
    dryRun: dryRun.includes('All'),
    propagation: isPropagation ? propagation : orphan === true ? 'Orphan' : orphan === false ? 'Background' : undefined,
    gracePeriodSeconds: grace === undefined ? undefined : Number(grace),
    uid: typeof preconditions['uid'] === 'string' ? preconditions['uid'] : undefined,
    resourceVersion: typeof preconditions['resourceVersion'] === 'string' ? preconditions['resourceVersion'] : undefined,
  };
}
