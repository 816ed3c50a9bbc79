import type { KubeObject } from '../../manifest/index.ts';
import { type Json, sameJson } from '../fields/index.ts';
import { SUBDOMAIN, SUBDOMAIN_TEXT } from '../request/label-names.ts';
import type { FieldFault } from '../request/status.ts';
import { schemaFaults } from '../schema/definition-faults.ts';
import { applyDefaults, type StructuralSchema, validateStructural } from '../schema/structural.ts';
import { forbiddenField, immutable, invalidValue, required, unsupported } from './faults.ts';
import { mapAt, mapIn, mapsOf, setDefault } from './pod-defaults.ts';
import type { Draft0, KindRules } from './rules.ts';

const LABEL = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const LABEL_TEXT =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string'];
const APPROVAL = 'api-approved.kubernetes.io';

/** CustomResourceDefinitions: names follow from the kind, schemas are structural, exactly one version is stored. */
export const definitionRules: KindRules = {
  hasGeneration: true,
  defaults: (object) => {
    const spec = mapIn(object, 'spec');
    const names = mapIn(spec, 'names');
    if (names['singular'] === undefined || names['singular'] === '') names['singular'] = String(names['kind']).toLowerCase();
    if (names['listKind'] === undefined || names['listKind'] === '') names['listKind'] = `${String(names['kind'])}List`;
    setDefault(mapIn(spec, 'conversion'), 'strategy', 'None');
  },
  prepareCreate: (object) => {
    const stored = storedVersions(mapAt(object, 'spec'));
    if (stored.length > 0) mapIn(object, 'status')['storedVersions'] = stored.slice(0, 1);
  },
  prepareUpdate: (object) => {
    const status = mapIn(object, 'status');
    const before = Array.isArray(status['storedVersions']) ? (status['storedVersions'] as unknown[]) : [];
    const added = storedVersions(mapAt(object, 'spec')).filter((it) => !before.includes(it));
    if (added.length > 0) status['storedVersions'] = [...before, ...added];
  },
  validate: (object, old) => {
    const spec = mapAt(object, 'spec') ?? {};
    const faults = [...nameFaults(object, spec, old), ...versionFaults(object, spec)];
    if (spec['scope'] !== 'Cluster' && spec['scope'] !== 'Namespaced')
      faults.push(unsupported('spec.scope', spec['scope'], ['Cluster', 'Namespaced']));
    faults.push(...conversionFaults(mapAt(spec, 'conversion') ?? {}), ...approvalFaults(object, String(spec['group'])));
    return old === undefined ? faults : [...faults, ...changeFaults(spec, mapAt(old, 'spec') ?? {})];
  },
};

function storedVersions(spec: Draft0 | undefined): unknown[] {
  return mapsOf(spec, 'versions')
    .filter((it) => it['storage'] === true)
    .map((it) => it['name']);
}

function nameFaults(object: KubeObject, spec: Draft0, old: KubeObject | undefined): FieldFault[] {
  const names = mapAt(spec, 'names') ?? {};
  const group = String(spec['group'] ?? '');
  const faults: FieldFault[] = [];
  if (old === undefined && object.metadata.name !== `${String(names['plural'])}.${group}`)
    faults.push(invalidValue('metadata.name', object.metadata.name, 'must be spec.names.plural+"."+spec.group'));
  if (group === '') faults.push(required('spec.group'));
  else if (!SUBDOMAIN.test(group)) faults.push(invalidValue('spec.group', group, SUBDOMAIN_TEXT));
  else if (!group.includes('.')) faults.push(invalidValue('spec.group', group, 'should be a domain with at least one dot'));
  const label = (field: string, value: unknown, mayHaveCase = false): void => {
    if (LABEL.test(mayHaveCase ? String(value).toLowerCase() : String(value))) return;
    faults.push(
      invalidValue(
        `spec.names.${field}`,
        value,
        mayHaveCase ? `may have mixed case, but should otherwise match: ${LABEL_TEXT}` : LABEL_TEXT,
      ),
    );
  };
  label('plural', names['plural']);
  label('singular', names['singular']);
  label('kind', names['kind'], true);
  label('listKind', names['listKind'], true);
  if (names['kind'] === names['listKind'])
    faults.push(invalidValue('spec.names.listKind', names['listKind'], 'kind and listKind may not be the same'));
  for (const field of ['shortNames', 'categories']) {
    const list = Array.isArray(names[field]) ? (names[field] as unknown[]) : [];
    list.forEach((value, i) => label(`${field}[${i}]`, value));
  }
  return faults;
}

function versionFaults(object: KubeObject, spec: Draft0): FieldFault[] {
  const versions = mapsOf(spec, 'versions');
  const faults: FieldFault[] = [];
  const isOne = versions.every((it) => sameJson((it['schema'] ?? null) as Json, (versions[0]?.['schema'] ?? null) as Json));
  const names = versions.map((it) => String(it['name']));
  names.forEach((name, i) => {
    if (!LABEL.test(name)) {
      faults.push(invalidValue(`spec.versions[${i}].name`, name, LABEL_TEXT));
      if (i === 0) faults.push(invalidValue('spec.version', name, LABEL_TEXT));
    }
  });
  if (new Set(names).size < names.length)
    faults.push(invalidValue('spec.versions', internalVersions(versions), 'must contain unique version names'));
  if (storedVersions(spec).length !== 1)
    faults.push(invalidValue('spec.versions', internalVersions(versions), 'must have exactly one version marked as storage version'));
  versions.forEach((version, i) => {
    const schema = mapAt(mapAt(version, 'schema'), 'openAPIV3Schema');
    if (schema === undefined) faults.push(required(`spec.versions[${i}].schema.openAPIV3Schema`));
    // What all versions share is told once, as of the definition.
    const at = isOne ? 'spec' : `spec.versions[${i}]`;
    if (isOne && i > 0) return;
    if (schema !== undefined) {
      const path = isOne ? 'spec.validation.openAPIV3Schema' : `${at}.schema.openAPIV3Schema`;
      faults.push(...schemaFaults(schema as StructuralSchema, path, defaultFaults));
    }
    faults.push(...columnFaults(version, at), ...scaleFaults(version, at));
  });
  return [...faults, ...storedFaults(object, names, spec)];
}

