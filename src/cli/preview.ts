import { readFileSync } from 'node:fs';
import { type Command, CommanderError, Option } from 'commander';
import { formatObjectRef, type KubeObject, objectRef, readObjects } from '../manifest/index.ts';
import { formatReference } from '../oci/index.ts';
import { CodedError, errorMessage, formatDuration, isCodedError, milliseconds, parseDuration, redact } from '../std/index.ts';
import { artifactReference, openRegistry, type RegistryFlags, usage, withRegistryFlags } from './artifact-registry.ts';
import { type ChangeKind, changesOf, type PreviewChange } from './preview-changes.ts';
import { type Loaded, loadSnapshot } from './preview-load.ts';
import { cellsOf, isMasked } from './preview-objects.ts';
import { neededNamespaces, type Plan, planPreview } from './preview-plan.ts';
import type { Stage } from './preview-run.ts';
import { readSnapshot } from './preview-snapshot.ts';
import { placeTarget, repositoryOf } from './preview-target.ts';
import { explained } from './preview-unready.ts';
import type { VerifyContext } from './preview-verify.ts';
import { type Failure, waitForFlux } from './preview-wait.ts';
import { progress } from './progress.ts';
import { snapshotCommand } from './snapshot.ts';
import { formatTable } from './table.ts';

type Flags = RegistryFlags & {
  snapshot?: string;
  path?: string;
  kustomization?: string;
  source?: string;
  wait: string;
  skipVerify?: boolean;
  output: 'text' | 'json';
  diff?: boolean;
  verbose?: boolean;
  /** The target namespace; undefined when the command line does not say one. */
  targetNamespace: string | undefined;
};

/** Exit codes. */
const FAILED = 1;
const USAGE = 2;
const INTERRUPTED = 130;
/** Largest file of `--kustomization`, in objects. */
const MAX_GIVEN = 1000;

/** `sluice preview` and `sluice snapshot`. */
export function previewCommands(program: Command): void {
  previewCommand(program);
  snapshotCommand(program);
}

function previewCommand(program: Command): void {
  const command = program
    .command('preview [target]')
    .description('Show what a folder, file or oci:// artifact would do to a cluster: the real controllers on a simulated one, offline')
    .option('--snapshot <file>', 'what the cluster holds: a file of `sluice snapshot`, or oci://…')
    .option('--path <folder>', 'folder of the target to build (default ./, or what the Kustomization says)')
    .option('--kustomization <file>', 'file with the Kustomization to use')
    .option('--source <name>', 'the OCIRepository, [NAMESPACE/]NAME, the target stands in for')
    .option('--skip-verify', 'do not verify the signature that spec.verify of the OCIRepository asks for')
    .option('--wait <duration>', 'how long to wait until all is Ready', '5m')
    .addOption(new Option('-o, --output <format>', 'form of the result').choices(['text', 'json']).default('text'))
    .option('--diff', 'show what changes in each object');
  withRegistryFlags(command).exitOverride((error) => {
    throw error.exitCode === 0 ? error : new CommanderError(USAGE, error.code, error.message);
  });
  command.addHelpText(
    'after',
    '\n-n NAMESPACE is spec.targetNamespace. Exit codes: 0 all is Ready, 1 something failed, 2 the command line cannot be meant.',
  );
  command.action(async (target: string | undefined) => {
    const isGiven = program.getOptionValueSource('namespace') === 'cli';
    const flags = command.optsWithGlobals<Flags & { namespace: string }>();
    process.exitCode = await runPreview(target, { ...flags, targetNamespace: isGiven ? flags.namespace : undefined });
  });
}

