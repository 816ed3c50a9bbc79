import { readFile, stat } from 'node:fs/promises';
import { archiveTree, isGzip, readArchive, walkArchive, writeArchive } from '../artifact/index.ts';
import { sortObjects } from '../apply/index.ts';
import { type KubeObject, readObjects, writeObjects } from '../manifest/index.ts';
import { annotationKeys, formatReference, formatRepository, pushArtifact, type RegistryClient } from '../oci/index.ts';
import { CodedError, errorMessage, readBounded } from '../std/index.ts';
import { artifactReference, usage } from './artifact-registry.ts';

/** Largest snapshot that is read, bytes. */
export const MAX_SNAPSHOT: number = 256 * 1024 * 1024;
/** The file of a snapshot that is an artifact. */
const FILE = 'snapshot.yaml';

/** A snapshot as text: equal objects give equal bytes, whatever their order. */
export function formatSnapshot(objects: readonly KubeObject[]): string {
  return writeObjects(sortObjects(objects));
}

/** Pushes a snapshot as an artifact of one layer. Gives `host/repository@digest`. */
export async function pushSnapshot(client: RegistryClient, url: string, text: string, signal: AbortSignal): Promise<string> {
  const reference = artifactReference(url);
  const layer = await writeArchive(archiveTree({ [FILE]: text }), 'kept');
  const annotations = { [annotationKeys.created]: '1970-01-01T00:00:00Z', [annotationKeys.source]: 'sluice snapshot' };
  const { digest } = await pushArtifact(client, reference, { layer, annotations }, signal);
  return `${formatRepository(reference)}@${digest}`;
}

/** Reads a snapshot: a file, `-` for stdin, or `oci://…`. @throws CodedError `UsageInvalid`, `SnapshotInvalid` */
export async function readSnapshot(from: string, registry: RegistryClient, signal: AbortSignal): Promise<KubeObject[]> {
  try {
    if (from.startsWith('oci://')) return await pullSnapshot(from, registry, signal);
    if (from === '-') return readObjects(await readBounded(process.stdin, MAX_SNAPSHOT, 'stdin'), 'stdin');
    const info = await stat(from).catch(() => undefined);
    if (info?.isFile() !== true)
      throw usage(`read snapshot ${JSON.stringify(from)}: no such file`, 'take one with: sluice snapshot -o FILE');
    if (info.size > MAX_SNAPSHOT) throw invalid(from, `size exceeds ${MAX_SNAPSHOT} bytes`);
    return readObjects(await readFile(from), from);
  } catch (error) {
    if (error instanceof CodedError) throw error;
    throw invalid(from, errorMessage(error), error);
  }
}

async function pullSnapshot(url: string, registry: RegistryClient, signal: AbortSignal): Promise<KubeObject[]> {
  const reference = artifactReference(url);
  const { manifest } = await registry.fetchImage(reference, signal);
  const [layer] = manifest.layers;
  if (layer === undefined) throw invalid(url, 'no layers found in artifact');
  const bytes = await registry.readBlob(reference, layer, MAX_SNAPSHOT, signal);
  if (!isGzip(bytes)) return readObjects(bytes, url);
  const tree = await readArchive(bytes, { subject: formatReference(reference), links: 'skip', caseCollisions: 'reject' });
  const files = [...walkArchive(tree)].filter(({ path, kind }) => kind === 'file' && /\.ya?ml$/.test(path));
  return files.flatMap(({ path }) => readObjects(tree.read(path) ?? '', `${url}: ${path}`));
}

function invalid(from: string, why: string, cause?: unknown): CodedError<'SnapshotInvalid'> {
  return new CodedError({
    code: 'SnapshotInvalid',
    message: `read snapshot ${JSON.stringify(from)}: ${why}`,
    subject: from,
    remedy: 'take a new one with: sluice snapshot -o FILE',
    retryable: false,
    ...(cause === undefined ? {} : { cause }),
  });
}
