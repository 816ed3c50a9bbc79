import type { FieldFault } from '../request/status.ts';
import type { Store } from '../storage/store.ts';
import { forbiddenField } from './faults.ts';
import { mapAt, mapIn, mapsOf, setDefault } from './pod-defaults.ts';
import type { Draft, Draft0, KindRules } from './rules.ts';

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

/** Services: addresses and ports are handed out and kept. */
export const serviceRules: KindRules = {
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
  validateStatus: (object) => {
    const ingress = mapsOf(mapAt(mapAt(object, 'status'), 'loadBalancer'), 'ingress');
    if (ingress.length === 0 || mapAt(object, 'spec')?.['type'] === 'LoadBalancer') return [];
    return [forbiddenField('status.loadBalancer.ingress', "may only be used when `spec.type` is 'LoadBalancer'")];
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
