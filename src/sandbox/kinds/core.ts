import type { KubeObject } from '../../manifest/index.ts';
import { type Json, sameJson } from '../fields/index.ts';
import type { FieldFault } from '../request/status.ts';
import type { Store } from '../storage/store.ts';
import { definitionRules } from './definitions.ts';
import { mapAt, mapIn, mapsOf, setDefault } from './pod-defaults.ts';
import type { Draft, Draft0, KindRules } from './rules.ts';
import { immutable } from './workloads.ts';

const specOf = (object: Draft): Draft0 => mapIn(object, 'spec');

/** Service cluster IPs are handed out of 10.96.0.0/16 in order, skipping the API's own. */
function allocateClusterIp(store: Store): string {
  const used = new Set(store.list('/services').map((it) => mapAt(it, 'spec')?.['clusterIP']));
  for (let i = 2; i < 65_534; i++) {
    const address = `10.96.${i >> 8}.${i & 255}`;
    if (!used.has(address)) return address;
  }
  return '';
}

function allocateNodePorts(spec: Draft0, store: Store): void {
  const used = new Set(store.list('/services').flatMap((it) => mapsOf(mapAt(it, 'spec'), 'ports').map((port) => port['nodePort'])));
  let next = 30_000;
  for (const port of mapsOf(spec, 'ports')) {
    if (port['nodePort'] !== undefined) continue;
    while (used.has(next)) next += 1;
    port['nodePort'] = next;
    used.add(next);
  }
}

const SERVICE_TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];