/** A default is checked as the value it is; its own place has no name. */
function defaultFaults(value: Json, schema: StructuralSchema): FieldFault[] {
  const never = { test: (): boolean => true };
  const { default: _, ...rest } = schema;
  return validateStructural(applyDefaults(value, rest), rest, () => never).map((fault) => ({
    ...fault,
    message: fault.message.replaceAll('<root> in body', ' in body'),
  }));
}

/** Versions as the API server's internal type prints them, what they share left out. */
function internalVersions(versions: readonly Draft0[]): unknown[] {
  return versions.map((it) => ({
    Name: it['name'],
    Served: it['served'] === true,
    Storage: it['storage'] === true,
    Deprecated: it['deprecated'] === true,
    DeprecationWarning: it['deprecationWarning'] ?? null,
    Schema: null,
    Subresources: null,
    AdditionalPrinterColumns: null,
    SelectableFields: null,
  }));
}

function storedFaults(object: KubeObject, names: readonly string[], spec: Draft0): FieldFault[] {
  const status = mapAt(object, 'status');
  const stored = Array.isArray(status?.['storedVersions']) ? (status['storedVersions'] as unknown[]) : [];
  if (stored.length === 0) return [invalidValue('status.storedVersions', null, 'must have at least one stored version')];
  const faults = storedVersions(spec)
    .filter((it) => !stored.includes(it))
    .map((it) => invalidValue('status.storedVersions', stored, `must have the storage version ${String(it)}`));
  stored.forEach((it, i) => {
    const name = String(it);
    if (names.includes(name)) return;
    const why = `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
    faults.push(invalidValue(`status.storedVersions[${i}]`, name, why));
  });
  return faults;
}

function columnFaults(version: Draft0, at: string): FieldFault[] {
  return mapsOf(version, 'additionalPrinterColumns').flatMap(({ name, type, jsonPath }, i) => {
    const where = `${at}.additionalPrinterColumns[${i}]`;
    const detail = `must be one of ${COLUMN_TYPES.join(',')}`;
    return [
      ...((name ?? '') === '' ? [required(`${where}.name`)] : []),
      ...((type ?? '') === '' ? [required(`${where}.type`, detail)] : []),
      ...((type ?? '') !== '' && !COLUMN_TYPES.includes(String(type)) ? [invalidValue(`${where}.type`, type, detail)] : []),
      ...((jsonPath ?? '') === '' ? [required(`${where}.JSONPath`)] : []),
    ];
  });
}

function scaleFaults(version: Draft0, at: string): FieldFault[] {
  const scale = mapAt(mapAt(version, 'subresources'), 'scale');
  if (scale === undefined) return [];
  const path = (field: string, under: string): FieldFault[] => {
    const where = `${at}.subresources.scale.${field}`;
    const value = String(scale[field] ?? '');
    if (value === '') return [required(where)];
    if (!value.startsWith('.')) return [invalidValue(where, value, 'must be a simple json path starting with .')];
    return value.startsWith(`${under}.`) ? [] : [invalidValue(where, value, `should be a json path under ${under}`)];
  };
  return [...path('specReplicasPath', '.spec'), ...path('statusReplicasPath', '.status')];
}

function conversionFaults(conversion: Draft0): FieldFault[] {
  const { strategy } = conversion;
  const webhook = mapAt(conversion, 'webhook');
  if (strategy === 'None')
    return webhook === undefined
      ? []
      : [forbiddenField('spec.conversion.webhookClientConfig', 'should not be set when strategy is not set to Webhook')];
  if (strategy !== 'Webhook') return [unsupported('spec.conversion.strategy', strategy, ['None', 'Webhook'])];
  const faults: FieldFault[] = [];
  if (mapAt(webhook, 'clientConfig') === undefined)
    faults.push(required('spec.conversion.webhookClientConfig', 'required when strategy is set to Webhook'));
  const reviews = webhook?.['conversionReviewVersions'];
  if (!Array.isArray(reviews) || reviews.length === 0) faults.push(required('spec.conversion.conversionReviewVersions'));
  return faults;
}

function approvalFaults(object: KubeObject, group: string): FieldFault[] {
  if (!/(^|\.)(k8s|kubernetes)\.io$/.test(group) || object.metadata.annotations?.[APPROVAL] !== undefined) return [];
  const why = `protected groups must have approval annotation "${APPROVAL}", see https://github.com/kubernetes/enhancements/pull/1111`;
  return [required(`metadata.annotations[${APPROVAL}]`, why)];
}

/** What served objects depend on does not change. */
function changeFaults(spec: Draft0, before: Draft0): FieldFault[] {
  const [names, old] = [mapAt(spec, 'names'), mapAt(before, 'names')];
  return [
    ...(spec['group'] === before['group'] ? [] : [immutable('spec.group', spec['group'])]),
    ...(spec['scope'] === before['scope'] ? [] : [immutable('spec.scope', spec['scope'])]),
    ...(names?.['kind'] === old?.['kind'] ? [] : [immutable('spec.names.kind', names?.['kind'])]),
    ...(names?.['plural'] === old?.['plural'] ? [] : [immutable('spec.names.plural', names?.['plural'])]),
  ];
}
