import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { MAX_CHART_SIZE } from '../helm/index.ts';
import type { Entry, FileTree } from '../manifest/index.ts';
import { mediaTypes, parseReference, type Descriptor, type Reference } from '../oci/index.ts';
import { compareUtf8 } from '../std/index.ts';
import { openRegistry, usage, type RegistryFlags } from './artifact-registry.ts';

/** Folders within folders; a link that leads back up ends here. */
const MAX_FOLDER_DEPTH = 64;

/** A chart the user named: a folder, a package file, or `oci://…`. */
export async function readChartSource(
  reference: string,
  flags: RegistryFlags & { version?: string | undefined },
): Promise<FileTree | Uint8Array> {
  if (reference.startsWith('oci://')) return (await pullChart(chartReference(reference, flags.version), flags)).bytes;
  const found = statSync(reference, { throwIfNoEntry: false });
  if (found === undefined)
    throw usage(`path ${JSON.stringify(reference)} not found`, 'give a chart folder, a .tgz package or an oci:// reference');
  return found.isDirectory() ? folderTree(reference) : readFileSync(reference);
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
      const entry = statSync(join(folder, name));
      if (!entry.isFile() && !entry.isDirectory())
        throw usage(`cannot load irregular file ${join(folder, name)} as it has file mode type bits set`);
      return { name, kind: entry.isDirectory() ? 'directory' : 'file' };
    });
}

/** `oci://host/charts/name` with a version: Helm writes `+` as `_` in tags. */
export function chartReference(url: string, version?: string): Reference {
  const reference = parseReference(version === undefined ? url : `${url}:${version.replaceAll('+', '_')}`);
  if (reference.tag === undefined && reference.digest === undefined) {
    throw usage(`unable to locate any tags in ${url} without a version`, 'give --version, or a tag or digest in the reference');
  }
  return reference;
}

/** The package behind a reference, and the digest of its manifest. */
export async function pullChart(reference: Reference, flags: RegistryFlags): Promise<{ bytes: Uint8Array; digest: string }> {
  await using registry = await openRegistry(flags);
  const { client, signal } = registry;
  const { manifest, descriptor } = await client.fetchImage(reference, signal);
  const layer = manifest.layers.find(({ mediaType }: Descriptor) => mediaType === mediaTypes.helmChart);
  if (layer === undefined) throw usage('manifest does not contain minimum number of descriptors: no layer with a Helm chart');
  return { bytes: await client.readBlob(reference, layer, MAX_CHART_SIZE, signal), digest: descriptor.digest };
}
