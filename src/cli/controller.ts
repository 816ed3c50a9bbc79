import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { openArtifactStore } from '../artifact/index.ts';
import { createKubeClient, loadClusterConfig, nodeHost } from '../kube/index.ts';
import { createRegistryClients, parseMirrorRule, type MirrorRule } from '../oci/index.ts';
import {
  createLogger,
  lineWriter,
  createMetrics,
  httpEventSink,
  parseFeatureGates,
  watchLabelSelector,
  type LogEncoding,
  type LogLevel,
} from '../runtime/index.ts';
import { artifactFiles, healthHandler, listen, metricsHandler, parseAddress } from '../server/index.ts';
import { errorMessage, parseDuration, systemClock, type Duration } from '../std/index.ts';
import { environmentProxy } from './artifact-registry.ts';
import { useEnvironmentProxies } from './environment-proxy.ts';
import { defaultLeases, leaseNames, runAsLeader } from './leader-election.ts';
import { startControllers, type ControllersOptions } from './start-controllers.ts';

type Flags = {
  kubeconfig?: string;
  context?: string;
  watchAllNamespaces: boolean;
  watchLabelSelector: string;
  watchConfigsLabelSelector: string;
  registryMirror: MirrorRule[];
  storagePath: string;
  storageAddr: string;
  storageAdvAddr: string;
  artifactRetentionTtl: Duration;
  artifactRetentionRecords: number;
  concurrent: number;
  requeueDependency: Duration;
  minRetryDelay: Duration;
  maxRetryDelay: Duration;
  intervalJitterPercentage: number;
  eventsAddr: string;
  metricsAddr: string;
  healthAddr: string;
  logLevel: LogLevel;
  logEncoding: LogEncoding;
  featureGates: string;
  crossNamespaceRefs: boolean;
  remoteBases: boolean;
  defaultServiceAccount: string;
  tokenCacheMaxSize: number;
  tokenCacheMaxDuration: Duration;
  overrideManager: string[];
  customApplyStageKinds: string;
  insecureKubeconfigExec: boolean;
  insecureKubeconfigTls: boolean;
  enableLeaderElection: boolean;
  leaderElectionLeaseDuration: Duration;
  leaderElectionRenewDeadline: Duration;
  leaderElectionRetryPeriod: Duration;
};

type FlagOptions = Pick<
  ControllersOptions,
  | 'concurrency'
  | 'backoff'
  | 'intervalJitter'
  | 'requeueDependency'
  | 'namespace'
  | 'labelSelector'
  | 'configsLabelSelector'
  | 'gates'
  | 'kubeconfigPolicy'
  | 'noCrossNamespaceRefs'
  | 'defaultServiceAccount'
  | 'tokenCache'
  | 'overrideManagers'
  | 'customStageKinds'
>;

/** `sluice controller`: every controller in one process, against the cluster of a kubeconfig or the one it runs in. */
export function controllerCommand(program: Command): void {
  const command = program
    .command('controller')
    .description('Reconcile a cluster: run every controller in this process until it is told to stop');
  addClusterOptions(command);
  addStorageOptions(command);
  addReconcileOptions(command);
  addObservationOptions(command);
  command.action(async () => {
    process.exitCode = await runController(command.optsWithGlobals<Flags>());
  });
}

function addClusterOptions(command: Command): void {
  command
    .option('--watch-all-namespaces', 'watch every namespace, not only $RUNTIME_NAMESPACE', true)
    .option('--watch-label-selector <selector>', 'reconcile only objects with these labels (sharding)', '')
    .option('--watch-configs-label-selector <selector>', 'ConfigMaps and Secrets whose change reconciles at once', watchLabelSelector)
    .option('--enable-leader-election', 'work only while holding the lease', false)
    .option(
      '--leader-election-lease-duration <duration>',
      'how long others wait before they take the lease',
      parseDuration,
      defaultLeases.leaseDuration,
    )
    .option(
      '--leader-election-renew-deadline <duration>',
      'how long a leader may fail to renew',
      parseDuration,
      defaultLeases.renewDeadline,
    )
    .option('--leader-election-retry-period <duration>', 'time between tries', parseDuration, defaultLeases.retryPeriod)
    .option('--insecure-kubeconfig-exec', 'allow exec plugins in kubeconfigs of kubeConfig.secretRef', false)
    .option('--insecure-kubeconfig-tls', 'allow kubeconfigs of kubeConfig.secretRef to skip TLS verification', false);
}

