import { type Json, sameJson } from '../fields/index.ts';
import type { FieldFault } from '../request/status.ts';
import { immutable } from './faults.ts';
import { mapAt, mapIn, setDefault } from './pod-defaults.ts';
import type { Draft0, KindRules } from './rules.ts';

const configMap: KindRules = {
  validate: (object, old) => {
    const faults: FieldFault[] = [];
    for (const field of ['data', 'binaryData']) {
      for (const key of Object.keys(mapAt(object, field) ?? {})) {
        if (key.length > 253 || !/^[-._a-zA-Z0-9]+$/.test(key) || key === '.' || key.startsWith('..')) {
          faults.push({
            type: 'FieldValueInvalid',
            field: `${field}[${key}]`,
            message: `Invalid value: ${JSON.stringify(key)}: a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`,
          });
        }
      }
    }
    if (old?.['immutable'] === true) {
      if (object['immutable'] !== true)
        faults.push({ type: 'FieldValueForbidden', field: 'immutable', message: 'Forbidden: field is immutable when `immutable` is set' });
      for (const field of ['data', 'binaryData']) {
        if (!sameJson(object[field] as Json | undefined, old[field] as Json | undefined))
          faults.push({ type: 'FieldValueForbidden', field, message: 'Forbidden: field is immutable when `immutable` is set' });
      }
    }
    return faults;
  },
};

const SECRET_KEYS: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
};

const secret: KindRules = {
  defaults: (object) => {
    const plain = mapAt(object, 'stringData');
    if (plain !== undefined)
      for (const [key, value] of Object.entries(plain)) mapIn(object, 'data')[key] = Buffer.from(String(value)).toString('base64');
    delete object['stringData'];
    setDefault(object, 'type', 'Opaque');
  },
  validate: (object, old) => {
    const faults = (configMap.validate?.(object, old) ?? []).filter((fault) => fault.field !== 'binaryData');
    const data = mapAt(object, 'data') ?? {};
    for (const key of SECRET_KEYS[String(object['type'])] ?? []) {
      if (data[key] === undefined) faults.push({ type: 'FieldValueRequired', field: `data[${key}]`, message: 'Required value' });
    }
    const config = data['.dockerconfigjson'];
    if (
      object['type'] === 'kubernetes.io/dockerconfigjson' &&
      typeof config === 'string' &&
      !isJson(Buffer.from(config, 'base64').toString())
    ) {
      faults.push({
        type: 'FieldValueInvalid',
        field: 'data[.dockerconfigjson]',
        message: 'Invalid value: "<secret contents redacted>": invalid character',
      });
    }
    if (old !== undefined && old['type'] !== object['type']) faults.push(immutable('type', object['type']));
    return faults;
  },
};

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false; // what the validation reports
  }
}

const namespace: KindRules = {
  names: 'label',
  defaults: (object) => {
    mapIn(object.metadata as unknown as Draft0, 'labels')['kubernetes.io/metadata.name'] ??= object.metadata.name;
  },
  prepareCreate: (object) => {
    object['spec'] = { finalizers: ['kubernetes'] };
    object['status'] = { phase: 'Active' };
  },
  prepareUpdate: (object, old) => {
    object['spec'] = old['spec'] as Draft0;
  },
};

/** ConfigMaps, Secrets and Namespaces. */
export const configRules: Readonly<Record<string, KindRules>> = { '/configmaps': configMap, '/secrets': secret, '/namespaces': namespace };