async function runPreview(target: string | undefined, flags: Flags): Promise<number> {
  const interrupted = new AbortController();
  const interrupt = (): void => {
    if (interrupted.signal.aborted) process.exit(INTERRUPTED);
    interrupted.abort(new CodedError({ code: 'Interrupted', message: 'preview: interrupted' }));
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.on(signal, interrupt);
  try {
    return await preview(target, flags, interrupted.signal);
  } catch (error) {
    if (interrupted.signal.aborted) return INTERRUPTED;
    if (!isCodedError(error)) throw error;
    progress.failure(redact(errorMessage(error)));
    if (error.remedy !== undefined) process.stderr.write(`  try: ${error.remedy}\n`);
    return error.code === 'UsageInvalid' ? USAGE : FAILED;
  } finally {
    for (const signal of signals) process.off(signal, interrupt);
  }
}

async function preview(target: string | undefined, flags: Flags, interrupted: AbortSignal): Promise<number> {
  const began = performance.now();
  const since = (): string => `(${((performance.now() - began) / 1000).toFixed(1)}s)`;
  if (target === undefined) throw usage('preview: what to preview is required', 'sluice preview FOLDER|FILE|oci://host/name:tag');
  const wait = waitDuration(flags.wait);
  const repository = await repositoryOf(target);
  const given = flags.kustomization === undefined ? [] : readGiven(flags.kustomization);
  await using outside = await openRegistry(flags);
  const signal = AbortSignal.any([outside.signal, interrupted]);
  const snapshot = flags.snapshot === undefined ? [] : await readSnapshot(flags.snapshot, outside.client, signal);
  // Sandbox and controllers are loaded only when the command line can be meant.
  const { openStage } = await import('./preview-run.ts');
  await using stage = await openStage({ verbose: flags.verbose === true });
  const plan = planPreview({
    snapshot,
    given,
    source: flags.source,
    repository,
    path: flags.path,
    targetNamespace: flags.targetNamespace,
    // Earlier than our own end, so that the Kustomization can say which object it waits for.
    timeout: formatDuration(milliseconds(Math.max(wait / 2, wait - 5000))),
    registry: stage.registry,
  });
  interrupted.throwIfAborted();
  for (const note of plan.notes) progress.warning(note);
  const loaded = await load(stage, plan, flags);
  progress.success(`cluster simulated, ${loaded.objects.size} objects loaded ${since()}`);
  const inside = stage.registries.client({ insecure: true });
  const trusted = await trustedTarget(target, plan, flags, { registry: { client: outside.client, signal }, cluster: stage.client });
  await placeTarget(trusted, outside.client, inside, plan.push, signal);
  progress.success(`${target} pushed ${since()}`);
  await stage.control(plan.mirrored);
  progress.action('reconciling');
  const ended = await waitForFlux(stage.client, AbortSignal.any([AbortSignal.timeout(wait), interrupted]));
  interrupted.throwIfAborted();
  const changes = await changesOf(stage.client, loaded.objects, ended.objects, { diff: flags.diff === true });
  const failures = await explained(stage.client, ended.failures, ended.objects, ({ ref }) => stage.lastError(ref));
  const elapsed = (performance.now() - began) / 1000;
  report({ changes, failures, refused: loaded.refused, elapsed }, flags.output, snapshot.length > 0);
  return failures.length === 0 ? 0 : FAILED;
}

/** The target, once its signature is what the source asks for; an artifact then goes by the digest that was verified. */
async function trustedTarget(
  target: string,
  { signed, objects }: Plan,
  flags: Flags,
  context: Omit<VerifyContext, 'objects'>,
): Promise<string> {
  if (signed === undefined) return target;
  const name = formatObjectRef(objectRef(signed.source));
  if (flags.skipVerify === true || !target.startsWith('oci://')) {
    const why = flags.skipVerify === true ? '--skip-verify' : `${JSON.stringify(target)} is no artifact, which alone can be signed`;
    progress.warning(`${name}: the signature that is asked for is not verified: ${why}`);
    return target;
  }
  const { verifiedTarget } = await import('./preview-verify.ts');
  return `oci://${formatReference(await verifiedTarget(signed, artifactReference(target), { ...context, objects }))}`;
}

function waitDuration(text: string): ReturnType<typeof parseDuration> {
  try {
    const wait = parseDuration(text);
    if (wait > 0 && wait < 2 ** 31) return wait;
  } catch {
    // Said below, as for a duration that is no time to wait.
  }
  throw usage(`--wait ${JSON.stringify(text)}: want a duration such as 90s or 5m`);
}

function readGiven(file: string): KubeObject[] {
  try {
    const objects = readObjects(readFileSync(file), file);
    if (objects.length > MAX_GIVEN) throw usage(`--kustomization ${JSON.stringify(file)}: more than ${MAX_GIVEN} objects`);
    if (objects.some((object) => object.kind === 'Kustomization')) return objects;
  } catch (error) {
    throw usage(`--kustomization ${JSON.stringify(file)}: ${errorMessage(error)}`);
  }
  throw usage(
    `--kustomization ${JSON.stringify(file)}: holds no Kustomization`,
    'give a file with a kustomize.toolkit.fluxcd.io Kustomization',
  );
}

async function load(stage: Stage, plan: Plan, flags: Flags): Promise<Loaded> {
  const loaded = await loadSnapshot(stage.client, plan.objects, neededNamespaces(plan, flags.targetNamespace));
  for (const { object, message } of loaded.refused.slice(0, 10)) progress.warning(`not loaded: ${object}: ${redact(message)}`);
  if (loaded.refused.length > 10) progress.warning(`not loaded: ${loaded.refused.length - 10} more objects`);
  const masked = [...loaded.objects.values()].filter(isMasked).length;
  if (masked > 0)
    progress.warning(`${masked} Secrets have no values in the snapshot: what is made from them differs, values are not compared`);
  return loaded;
}

type Report = { changes: readonly PreviewChange[]; failures: readonly Failure[]; refused: Loaded['refused']; elapsed: number };

const SIGNS: Readonly<Record<ChangeKind, string>> = { created: '+', configured: '~', unchanged: '=', deleted: '-' };

function report(result: Report, output: 'text' | 'json', hasSnapshot: boolean): void {
  const count = (kind: ChangeKind): number => result.changes.filter(({ change }) => change === kind).length;
  const summary = { created: count('created'), configured: count('configured'), unchanged: count('unchanged'), deleted: count('deleted') };
  if (output === 'json') {
    process.stdout.write(`${JSON.stringify(asJson(result, summary), undefined, 2)}\n`);
  } else if (result.changes.length > 0) {
    const rows = result.changes.map(({ ref, change }) => [SIGNS[change], ...cellsOf(ref), change]);
    process.stdout.write(formatTable(['', 'KIND', 'NAMESPACE', 'NAME', 'CHANGE'], rows));
    for (const { diff } of result.changes) if (diff !== undefined) process.stdout.write(`\n${diff}`);
  }
  for (const { ref, message } of result.failures) progress.failure(`${formatObjectRef(ref)}: ${message}`);
  const counts = Object.entries(summary).map(([kind, many]) => `${many} ${kind}`);
  const text = `${counts.join(', ')} in ${result.elapsed.toFixed(1)}s`;
  if (result.failures.length === 0) progress.success(text);
  else progress.failure(`${result.failures.length} failed; ${text}`);
  const remedy = remedyOf(result.failures, hasSnapshot);
  if (remedy !== undefined) process.stderr.write(`  try: ${remedy}\n`);
}

function remedyOf(failures: readonly Failure[], hasSnapshot: boolean): string | undefined {
  if (failures.some(({ message }) => message.includes('namespace not specified'))) return '-n NAMESPACE, which sets spec.targetNamespace';
  const isMissing = failures.some(({ message }) => /not found|no matches for kind/i.test(message));
  return isMissing && !hasSnapshot ? '--snapshot FILE with what the cluster has; sluice snapshot -o FILE takes one' : undefined;
}

function asJson({ changes, failures, refused, elapsed }: Report, summary: Record<ChangeKind, number>): object {
  return {
    ready: failures.length === 0,
    seconds: Number(elapsed.toFixed(3)),
    summary,
    objects: changes.map(({ ref, apiVersion, change, diff }) => ({
      apiVersion,
      kind: ref.kind,
      namespace: ref.namespace,
      name: ref.name,
      change,
      ...(diff === undefined ? {} : { diff }),
    })),
    failures: failures.map(({ ref, reason, message }) => ({ kind: ref.kind, namespace: ref.namespace, name: ref.name, reason, message })),
    notLoaded: refused,
  };
}
