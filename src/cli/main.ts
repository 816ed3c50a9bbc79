import { Command, CommanderError, Option } from 'commander';
import { errorMessage, isCodedError, redact } from '../std/index.ts';
import { allowBooleanValues, normalizeArgv } from './argv.ts';
import { progress } from './progress.ts';
import { packageVersion } from './version.ts';

type Register = (program: Command) => void;

/** Each top-level command and where it lives; only what was asked for is loaded, so that the command starts fast. */
const COMMANDS: readonly { words: readonly string[]; load: () => Promise<Register> }[] = [
  { words: ['start'], load: async () => (await import('./start.ts')).startCommand },
  { words: ['controller'], load: async () => (await import('./controller.ts')).controllerCommand },
  { words: ['push', 'pull', 'tag', 'list', 'diff'], load: async () => (await import('./artifact.ts')).artifactCommands },
  { words: ['verify'], load: async () => (await import('./verify.ts')).verifyCommand },
  { words: ['sandbox'], load: async () => (await import('./sandbox.ts')).sandboxCommand },
  { words: ['preview', 'snapshot'], load: async () => (await import('./preview.ts')).previewCommands },
  { words: ['get'], load: async () => (await import('./get.ts')).getCommands },
  { words: ['reconcile', 'suspend', 'resume'], load: async () => (await import('./reconcile.ts')).reconcileCommands },
  { words: ['install'], load: async () => (await import('./install.ts')).installCommand },
  { words: ['kustomize', 'build'], load: async () => (await import('./build.ts')).buildCommands },
  { words: ['helm'], load: async () => (await import('./helm.ts')).helmCommands },
];

/** The program with its global flags (L01) and no commands yet. */
function createProgram(): Command {
  return new Command('sluice')
    .description('Gitless GitOps for Kubernetes: OCI artifacts and Helm charts in, a reconciled cluster out')
    .helpCommand(true)
    .exitOverride()
    .option('--version', 'print the version')
    .option('-n, --namespace <name>', 'namespace scope for this operation', process.env['FLUX_SYSTEM_NAMESPACE'] ?? 'flux-system')
    .option('--kubeconfig <path>', 'path to the kubeconfig file')
    .option('--context <name>', 'kubeconfig context to use')
    .option('--timeout <duration>', 'timeout for this operation', '5m0s')
    .addOption(new Option('--as <user>', 'username to impersonate for the operation'))
    .addOption(
      new Option('--as-group <group>', 'group to impersonate, repeatable').argParser((value: string, previous: string[] | undefined) => [
        ...(previous ?? []),
        value,
      ]),
    )
    .option('--verbose', 'print stack traces and causes of errors');
}

/** Runs the command line `argv` (without the program's name) and sets the process's exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === 'version')) {
    process.stdout.write(`sluice version ${packageVersion()}\n`);
    return;
  }
  const program = createProgram();
  const word = argv.find((arg) => COMMANDS.some((it) => it.words.includes(arg)));
  for (const command of COMMANDS) {
    if (word === undefined || command.words.includes(word)) (await command.load())(program);
  }
  allowBooleanValues(program);
  try {
    if (argv.length === 0) program.help();
    await program.parseAsync(normalizeArgv(program, argv), { from: 'user' });
  } catch (error) {
    process.exitCode = report(error, argv.includes('--verbose'));
  }
}

function report(error: unknown, verbose: boolean): number {
  if (error instanceof CommanderError) return error.exitCode;
  progress.failure(redact(errorMessage(error)));
  if (isCodedError(error) && error.remedy !== undefined) process.stderr.write(`  try: ${error.remedy}\n`);
  if (!isCodedError(error) || verbose) process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  return 1;
}

await main(process.argv.slice(2));
