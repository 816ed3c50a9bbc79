import type { Snapshot, TestHookStatus } from '../../api/index.ts';
import { encodeJson, encodeJsonString, isYamlObject, type YamlObject, type YamlValue } from '../../golang/index.ts';
import type { Release, ReleaseHook } from '../../helm/index.ts';
import { digestOf } from '../../std/index.ts';
import { DEFAULT_HISTORY } from './settings.ts';
import { configDigest } from './values-digest.ts';

/** Way the digest of a snapshot is computed; those made another way are not compared (HB44). */
export const SNAPSHOT_VERSION = 'v2';

/** What made a revision. */
export type SnapshotAction = 'install' | 'upgrade' | 'rollback' | 'uninstall' | 'uninstall-remediation';

/** The snapshot of a revision as it was just stored. */
export function snapshotOf(
  release: Release,
  extra: { action?: string; ociDigest?: string; testHooks?: Snapshot['testHooks'] } = {},
): Snapshot {
  const { action, ociDigest, testHooks } = extra;
  const { name = '', version = '', appVersion } = chartOf(release);
  return {
    apiVersion: SNAPSHOT_VERSION,
    digest: releaseDigest(release, ociDigest),
    name: release.name,
    namespace: release.namespace,
    version: release.version,
    status: release.status,
    chartName: name,
    chartVersion: version,
    ...(appVersion === undefined ? {} : { appVersion }),
    configDigest: configDigest(release.config ?? {}),
    firstDeployed: toSeconds(release.firstDeployed ?? release.lastDeployed),
    lastDeployed: toSeconds(release.lastDeployed ?? release.firstDeployed),
    ...(release.deleted === undefined ? {} : { deleted: toSeconds(release.deleted) }),
    ...(action === undefined || action === '' ? {} : { action }),
    ...(ociDigest === undefined || ociDigest === '' ? {} : { ociDigest }),
    ...(testHooks === undefined ? {} : { testHooks }),
  };
}

/** Name, version and application version of the chart of a stored revision. */
export function chartOf({ chart }: Release): { name?: string; version?: string; appVersion?: string } {
  const metadata = chart['metadata'];
  if (!isYamlObject(metadata)) return {};
  const field = (key: string): string | undefined => (typeof metadata[key] === 'string' ? metadata[key] : undefined);
  const [name, version, appVersion] = [field('name'), field('version'), field('appVersion')];
  return {
    ...(name === undefined ? {} : { name }),
    ...(version === undefined ? {} : { version }),
    ...(appVersion === undefined || appVersion === '' ? {} : { appVersion }),
  };
}

/** True when a stored revision is the one a snapshot was taken of, unchanged (HB44). */
export function isSnapshotOf(snapshot: Snapshot, release: Release): boolean {
  return snapshot.apiVersion !== SNAPSHOT_VERSION || snapshot.digest === releaseDigest(release, snapshot.ociDigest);
}

/** True when nothing but its place has changed of a revision since the snapshot was taken: another one came after it. */
export function isSupersededSince(snapshot: Snapshot, release: Release): boolean {
  return snapshot.status === 'deployed' && release.status === 'superseded' && isSnapshotOf(snapshot, { ...release, status: 'deployed' });
}

/** True when a snapshot is of this revision. */
export function isRevision(snapshot: Snapshot, { name, namespace, version }: Pick<Release, 'name' | 'namespace' | 'version'>): boolean {
  return snapshot.name === name && snapshot.namespace === namespace && snapshot.version === version;
}

/**
 * Hash of what the record of a revision holds, its tests aside (HB44): SHA-256 of the JSON Go writes for Flux's observation of it, so that
 * either controller knows the other's releases.
 */
export function releaseDigest(release: Release, ociDigest?: string): string {
  return digestOf(`${observation(release, ociDigest)}\n`);
}

