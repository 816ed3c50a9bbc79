import type { Artifact } from '../../api/index.ts';
import { changeVersion, compareVersions, formatVersion, parseVersion, type Version } from '../../golang/index.ts';
import { loadChart, packageChart, type Chart } from '../../helm/index.ts';
import { readObjects, type KubeObject } from '../../manifest/index.ts';
import { CodedError, digestOf, Lru } from '../../std/index.ts';
import type { Sources } from '../applier/index.ts';

/** A chart out of an artifact, ready to be rendered. */
export type LoadedChart = {
  chart: Chart;
  /** Its package: what a renderer takes. */
  bytes: Uint8Array;
  /** Stands for the content. */
  digest: string;
  name: string;
  /** With the digest of the artifact as its metadata, when that is tracked (HB05). */
  version: string;
  appVersion: string;
  /** What status.lastAttemptedRevisionDigest says; empty when the revision has no digest. */
  revisionDigest: string;
  warnings: readonly string[];
};

/** Charts kept in memory. */
const CHARTS = 128;
/** Hexadecimal digits of the digest in a chart's version. */
const SHORT_DIGEST = 12;

/** The charts of artifacts, each loaded once for everybody. */
export class Charts {
  readonly #sources: Sources;
  readonly #trackDigests: boolean;
  readonly #loaded = new Lru<string, Promise<LoadedChart>>(CHARTS);

  constructor(sources: Sources, trackDigests: boolean) {
    this.#sources = sources;
    this.#trackDigests = trackDigests;
  }

  /**
   * The chart of an artifact (HB04, HB05).
   * @param tracked false for kinds of sources whose revision is no digest of the chart
   * @throws CodedError `ArtifactNotFound`, `DigestMismatch`, `ChartMutateError`, or what is wrong with the chart
   */
  async load(artifact: Artifact, tracked: boolean, signal: AbortSignal): Promise<LoadedChart> {
    const key = `${artifact.digest} ${tracked ? artifact.revision : ''}`;
    const known = this.#loaded.get(key);
    if (known !== undefined) return known;
    const loading = this.#load(artifact, tracked, signal);
    this.#loaded.set(key, loading);
    try {
      return await loading;
    } catch (error) {
      this.#loaded.delete(key);
      throw error;
    }
  }

  async #load(artifact: Artifact, tracked: boolean, signal: AbortSignal): Promise<LoadedChart> {
    const bytes = await this.#sources.archive(artifact, signal);
    const chart = loadChart(bytes);
    const { version, revisionDigest } = trackedVersion(chart.metadata.version, tracked ? artifact.revision : '');
    if (version === chart.metadata.version || !this.#trackDigests) return describe(chart, bytes, revisionDigest);
    const renamed = packageChart(chart, { version });
    return describe(loadChart(renamed.bytes), renamed.bytes, revisionDigest);
  }
}

function describe(chart: Chart, bytes: Uint8Array, revisionDigest: string): LoadedChart {
  const { name, version, appVersion } = chart.metadata;
  return { chart, bytes, digest: digestOf(bytes), name, version, appVersion, revisionDigest, warnings: chart.warnings };
}

/**
 * The version of a chart with the digest of the artifact it came in (HB05), so that a tag that moved is a new version.
 * @param revision `TAG@DIGEST` or `DIGEST`; one without a digest changes nothing
 * @throws CodedError `ChartMutateError` when the tag is a version, but not that of the chart
 */
export function trackedVersion(version: string, revision: string): { version: string; revisionDigest: string } {
  if (!revision.includes(':')) return { version, revisionDigest: '' };
  const own = readVersion(version);
  if (own === undefined) throw mutateError(`invalid chart version ${version}`);
  const [tag = '', digest, ...rest] = revision.split('@');
  const tagVersion = digest === undefined ? undefined : readVersion(tag.replaceAll('_', '+'));
  if (tagVersion !== undefined && (rest.length > 0 || compareVersions(tagVersion, own) !== 0)) {
    throw mutateError(`artifact revision ${tag} does not match chart version ${version}`);
  }
  const revisionDigest = tagVersion === undefined ? revision : (digest ?? revision);
  const [, hex = '', ...more] = revisionDigest.split(':');
  if (more.length > 0 || hex.length < SHORT_DIGEST) throw mutateError(`invalid artifact revision ${revisionDigest}`);
  return { version: formatVersion(changeVersion(own, { metadata: hex.slice(0, SHORT_DIGEST) })), revisionDigest };
}

function readVersion(text: string): Version | undefined {
  try {
    return parseVersion(text);
  } catch {
    return undefined;
  }
}

function mutateError(message: string): CodedError<'ChartMutateError'> {
  return new CodedError({ code: 'ChartMutateError', message });
}

/** The objects in the crds/ folders of a chart and of those it depends on. */
export function definitionsIn(chart: Chart): KubeObject[] {
  const own = chart.files.filter(({ name }) => name.startsWith('crds/')).flatMap(({ name, text }) => readObjects(text, name));
  return [...own, ...chart.dependencies.flatMap(definitionsIn)];
}
