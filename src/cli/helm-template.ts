import { appendFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Option, type Command } from 'commander';
import {
  defaultCapabilities,
  loadChart,
  parseKubeVersion,
  render,
  renderName,
  templateOutput,
  validateReleaseName,
  type Capabilities,
  type Chart,
  type Profile,
  type Rendered,
} from '../helm/index.ts';
import { CodedError, errorMessage, isCodedError } from '../std/index.ts';
import { usage } from './artifact-registry.ts';
import { collectList } from './argv.ts';
import { withChartFlags, type ChartFlags } from './helm-chart-repository.ts';
import { readChartSource } from './helm-chart-source.ts';
import { renderWithSchemas } from './helm-schemas.ts';
import { readUserValues, type ValuesFlags } from './helm-values.ts';
import { progress } from './progress.ts';

type TemplateFlags = ChartFlags &
  ValuesFlags & {
    apiVersions?: string[];
    kubeVersion?: string;
    includeCrds?: boolean;
    showOnly?: string[];
    namespace: string;
    hooks: boolean;
    skipTests?: boolean;
    isUpgrade?: boolean;
    skipSchemaValidation?: boolean;
    enableDns?: boolean;
    nameTemplate?: string;
    generateName?: boolean;
    outputDir?: string;
    releaseName?: boolean;
    helmProfile: Profile;
  };

/** Flags of Helm that matter to a cluster only: `helm template` takes them, too. */
const WITHOUT_EFFECT: readonly string[] = [
  '--create-namespace',
  '--dependency-update',
  '--description <text>',
  '--disable-openapi-validation',
  '--debug',
  '--dry-run',
  '--force-conflicts',
  '--force-replace',
  '--hide-notes',
  '-l, --labels <labels>',
  '--render-subchart-notes',
  '--replace',
  '--rollback-on-failure',
  '--skip-crds',
  '--take-ownership',
  '--server-side',
  '--wait',
  '--wait-for-jobs',
];

function collect(value: string, previous: readonly string[] = []): string[] {
  return [...previous, value];
}

/** `sluice helm template [NAME] CHART`: prints, byte for byte, what `helm template` prints. */
export function helmTemplateCommand(parent: Command): void {
  const command = parent
    .command('template <nameOrChart> [chart]')
    .description('Render a chart locally and print the manifests')
    .option('-f, --values <file>', 'specify values in a YAML file or a URL, - for stdin; repeatable', collectList)
    .option('--set <expression>', 'set values on the command line (key1=val1,key2=val2); repeatable', collect)
    .option('--set-string <expression>', 'set string values; repeatable', collect)
    .option('--set-json <expression>', 'set JSON values (key=json, or one JSON object); repeatable', collect)
    .option('--set-file <expression>', 'set values from files or URLs (key1=path1); repeatable', collect)
    .option('--set-literal <expression>', 'set a literal string value; repeatable', collect)
    .option('-a, --api-versions <versions>', 'API versions for Capabilities.APIVersions; repeatable', collectList)
    .option('--kube-version <version>', 'Kubernetes version for Capabilities.KubeVersion')
    .option('--include-crds', 'include CRDs in the output')
    .option('-s, --show-only <file>', 'only show manifests rendered from the given templates; repeatable', collect)
    .option('-n, --namespace <name>', 'namespace of the release', process.env['HELM_NAMESPACE'] ?? 'default')
    .option('--no-hooks', 'leave hooks out')
    .option('--skip-tests', 'leave tests out')
    .option('--is-upgrade', 'set .Release.IsUpgrade instead of .Release.IsInstall')
    .option('--skip-schema-validation', 'do not check values against values.schema.json')
    .option('--enable-dns', 'let getHostByName ask the DNS')
    .option('--name-template <template>', 'template that names the release')
    .option('-g, --generate-name', 'accepted for Helm: the name stays release-name')
    .option('--output-dir <folder>', 'write the manifests to files instead of stdout')
    .option('--release-name', 'put the release name into the path of --output-dir')
    .addOption(new Option('--helm-profile <version>', 'the Helm whose rules apply').choices(['4.2', '4.2.0', '3.x']).default('4.2'));
  for (const flag of WITHOUT_EFFECT) command.addOption(new Option(flag).hideHelp());
  withChartFlags(command).action(async (first: string, second: string | undefined) => {
    await template(first, second, { ...command.optsWithGlobals<TemplateFlags>(), namespace: releaseNamespace(command) });
  });
}

/** `-n` means the release's namespace here; the program's own default does not apply. */
function releaseNamespace(command: Command): string {
  let program = command;
  while (program.parent !== null) program = program.parent;
  const asked = program.getOptionValueSource('namespace') === 'cli' ? program : command;
  return asked.opts<{ namespace: string }>().namespace;
}