const service: KindRules = {
  names: 'label',
  defaults: (object) => {
    const spec = specOf(object);
    setDefault(spec, 'sessionAffinity', 'None');
    if (spec['sessionAffinity'] === 'ClientIP')
      setDefault(mapIn(mapIn(spec, 'sessionAffinityConfig'), 'clientIP'), 'timeoutSeconds', 10_800);
    setDefault(spec, 'type', 'ClusterIP');
    for (const port of mapsOf(spec, 'ports')) {
      setDefault(port, 'protocol', 'TCP');
      if (port['targetPort'] === undefined || port['targetPort'] === 0 || port['targetPort'] === '') port['targetPort'] = port['port'];
    }
    if (spec['type'] === 'NodePort' || spec['type'] === 'LoadBalancer') setDefault(spec, 'externalTrafficPolicy', 'Cluster');
    if (spec['type'] !== 'ExternalName') setDefault(spec, 'internalTrafficPolicy', 'Cluster');
    if (spec['type'] === 'LoadBalancer') setDefault(spec, 'allocateLoadBalancerNodePorts', true);
  },
  prepareCreate: (object, store) => {
    mapIn(mapIn(object, 'status'), 'loadBalancer');
    fillService(object, store);
  },
  prepareUpdate: (object, old, store) => {
    const [spec, before] = [specOf(object), mapAt(old, 'spec') ?? {}];
    if (before['type'] !== 'ExternalName' && spec['type'] !== 'ExternalName') {
      for (const field of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy'])
        if (before[field] !== undefined && (spec[field] === undefined || spec[field] === '')) spec[field] = before[field];
      const ports = mapsOf(before, 'ports');
      for (const port of mapsOf(spec, 'ports')) {
        const same = ports.find((it) => it['port'] === port['port'] && it['protocol'] === port['protocol']);
        if (same?.['nodePort'] !== undefined && spec['type'] !== 'ClusterIP') setDefault(port, 'nodePort', same['nodePort']);
      }
    }
    fillService(object, store);
  },
  validate: (object, old) => {
    const spec = mapAt(object, 'spec');
    const faults: FieldFault[] = [];
    const ports = mapsOf(spec, 'ports');
    if (ports.length === 0 && spec?.['clusterIP'] !== 'None' && spec?.['type'] !== 'ExternalName')
      faults.push({ type: 'FieldValueRequired', field: 'spec.ports', message: 'Required value' });
    ports.forEach((port, i) => {
      const number = port['port'];
      if (ports.length > 1 && (port['name'] === undefined || port['name'] === ''))
        faults.push({ type: 'FieldValueRequired', field: `spec.ports[${i}].name`, message: 'Required value' });
      if (typeof number === 'number' && (number < 1 || number > 65_535))
        faults.push({
          type: 'FieldValueInvalid',
          field: `spec.ports[${i}].port`,
          message: `Invalid value: ${number}: must be between 1 and 65535, inclusive`,
        });
      const target = port['targetPort'];
      if (typeof target === 'number' && (target < 1 || target > 65_535))
        faults.push({
          type: 'FieldValueInvalid',
          field: `spec.ports[${i}].targetPort`,
          message: `Invalid value: ${target}: must be between 1 and 65535, inclusive`,
        });
    });
    if (!SERVICE_TYPES.includes(String(spec?.['type'])))
      faults.push({
        type: 'FieldValueNotSupported',
        field: 'spec.type',
        message: `Unsupported value: ${JSON.stringify(spec?.['type'])}: supported values: ${SERVICE_TYPES.map((it) => JSON.stringify(it)).join(', ')}`,
      });
    const before = mapAt(old, 'spec')?.['clusterIP'];
    if (old !== undefined && before !== undefined && before !== spec?.['clusterIP'] && spec?.['type'] !== 'ExternalName') {
      faults.push({
        type: 'FieldValueInvalid',
        field: 'spec.clusterIPs[0]',
        message: `Invalid value: ${JSON.stringify([spec?.['clusterIP']])}: may not change once set`,
      });
    }
    return faults;
  },
};

function fillService(object: Draft, store: Store): void {
  const spec = specOf(object);
  if (spec['type'] === 'ExternalName') return;
  setDefault(spec, 'clusterIP', allocateClusterIp(store));
  setDefault(spec, 'clusterIPs', [spec['clusterIP']]);
  setDefault(spec, 'ipFamilies', ['IPv4']);
  setDefault(spec, 'ipFamilyPolicy', 'SingleStack');
  if (spec['type'] === 'NodePort' || spec['type'] === 'LoadBalancer') allocateNodePorts(spec, store);
}

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

const persistentVolumeClaim: KindRules = {
  defaults: (object) => setDefault(specOf(object), 'volumeMode', 'Filesystem'),
  prepareCreate: (object) => {
    object['status'] = { phase: 'Pending' };
  },
  validate: (object, old) => {
    if (old === undefined) return [];
    const [now, before] = [{ ...mapAt(object, 'spec') }, { ...mapAt(old, 'spec') }];
    for (const it of [now, before]) for (const field of ['volumeName', 'resources', 'volumeAttributesClassName']) delete it[field];
    if (sameJson(now as Json, before as Json)) return [];
    return [
      {
        type: 'FieldValueForbidden',
        field: 'spec',
        message: 'Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
      },
    ];
  },
};

const horizontalPodAutoscaler: KindRules = {
  hasGeneration: true,
  defaults: (object) => {
    const spec = specOf(object);
    setDefault(spec, 'minReplicas', 1);
    if (object.apiVersion.endsWith('/v2') && spec['metrics'] === undefined) {
      spec['metrics'] = [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }];
    }
    if (object.apiVersion.endsWith('/v1')) setDefault(spec, 'targetCPUUtilizationPercentage', 80);
    const behavior = mapAt(spec, 'behavior');
    if (behavior !== undefined) scalingDefaults(behavior);
  },
  validate: (object) => {
    const spec = mapAt(object, 'spec');
    const [min, max] = [Number(spec?.['minReplicas'] ?? 1), Number(spec?.['maxReplicas'] ?? 0)];
    const faults: FieldFault[] = [];
    if (min < 1)
      faults.push({
        type: 'FieldValueInvalid',
        field: 'spec.minReplicas',
        message: `Invalid value: ${min}: must be greater than or equal to 1`,
      });
    if (max < 1)
      faults.push({ type: 'FieldValueInvalid', field: 'spec.maxReplicas', message: `Invalid value: ${max}: must be greater than 0` });
    else if (max < min)
      faults.push({
        type: 'FieldValueInvalid',
        field: 'spec.maxReplicas',
        message: `Invalid value: ${max}: must be greater than or equal to \`minReplicas\``,
      });
    return faults;
  },
};

function scalingDefaults(behavior: Draft0): void {
  const up = mapIn(behavior, 'scaleUp');
  setDefault(up, 'stabilizationWindowSeconds', 0);
  setDefault(up, 'selectPolicy', 'Max');
  setDefault(up, 'policies', [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ]);
  const down = mapIn(behavior, 'scaleDown');
  setDefault(down, 'selectPolicy', 'Max');
  setDefault(down, 'policies', [{ type: 'Percent', value: 100, periodSeconds: 15 }]);
}

