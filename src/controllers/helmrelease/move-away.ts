import type { HelmRelease } from '../../api/index.ts';
import type { KubeClient } from '../../kube/index.ts';
import type { Outcome, ReconcileContext } from '../../runtime/index.ts';
import type { ReleaseStorage, ReleaseTarget } from './actions/index.ts';
import { forgetFailures } from './bookkeeping.ts';
import { HelmReleaseFailure } from './failure.ts';
import type { Pass } from './pass.ts';
import type { Prepared } from './prepare.ts';
import { releaseName, releaseNamespace, storageNamespace } from './settings.ts';
import { sortHistory } from './snapshot.ts';
import { uninstall, type UninstallRunOptions } from './uninstall.ts';

/** What moving away works with. */
export type MoveOptions = UninstallRunOptions & {
  storage: (target: Pick<ReleaseTarget, 'name' | 'storageNamespace'> & { client: KubeClient }, isLocal: boolean) => ReleaseStorage;
};

/** Why the release that is there is another than the one that is wanted (HB06); undefined when it is not. */
export function targetChange(object: HelmRelease, chartName: string): string | undefined {
  const { status, spec } = object;
  const [latest] = sortHistory(status.history);
  if (latest === undefined || status.storageNamespace === undefined || status.storageNamespace === '') return undefined;
  if (storageNamespace(object) !== status.storageNamespace) return 'storage namespace';
  if (releaseNamespace(object) !== latest.namespace) return 'release namespace';
  if (releaseName(object) !== latest.name) return 'release name';
  const reinstalls = (spec.upgrade?.chartNameChangeStrategy ?? 'Reinstall') === 'Reinstall';
  return chartName !== latest.chartName && reinstalls ? 'chart name' : undefined;
}

/** Uninstalls the release that is there when another is wanted, then begins afresh. Undefined when there is nothing to move away from. */
export async function moveAway(
  pass: Pass,
  { chart, target, cluster }: Prepared,
  options: MoveOptions,
  afresh: (context: ReconcileContext) => Promise<Outcome>,
): Promise<Outcome | undefined> {
  const { object, draft, context } = pass;
  const reason = targetChange(object, chart.name);
  const [latest] = sortHistory(draft.history);
  if (reason === undefined || latest === undefined) return undefined;
  context.log.info(`release target configuration changed (${reason}): running uninstall for current release`);
  const old = { ...target, name: latest.name, namespace: latest.namespace, storageNamespace: object.status.storageNamespace ?? '' };
  return uninstall(pass, old, options.storage(old, cluster.id === ''), options, {
    done: async (next) => {
      delete draft.history;
      forgetFailures(draft);
      delete draft.storageNamespace;
      await pass.finish(false);
      return afresh(next);
    },
    failed: async (error) => {
      throw new HelmReleaseFailure('UninstallFailed', error.message, { cause: error, tell: false });
    },
  });
}
