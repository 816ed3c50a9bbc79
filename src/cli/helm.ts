import type { Command, Option } from 'commander';
import { helmPackageCommand, helmPushCommand } from './helm-package.ts';
import { helmPullCommand } from './helm-pull.ts';
import { helmTemplateCommand } from './helm-template.ts';

/** `sluice helm template|package|push|pull`: charts with the same engine the controller uses, in Helm's flags. */
export function helmCommands(program: Command): void {
  // Within `helm`, --version is the version of a chart; the program's own would take it first.
  const options = program.options as Option[];
  options.splice(0, options.length, ...options.filter(({ long }) => long !== '--version'));
  const helm = program.command('helm').description('Render, package, push and pull Helm charts');
  helmTemplateCommand(helm);
  helmPackageCommand(helm);
  helmPushCommand(helm);
  helmPullCommand(helm);
}
