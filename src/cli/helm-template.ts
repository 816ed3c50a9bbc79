import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Option, type Command } from 'commander';
import {
  defaultCapabilities,
  loadChart,
  mergeUserValues,
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
import { usage, withRegistryFlags, type RegistryFlags } from './artifact-registry.ts';
import { collectList } from './argv.ts';
import { readChartSource } from './helm-chart-source.ts';
import { progress } from './progress.ts';

type TemplateFlags = RegistryFlags & {
  values?: string[];
  set?: string[];
  setString?: string[];
  setJson?: string[];
  setFile?: string[];
  setLiteral?: string[];
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
  version?: string;
  helmProfile: Profile;
};

function collect(value: string, previous: readonly string[] = []): string[] {
  return [...previous, value];
}

/** `sluice helm template [NAME] CHART`: prints, byte for byte, what `helm template` prints. */
export function helmTemplateCommand(parent: Command): void {
  const command = parent
    .command('template <nameOrChart> [chart]')
    .description('Render a chart locally and print the manifests')
    .option('-f, --values <file>', 'specify values in a YAML file, - for stdin; repeatable', collectList)
    .option('--set <expression>', 'set values on the command line (key1=val1,key2=val2); repeatable', collect)
    .option('--set-string <expression>', 'set string values; repeatable', collect)
    .option('--set-json <expression>', 'set JSON values (key=json, or one JSON object); repeatable', collect)
    .option('--set-file <expression>', 'set values from files (key1=path1); repeatable', collect)
    .option('--set-literal <expression>', 'set a literal string value; repeatable', collect)
    .option('-a, --api-versions <versions>', 'API versions for Capabilities.APIVersions; repeatable', collectList)
    .option('--kube-version <version>', 'Kubernetes version for Capabilities.KubeVersion')
    .option('--include-crds', 'include CRDs in the output')
    .option('-s, --show-only <file>', 'only show manifests rendered from the given templates; repeatable', collect)
    .option('-n, --namespace <name>', 'namespace of the release', 'default')
    .option('--no-hooks', 'leave hooks out')
    .option('--skip-tests', 'leave tests out')
    .option('--is-upgrade', 'set .Release.IsUpgrade instead of .Release.IsInstall')
    .option('--skip-schema-validation', 'do not check values against values.schema.json')
    .option('--enable-dns', 'let getHostByName ask the DNS')
    .option('--name-template <template>', 'template that names the release')
    .option('-g, --generate-name', 'make a name for the release')
    .option('--output-dir <folder>', 'write the manifests to files instead of stdout')
    .option('--release-name', 'put the release name into the path of --output-dir')
    .option('--version <version>', 'version of an oci:// chart')
    .addOption(new Option('--helm-profile <version>', 'the Helm whose rules apply').choices(['4.2', '4.2.0', '3.x']).default('4.2'));
  withRegistryFlags(command).action(async (first: string, second: string | undefined) => {
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
  const name = second === undefined ? releaseName(first, flags) : named(first, flags);
  const source = await readChartSource(reference, { ...flags, version: flags.version });
  const values = mergeUserValues({
    files: (flags.values ?? []).map((file) => ({ name: file, text: readText(file) })),
    setJson: flags.setJson ?? [],
    set: flags.set ?? [],
    setString: flags.setString ?? [],
    setFile: flags.setFile ?? [],
    setLiteral: flags.setLiteral ?? [],
    readFile: readText,
  });
  const chart = loadChart(source);
  refuseLibrary(chart);
  validateReleaseName(name);
  const rendered = renderedOrHint(() =>
    render(chart, {
      release: { name, namespace: flags.namespace, isUpgrade: flags.isUpgrade === true },
      values,
      capabilities: capabilities(flags),
      enableDns: flags.enableDns === true,
      skipSchemaValidation: flags.skipSchemaValidation === true,
      profile: flags.helmProfile,
    }),
  );
  for (const warning of rendered.warnings) progress.warning(warning);
  if (flags.outputDir === undefined) process.stdout.write(output(rendered, flags));
  else writeFiles(flags.outputDir, name, rendered, flags);
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

/** The name of a release nobody named. */
function releaseName(chart: string, { generateName, nameTemplate }: TemplateFlags): string {
  if (nameTemplate !== undefined) return renderName(nameTemplate);
  if (generateName !== true) return 'release-name';
  const base = basename(chart).split('.')[0] ?? '';
  return `${base === '' ? 'chart' : base}-${Math.floor(Date.now() / 1000)}`;
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

function readText(file: string): string {
  try {
    return readFileSync(file.trim() === '-' ? 0 : file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw usage(code === 'ENOENT' ? `open ${file}: no such file or directory` : errorMessage(error));
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
  process.stdout.write('\n');
}
