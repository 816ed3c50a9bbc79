import { finalizer } from '../../api/index.ts';
import type { Release } from '../../helm/index.ts';
import { isKubeError, type KubeClient } from '../../kube/index.ts';
import type { ConfigReader, Outcome, StatusWriter } from '../../runtime/index.ts';
import { CodedError, isCodedError } from '../../std/index.ts';
import type { Clusters } from '../applier/index.ts';
import type { ReleaseStorage, ReleaseTarget } from './actions/index.ts';
import { HelmReleaseFailure } from './failure.ts';
import type { Memories } from './memory.ts';
import type { Pass } from './pass.ts';
import { bearsOwner, reach, type Prepared } from './prepare.ts';
import { sortHistory } from './snapshot.ts';
import { uninstall, type UninstallRunOptions } from './uninstall.ts';

/** What finalizing works with. */
export type FinalizeOptions = UninstallRunOptions & {
  clusters: Clusters;
  configs: ConfigReader;
  memories: Memories;
  writer: StatusWriter;
  defaultServiceAccount: string;
  storage: (target: Pick<ReleaseTarget, 'name' | 'storageNamespace'> & { client: KubeClient }, isLocal: boolean) => ReleaseStorage;
};

/** Ends a HelmRelease that is being deleted: uninstalls its release, then lets it go (HB64). @throws CodedError `UninstallFailed` */
export async function finalize(pass: Pass, options: FinalizeOptions): Promise<Outcome> {
  const { object } = pass;
  const { metadata, spec, status } = object;
  // One in our own cluster may have been begun before anything was noted.
  const { storageNamespace = '' } = status;
  const isNoted = storageNamespace !== '';
  if (!(metadata.finalizers ?? []).includes(finalizer)) {
    await pass.session.abandon();
    return { kind: 'done' };
  }
  if (spec.suspend === true || (!isNoted && spec.kubeConfig !== undefined)) return letGo(pass, options);
  const reached = await reachable(pass, options);
  if (reached === undefined) return letGo(pass, options);
  const [latest] = sortHistory(status.history);
  const target = {
    ...reached.target,
    ...(isNoted ? { storageNamespace } : {}),
    ...(latest === undefined ? {} : { name: latest.name, namespace: latest.namespace }),
  };
  const storage = options.storage(target, reached.cluster.id === '');
  if (latest === undefined) {
    // The process ended in the middle of the first install, or nothing was ever begun: only what carries our mark is ours to remove.
    const last = await lastRecord(storage, pass, isNoted);
    if (last === undefined || !bearsOwner(last, object)) return letGo(pass, options);
  }
  return uninstall(pass, target, storage, options, {
    done: async () => {
      pass.context.log.info('uninstalled Helm release for deleted resource');
      pass.tell();
      return letGo(pass, options);
    },
    failed: async (error) => {
      pass.summarize();
      await pass.finish(false);
      const { namespace, name } = metadata;
      throw new CodedError({
        code: 'UninstallFailed',
        message: `uninstall release of deleted HelmRelease ${namespace}/${name}: ${error.message}`,
        subject: `HelmRelease/${namespace}/${name}`,
        cause: error,
      });
    },
  });
}

/** @param isNoted otherwise an account that may not look has never released anything */
async function lastRecord(storage: ReleaseStorage, { context }: Pass, isNoted: boolean): Promise<Release | undefined> {
  try {
    return (await storage.list(context.signal)).at(-1);
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    if (!isNoted && isKubeError(cause, 'Forbidden')) return undefined;
    throw error;
  }
}

async function letGo(pass: Pass, { writer, memories }: FinalizeOptions): Promise<Outcome> {
  await pass.session.abandon();
  await writer.writeFinalizer(pass.object.metadata, finalizer, false);
  memories.forget(pass.key);
  return { kind: 'done' };
}

/** Where the release is, and who removes it; undefined when its kubeconfig or the account is gone. */
async function reachable(pass: Pass, options: FinalizeOptions): Promise<Pick<Prepared, 'cluster' | 'target'> | undefined> {
  const { object, context } = pass;
  const { namespace } = object.metadata;
  const account = object.spec.serviceAccountName ?? options.defaultServiceAccount;
  if (account !== '' && object.spec.kubeConfig === undefined) {
    if ((await options.configs.find('ServiceAccount', namespace, account)) === undefined) {
      context.log.info('skipping Helm release uninstallation: its ServiceAccount does not exist', { account });
      return undefined;
    }
  }
  try {
    return await reach(object, options);
  } catch (error) {
    const isGone = error instanceof HelmReleaseFailure && (error.follow === 'stall' || isCodedError(error.cause, 'ConfigNotFound'));
    if (!isGone) throw error;
    context.log.info('skipping Helm release uninstallation', { cause: error.message });
    return undefined;
  }
}
