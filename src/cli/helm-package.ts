import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { encodeJson } from '../golang/index.ts';
import { loadChart, metadataJson, packageChart, type Chart } from '../helm/index.ts';
import { annotationKeys, formatReference, mediaTypes, parseReference, type Descriptor } from '../oci/index.ts';
import { openRegistry, usage, withRegistryFlags, type RegistryFlags } from './artifact-registry.ts';
import { readChartSource } from './helm-chart-source.ts';

type PackageFlags = RegistryFlags & { destination: string; version?: string; appVersion?: string };

/** `sluice helm package CHART`: a .tgz that is the same for the same chart. */
export function helmPackageCommand(parent: Command): void {
  const command = parent
    .command('package <charts...>')
    .description('Package chart folders into versioned archives')
    .option('-d, --destination <folder>', 'where to write the package', '.')
    .option('--version <version>', 'set the version of the chart')
    .option('--app-version <version>', 'set the appVersion of the chart');
  withRegistryFlags(command).action(async (charts: string[]) => {
    const flags = command.optsWithGlobals<PackageFlags>();
    for (const chart of charts) await packageOne(chart, flags);
  });
}

async function packageOne(path: string, flags: PackageFlags): Promise<void> {
  const chart = loadChart(await readChartSource(path, { ...flags, version: '' }));
  const { fileName, bytes } = packageChart(chart, {
    ...(flags.version === undefined ? {} : { version: flags.version }),
    ...(flags.appVersion === undefined ? {} : { appVersion: flags.appVersion }),
  });
  const file = resolve(flags.destination, fileName);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, bytes);
  process.stdout.write(`Successfully packaged chart and saved it to: ${file}\n`);
}

/** `sluice helm push CHART.tgz oci://host/charts`. */
export function helmPushCommand(parent: Command): void {
  const command = parent.command('push <package> <registry>').description('Push a packaged chart to an OCI registry');
  withRegistryFlags(command).action(
    async (file: string, target: string) => await push(file, target, command.optsWithGlobals<RegistryFlags>()),
  );
}

async function push(file: string, target: string, flags: RegistryFlags): Promise<void> {
  if (!target.startsWith('oci://')) throw usage(`scheme of ${JSON.stringify(target)} is not oci`, 'push to oci://host/path');
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true)
    throw usage(`stat ${file}: no such file or directory`, 'package the chart first');
  const bytes = readFileSync(file);
  const chart = loadChart(bytes);
  const { name, version } = chart.metadata;
  const reference = parseReference(`${target.replace(/\/+$/, '')}/${name}:${version.replaceAll('+', '_')}`);
  const config = Buffer.from(encodeJson(metadataJson(chart.metadata)));
  await using registry = await openRegistry(flags);
  const { client, signal } = registry;
  const layers = [await client.pushBlob(reference, { mediaType: mediaTypes.helmChart, bytes }, signal)];
  const configuration = await client.pushBlob(reference, { mediaType: mediaTypes.helmConfig, bytes: config }, signal);
  const manifest = manifestBytes(configuration, layers, annotations(chart));
  const { digest } = await client.pushManifest(reference, { mediaType: mediaTypes.ociManifest, bytes: manifest }, signal);
  process.stdout.write(`Pushed: ${formatReference(reference)}\nDigest: ${digest}\n`);
}

function manifestBytes(config: Descriptor, layers: readonly Descriptor[], annotated: Record<string, string>): Uint8Array {
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers, annotations: annotated }));
}

/** What Helm says about a chart in its manifest. */
function annotations({ metadata }: Chart): Record<string, string> {
  const authors = metadata.maintainers.map(({ name, email }) => (email === '' ? name : `${name} (${email})`)).join(', ');
  const known: Record<string, string> = {
    [annotationKeys.title]: metadata.name,
    'org.opencontainers.image.version': metadata.version,
    'org.opencontainers.image.description': metadata.description,
    'org.opencontainers.image.url': metadata.home,
    [annotationKeys.source]: metadata.sources[0] ?? '',
    'org.opencontainers.image.authors': authors,
    [annotationKeys.created]: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
    ...metadata.annotations,
  };
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== ''));
}
