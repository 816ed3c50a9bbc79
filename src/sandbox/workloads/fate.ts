import { type Duration, milliseconds, parseDuration } from '../../std/index.ts';
import type { KubeObject } from '../../manifest/index.ts';
import { mapAt, mapsOf } from '../kinds/index.ts';

/** What becomes of a simulated pod. */
export type Fate = 'ready' | 'pending' | 'unready' | 'crash' | 'fail';

const FATE = 'sandbox.sluice.dev/fate';
const DELAY = 'sandbox.sluice.dev/delay';
const REGISTRY = 'sandbox.sluice.dev/';
const WORDS: Readonly<Record<string, Fate>> = {
  ready: 'ready',
  pending: 'pending',
  unready: 'unready',
  hang: 'unready',
  crash: 'crash',
  fail: 'fail',
};

/**
 * What a pod is told to become: its annotation `sandbox.sluice.dev/fate`, else the first of its images called
 * `sandbox.sluice.dev/crash:1` (or `hang`, `fail`, `pending`), else ready.
 */
export function fateOf(pod: KubeObject): Fate {
  const told = WORDS[pod.metadata.annotations?.[FATE] ?? ''];
  if (told !== undefined) return told;
  const spec = mapAt(pod, 'spec');
  for (const container of [...mapsOf(spec, 'initContainers'), ...mapsOf(spec, 'containers')]) {
    const image = String(container['image'] ?? '');
    if (!image.startsWith(REGISTRY)) continue;
    const word = /^[a-z]+/.exec(image.slice(REGISTRY.length))?.[0] ?? '';
    return WORDS[word] ?? 'ready';
  }
  return 'ready';
}

/** How long a pod takes to get there: its annotation `sandbox.sluice.dev/delay`, else `usual`. */
export function delayOf(pod: KubeObject, usual: Duration): Duration {
  const told = pod.metadata.annotations?.[DELAY];
  if (told === undefined) return usual;
  try {
    return parseDuration(told);
  } catch {
    return milliseconds(usual); // not a duration: the pod is as if it had no annotation
  }
}
