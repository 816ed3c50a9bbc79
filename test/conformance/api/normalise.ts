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
  'storageVersionHash',
]);

/** Entries of managed fields are ordered by the second they were written in, which two runs do not share. */
function isEntry(it: unknown): boolean {
  return typeof it === 'object' && it !== null && 'fieldsV1' in it;
}

function byText(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}

type Deployment = { kind: 'Deployment'; metadata: Record<string, unknown>; status?: unknown };

function isDeployment(it: unknown): it is Deployment {
  return typeof it === 'object' && it !== null && 'kind' in it && it.kind === 'Deployment' && 'metadata' in it && 'status' in it;
}

/** When its controller comes round is not part of the answer. */
function withoutController({ status: _status, ...deployment }: Deployment): Record<string, unknown> {
  const { managedFields, annotations: _annotations, ...metadata } = deployment.metadata;
  const entries = Array.isArray(managedFields) ? managedFields : [];
  const others = entries.filter((it: { manager?: string }) => it.manager !== 'kube-controller-manager');
  return { ...deployment, metadata: { ...metadata, managedFields: others } };
}

/** An answer with what differs from run to run replaced, and the keys of its objects in order. */
export function normalise(value: unknown, namespace: string): unknown {
  const text = (it: string): string =>
    it
      .replaceAll(namespace, '{ns}')
      .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '{uid}')
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '{time}')
      .replaceAll(/\b10\.(\d+)\.\d+\.\d+\b/g, '{ip}')
      .replaceAll(/^\d+s$/g, '{age}')
      .replaceAll(/current: \d+/g, 'current: {rv}')
      .replaceAll(/UID in precondition: x, UID in object meta: \S+/g, 'UID in precondition: x, UID in object meta: {uid}')
      .replaceAll(/ResourceVersion in record \(\d+\)/g, 'ResourceVersion in record ({rv})')
      .replaceAll(/(?<=-gen-)[bcdfghjklmnpqrstvwxz2456789]{5}\b/g, '{random}');
  const walk = (it: unknown): unknown => {
    if (isDeployment(it)) return walk(withoutController(it));
    if (typeof it === 'string') return text(it);
    if (Array.isArray(it)) return it.every(isEntry) ? it.map(walk).sort(byText) : it.map(walk);
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
