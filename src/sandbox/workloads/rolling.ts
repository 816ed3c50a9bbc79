/** How far a rolling update may go beyond and below the wanted number of pods. */
export type Leeway = { maxSurge: number; maxUnavailable: number };

/** A ReplicaSet as a rolling update sees it. */
export type Scaled = { replicas: number; available: number };

/** A count or a percentage of a total; surges round up, unavailabilities down. */
export function scaledValue(value: unknown, total: number, roundUp: boolean): number {
  if (typeof value !== 'string' || !value.endsWith('%')) return Number(value ?? 0);
  const exact = (Number(value.slice(0, -1)) * total) / 100;
  return roundUp ? Math.ceil(exact) : Math.floor(exact);
}

/** `maxSurge` and `maxUnavailable` as counts; an update could never move if both were zero. */
export function leewayOf(strategy: Readonly<Record<string, unknown>> | undefined, wanted: number): Leeway {
  const maxSurge = scaledValue(strategy?.['maxSurge'], wanted, true);
  const maxUnavailable = scaledValue(strategy?.['maxUnavailable'], wanted, false);
  return maxSurge === 0 && maxUnavailable === 0
    ? { maxSurge, maxUnavailable: 1 }
    : { maxSurge, maxUnavailable: Math.min(maxUnavailable, wanted) };
}

/** How many pods the new ReplicaSet may have next. */
export function nextNewReplicas(wanted: number, current: Scaled, old: readonly Scaled[], { maxSurge }: Leeway): number {
  if (current.replicas >= wanted) return wanted;
  const total = current.replicas + old.reduce((sum, it) => sum + it.replicas, 0);
  return current.replicas + Math.max(0, Math.min(wanted + maxSurge - total, wanted - current.replicas));
}

/**
 * How many pods each old ReplicaSet (oldest first) may have next: what is broken goes first, then as many as leave
 * `wanted - maxUnavailable` available.
 */
export function nextOldReplicas(wanted: number, current: Scaled, old: readonly Scaled[], { maxUnavailable }: Leeway): number[] {
  const next = old.map((it) => it.replicas);
  const least = wanted - maxUnavailable;
  const total = current.replicas + next.reduce((sum, it) => sum + it, 0);
  const spare = total - least - (current.replicas - current.available);
  if (spare <= 0) return next;
  let cleaned = 0;
  old.forEach((it, i) => {
    const broken = Math.min(spare - cleaned, Math.max(0, it.replicas - it.available));
    next[i] = it.replicas - broken;
    cleaned += broken;
  });
  let left = current.available + old.reduce((sum, it, i) => sum + Math.min(it.available, next[i] ?? 0), 0) - least;
  for (let i = 0; i < next.length && left > 0; i++) {
    const down = Math.min(next[i] ?? 0, left);
    next[i] = (next[i] ?? 0) - down;
    left -= down;
  }
  return next;
}

/**
 * Spreads a new total over ReplicaSets (oldest first) in proportion to their size; the largest takes what rounding leaves.
 * @param before the total that they were sized for
 */
export function proportional(sizes: readonly number[], before: number, total: number): number[] {
  const next = [...sizes];
  const change = total - sizes.reduce((sum, it) => sum + it, 0);
  // Of two as large the newer one grows first and the older one shrinks first.
  const order = sizes.map((size, i) => ({ size, i })).sort((a, b) => b.size - a.size || (change > 0 ? b.i - a.i : a.i - b.i));
  let left = change;
  for (const { size, i } of before === 0 ? [] : order) {
    const share = Math.round((size * total) / before) - size;
    const taken = change > 0 ? Math.min(share, left) : Math.max(share, left);
    next[i] = size + taken;
    left -= taken;
  }
  const [first] = order;
  if (first !== undefined && before !== 0) next[first.i] = Math.max(0, (next[first.i] ?? 0) + left);
  return next;
}
