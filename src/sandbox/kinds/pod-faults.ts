import type { FieldFault } from '../request/status.ts';
import { quantityValue } from '../schema/quantity.ts';
import { dnsLabel, duplicate, invalidValue, nonNegative, notFoundValue, portNumber, required, unsupported } from './faults.ts';
import { mapAt, mapsOf } from './pod-defaults.ts';
import type { Draft0 } from './rules.ts';

const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'];
const RESTART_POLICIES = ['Always', 'OnFailure', 'Never'];
const DNS_POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];
const MESSAGE_POLICIES = ['File', 'FallbackToLogsOnError'];
const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const PROBES = ['livenessProbe', 'readinessProbe', 'startupProbe'];
const HANDLERS = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'];
const PORT_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** Faults of a pod's spec: volumes, containers and policies. */
export function podSpecFaults(spec: Draft0 | undefined, field: string): FieldFault[] {
  const faults = volumeFaults(spec, field);
  const containers = mapsOf(spec, 'containers');
  if (containers.length === 0) faults.push(required(`${field}.containers`));
  const names = new Set<unknown>();
  const volumes = new Set(mapsOf(spec, 'volumes').map((it) => it['name']));
  for (const list of ['containers', 'initContainers'])
    for (const [i, container] of mapsOf(spec, list).entries()) {
      const at = `${field}.${list}[${i}]`;
      faults.push(...containerFaults(container, at, volumes));
      if (names.has(container['name'])) faults.push(duplicate(`${at}.name`, container['name']));
      names.add(container['name']);
    }
  const { restartPolicy, dnsPolicy } = spec ?? {};
  if (restartPolicy !== undefined && !RESTART_POLICIES.includes(String(restartPolicy)))
    faults.push(unsupported(`${field}.restartPolicy`, restartPolicy, RESTART_POLICIES));
  if (dnsPolicy !== undefined && !DNS_POLICIES.includes(String(dnsPolicy)))
    faults.push(unsupported(`${field}.dnsPolicy`, dnsPolicy, DNS_POLICIES));
  return faults;
}

function volumeFaults(spec: Draft0 | undefined, field: string): FieldFault[] {
  const faults: FieldFault[] = [];
  const names = new Set<unknown>();
  for (const [i, volume] of mapsOf(spec, 'volumes').entries()) {
    const at = `${field}.volumes[${i}].name`;
    const { name } = volume;
    if (name === undefined || name === '') faults.push(required(at));
    else faults.push(...dnsLabel(at, name));
    if (names.has(name)) faults.push(duplicate(at, name));
    names.add(name);
  }
  return faults;
}

function containerFaults(container: Draft0, at: string, volumes: ReadonlySet<unknown>): FieldFault[] {
  const faults: FieldFault[] = [];
  const { name, image, imagePullPolicy, terminationMessagePolicy } = container;
  if (name === undefined || name === '') faults.push(required(`${at}.name`));
  else faults.push(...dnsLabel(`${at}.name`, name));
  if (image === undefined || image === '') faults.push(required(`${at}.image`));
  if (terminationMessagePolicy !== undefined && !MESSAGE_POLICIES.includes(String(terminationMessagePolicy)))
    faults.push(unsupported(`${at}.terminationMessagePolicy`, terminationMessagePolicy, MESSAGE_POLICIES));
  faults.push(...portFaults(container, at), ...environmentFaults(container, at), ...mountFaults(container, at, volumes));
  if (imagePullPolicy !== undefined && !PULL_POLICIES.includes(String(imagePullPolicy)))
    faults.push(unsupported(`${at}.imagePullPolicy`, imagePullPolicy, PULL_POLICIES));
  faults.push(...resourceFaults(mapAt(container, 'resources'), `${at}.resources`));
  for (const probe of PROBES) faults.push(...probeFaults(mapAt(container, probe), `${at}.${probe}`));
  return faults;
}

