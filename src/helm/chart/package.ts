import { gzipSync } from 'node:zlib';
import { writeYaml } from '../../golang/index.ts';
import { helmError } from '../errors.ts';
import { metadataJson } from '../release/release.ts';
import type { Chart, ChartMetadata } from './chart.ts';
import { readMetadata, validateMetadata } from './metadata.ts';
import { writeTar, type TarFile } from './tar-write.ts';

export type PackageOptions = {
  /** Instead of Chart.yaml's. */
  version?: string;
  appVersion?: string;
  /** Modification time of all files, in seconds since 1970. Default 0: the same chart gives the same bytes. */
  modified?: number;
};

export type ChartPackage = { readonly fileName: string; readonly bytes: Uint8Array; readonly metadata: Readonly<ChartMetadata> };

/** Packs a chart as `helm package` does: Chart.yaml written anew, subcharts as folders. @throws CodedError `ChartInvalid` */
export function packageChart(chart: Chart, options: PackageOptions = {}): ChartPackage {
  const metadata: ChartMetadata = {
    ...chart.metadata,
    ...(options.version === undefined ? {} : { version: options.version }),
    ...(options.appVersion === undefined ? {} : { appVersion: options.appVersion }),
  };
  validateMetadata(metadata);
  const tar = writeTar(files({ ...chart, metadata }, ''), options.modified ?? 0);
  return { fileName: `${metadata.name}-${metadata.version}.tgz`, bytes: gzipSync(tar), metadata };
}

function* files(chart: Chart, parent: string): Generator<TarFile> {
  const { metadata, schema } = chart;
  const base = `${parent}${metadata.name}/`;
  yield { name: `${base}Chart.yaml`, data: Buffer.from(writeYaml(metadataJson(packedMetadata(metadata)))) };
  const lock = chart.raw.find(({ name }) => name === 'Chart.lock');
  if (metadata.apiVersion === 'v2' && lock !== undefined) yield { name: `${base}Chart.lock`, data: lock.data };
  for (const { name, data } of chart.raw) if (name === 'values.yaml') yield { name: base + name, data };
  if (schema !== undefined) {
    refuseBrokenJson(schema.text);
    yield { name: `${base}values.schema.json`, data: schema.data };
  }
  for (const { name, data } of [...chart.templates, ...chart.files]) yield { name: base + name, data };
  for (const child of chart.dependencies) yield* files(child, `${base}charts/`);
}

/** The dependencies of a v1 chart stay in requirements.yaml. */
function packedMetadata(metadata: Readonly<ChartMetadata>): Readonly<ChartMetadata> {
  return metadata.apiVersion === 'v1' ? { ...metadata, dependencies: undefined } : metadata;
}

function refuseBrokenJson(text: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    throw helmError('ChartInvalid', 'invalid JSON in values.schema.json', { subject: 'values.schema.json', cause: error });
  }
}

/** Chart.yaml of a text alone, checked: for tools that look before they load. @throws CodedError `ChartInvalid` */
export function readChartYaml(text: string): ChartMetadata {
  const metadata = readMetadata(text, 'Chart.yaml');
  if (metadata.apiVersion === '') metadata.apiVersion = 'v1';
  validateMetadata(metadata);
  return metadata;
}
