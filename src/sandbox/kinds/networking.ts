import type { FieldFault } from '../request/status.ts';
import { invalidValue, portNumber, required, unsupported } from './faults.ts';
import { mapAt, mapIn, mapsOf, setDefault } from './pod-defaults.ts';
import type { Draft, Draft0, KindRules } from './rules.ts';

const specOf = (object: Draft): Draft0 => mapIn(object, 'spec');

const ingress: KindRules = {
  hasGeneration: true,
  prepareCreate: (object) => {
    object['status'] = { loadBalancer: {} };
  },
  validate: (object) => {
    const spec = mapAt(object, 'spec');
    const rules = mapsOf(spec, 'rules');
    const backend = mapAt(spec, 'defaultBackend');
    const faults: FieldFault[] = [];
    if (rules.length === 0 && backend === undefined)
      faults.push(invalidValue('spec', null, 'either `defaultBackend` or `rules` must be specified'));
    if (backend !== undefined) faults.push(...backendFaults(backend, 'spec.defaultBackend'));
    for (const [i, rule] of rules.entries()) {
      const http = mapAt(rule, 'http');
      const at = `spec.rules[${i}].http.paths`;
      if (http !== undefined && mapsOf(http, 'paths').length === 0) faults.push(required(at));
      for (const [p, path] of mapsOf(http, 'paths').entries()) faults.push(...pathFaults(path, `${at}[${p}]`));
    }
    return faults;
  },
};

const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix'];

function pathFaults(path: Draft0, at: string): FieldFault[] {
  const { pathType } = path;
  if (pathType === undefined || pathType === null) return [required(`${at}.pathType`, 'pathType must be specified')];
  const text = String(path['path'] ?? '');
  const faults: FieldFault[] = [];
  if (!PATH_TYPES.includes(String(pathType))) faults.push(unsupported(`${at}.pathType`, pathType, PATH_TYPES));
  else if (!text.startsWith('/') && (text !== '' || pathType !== 'ImplementationSpecific'))
    faults.push(invalidValue(`${at}.path`, text, 'must be an absolute path'));
  return [...faults, ...backendFaults(mapAt(path, 'backend') ?? {}, `${at}.backend`)];
}

function backendFaults(backend: Draft0, at: string): FieldFault[] {
  const [target, resource] = [mapAt(backend, 'service'), mapAt(backend, 'resource')];
  if (target !== undefined && resource !== undefined) return [invalidValue(at, '', 'cannot set both resource and service backends')];
  if (resource !== undefined) return [];
  if (target === undefined) return [invalidValue(at, '', 'resource or service backend is required')];
  const faults: FieldFault[] = [];
  const { name, number } = mapAt(target, 'port') ?? {};
  if (target['name'] === undefined || target['name'] === '') faults.push(required(`${at}.service.name`));
  if (name !== undefined && number !== undefined) faults.push(invalidValue(at, '', 'cannot set both port name & port number'));
  else if (number !== undefined) faults.push(...portNumber(`${at}.service.port.number`, number));
  else if (name === undefined) faults.push(required(at, 'port name or number is required'));
  return faults;
}

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

const endpointSlice: KindRules = {
  hasGeneration: true,
  defaults: (object) => {
    for (const port of mapsOf(object, 'ports')) {
      setDefault(port, 'name', '');
      setDefault(port, 'protocol', 'TCP');
    }
  },
};

/** Ingresses, network policies and endpoint slices. */
export const networkingRules: Readonly<Record<string, KindRules>> = {
  'networking.k8s.io/ingresses': ingress,
  'networking.k8s.io/networkpolicies': networkPolicy,
  'discovery.k8s.io/endpointslices': endpointSlice,
};