async function template(first: string, second: string | undefined, flags: TemplateFlags): Promise<void> {
  const reference = second ?? first;
  const name = second === undefined ? releaseName(flags) : named(first, flags);
  const source = await readChartSource(reference, flags);
  const values = await readUserValues(flags);
  const chart = loadChart(source);
  refuseNewCharts(chart);
  refuseLibrary(chart);
  validateReleaseName(name);
  const rendered = await renderWithSchemas(flags.timeout, (schemaLoader) =>
    renderedOrHint(() =>
      render(chart, {
        schemaLoader,
        release: { name, namespace: flags.namespace, isUpgrade: flags.isUpgrade === true },
        values,
        capabilities: capabilities(flags),
        enableDns: flags.enableDns === true,
        skipSchemaValidation: flags.skipSchemaValidation === true,
        profile: flags.helmProfile,
      }),
    ),
  );
  for (const warning of rendered.warnings) progress.warning(warning);
  if (flags.outputDir === undefined) process.stdout.write(output(rendered, flags));
  else writeFiles(flags.outputDir, name, rendered, flags);
  // With --output-dir nothing is left to show: Helm writes the files, and then finds none of them.
  const [sought] = flags.outputDir === undefined ? [] : (flags.showOnly ?? []);
  if (sought !== undefined)
    throw new CodedError({ code: 'ChartInvalid', message: `could not find template ${sought} in chart`, retryable: false });
}

function output(rendered: Rendered, flags: TemplateFlags): string {
  return templateOutput(rendered, {
    includeCrds: flags.includeCrds === true,
    noHooks: !flags.hooks,
    skipTests: flags.skipTests === true,
    showOnly: flags.showOnly ?? [],
    profile: flags.helmProfile,
  });
}

function named(name: string, { generateName, nameTemplate }: TemplateFlags): string {
  if (generateName === true) throw usage('cannot set --generate-name and also specify a name');
  if (nameTemplate !== undefined) throw usage('cannot set --name-template and also specify a name');
  return name;
}

/** The name of a release nobody named; `helm template` makes none even with --generate-name. */
function releaseName({ nameTemplate }: TemplateFlags): string {
  return nameTemplate === undefined ? 'release-name' : renderName(nameTemplate);
}

/** Helm 4 reads charts of apiVersion v3, and then refuses to render them. */
function refuseNewCharts({ metadata: { apiVersion } }: Chart): void {
  if (apiVersion === 'v3') throw new CodedError({ code: 'ChartInvalid', message: 'invalid chart apiVersion', retryable: false });
}

function refuseLibrary({ metadata: { type } }: Chart): void {
  if (type !== '' && type !== 'application') {
    throw new CodedError({ code: 'ChartNotInstallable', message: `${type} charts are not installable`, retryable: false });
  }
}

function capabilities({ kubeVersion, apiVersions = [] }: TemplateFlags): Capabilities {
  return {
    ...defaultCapabilities,
    ...(kubeVersion === undefined ? {} : { kubeVersion: kubeVersionFlag(kubeVersion) }),
    apiVersions: [...defaultCapabilities.apiVersions, ...apiVersions],
  };
}

function kubeVersionFlag(text: string): Capabilities['kubeVersion'] {
  try {
    return parseKubeVersion(text);
  } catch (error) {
    throw usage(`invalid kube version '${text}': ${errorMessage(error)}`);
  }
}

function renderedOrHint(run: () => Rendered): Rendered {
  try {
    return run();
  } catch (error) {
    if (!isCodedError(error, 'ManifestInvalid')) throw error;
    throw new CodedError({
      code: error.code,
      message: error.message,
      remedy: 'look at what the template renders to',
      retryable: false,
      cause: error,
    });
  }
}

/** `--output-dir`: one file for each template, in the chart's folders. */
function writeFiles(folder: string, name: string, rendered: Rendered, flags: TemplateFlags): void {
  const below = flags.releaseName === true ? join(folder, name) : folder;
  const written = new Set<string>();
  const write = (root: string, path: string, content: string): void => {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    const text = `---\n# Source: ${path}\n${content}\n`;
    if (written.has(file)) appendFileSync(file, text);
    else writeFileSync(file, text);
    written.add(file);
    process.stdout.write(`wrote ${file}\n`);
  };
  if (flags.includeCrds === true) for (const { path, content } of rendered.crds) write(folder, path, content);
  for (const { path, content } of rendered.manifests) write(below, path, content);
  for (const { path, manifest, events } of flags.hooks ? rendered.hooks : []) {
    if (flags.skipTests === true && events.includes('test')) continue;
    if (existsSync(join(below, path))) written.add(join(below, path));
    write(below, path, manifest);
  }
  if ((flags.showOnly ?? []).length === 0) process.stdout.write('\n');
}
