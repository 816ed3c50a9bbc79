import type { KubeObject } from '../../manifest/index.ts';
import { mapAt, mapsOf } from '../kinds/pod-defaults.ts';

/** What a simulated pod has to say: a line for each of its containers. */
export function podLog(pod: KubeObject): string {
  const phase = String(mapAt(pod, 'status')?.['phase'] ?? 'Pending');
  return mapsOf(mapAt(pod, 'spec'), 'containers')
    .map((container) => `${String(container['name'])}: simulated container of ${String(container['image'])}, pod is ${phase}\n`)
    .join('');
}
