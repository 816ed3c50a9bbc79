import type { Command } from 'commander';
import { errorMessage, parseDuration, sleep, systemClock, milliseconds, CodedError } from '../std/index.ts';
import { requestAnnotations } from '../api/index.ts';
import type { KubeClient } from '../kube/index.ts';
import type { KubeObject } from '../manifest/index.ts';
import { type ClusterFlags, connect, namespaceOf } from './cluster.ts';
import { isSuspended, OBJECT_KINDS, type ObjectKind, progressOf, readiness, text } from './object-kinds.ts';
import { progress } from './progress.ts';

type ReconcileFlags = ClusterFlags & { withSource?: boolean; force?: boolean; reset?: boolean };
type SuspendFlags = ClusterFlags & { all?: boolean; wait?: boolean };

/** `sluice reconcile|suspend|resume source oci|kustomization NAME…` (K06–K08, K10). */
export function reconcileCommands(program: Command): void {
  const reconcile = program.command('reconcile').description('Reconcile sources and resources');
  const suspend = program.command('suspend').description('Suspend the reconciliation of resources');
  const resume = program.command('resume').description('Resume suspended resources');
  const below = new Map([reconcile, suspend, resume].map((verb) => [verb, verb.command('source').alias('sources').description('Sources')]));
  for (const kind of OBJECT_KINDS) {
    const [word = '', ...aliases] = kind.words;
    const parent = (verb: Command): Command => (kind.below === undefined ? verb : (below.get(verb) ?? verb));
    const one = parent(reconcile).command(`${word} <name>`).aliases(aliases).description(`Reconcile a ${kind.kind} object`);
    if (kind.source !== undefined) one.option('--with-source', 'reconcile the source first');
    if (kind.kind === 'HelmRelease') {
      one
        .option('--force', 'force a one-off install or upgrade of the HelmRelease resource')
        .option('--reset', 'reset the failure count for this HelmRelease resource');
    }
    one.action(async (name: string) => await reconcileCommand(kind, name, one.optsWithGlobals<ReconcileFlags>()));
    const stop = parent(suspend).command(`${word} [names...]`).aliases(aliases).description(`Suspend ${kind.kind} objects`);
    stop.option('--all', 'suspend all objects in that namespace');
    stop.action(async (names: string[]) => await suspendCommand(kind, names, stop.optsWithGlobals<SuspendFlags>()));
    const go = parent(resume).command(`${word} [names...]`).aliases(aliases).description(`Resume ${kind.kind} objects`);
    go.option('--all', 'resume all objects in that namespace').option('--wait', 'wait for the resource to reconcile');
    go.action(async (names: string[]) => await resumeCommand(kind, names, go.optsWithGlobals<SuspendFlags>()));
  }
}

async function reconcileCommand(kind: ObjectKind, name: string, flags: ReconcileFlags): Promise<void> {
  await using session = await connect(flags);
  const { client } = session;
  const object = await client.get({ ...kind, name, namespace: namespaceOf(flags, client) });
  if (isSuspended(object)) throw suspended(kind, name);
  if (flags.withSource === true) {
    const reference = kind.source ?? [];
    const source = OBJECT_KINDS.find((it) => it.kind === text(object, ...reference, 'kind'));
    if (source !== undefined) {
      const namespace = text(object, ...reference, 'namespace') || namespaceOf(flags, client);
      await requestAndWait(client, source, { name: text(object, ...reference, 'name'), namespace }, flags);
    }
  }
  await requestAndWait(client, kind, { name, namespace: namespaceOf(flags, client) }, flags);
}

async function requestAndWait(
  client: KubeClient,
  kind: ObjectKind,
  at: { name: string; namespace: string },
  flags: ReconcileFlags,
): Promise<void> {
  progress.action(`annotating ${kind.kind} ${at.name} in ${at.namespace} namespace`);
  const token = new Date(systemClock.now()).toISOString();
  const annotations = {
    [requestAnnotations.requestedAt]: token,
    ...(flags.force === true ? { [requestAnnotations.forceAt]: token } : {}),
    ...(flags.reset === true ? { [requestAnnotations.resetAt]: token } : {}),
  };
  const body = { metadata: { annotations } };
  const before = await client.patch({ ...kind, ...at }, { type: 'merge', body }, { fieldManager: 'flux' });
  const previous = text(before, 'status', 'lastHandledReconcileAt');
  progress.success(`${kind.kind} annotated`);
  progress.waiting(`waiting for ${kind.kind} reconciliation`);
  const object = await waitUntil(
    client,
    kind,
    at,
    flags,
    (it) => text(it, 'status', 'lastHandledReconcileAt') !== previous && progressOf(it) !== 'in-progress',
  );
  assertReady(kind, object);
  progress.success(kind.done(object));
}