function observation(release: Release, ociDigest: string | undefined): string {
  const hooks = release.hooks.filter(({ events }) => !events.includes('test'));
  const { config } = release;
  return struct([
    ['name', text(release.name)],
    ['version', String(release.version)],
    ['info', info(release)],
    ['chartMetadata', chartMetadata(release.chart['metadata'])],
    ['config', config === undefined || Object.keys(config).length === 0 ? 'null' : encodeJson(asFloats(config))],
    ['manifest', text(release.manifest)],
    ['hooks', hooks.length === 0 ? 'null' : list(hooks.map(hook))],
    ['namespace', text(release.namespace)],
    ['ociDigest', given(ociDigest)],
  ]);
}

type Field = readonly [name: string, json: string | undefined];

/** A JSON object with its fields in this order; undefined ones are left out. */
function struct(fields: readonly Field[]): string {
  return `{${fields.flatMap(([name, json]) => (json === undefined ? [] : [`"${name}":${json}`])).join(',')}}`;
}

function list(items: readonly string[]): string {
  return `[${items.join(',')}]`;
}

function text(value: string): string {
  return encodeJsonString(value);
}

/** A text, left out when empty. */
function given(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : text(value);
}

function info(release: Release): string {
  return struct([
    ['first_deployed', time(release.firstDeployed)],
    ['last_deployed', time(release.lastDeployed)],
    ['deleted', time(release.deleted)],
    ['description', given(release.description)],
    ['status', given(release.status)],
    ['notes', given(release.notes)],
  ]);
}

function hook(of: ReleaseHook): string {
  const { startedAt, completedAt, phase } = of.lastRun;
  return struct([
    ['name', given(of.name)],
    ['kind', given(of.kind)],
    ['path', given(of.path)],
    ['manifest', given(of.manifest)],
    ['events', texts(of.events)],
    [
      'last_run',
      struct([
        ['started_at', time(startedAt)],
        ['completed_at', time(completedAt)],
        ['phase', text(phase)],
      ]),
    ],
    ['weight', of.weight === 0 ? undefined : String(of.weight)],
    ['delete_policies', texts(of.deletePolicies)],
    ['output_log_policies', texts(of.outputLogPolicies)],
  ]);
}

function texts(values: readonly string[]): string | undefined {
  return values.length === 0 ? undefined : list(values.map(text));
}

/** A time as Go prints it: a fraction without zeros at its end. */
function time(value: string | undefined): string | undefined {
  return value === undefined
    ? undefined
    : text(value.replace(/\.(\d*?)0+(?=Z|[+-])/, (_, digits: string) => (digits === '' ? '' : `.${digits}`)));
}

const METADATA_FIELDS = [
  'name',
  'home',
  'sources',
  'version',
  'description',
  'keywords',
  'maintainers',
  'icon',
  'apiVersion',
  'condition',
  'tags',
  'appVersion',
  'deprecated',
  'annotations',
  'kubeVersion',
  'dependencies',
  'type',
] as const;

const NESTED_FIELDS: Readonly<Record<string, readonly string[]>> = {
  maintainers: ['name', 'email', 'url'],
  dependencies: ['name', 'version', 'repository', 'condition', 'tags', 'enabled', 'import-values', 'alias'],
};

/** Fields Go writes even when they are empty. */
const ALWAYS: ReadonlySet<string> = new Set(['dependencies.name', 'dependencies.repository']);

function chartMetadata(value: YamlValue | undefined): string {
  const metadata = isYamlObject(value) ? value : {};
  return struct(
    METADATA_FIELDS.map((name): Field => {
      const field = metadata[name];
      const nested = NESTED_FIELDS[name];
      if (nested === undefined || !Array.isArray(field) || field.length === 0) return [name, plain(field)];
      return [name, list(field.map((item) => (isYamlObject(item) ? nestedStruct(name, item, nested) : 'null')))];
    }),
  );
}

function nestedStruct(parent: string, item: YamlObject, fields: readonly string[]): string {
  return struct(fields.map((name): Field => [name, plain(item[name]) ?? (ALWAYS.has(`${parent}.${name}`) ? text('') : undefined)]));
}

