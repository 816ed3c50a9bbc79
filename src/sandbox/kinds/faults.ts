import type { FieldFault } from '../request/status.ts';

/** A field that must be there. */
export function required(field: string, detail = ''): FieldFault {
  return { type: 'FieldValueRequired', field, message: detail === '' ? 'Required value' : `Required value: ${detail}` };
}

/** A value that breaks a rule. */
export function invalidValue(field: string, value: unknown, detail: string): FieldFault {
  return { type: 'FieldValueInvalid', field, message: `Invalid value: ${JSON.stringify(value)}: ${detail}` };
}

/** A value that is none of those there are. */
export function unsupported(field: string, value: unknown, supported: readonly string[]): FieldFault {
  const names = supported.map((it) => JSON.stringify(it)).join(', ');
  return { type: 'FieldValueNotSupported', field, message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${names}` };
}

/** A field that may not be there, or not be changed. */
export function forbiddenField(field: string, detail: string): FieldFault {
  return { type: 'FieldValueForbidden', field, message: `Forbidden: ${detail}` };
}

/** A value that comes twice. */
export function duplicate(field: string, value: unknown): FieldFault {
  return { type: 'FieldValueDuplicate', field, message: `Duplicate value: ${JSON.stringify(value)}` };
}

/** A name nothing goes by. */
export function notFoundValue(field: string, value: unknown): FieldFault {
  return { type: 'FieldValueNotFound', field, message: `Not found: ${JSON.stringify(value)}` };
}

/** The immutable-field fault. */
export function immutable(field: string, value: unknown): FieldFault {
  return invalidValue(field, value, 'field is immutable');
}

/** A number that is not negative. */
export function nonNegative(field: string, value: unknown): FieldFault[] {
  return typeof value === 'number' && value < 0 ? [invalidValue(field, value, 'must be greater than or equal to 0')] : [];
}

/** A port number. */
export function portNumber(field: string, value: unknown): FieldFault[] {
  return typeof value === 'number' && (value < 1 || value > 65_535)
    ? [invalidValue(field, value, 'must be between 1 and 65535, inclusive')]
    : [];
}

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const LABEL_TEXT =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

/** A DNS label. */
export function dnsLabel(field: string, value: unknown): FieldFault[] {
  const text = String(value);
  return [
    ...(text.length > 63 ? [invalidValue(field, value, 'must be no more than 63 bytes')] : []),
    ...(LABEL.test(text) ? [] : [invalidValue(field, value, LABEL_TEXT)]),
  ];
}