const ingress: KindRules = {
  hasGeneration: true,
  prepareCreate: (object) => {
    object['status'] = { loadBalancer: {} };
  },
};

const networkPolicy: KindRules = {
  hasGeneration: true,
  defaults: (object) => {
    const spec = specOf(object);
    for (const direction of ['ingress', 'egress']) {
      for (const rule of mapsOf(spec, direction)) for (const port of mapsOf(rule, 'ports')) setDefault(port, 'protocol', 'TCP');
    }
    setDefault(
      spec,
      'policyTypes',
      mapsOf(spec, 'egress').length > 0 || spec['egress'] !== undefined ? ['Ingress', 'Egress'] : ['Ingress'],
    );
  },
};

const binding: KindRules = {
  names: 'path',
  defaults: (object) => {
    const ref = mapAt(object, 'roleRef');
    if (ref !== undefined) setDefault(ref, 'apiGroup', 'rbac.authorization.k8s.io');
    for (const subject of mapsOf(object, 'subjects')) {
      if (subject['kind'] !== 'ServiceAccount') setDefault(subject, 'apiGroup', 'rbac.authorization.k8s.io');
    }
  },
  validate: (object, old) => {
    if (old === undefined || sameJson(object['roleRef'] as Json | undefined, old['roleRef'] as Json | undefined)) return [];
    return [
      {
        type: 'FieldValueInvalid',
        field: 'roleRef',
        message: `Invalid value: ${JSON.stringify(internalRef(mapAt(object, 'roleRef')))}: field is immutable`,
      },
    ];
  },
};

/** A roleRef in the words of the API server's internal type. */
function internalRef(ref: Draft0 | undefined): Record<string, unknown> {
  return { APIGroup: ref?.['apiGroup'], Kind: ref?.['kind'], Name: ref?.['name'] };
}

function webhookDefaults(object: KubeObject): void {
  for (const webhook of mapsOf(object, 'webhooks')) {
    setDefault(webhook, 'failurePolicy', 'Fail');
    setDefault(webhook, 'matchPolicy', 'Equivalent');
    setDefault(webhook, 'namespaceSelector', {});
    setDefault(webhook, 'objectSelector', {});
    setDefault(webhook, 'timeoutSeconds', 10);
    if (object.kind === 'MutatingWebhookConfiguration') setDefault(webhook, 'reinvocationPolicy', 'Never');
    for (const rule of mapsOf(webhook, 'rules')) setDefault(rule, 'scope', '*');
    const target = mapAt(mapAt(webhook, 'clientConfig'), 'service');
    if (target !== undefined) setDefault(target, 'port', 443);
  }
}

const storageClass: KindRules = {
  defaults: (object) => {
    setDefault(object, 'reclaimPolicy', 'Delete');
    setDefault(object, 'volumeBindingMode', 'Immediate');
  },
};

const priorityClass: KindRules = {
  hasGeneration: true,
  defaults: (object) => setDefault(object, 'preemptionPolicy', 'PreemptLowerPriority'),
};

/** Rules of the kinds that are not workloads, by collection. */
export const coreRules: Readonly<Record<string, KindRules>> = {
  'apiextensions.k8s.io/customresourcedefinitions': definitionRules,
  '/services': service,
  '/configmaps': configMap,
  '/secrets': secret,
  '/namespaces': namespace,
  '/persistentvolumeclaims': persistentVolumeClaim,
  'autoscaling/horizontalpodautoscalers': horizontalPodAutoscaler,
  'networking.k8s.io/ingresses': ingress,
  'networking.k8s.io/networkpolicies': networkPolicy,
  'rbac.authorization.k8s.io/rolebindings': binding,
  'rbac.authorization.k8s.io/clusterrolebindings': binding,
  'rbac.authorization.k8s.io/roles': { names: 'path' },
  'rbac.authorization.k8s.io/clusterroles': { names: 'path' },
  'admissionregistration.k8s.io/mutatingwebhookconfigurations': { hasGeneration: true, defaults: webhookDefaults },
  'admissionregistration.k8s.io/validatingwebhookconfigurations': { hasGeneration: true, defaults: webhookDefaults },
  'policy/poddisruptionbudgets': { hasGeneration: true },
  'storage.k8s.io/storageclasses': storageClass,
  'scheduling.k8s.io/priorityclasses': priorityClass,
};
