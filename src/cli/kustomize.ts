import { writeFileSync } from 'node:fs';
import { Option, type Command } from 'commander';
import { build, type BuildOptions } from '../kustomize/index.ts';
import { buildKustomizationCommand, showWarnings } from './build-kustomization.ts';
import { diskPath, diskTree, realDiskPath } from './directory-tree.ts';
import { inflateVendoredChart } from './kustomize-charts.ts';

/** `sluice kustomize build` and `sluice build kustomization`: both offline, both the engine the controller runs. */
export function kustomizeCommands(program: Command): void {
  buildCommand(program.command('kustomize').description('Build kustomizations'));
  buildKustomizationCommand(program.command('build').description('Build resources locally'));
}

type BuildFlags = {
  output?: string;
  loadRestrictor: string;
  reorder?: 'legacy' | 'none';
  enableHelm?: boolean;
  enableManagedbyLabel?: boolean;
};

function buildCommand(parent: Command): void {
  const command = parent
    .command('build [folder]')
    .description('Print what `kustomize build` prints for a folder')
    .option('-o, --output <file>', 'write the result to a file')
    .addOption(
      new Option('--load-restrictor <restriction>', 'which files a kustomization may read')
        .choices(['LoadRestrictionsRootOnly', 'LoadRestrictionsNone'])
        .default('LoadRestrictionsRootOnly'),
    )
    .addOption(new Option('--reorder <order>', 'order of the resources').choices(['legacy', 'none']))
    .option('--enable-helm', 'inflate vendored charts of helmCharts')
    .option('--enable-managedby-label', 'add the label app.kubernetes.io/managed-by');
  command.action((folder: string | undefined) => {
    const flags = command.optsWithGlobals<BuildFlags>();
    const options: BuildOptions = {
      isWholeFileSystem: true,
      realPath: realDiskPath,
      loadRestrictions: flags.loadRestrictor === 'LoadRestrictionsNone' ? 'none' : 'rootOnly',
      managedByLabel: flags.enableManagedbyLabel === true,
      ...(flags.reorder === undefined ? {} : { reorder: flags.reorder }),
      ...(flags.enableHelm === true ? { inflateHelmChart: inflateVendoredChart } : {}),
    };
    const built = build(diskTree(), diskPath(folder ?? '.'), options);
    showWarnings(built.diagnostics);
    if (flags.output === undefined) process.stdout.write(built.text());
    else writeFileSync(flags.output, built.text());
  });
}