function portFaults(container: Draft0, at: string): FieldFault[] {
  const faults: FieldFault[] = [];
  const names = new Set<unknown>();
  for (const [i, port] of mapsOf(container, 'ports').entries()) {
    const where = `${at}.ports[${i}]`;
    const { name, containerPort, hostPort, protocol } = port;
    if (name !== undefined && name !== '') {
      const messages = portNameFaults(String(name));
      for (const message of messages) faults.push(invalidValue(`${where}.name`, name, message));
      if (messages.length === 0 && names.has(name)) faults.push(duplicate(`${where}.name`, name));
      names.add(name);
    }
    if (containerPort === undefined || containerPort === 0) faults.push(required(`${where}.containerPort`));
    else faults.push(...portNumber(`${where}.containerPort`, containerPort));
    if (hostPort !== undefined && hostPort !== 0) faults.push(...portNumber(`${where}.hostPort`, hostPort));
    if (protocol !== undefined && !PROTOCOLS.includes(String(protocol))) faults.push(unsupported(`${where}.protocol`, protocol, PROTOCOLS));
  }
  return faults;
}

/** What is wrong with the name of a port (IANA service names). */
export function portNameFaults(name: string): string[] {
  const messages: string[] = [];
  if (name.length > 15) messages.push('must be no more than 15 characters');
  if (!PORT_NAME.test(name.replaceAll('--', '-')) || !/^[-a-z0-9]+$/.test(name))
    messages.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(name)) messages.push('must contain at least one letter (a-z)');
  if (name.includes('--')) messages.push('must not contain consecutive hyphens');
  if (name.startsWith('-') || name.endsWith('-')) messages.push('must not begin or end with a hyphen');
  return messages;
}

function environmentFaults(container: Draft0, at: string): FieldFault[] {
  return mapsOf(container, 'env').flatMap(({ name }, i) => {
    const where = `${at}.env[${i}].name`;
    if (name === undefined || name === '') return [required(where)];
    return String(name).includes('=') || /[^ -~]/.test(String(name))
      ? [invalidValue(where, name, "a valid environment variable name must consist only of printable ASCII characters other than '='")]
      : [];
  });
}

function mountFaults(container: Draft0, at: string, volumes: ReadonlySet<unknown>): FieldFault[] {
  const faults: FieldFault[] = [];
  const paths = new Set<unknown>();
  for (const [i, { name, mountPath }] of mapsOf(container, 'volumeMounts').entries()) {
    const where = `${at}.volumeMounts[${i}]`;
    if (name === undefined || name === '') faults.push(required(`${where}.name`));
    if (!volumes.has(name)) faults.push(notFoundValue(`${where}.name`, name));
    if (mountPath === undefined || mountPath === '') faults.push(required(`${where}.mountPath`));
    if (paths.has(mountPath)) faults.push(invalidValue(`${where}.mountPath`, mountPath, 'must be unique'));
    paths.add(mountPath);
  }
  return faults;
}

function resourceFaults(resources: Draft0 | undefined, at: string): FieldFault[] {
  const faults: FieldFault[] = [];
  const limits = mapAt(resources, 'limits') ?? {};
  const requests = mapAt(resources, 'requests') ?? {};
  for (const [list, values] of [
    ['limits', limits],
    ['requests', requests],
  ] as const)
    for (const [name, value] of Object.entries(values))
      if (quantityValue(String(value)) < 0)
        faults.push(invalidValue(`${at}.${list}[${name}]`, value, 'must be greater than or equal to 0'));
  for (const [name, request] of Object.entries(requests)) {
    const limit = limits[name];
    // Extended resources are not shared: what is asked for is the limit.
    const isShared = !name.includes('/') && !name.startsWith('hugepages-');
    if (limit === undefined) {
      if (!isShared) faults.push(required(`${at}.limits`, 'Limit must be set for non overcommitable resources'));
      continue;
    }
    const difference = quantityValue(String(request)) - quantityValue(String(limit));
    if (!isShared && difference !== 0)
      faults.push(invalidValue(`${at}.requests`, request, `must be equal to ${name} limit of ${String(limit)}`));
    else if (difference > 0)
      faults.push(invalidValue(`${at}.requests`, request, `must be less than or equal to ${name} limit of ${String(limit)}`));
  }
  return faults;
}

function probeFaults(probe: Draft0 | undefined, at: string): FieldFault[] {
  if (probe === undefined) return [];
  const handlers = HANDLERS.filter((it) => probe[it] !== undefined);
  return [
    ...(handlers.length === 0 ? [required(at, 'must specify a handler type')] : []),
    ...handlers.slice(1).map((it): FieldFault => ({
      type: 'FieldValueForbidden',
      field: `${at}.${it}`,
      message: 'Forbidden: may not specify more than 1 handler type',
    })),
    ...['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'].flatMap((it) =>
      nonNegative(`${at}.${it}`, probe[it]),
    ),
  ];
}
