import { readdirSync, readFileSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { MAX_CHART_SIZE } from '../helm/index.ts';
import type { Entry, FileTree } from '../manifest/index.ts';
import { compareUtf8 } from '../std/index.ts';
import { usage } from './artifact-registry.ts';
import { chartReference, pullChart } from './helm-chart-registry.ts';
import { askedVersion, fetchChart, type ChartFlags } from './helm-chart-repository.ts';
import { progress } from './progress.ts';

/** Folders within folders; a link that leads back up ends here. */
const MAX_FOLDER_DEPTH = 64;

/** A chart the user named, in Helm's order: with `--repo` its name there, else a folder or package file, `oci://…`, `http(s)://…`. */
export async function readChartSource(name: string, flags: ChartFlags): Promise<FileTree | Uint8Array> {
  const chart = name.trim();
  if (flags.repo !== undefined && flags.repo !== '') return await downloaded(chart, flags);
  const found = statSync(chart, { throwIfNoEntry: false });
  if (found !== undefined) return found.isDirectory() ? folderTree(chart) : readPackage(chart, found.size);
  if (isAbsolute(chart) || chart.startsWith('.')) {
    throw usage(`path ${JSON.stringify(chart)} not found`, 'give a chart folder, a .tgz package or an oci:// reference');
  }
  return await downloaded(chart, flags);
}

async function downloaded(chart: string, flags: ChartFlags): Promise<Uint8Array> {
  if (chart.startsWith('oci://'))
    return (await pullChart(await chartReference(chart, { ...flags, version: askedVersion(flags) }), flags)).bytes;
  const { bytes, fileName, warnings } = await fetchChart(chart, flags);
  for (const warning of warnings) progress.warning(warning);
  return checkedPackage(bytes, fileName);
}

function readPackage(path: string, size: number): Uint8Array {
  if (size > MAX_CHART_SIZE) throw usage(`read ${path}: more than ${MAX_CHART_SIZE} bytes`);
  return checkedPackage(readFileSync(path), path);
}

/** Says of what is no gzip at all what Helm says of it. */
function checkedPackage(bytes: Uint8Array, name: string): Uint8Array {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8) return bytes;
  const what = `file '${name}'`;
  if (/\.ya?ml$/.test(name)) throw usage(`${what} seems to be a YAML file, but expected a gzipped archive`);
  throw usage(`${what} does not appear to be a gzipped archive; got 'application/octet-stream'`);
}

/** A folder on disk as a tree; links are followed, as Helm does. Files are read when asked for. */
export function folderTree(root: string): FileTree {
  const inside = (path: string): string => join(root, ...path.split('/'));
  return {
    read: (path) => (statSync(inside(path), { throwIfNoEntry: false })?.isFile() === true ? readFileSync(inside(path)) : undefined),
    list: (directory) => {
      if (directory.split('/').length > MAX_FOLDER_DEPTH)
        throw usage(`read ${inside(directory)}: folders nest deeper than ${MAX_FOLDER_DEPTH}`);
      return listFolder(inside(directory));
    },
  };
}

function listFolder(folder: string): Entry[] {
  return readdirSync(folder)
    .toSorted(compareUtf8)
    .map((name): Entry => {
      const path = join(folder, name);
      const entry = statSync(path, { throwIfNoEntry: false });
      if (entry === undefined) throw usage(`error evaluating symlink ${path}: no such file or directory`);
      if (!entry.isFile() && !entry.isDirectory()) throw usage(`cannot load irregular file ${path} as it has file mode type bits set`);
      return { name, kind: entry.isDirectory() ? 'directory' : 'file' };
    });
}
