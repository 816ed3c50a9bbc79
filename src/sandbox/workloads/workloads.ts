import type { Cluster } from '../controllers/cluster.ts';
import { runBudgets } from './budgets.ts';
import { runClaims } from './claims.ts';
import { runCronJobs } from './cron-jobs.ts';
import { runDaemonSets } from './daemon-sets.ts';
import { runDeployments } from './deployments.ts';
import { runJobs } from './jobs.ts';
import { type Pace, runPods } from './pods.ts';
import { runReplicaSets } from './replica-sets.ts';
import { runServices } from './services.ts';
import { runStatefulSets } from './stateful-sets.ts';

export type { Pace } from './pods.ts';

/** Starts every workload controller and the stand-in kubelet; gives how to stop them. */
export function runWorkloads(cluster: Cluster, kubelet: Cluster, pace: Pace): () => void {
  const stops = [
    runPods(kubelet, pace),
    runDeployments(cluster),
    runReplicaSets(cluster),
    runStatefulSets(cluster),
    runDaemonSets(cluster),
    runJobs(cluster, pace.backoff),
    runCronJobs(cluster),
    runServices(cluster),
    runClaims(cluster),
    runBudgets(cluster),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
