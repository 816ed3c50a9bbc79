import {
  checkConstraint,
  compareVersions,
  formatVersion,
  parseConstraint,
  parseStrictVersion,
  parseVersion,
  type Version,
} from '../golang/index.ts';
import { MAX_CHART_SIZE } from '../helm/index.ts';
import { createRegistryClient, mediaTypes, parseReference, staticCredentials, type Descriptor, type Reference } from '../oci/index.ts';
import { isCodedError, parseDuration, systemClock } from '../std/index.ts';
import { environmentProxy, openRegistry, usage, type RegistryFlags, type RegistrySession } from './artifact-registry.ts';
import type { DownloadFlags } from './helm-download.ts';
import { readIdentity } from './helm-tls.ts';

/** The flags that say who we are to an OCI registry: ours and Helm's. */
export type ChartRegistryFlags = RegistryFlags & DownloadFlags & { plainHttp?: boolean };

/** As {@link openRegistry}, with Helm's `--username`, `--ca-file` and so on besides. */
async function openChartRegistry(flags: ChartRegistryFlags): Promise<RegistrySession> {
  const { username = '', password = '' } = flags;
  const { ca, cert, key } = readIdentity(flags);
  const insecure = flags.insecureRegistry === true || flags.plainHttp === true || flags.insecureSkipTlsVerify === true;
  if (username === '' && ca === undefined && cert === undefined) return await openRegistry({ ...flags, insecureRegistry: insecure });
  const client = createRegistryClient({
    clock: systemClock,
    random: Math.random,
    userAgent: 'sluice',
    proxy: environmentProxy(process.env),
    insecure,
    ...(username === '' ? {} : { credentials: staticCredentials({ kind: 'basic', username, password }) }),
    tls: { ...(ca === undefined ? {} : { ca }), ...(cert === undefined || key === undefined ? {} : { certificate: cert, key }) },
  });
  return { client, signal: AbortSignal.timeout(parseDuration(flags.timeout)), [Symbol.asyncDispose]: () => client.close() };
}

/**
 * `oci://host/charts/name` with the version asked for: an exact one is its tag, of a range or nothing the newest tag in it.
 * Helm writes `+` as `_` in tags.
 */
export async function chartReference(url: string, flags: ChartRegistryFlags & { version?: string }): Promise<Reference> {
  const named = parseReference(url);
  const asked = flags.version?.trim() ?? '';
  if (asked !== '' && named.tag !== undefined && named.tag !== tagOf(asked)) {
    throw usage(`chart reference and version mismatch: ${asked} is not ${named.tag}`);
  }
  if (named.digest !== undefined) return named;
  const version = asked === '' ? (named.tag ?? '') : asked;
  if (version !== '' && parses(() => parseVersion(version))) return { ...named, tag: tagOf(version) };
  return { ...named, tag: tagOf(await matchingTag(url, named, version, flags)) };
}

function tagOf(version: string): string {
  return version.replaceAll('+', '_');
}

async function matchingTag(url: string, repository: Reference, version: string, flags: ChartRegistryFlags): Promise<string> {
  await using registry = await openChartRegistry(flags);
  const versions = (await registry.client.listTags(repository, registry.signal)).flatMap(tagVersion);
  if (versions.length === 0) throw usage(`unable to locate any tags in provided repository: ${url}`);
  versions.sort((a, b) => compareVersions(b, a));
  const texts = versions.map(formatVersion);
  if (texts.includes(version)) return version;
  const constraint = parseConstraint(version === '' ? '*' : version);
  const at = versions.findIndex((each) => checkConstraint(constraint, each));
  const found = texts[at];
  if (found === undefined) throw usage(`could not locate a version matching provided version string ${version}`);
  return found;
}

/** The version a tag stands for; nothing for tags that are none. */
function tagVersion(tag: string): Version[] {
  const version = parses(() => parseStrictVersion(tag.replaceAll('_', '+')));
  return version === undefined ? [] : [version];
}

function parses<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isCodedError(error, 'GoError')) return undefined;
    throw error;
  }
}

/** The package behind a reference, and the digest of its manifest. */
export async function pullChart(reference: Reference, flags: ChartRegistryFlags): Promise<{ bytes: Uint8Array; digest: string }> {
  await using registry = await openChartRegistry(flags);
  const { client, signal } = registry;
  const { manifest, descriptor } = await client.fetchImage(reference, signal);
  const layer = manifest.layers.find(({ mediaType }: Descriptor) => mediaType === mediaTypes.helmChart);
  if (layer === undefined) throw usage('manifest does not contain minimum number of descriptors: no layer with a Helm chart');
  return { bytes: await client.readBlob(reference, layer, MAX_CHART_SIZE, signal), digest: descriptor.digest };
}
