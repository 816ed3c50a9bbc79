import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import type { Command } from 'commander';
import { loadChart, readChartArchive } from '../helm/index.ts';
import { formatReference } from '../oci/index.ts';
import { CodedError, isCodedError } from '../std/index.ts';
import { usage } from './artifact-registry.ts';
import { chartReference, pullChart } from './helm-chart-registry.ts';
import { askedVersion, fetchChart, withChartFlags, type ChartFlags } from './helm-chart-repository.ts';
import { progress } from './progress.ts';

type PullFlags = ChartFlags & { destination: string; untar?: boolean; untardir: string };

/** `sluice helm pull CHART…`: from an OCI registry, a chart repository (`--repo`) or a plain URL. */
export function helmPullCommand(parent: Command): void {
  const command = parent
    .command('pull <charts...>')
    .description('Download charts from an OCI registry, a chart repository or a URL')
    .option('-d, --destination <folder>', 'where to write the package', '.')
    .option('--untar', 'unpack the chart instead of keeping its package')
    .option('--untardir <folder>', 'where to unpack it, below --destination', '.');
  withChartFlags(command).action(async (charts: string[]) => {
    const flags = command.optsWithGlobals<PullFlags>();
    for (const chart of charts) await pull(chart, flags);
  });
}

type Pulled = { bytes: Uint8Array; fileName: string };

async function pull(chart: string, flags: PullFlags): Promise<void> {
  const pulled = chart.startsWith('oci://') ? await fromRegistry(chart, flags) : await fromRepository(chart, flags);
  if (flags.untar === true) unpack(pulled.bytes, isAbsolute(flags.untardir) ? flags.untardir : join(flags.destination, flags.untardir));
  else save(pulled, flags.destination);
}

async function fromRepository(chart: string, flags: PullFlags): Promise<Pulled> {
  const { bytes, fileName, warnings } = await fetchChart(chart, flags);
  for (const warning of warnings) progress.warning(warning);
  return { bytes, fileName };
}

async function fromRegistry(url: string, flags: PullFlags): Promise<Pulled> {
  const reference = await chartReference(url, { ...flags, version: askedVersion(flags) });
  const { bytes, digest } = await pullChart(reference, flags);
  const { name, version } = loadChart(bytes).metadata;
  process.stdout.write(`Pulled: ${formatReference(reference)}\nDigest: ${digest}\n`);
  return { bytes, fileName: `${name}-${version}.tgz` };
}

function save({ bytes, fileName }: Pulled, folder: string): void {
  if (fileName === '' || fileName === '.' || fileName === '..' || /[/\\\0]/.test(fileName)) {
    throw usage(`save the chart: its URL names no file (${JSON.stringify(fileName)})`);
  }
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, fileName), bytes);
}

/** Writes a chart's files below a folder of the chart's name, which must not be there. Every name in the package was checked. */
function unpack(bytes: Uint8Array, below: string): void {
  const folder = join(below, loadChart(bytes).metadata.name);
  if (existsSync(folder)) throw usage(`failed to untar: a file or directory with the name ${folder} already exists`);
  mkdirSync(folder, { recursive: true });
  for (const { name, data } of readChartArchive(bytes)) {
    const path = join(folder, name);
    try {
      mkdirSync(dirname(path), { recursive: true });
      // A name twice, and a file where a folder is, are no chart.
      writeFileSync(path, data, { flag: 'wx' });
    } catch (error) {
      if (isCodedError(error)) throw error;
      throw new CodedError({
        code: 'ArchiveInvalid',
        message: `failed to untar: write ${path}`,
        subject: name,
        cause: error,
        retryable: false,
      });
    }
  }
}