/** A value as Go writes it; undefined for one its `omitempty` leaves out. */
function plain(value: YamlValue | undefined): string | undefined {
  if (value === undefined || value === null || value === '' || value === false) return undefined;
  if (typeof value === 'object' && Object.keys(value).length === 0) return undefined;
  return encodeJson(asFloats(value));
}

/** Numbers as they are after a release was stored and read: float64. */
function asFloats(value: YamlValue): YamlValue {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(asFloats);
  if (!isYamlObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, asFloats(item)]));
}

/** A time of a release as a status holds it: whole seconds, UTC. */
function toSeconds(value: string | undefined): string {
  const at = value === undefined ? Number.NaN : Date.parse(value);
  return `${new Date(Number.isNaN(at) ? 0 : at).toISOString().slice(0, 19)}Z`;
}

/** The tests of a revision and how they went, those `filters` selects (HB57). */
export function testHooksOf(release: Release, filters: readonly { name: string; exclude?: boolean }[]): Record<string, TestHookStatus> {
  const tests = release.hooks.filter(({ events }) => events.includes('test'));
  return Object.fromEntries(tests.filter(({ name }) => isSelected(name, filters)).map(({ name, lastRun }) => [name, testStatus(lastRun)]));
}

function testStatus({ startedAt, completedAt, phase }: ReleaseHook['lastRun']): TestHookStatus {
  return {
    ...(startedAt === undefined ? {} : { lastStarted: toSeconds(startedAt) }),
    ...(completedAt === undefined ? {} : { lastCompleted: toSeconds(completedAt) }),
    ...(phase === '' ? {} : { phase }),
  };
}

function isSelected(name: string, filters: readonly { name: string; exclude?: boolean }[]): boolean {
  if (filters.some((filter) => filter.exclude === true && filter.name === name)) return false;
  const wanted = filters.filter((filter) => filter.exclude !== true);
  return wanted.length === 0 || wanted.some((filter) => filter.name === name);
}

/** True when the results of its tests are there; a revision without tests counts as tested. */
export function isTested({ testHooks }: Snapshot): boolean {
  if (testHooks === undefined) return false;
  const phases = Object.values(testHooks).map(({ phase }) => phase);
  return phases.includes('Failed') || phases.every((phase) => phase === 'Succeeded');
}

/** True when one of its tests failed. */
export function hasFailedTest({ testHooks }: Snapshot): boolean {
  return Object.values(testHooks ?? {}).some(({ phase }) => phase === 'Failed');
}

/** `namespace/name.vN`. */
export function fullName({ namespace, name, version }: Snapshot): string {
  return `${namespace}/${name}.v${version}`;
}

/** `chart@version`. */
export function chartName({ chartName: name, chartVersion }: Snapshot): string {
  return `${name}@${chartVersion}`;
}

/** Newest revision first. */
export function sortHistory(history: readonly Snapshot[] | undefined): Snapshot[] {
  return [...(history ?? [])].sort((a, b) => b.version - a.version);
}

/** The latest revision that can be gone back to (HB43): one that was deployed and, unless tests are ignored, has no failed test. */
export function previousSnapshot(history: readonly Snapshot[], ignoreTests: boolean): Snapshot | undefined {
  return sortHistory(history)
    .slice(1)
    .find((snapshot) => isTarget(snapshot, ignoreTests));
}

function isTarget(snapshot: Snapshot, ignoreTests: boolean): boolean {
  return (snapshot.status === 'deployed' || snapshot.status === 'superseded') && (ignoreTests || !hasFailedTest(snapshot));
}

/** The history up to what can be gone back to; the newest five when there is no such revision (HB43). */
export function truncateHistory(history: readonly Snapshot[], ignoreTests: boolean): Snapshot[] {
  const sorted = sortHistory(history);
  const target = sorted.findIndex((snapshot, index) => index > 0 && isTarget(snapshot, ignoreTests));
  return sorted.slice(0, target > 0 ? target + 1 : DEFAULT_HISTORY);
}

/** The newest five, for releases that are tried again instead of put right (HB43). */
export function latestHistory(history: readonly Snapshot[]): Snapshot[] {
  return sortHistory(history).slice(0, DEFAULT_HISTORY);
}
