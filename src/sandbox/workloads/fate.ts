import { type Duration, milliseconds, parseDuration } from '../../std/index.ts';
import type { KubeObject } from '../../manifest/index.ts';
import { mapAt, mapsOf } from '../kinds/index.ts';

/** What becomes of a simulated pod; `pending` never gets its image, `unschedulable` never gets a node. */
export type Fate = 'ready' | 'pending' | 'unschedulable' | 'unready' | 'crash' | 'fail';

/** Whose annotations (`<domain>/fate`, `<domain>/delay`) and images (`<domain>/crash:1`) tell fates. */
export const FATE_DOMAIN = 'sandbox.sluice.dev';

const WORDS: Readonly<Record<string, Fate>> = {
  ready: 'ready',
  pending: 'pending',
  unschedulable: 'unschedulable',
  unready: 'unready',
  hang: 'unready',
  crash: 'crash',
  fail: 'fail',
};

/**
 * What a pod is told to become: its annotation `sandbox.sluice.dev/fate`, else the first of its images called
 * `sandbox.sluice.dev/crash:1` (or `hang`, `fail`, `pending`), else ready.
 */
export function fateOf(pod: KubeObject, domains: readonly string[] = [FATE_DOMAIN]): Fate {
  for (const domain of domains) {
    const told = WORDS[pod.metadata.annotations?.[`${domain}/fate`] ?? ''];
    if (told !== undefined) return told;
  }
  const spec = mapAt(pod, 'spec');
  for (const container of [...mapsOf(spec, 'initContainers'), ...mapsOf(spec, 'containers')]) {
    const image = String(container['image'] ?? '');
    const domain = domains.find((it) => image.startsWith(`${it}/`));
    if (domain === undefined) continue;
    const word = /^[a-z]+/.exec(image.slice(domain.length + 1))?.[0] ?? '';
    return WORDS[word] ?? 'ready';
  }
  return 'ready';
}

/** How long a pod takes to get there: its annotation `sandbox.sluice.dev/delay`, else `usual`. */
export function delayOf(pod: KubeObject, usual: Duration, domains: readonly string[] = [FATE_DOMAIN]): Duration {
  for (const domain of domains) {
    const told = pod.metadata.annotations?.[`${domain}/delay`];
    if (told === undefined) continue;
    try {
      return parseDuration(told);
    } catch {
      return milliseconds(usual); // not a duration: the pod is as if it had no annotation
    }
  }
  return usual;
}