function addStorageOptions(command: Command): void {
  const { env } = process;
  command
    .option('--registry-mirror <host=other>', 'serve a registry from another, HOST=OTHER[/prefix]; may be given more than once', mirror, [])
    .option('--storage-path <folder>', 'where artifacts are kept', env['STORAGE_PATH'] ?? '/data')
    .option('--storage-addr <address>', 'where artifacts are served', env['STORAGE_ADDRESS'] ?? ':9090')
    .option('--storage-adv-addr <address>', 'the address of that others use', env['STORAGE_ADV_ADDR'] ?? '')
    .option('--artifact-retention-ttl <duration>', 'how long old artifacts are kept', parseDuration, parseDuration('60s'))
    .option('--artifact-retention-records <count>', 'how many artifacts of one source are kept', count, 2);
}

function addReconcileOptions(command: Command): void {
  command
    .option('--concurrent <count>', 'objects of a kind reconciled at the same time', count, 16)
    .option(
      '--requeue-dependency <duration>',
      'how long to wait for dependencies before looking again',
      parseDuration,
      parseDuration('30s'),
    )
    .option('--min-retry-delay <duration>', 'first pause after a failure', parseDuration, parseDuration('750ms'))
    .option('--max-retry-delay <duration>', 'longest pause after a failure', parseDuration, parseDuration('15m'))
    .option('--interval-jitter-percentage <percent>', 'how much intervals vary, 0 to 99', percentage, 5)
    .option('--feature-gates <list>', 'features to turn on or off, A=true,B=false', '')
    .addOption(refusal('--no-cross-namespace-refs [bool]', 'refuse references to other namespaces'))
    .addOption(refusal('--no-remote-bases [bool]', 'refuse remote bases in kustomizations'))
    .option('--default-service-account <name>', 'account to act as when a Kustomization names none', '')
    .option('--token-cache-max-size <count>', 'tokens of cloud providers kept, 0 for none', size, 1000)
    .option('--token-cache-max-duration <duration>', 'how long a token is used at most', parseDuration, parseDuration('1h'))
    .option('--override-manager <name>', 'field manager to take over on apply; may be given more than once', collect, [])
    .option('--custom-apply-stage-kinds <list>', 'kinds applied in a stage of their own, group/kind,…', '');
}

function addObservationOptions(command: Command): void {
  const { env } = process;
  command
    .option('--events-addr <url>', 'where events are posted', env['EVENTS_ADDR'] ?? '')
    .option('--metrics-addr <address>', 'where metrics are served', env['METRICS_ADDR'] ?? ':8080')
    .option('--health-addr <address>', 'where health probes are served', ':9440')
    .addOption(
      new Option('--log-level <level>', 'least important lines that are written')
        .choices(['trace', 'debug', 'info', 'error'])
        .default('info'),
    )
    .addOption(new Option('--log-encoding <encoding>', 'form of the log').choices(['json', 'console']).default('json'));
}

/** Few tries within one operation: the controller tries again itself, and the user sees why the last one failed. */
const REGISTRY_LIMITS = { attempts: 3, resumes: 3 } as const;

async function runController(flags: Flags): Promise<number> {
  useEnvironmentProxies(process.env);
  const clock = systemClock;
  const lines = lineWriter((text) => process.stderr.write(text));
  process.once('exit', lines.flush);
  const log = createLogger({ clock, level: flags.logLevel, encoding: flags.logEncoding, write: lines.line });
  const metrics = createMetrics({ processMetrics: true });
  const namespace = process.env['RUNTIME_NAMESPACE'] ?? 'flux-system';
  const config = await loadClusterConfig(nodeHost, { ...given('kubeconfig', flags.kubeconfig), ...given('context', flags.context) });
  const host = new URL(config.server).host;
  const kube = createKubeClient(config, { clock, userAgent: 'sluice', onRequest: (record) => metrics.request(record, host) });
  const registries = createRegistryClients({
    clock,
    random: Math.random,
    userAgent: 'sluice',
    mirrors: flags.registryMirror,
    proxy: environmentProxy(process.env),
    limits: REGISTRY_LIMITS,
  });
  const retention = { ttl: flags.artifactRetentionTtl, records: flags.artifactRetentionRecords };
  const store = await openArtifactStore({ root: flags.storagePath, clock, retention });
  const state = { live: true, ready: false };
  const files = await listen(flags.storageAddr, artifactFiles(store.root));
  const servers = [
    files,
    await listen(flags.metricsAddr, metricsHandler(metrics)),
    await listen(flags.healthAddr, healthHandler({ live: () => state.live, ready: () => state.ready })),
  ];
  const stopping = stopSignal();
  const artifacts = advertisedAddress(flags.storageAdvAddr, flags.storageAddr, files.port);
  const options: ControllersOptions = {
    ...controllerFlags(flags, namespace),
    runtimeNamespace: namespace,
    kube,
    registries,
    store,
    clock,
    random: Math.random,
    log,
    metrics,
    fetch: globalThis.fetch,
    sink: flags.eventsAddr === '' ? undefined : httpEventSink(flags.eventsAddr, { clock, fetch: globalThis.fetch, signal: stopping }),
    instance: hostname(),
    artifactAddress: () => `http://${artifacts}`,
  };
  const work = async (signal: AbortSignal): Promise<void> => {
    const controllers = startControllers(options);
    try {
      await Promise.race([controllers.ready, aborted(signal)]);
      if (signal.aborted) return;
      state.ready = true;
      log.info('ready', { server: config.server, artifacts, storage: store.root });
      await aborted(signal);
    } finally {
      state.ready = false;
      log.info('stopping: letting work under way end');
      await controllers.stop();
    }
  };
  try {
    const flagsOfLeases = {
      leaseDuration: flags.leaderElectionLeaseDuration,
      renewDeadline: flags.leaderElectionRenewDeadline,
      retryPeriod: flags.leaderElectionRetryPeriod,
    };
    const names = flags.enableLeaderElection ? leaseNames(flags.watchLabelSelector) : [];
    const identity = `${hostname()}_${randomUUID()}`;
    await runAsLeader({ kube, namespace, names, identity, flags: flagsOfLeases, clock, random: Math.random, log, metrics }, work, stopping);
    log.info('stopped');
    return 0;
  } catch (error) {
    log.error('controllers failed', error);
    return 1;
  } finally {
    state.live = false;
    await Promise.all(servers.map((server) => server.close()));
    await registries.close();
    await kube.close();
  }
}

