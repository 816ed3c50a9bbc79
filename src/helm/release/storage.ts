import { gunzipSync, gzipSync } from 'node:zlib';
import { decodeJson, encodeJson, isYamlObject, type YamlObject, type YamlValue } from '../../golang/index.ts';
import type { KubeObject } from '../../manifest/index.ts';
import { errorMessage } from '../../std/index.ts';
import { helmError } from '../errors.ts';
import type { HookEvent } from '../manifest/hook.ts';
import type { HookRun, RecordedChart, Release, ReleaseHook, ReleaseStatus } from './release.ts';

/** Bytes a stored release may have once unpacked. A Secret holds 1 MiB; nothing honest packs tighter than this. */
export const MAX_RELEASE_SIZE: number = 256 * 1024 * 1024;

/** Type of the Secrets releases are kept in. */
export const RELEASE_SECRET_TYPE = 'helm.sh/release.v1';

/** Labels Helm sets itself. */
const SYSTEM_LABELS: ReadonlySet<string> = new Set(['name', 'owner', 'status', 'version', 'createdAt', 'modifiedAt']);

/** Where a release is kept: Secrets (Helm's default) or ConfigMaps. */
export type StorageDriver = 'Secret' | 'ConfigMap';

/** When a stored release was made or last changed, in seconds since 1970; Helm keeps only the one it just did. */
export type StoredAt = { createdAt: number } | { modifiedAt: number };

/** Name of the object that keeps a revision: `sh.helm.release.v1.NAME.vN`. */
export function releaseObjectName(name: string, version: number): string {
  return `sh.helm.release.v1.${name}.v${version}`;
}

/** Labels that find the revisions of a release. */
export function releaseSelector(name: string): Record<string, string> {
  return { name, owner: 'helm' };
}

/** Charts of releases as they are written: JSON, compressed. Most of a record is its chart, which every record of it shares. */
const compressedCharts = new WeakMap<RecordedChart, Buffer>();

/**
 * A release as text: base64 of gzip of JSON, what Helm 3 and 4 read and write. The chart is a gzip member of its own: readers join members
 * (RFC 1952, 2.2). A chart must not be changed once it was written.
 */
export function encodeRelease(release: Release): string {
  const { chart, ...rest } = releaseJson(release);
  // Keys are in the order of encoding/json's maps; only `apply_method` comes before `chart`.
  const { apply_method: method, ...after } = rest;
  const head = `{${method === undefined ? '' : `"apply_method":${encodeJson(method)},`}"chart":`;
  const tail = `,${encodeJson(after).slice(1)}`;
  return Buffer.concat([compressedHead(head), compressedChart(chart, release.chart), compress(tail)]).toString('base64');
}

/** There are only three: no way of applying, and the two there are. */
const compressedHeads = new Map<string, Buffer>();

function compressedHead(head: string): Buffer {
  const compressed = compressedHeads.get(head) ?? compress(head);
  compressedHeads.set(head, compressed);
  return compressed;
}

function compressedChart(json: YamlValue | undefined, chart: RecordedChart): Buffer {
  let compressed = compressedCharts.get(chart);
  if (compressed === undefined) {
    compressed = compress(encodeJson(json ?? null));
    compressedCharts.set(chart, compressed);
  }
  return compressed;
}

function compress(text: string): Buffer {
  return gzipSync(text, { level: 9 });
}

/** Reads a stored release of Helm 3 or 4. @throws CodedError `ReleaseInvalid`, `LimitExceeded` */
export function decodeRelease(text: string, labels: Readonly<Record<string, string>> = {}): Release {
  const json = parse(text);
  const info = object(json['info']);
  const applyMethod = string(json['apply_method']);
  return {
    name: string(json['name']),
    namespace: string(json['namespace']),
    version: number(json['version']),
    status: (string(info['status']) || 'unknown') as ReleaseStatus,
    description: string(info['description']),
    ...times(info, { first_deployed: 'firstDeployed', last_deployed: 'lastDeployed', deleted: 'deleted' }),
    notes: string(info['notes']),
    config: isYamlObject(json['config']) ? json['config'] : undefined,
    chart: object(json['chart']),
    manifest: string(json['manifest']),
    hooks: list(json['hooks']).map((hook) => readHook(object(hook))),
    ...(applyMethod === 'ssa' || applyMethod === 'csa' ? { applyMethod } : {}),
    labels: Object.fromEntries(Object.entries(labels).filter(([name]) => !SYSTEM_LABELS.has(name))),
  };
}

/** The Secret or ConfigMap that keeps a release. */
export function releaseObject(release: Release, driver: StorageDriver, at: StoredAt): KubeObject {
  const text = encodeRelease(release);
  const labels = {
    ...('createdAt' in at ? { createdAt: String(at.createdAt) } : { modifiedAt: String(at.modifiedAt) }),
    ...release.labels,
    name: release.name,
    owner: 'helm',
    status: release.status,
    version: String(release.version),
  };
  const metadata = { name: releaseObjectName(release.name, release.version), namespace: release.namespace, labels };
  if (driver === 'ConfigMap') return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { release: text } };
  return { apiVersion: 'v1', kind: 'Secret', metadata, type: RELEASE_SECRET_TYPE, data: { release: Buffer.from(text).toString('base64') } };
}