async function suspendCommand(kind: ObjectKind, names: readonly string[], flags: SuspendFlags): Promise<void> {
  await using session = await connect(flags);
  const namespace = namespaceOf(flags, session.client);
  for (const name of await targets(session.client, kind, names, flags)) {
    progress.action(`suspending ${kind.human} ${name} in ${namespace} namespace`);
    await session.client.patch(
      { ...kind, name, namespace },
      { type: 'merge', body: { spec: { suspend: true } } },
      { fieldManager: 'flux' },
    );
    progress.success(`${kind.human} suspended`);
  }
}

async function resumeCommand(kind: ObjectKind, names: readonly string[], flags: SuspendFlags): Promise<void> {
  await using session = await connect(flags);
  const { client } = session;
  const namespace = namespaceOf(flags, client);
  let failed = 0;
  for (const name of await targets(client, kind, names, flags)) {
    progress.action(`resuming ${kind.human} ${name} in ${namespace} namespace`);
    await client.patch({ ...kind, name, namespace }, { type: 'merge', body: { spec: { suspend: false } } }, { fieldManager: 'flux' });
    progress.success(`${kind.human} resumed`);
    progress.waiting(`waiting for ${kind.kind} reconciliation`);
    try {
      const object = await waitUntil(client, kind, { name, namespace }, flags, (it) => progressOf(it) !== 'in-progress');
      assertReady(kind, object);
      progress.success(`${kind.kind} ${name} reconciliation completed`);
      progress.success(kind.done(object));
    } catch (error) {
      failed += 1;
      progress.failure(errorMessage(error));
    }
  }
  if (failed > 0) process.exitCode = 1;
}

async function targets(client: KubeClient, kind: ObjectKind, names: readonly string[], flags: SuspendFlags): Promise<readonly string[]> {
  if (names.length > 0) return names;
  if (flags.all !== true)
    throw new CodedError({ code: 'UsageInvalid', message: `${kind.human} name is required, or --all`, retryable: false });
  const list = await client.list(kind, { namespace: namespaceOf(flags, client) });
  return list.items.map((object) => object.metadata.name);
}

/** Reads the object until `ready` accepts it: woken by a watch, no polling; `--timeout` bounds it (L01). */
async function waitUntil(
  client: KubeClient,
  kind: ObjectKind,
  at: { name: string; namespace: string },
  flags: ClusterFlags,
  ready: (object: KubeObject) => boolean,
): Promise<KubeObject> {
  const informer = client.informer(kind, { namespace: at.namespace, fieldSelector: `metadata.name=${at.name}` });
  const timeout = parseDuration(flags.timeout);
  const abort = new AbortController();
  try {
    return await Promise.race([
      new Promise<KubeObject>((resolve) => {
        const look = (object: KubeObject): void => {
          if (ready(object)) resolve(object);
        };
        informer.subscribe({ added: look, updated: look });
      }),
      sleep(systemClock, milliseconds(timeout), abort.signal).then(() => {
        const last = informer.get(at.namespace, at.name);
        const why = last === undefined ? 'object not found' : readiness(last).message;
        throw new CodedError({
          code: 'Timeout',
          message: `wait for ${kind.kind} "${at.namespace}/${at.name}": not reconciled within ${flags.timeout}: ${why}`,
        });
      }),
    ]);
  } finally {
    abort.abort();
    informer.release();
  }
}

function assertReady(kind: ObjectKind, object: KubeObject): void {
  const ready = readiness(object);
  if (ready.status === 'True') return;
  throw new CodedError({ code: 'NotReady', message: `${kind.kind} reconciliation failed: '${ready.message}'` });
}

function suspended(kind: ObjectKind, name: string): CodedError {
  return new CodedError({
    code: 'Suspended',
    message: `reconcile ${kind.human} "${name}": resource is suspended`,
    remedy: `sluice resume ${kind.human} ${name}`,
    retryable: false,
  });
}
