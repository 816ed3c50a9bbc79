import { badRequest, invalid, type FieldFault, type StatusError } from './status.ts';

/** Longest name of a field manager, in bytes. */
const MANAGER_LIMIT = 128;
const VALIDATIONS = ['', 'Ignore', 'Strict', 'Warn'];
const PROPAGATIONS = ['Foreground', 'Background', 'Orphan'];

/** What is wrong with the options of a write; `kind` is theirs (`CreateOptions`). */
export function writeOptionsFault(kind: string, query: URLSearchParams): StatusError | undefined {
  const faults: FieldFault[] = [];
  const validation = query.get('fieldValidation') ?? '';
  const dryRun = query.getAll('dryRun').filter((it) => it !== '');
  if (Buffer.byteLength(query.get('fieldManager') ?? '') > MANAGER_LIMIT)
    faults.push({ type: 'FieldValueTooLong', field: 'fieldManager', message: `Too long: may not be more than ${MANAGER_LIMIT} bytes` });
  if (dryRun.some((it) => it !== 'All')) faults.push(unsupported('dryRun', dryRun, ['All']));
  if (!VALIDATIONS.includes(validation)) faults.push(unsupported('fieldValidation', validation, VALIDATIONS));
  return optionsFault(kind, faults);
}

/** What is wrong with the options of a list or watch. */
export function listOptionsFault(query: URLSearchParams, watches: boolean): StatusError | undefined {
  const limit = query.get('limit') ?? '';
  if (!/^[-+]?\d*$/.test(limit)) return badRequest(`strconv.ParseInt: parsing ${JSON.stringify(limit)}: invalid syntax`);
  return optionsFault('ListOptions', watches ? watchFaults(query) : listFaults(query));
}

const MATCH = 'resourceVersionMatch';

function forbid(field: string, why: string): FieldFault {
  return { type: 'FieldValueForbidden', field, message: `Forbidden: ${why}` };
}

function listFaults(query: URLSearchParams): FieldFault[] {
  const match = query.get(MATCH) ?? '';
  const revision = query.get('resourceVersion') ?? '';
  const faults: FieldFault[] = [];
  if (match !== '') {
    if (revision === '') faults.push(forbid(MATCH, 'resourceVersionMatch is forbidden unless resourceVersion is provided'));
    if ((query.get('continue') ?? '') !== '') faults.push(forbid(MATCH, 'resourceVersionMatch is forbidden when continue is provided'));
    if (match !== 'Exact' && match !== 'NotOlderThan') faults.push(unsupported(MATCH, match, ['Exact', 'NotOlderThan', '']));
    if (match === 'Exact' && revision === '0')
      faults.push(forbid(MATCH, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
  }
  if (query.has('sendInitialEvents')) faults.push(forbid('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  return faults;
}

function watchFaults(query: URLSearchParams): FieldFault[] {
  const match = query.get(MATCH) ?? '';
  const sends = query.has('sendInitialEvents');
  const faults: FieldFault[] = [];
  if (sends && match !== 'NotOlderThan')
    faults.push(forbid(MATCH, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'));
  if (match === '') return faults;
  if (!sends) faults.push(forbid(MATCH, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'));
  if (match !== 'NotOlderThan') faults.push(unsupported(MATCH, match, ['NotOlderThan']));
  if ((query.get('continue') ?? '') !== '') faults.push(forbid(MATCH, 'resourceVersionMatch is forbidden when continue is provided'));
  return faults;
}

/** What is wrong with the options of a deletion. */
export function deleteOptionsFault(options: { readonly [key: string]: unknown }, dryRun: readonly string[]): StatusError | undefined {
  const { kind, apiVersion } = options;
  if (kind !== undefined && kind !== 'DeleteOptions')
    return badRequest(
      `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme "pkg/runtime/scheme.go:111"`,
    );
  if (dryRun.every((it) => it === 'All')) return undefined;
  return optionsFault('DeleteOptions', [unsupported('dryRun', dryRun, ['All'])]);
}

/** What is wrong with how dependents are to be deleted. */
export function propagationFault(policy: unknown, orphan: unknown): StatusError | undefined {
  if (policy !== undefined && typeof orphan === 'boolean') {
    return optionsFault('DeleteOptions', [
      {
        type: 'FieldValueInvalid',
        field: 'propagationPolicy',
        message: `Invalid value: ${JSON.stringify(policy)}: orphanDependents and deletionPropagation cannot be both set`,
      },
    ]);
  }
  if (policy === undefined || PROPAGATIONS.includes(String(policy))) return undefined;
  return optionsFault('DeleteOptions', [unsupported('propagationPolicy', policy, [...PROPAGATIONS, 'nil'])]);
}

function unsupported(field: string, value: unknown, supported: readonly string[]): FieldFault {
  const names = supported.map((it) => JSON.stringify(it)).join(', ');
  return { type: 'FieldValueNotSupported', field, message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${names}` };
}

function optionsFault(kind: string, faults: readonly FieldFault[]): StatusError | undefined {
  return faults.length === 0 ? undefined : invalid('meta.k8s.io', kind, '', faults);
}