/** Reads the release a Secret or ConfigMap keeps. @throws CodedError `ReleaseInvalid`, `LimitExceeded` */
export function releaseOf(stored: KubeObject): Release {
  const data = stored['data'];
  const text = typeof data === 'object' && data !== null && 'release' in data ? data.release : undefined;
  if (typeof text !== 'string') throw invalid(`no release in ${stored.kind} ${stored.metadata.name}`);
  const encoded = stored.kind === 'Secret' ? Buffer.from(text, 'base64').toString() : text;
  return decodeRelease(encoded, stored.metadata.labels);
}

function releaseJson(release: Release): YamlObject {
  const { config, applyMethod, hooks } = release;
  return {
    name: release.name,
    info: {
      ...(release.firstDeployed === undefined ? {} : { first_deployed: release.firstDeployed }),
      ...(release.lastDeployed === undefined ? {} : { last_deployed: release.lastDeployed }),
      // Helm 3 wants the field even when it is empty; Helm 4 takes both.
      deleted: release.deleted ?? '',
      ...(release.description === '' ? {} : { description: release.description }),
      status: release.status,
      ...(release.notes === '' ? {} : { notes: release.notes }),
    },
    chart: release.chart,
    ...(config === undefined || Object.keys(config).length === 0 ? {} : { config }),
    ...(release.manifest === '' ? {} : { manifest: release.manifest }),
    ...(hooks.length === 0 ? {} : { hooks: hooks.map(hookJson) }),
    version: release.version,
    namespace: release.namespace,
    ...(applyMethod === undefined ? {} : { apply_method: applyMethod }),
  };
}

function hookJson(hook: ReleaseHook): YamlObject {
  const { startedAt, completedAt, phase } = hook.lastRun;
  return {
    name: hook.name,
    kind: hook.kind,
    path: hook.path,
    manifest: hook.manifest,
    ...(hook.events.length === 0 ? {} : { events: [...hook.events] }),
    last_run: {
      ...(startedAt === undefined ? {} : { started_at: startedAt }),
      ...(completedAt === undefined ? {} : { completed_at: completedAt }),
      phase,
    },
    ...(hook.weight === 0 ? {} : { weight: hook.weight }),
    ...(hook.deletePolicies.length === 0 ? {} : { delete_policies: [...hook.deletePolicies] }),
    ...(hook.outputLogPolicies.length === 0 ? {} : { output_log_policies: [...hook.outputLogPolicies] }),
  };
}

function readHook(json: YamlObject): ReleaseHook {
  const run = object(json['last_run']);
  return {
    name: string(json['name']),
    kind: string(json['kind']),
    path: string(json['path']),
    manifest: string(json['manifest']),
    events: list(json['events']).map(string) as HookEvent[],
    weight: number(json['weight']),
    deletePolicies: list(json['delete_policies']).map(string),
    outputLogPolicies: list(json['output_log_policies']).map(string),
    lastRun: { ...times(run, { started_at: 'startedAt', completed_at: 'completedAt' }), phase: string(run['phase']) as HookRun['phase'] },
  };
}

/** Times that are set; Helm 3 writes an empty text or year 1 for those that are not. */
function times<K extends string>(json: YamlObject, names: Readonly<Record<string, K>>): Partial<Record<K, string>> {
  const out: Partial<Record<K, string>> = {};
  for (const [from, to] of Object.entries(names)) {
    const time = string(json[from]);
    if (time !== '' && !time.startsWith('0001-01-01T00:00:00')) out[to] = time;
  }
  return out;
}

function parse(text: string): YamlObject {
  const bytes = Buffer.from(text, 'base64');
  try {
    const json = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes, { maxOutputLength: MAX_RELEASE_SIZE }) : bytes;
    const plain = json.toString();
    // Exact digits cost time, and hardly any release has numbers that need them.
    const value = decodeJson(plain, { numbers: /\d{16}/.test(plain) ? 'exact' : 'float64' });
    if (isYamlObject(value)) return value;
  } catch (error) {
    if (error instanceof RangeError) throw helmError('LimitExceeded', `read release: more than ${MAX_RELEASE_SIZE} bytes`);
    throw invalid(errorMessage(error), error);
  }
  throw invalid('its JSON is no object');
}

function invalid(why: string, cause?: unknown): Error {
  return helmError('ReleaseInvalid', `read release: ${why}`, cause === undefined ? {} : { cause });
}

function string(value: YamlValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function number(value: YamlValue | undefined): number {
  return typeof value === 'number' ? value : 0;
}

function object(value: YamlValue | undefined): YamlObject {
  return isYamlObject(value) ? value : {};
}

function list(value: YamlValue | undefined): YamlValue[] {
  return Array.isArray(value) ? value : [];
}
