import { invalid, type FieldFault, type StatusError } from './status.ts';

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
export function listOptionsFault(query: URLSearchParams): StatusError | undefined {
  const match = query.get('resourceVersionMatch') ?? '';
  const forbid = (why: string): FieldFault => ({
    type: 'FieldValueForbidden',
    field: 'resourceVersionMatch',
    message: `Forbidden: ${why}`,
  });
  const watches = query.get('watch') === 'true' || query.get('watch') === '1';
  if (watches) {
    const sends = query.has('sendInitialEvents');
    if (sends && match === '')
      return optionsFault('ListOptions', [forbid('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')]);
    return undefined;
  }
  if (match !== '' && (query.get('resourceVersion') ?? '') === '')
    return optionsFault('ListOptions', [forbid('resourceVersionMatch is forbidden unless resourceVersion is provided')]);
  return undefined;
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
