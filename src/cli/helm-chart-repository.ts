import type { Command } from 'commander';
import { basePath, parseUrl } from '../golang/index.ts';
import { checkPackage, findChart, MAX_CHART_SIZE, type FoundChart } from '../helm/index.ts';
import { parseDuration } from '../std/index.ts';
import { usage, withRegistryFlags } from './artifact-registry.ts';
import { chartReference, pullChart, type ChartRegistryFlags } from './helm-chart-registry.ts';
import { Downloads } from './helm-download.ts';

/** The flags that say which chart: Helm's ChartPathOptions. */
export type ChartFlags = ChartRegistryFlags & { repo?: string; version?: string; devel?: boolean };

/** A package that was downloaded. */
export type FetchedChart = { bytes: Uint8Array; fileName: string; warnings: readonly string[] };

const PACKAGE_TYPES = 'application/gzip,application/octet-stream';

/** Adds `--repo`, `--version`, `--username` and so on, and the registry's flags. */
export function withChartFlags(command: Command): Command {
  command
    .option('--repo <url>', 'chart repository (http, https) in which to look for the chart')
    .option('--version <version>', 'version of the chart, or a range such as ^2.0.0; default the newest')
    .option('--devel', "use pre-releases, too: as --version '>0.0.0-0'; --version wins")
    .option('--username <name>', 'user name for the chart repository')
    .option('--password <password>', 'password for the chart repository')
    .option('--pass-credentials', 'send the credentials to other hosts, too, when the repository names them')
    .option('--ca-file <file>', 'trust servers by this CA bundle')
    .option('--cert-file <file>', 'show servers this client certificate')
    .option('--key-file <file>', 'key of the client certificate')
    .option('--insecure-skip-tls-verify', 'do not check the certificates of servers')
    .option('--plain-http', 'reach the OCI registry without TLS');
  return withRegistryFlags(command);
}

/** The version these flags ask for; empty for the newest. */
export function askedVersion({ version = '', devel }: ChartFlags): string {
  return version === '' && devel === true ? '>0.0.0-0' : version;
}

/** True for what a download can get. */
export function isHttpUrl(text: string): boolean {
  return /^https?:/i.test(text);
}

/**
 * Downloads the package of a chart: the one `--repo` lists under its name, or the one behind a URL.
 * @throws CodedError with Helm's text
 */
export async function fetchChart(chart: string, flags: ChartFlags): Promise<FetchedChart> {
  const { repo = '' } = flags;
  if (repo === '' && !isHttpUrl(chart)) throw unknownChart(chart);
  await using downloads = new Downloads(flags, { signal: AbortSignal.timeout(parseDuration(flags.timeout)) });
  if (repo === '') return { ...(await fetchPackage(downloads, chart, chart)), warnings: [] };
  const query = { repository: repo, name: chart, version: askedVersion(flags) };
  const found = await findChart(query, async (url, limit) => await downloads.get({ url, limit, home: repo }));
  const fetched = await fetchFound(downloads, found, flags, repo);
  checkPackage(fetched.bytes, found.chart);
  return { ...fetched, warnings: found.warnings };
}

async function fetchFound(
  downloads: Downloads,
  { url }: FoundChart,
  flags: ChartFlags,
  home: string,
): Promise<{ bytes: Uint8Array; fileName: string }> {
  if (isHttpUrl(url)) return await fetchPackage(downloads, url, home);
  if (!url.startsWith('oci://')) throw usage(`scheme ${JSON.stringify(parseUrl(url).scheme)} not supported`);
  // The repository's password is not the registry's, unless the user says so; the version is in the URL's tag.
  const { username: _, password: __, version: ___, ...own } = flags;
  const access = flags.passCredentials === true ? { ...flags, version: '' } : own;
  const reference = await chartReference(url, access);
  const { bytes } = await pullChart(reference, access);
  return { bytes, fileName: `${basePath(reference.path)}-${(reference.tag ?? '').replaceAll('_', '+')}.tgz` };
}

async function fetchPackage(downloads: Downloads, url: string, home: string): Promise<{ bytes: Uint8Array; fileName: string }> {
  const fileName = basePath(parseUrl(url).path);
  const bytes = await downloads.get({ url, limit: MAX_CHART_SIZE, home, accept: PACKAGE_TYPES });
  return { bytes, fileName };
}

/** What Helm says of a name that is no path and no URL. */
function unknownChart(chart: string): Error {
  const remedy = 'give a chart folder, a .tgz package, a URL, an oci:// reference, or --repo with the name of a chart in it';
  const { scheme, path } = parseUrl(chart);
  if (scheme !== '') return usage(`scheme ${JSON.stringify(scheme)} not supported`, remedy);
  const slash = path.indexOf('/');
  if (slash < 0) return usage(`non-absolute URLs should be in form of repo_name/path_to_chart, got: ${chart}`, remedy);
  return usage(`repo ${path.slice(0, slash)} not found`, remedy);
}
