/** Fields whose value differs from run to run. */
const VARYING: ReadonlySet<string> = new Set([
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'deletionTimestamp',
  'lastTransitionTime',
  'lastUpdateTime',
  'time',
  'clusterIP',
  'nodePort',
  'continue',
  'serverAddress',
]);

/** An answer with what differs from run to run replaced, and the keys of its objects in order. */
export function normalise(value: unknown, namespace: string): unknown {
  const text = (it: string): string =>
    it
      .replaceAll(namespace, '{ns}')
      .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '{uid}')
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '{time}')
      .replaceAll(/\b10\.(\d+)\.\d+\.\d+\b/g, '{ip}')
      .replaceAll(/resource version: (\d+) \(\d+\)/g, 'resource version: {rv} ({rv})')
      .replaceAll(/(?<=-gen-)[bcdfghjklmnpqrstvwxz2456789]{5}\b/g, '{random}');
  const walk = (it: unknown): unknown => {
    if (typeof it === 'string') return text(it);
    if (Array.isArray(it)) return it.map(walk);
    if (typeof it !== 'object' || it === null) return it;
    const out: Record<string, unknown> = {};
    for (const [key, inner] of Object.entries(it).sort(([a], [b]) => (a < b ? -1 : 1))) {
      const isVarying = VARYING.has(key) && inner !== null && typeof inner !== 'object' && inner !== '' && inner !== 'None';
      out[text(key)] = isVarying ? `{${key}}` : walk(inner);
    }
    return out;
  };
  return walk(value);
}
