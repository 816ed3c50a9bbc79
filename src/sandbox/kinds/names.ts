import type { KubeObject } from '../../manifest/index.ts';
import { labelValueFault, qualifiedNameFault, SUBDOMAIN, SUBDOMAIN_TEXT } from '../request/label-names.ts';
import type { FieldFault } from '../request/status.ts';
import { invalidValue } from './faults.ts';
import type { KindRules } from './rules.ts';

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const LABEL_1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

const TEXTS = {
  subdomain: SUBDOMAIN_TEXT,
  label:
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
  label1035:
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
};

/** Most bytes of all annotations together. */
export const ANNOTATIONS_LIMIT: number = 256 << 10;

/** Faults of an object's metadata: name, labels, annotations, finalizers, owner references. */
export function validateMetadata(object: KubeObject, rules: KindRules, isBuiltIn: boolean): FieldFault[] {
  const { metadata } = object;
  const faults: FieldFault[] = [];
  if (metadata.name === '') {
    faults.push({ type: 'FieldValueRequired', field: 'metadata.name', message: 'Required value: name or generateName is required' });
  } else {
    const fault = nameFault(metadata.name, rules.names ?? 'subdomain');
    if (fault !== undefined)
      faults.push({
        type: 'FieldValueInvalid',
        field: 'metadata.name',
        message: `Invalid value: ${JSON.stringify(metadata.name)}: ${fault}`,
      });
  }
  if (metadata.generateName !== undefined && metadata.generateName !== '') {
    // What is added later stands in for itself.
    const fault = nameFault(metadata.generateName.replace(/-+$/, '') || 'a', rules.names ?? 'subdomain');
    if (fault !== undefined) faults.push(invalidValue('metadata.generateName', metadata.generateName, fault));
  }
  faults.push(...labelFaults(metadata.labels, 'metadata.labels'));
  let size = 0;
  for (const [key, value] of Object.entries(metadata.annotations ?? {})) {
    const fault = qualifiedNameFault(key.toLowerCase());
    if (fault !== undefined)
      faults.push({ type: 'FieldValueInvalid', field: 'metadata.annotations', message: `Invalid value: ${JSON.stringify(key)}: ${fault}` });
    size += Buffer.byteLength(key) + Buffer.byteLength(String(value));
  }
  if (size > ANNOTATIONS_LIMIT)
    faults.push({
      type: 'FieldValueTooLong',
      field: 'metadata.annotations',
      message: `Too long: may not be more than ${ANNOTATIONS_LIMIT} bytes`,
    });
  for (const [i, finalizer] of (metadata.finalizers ?? []).entries()) {
    const fault = qualifiedNameFault(finalizer);
    const unknown = isBuiltIn && !finalizer.includes('/') && !STANDARD_FINALIZERS.has(finalizer);
    if (fault !== undefined)
      faults.push({
        type: 'FieldValueInvalid',
        field: 'metadata.finalizers',
        message: `Invalid value: ${JSON.stringify(finalizer)}: ${fault}`,
      });
    if (unknown)
      faults.push({
        type: 'FieldValueInvalid',
        field: `metadata.finalizers[${i}]`,
        message: `Invalid value: ${JSON.stringify(finalizer)}: name is neither a standard finalizer name nor is it fully qualified`,
      });
  }
  (metadata.ownerReferences ?? []).forEach((owner, i) => {
    for (const field of ['apiVersion', 'kind', 'name', 'uid'] as const) {
      if (owner[field] === undefined || owner[field] === '')
        faults.push(
          field === 'uid'
            ? { type: 'FieldValueRequired', field: `metadata.ownerReferences[${i}].uid`, message: 'Required value: must not be empty' }
            : {
                type: 'FieldValueInvalid',
                field: `metadata.ownerReferences[${i}].${field}`,
                message: `Invalid value: "": ${field === 'apiVersion' ? 'version' : field} must not be empty`,
              },
        );
    }
  });
  const [one, two] = (metadata.ownerReferences ?? []).filter((it) => it.controller === true);
  if (one !== undefined && two !== undefined)
    faults.push({
      type: 'FieldValueInvalid',
      field: 'metadata.ownerReferences',
      message: `Invalid value: ${JSON.stringify(metadata.ownerReferences)}: Only one reference can have Controller set to true. Found "true" in references for ${one.kind}/${one.name} and ${two.kind}/${two.name}`,
    });
  return faults;
}

/** Finalizers without a domain that Kubernetes knows. */
const STANDARD_FINALIZERS: ReadonlySet<string> = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);

/** Faults of a map of labels. */
export function labelFaults(labels: Readonly<Record<string, unknown>> | undefined, field: string): FieldFault[] {
  const faults: FieldFault[] = [];
  for (const [key, value] of Object.entries(labels ?? {})) {
    const name = qualifiedNameFault(key);
    if (name !== undefined) faults.push({ type: 'FieldValueInvalid', field, message: `Invalid value: ${JSON.stringify(key)}: ${name}` });
    const text = String(value);
    const fault = labelValueFault(text);
    if (fault !== undefined) faults.push({ type: 'FieldValueInvalid', field, message: `Invalid value: ${JSON.stringify(text)}: ${fault}` });
  }
  return faults;
}

function nameFault(name: string, form: NonNullable<KindRules['names']>): string | undefined {
  switch (form) {
    case 'path':
      return name === '.' || name === '..'
        ? `may not be '${name}'`
        : /[/%]/.test(name)
          ? `may not contain '${/[/%]/.exec(name)?.[0]}'`
          : undefined;
    case 'label':
      if (name.includes('.') && SUBDOMAIN.test(name)) return 'must not contain dots';
      return name.length > 63 ? 'must be no more than 63 bytes' : LABEL.test(name) ? undefined : TEXTS.label;
    case 'label-1035':
      return name.length > 63 ? 'must be no more than 63 bytes' : LABEL_1035.test(name) ? undefined : TEXTS.label1035;
    case 'subdomain':
      return name.length > 253 ? 'must be no more than 253 characters' : SUBDOMAIN.test(name) ? undefined : TEXTS.subdomain;
  }
}
