import type { Command } from 'commander';
import { buildArtifactCommand } from './artifact.ts';
import { kustomizeCommands } from './kustomize.ts';

/** `sluice kustomize …` and everything below `sluice build`. */
export function buildCommands(program: Command): void {
  kustomizeCommands(program);
  const build =
    program.commands.find((command) => command.name() === 'build') ??
    program.command('build').description('Build artifacts and overlays locally');
  buildArtifactCommand(build);
}