/** The flags that go to the controllers as they are. */
function controllerFlags(flags: Flags, namespace: string): FlagOptions {
  return {
    concurrency: flags.concurrent,
    backoff: { base: flags.minRetryDelay, max: flags.maxRetryDelay, factor: 2, jitter: 0.1 },
    intervalJitter: flags.intervalJitterPercentage / 100,
    requeueDependency: flags.requeueDependency,
    namespace: flags.watchAllNamespaces ? undefined : namespace,
    labelSelector: flags.watchLabelSelector === '' ? undefined : flags.watchLabelSelector,
    configsLabelSelector: flags.watchConfigsLabelSelector,
    gates: parseFeatureGates(flags.featureGates),
    kubeconfigPolicy: { allowExec: flags.insecureKubeconfigExec, allowInsecure: flags.insecureKubeconfigTls },
    noCrossNamespaceRefs: !flags.crossNamespaceRefs,
    defaultServiceAccount: flags.defaultServiceAccount,
    tokenCache: { maxSize: flags.tokenCacheMaxSize, maxDuration: flags.tokenCacheMaxDuration },
    overrideManagers: flags.overrideManager,
    customStageKinds: new Set(flags.customApplyStageKinds.split(',').filter((kind) => kind !== '')),
  };
}

/** The address others reach our artifacts at (reference: --storage-adv-addr): its own host, else localhost or the host's name. */
export function advertisedAddress(advertised: string, listening: string, port: number): string {
  if (advertised !== '') return advertised;
  const { host } = parseAddress(listening);
  const name = host === undefined ? 'localhost' : host === '0.0.0.0' ? (process.env['HOSTNAME'] ?? hostname()) : host;
  return `${name.includes(':') ? `[${name}]` : name}:${port}`;
}

/** Aborts at the first SIGTERM or SIGINT; the second ends the process at once. */
function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  const stop = (): void => {
    if (stopping.signal.aborted) process.exit(1);
    stopping.abort();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  return stopping.signal;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function given<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, V>);
}

/** A flag whose own name begins with `no-`, as Flux has some; `=false` allows again. */
function refusal(flags: string, description: string): Option {
  return new Option(flags, description).default(true).argParser((text) => !booleanValue(text));
}

function booleanValue(text: string): boolean {
  if (/^(true|t|1)$/i.test(text)) return true;
  if (/^(false|f|0)$/i.test(text)) return false;
  throw new InvalidArgumentError('want true or false');
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 10_000) throw new InvalidArgumentError('want a whole number from 1 to 10000');
  return value;
}

function size(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 1_000_000) throw new InvalidArgumentError('want a whole number from 0 to 1000000');
  return value;
}

function percentage(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 99) throw new InvalidArgumentError('want a whole number from 0 to 99');
  return value;
}

function mirror(text: string, previous: MirrorRule[]): MirrorRule[] {
  try {
    return [...previous, parseMirrorRule(text)];
  } catch (error) {
    throw new InvalidArgumentError(errorMessage(error));
  }
}

function collect(text: string, previous: string[]): string[] {
  return [...previous, text];
}
