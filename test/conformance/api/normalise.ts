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
  'token',
]);

/** Entries of managed fields are ordered by the second they were written in, which two runs do not share. */
function isEntry(it: unknown): boolean {
  return typeof it === 'object' && it !== null && 'fieldsV1' in it;
}

/** When a watch tells how far it is, and that it ends, is not part of the answer; that it has told everything is. */
function isBookmark(it: unknown): boolean {
  return typeof it === 'object' && it !== null && 'type' in it && it.type === 'BOOKMARK' && !JSON.stringify(it).includes('annotations');
}

function byText(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}

/** The causes of a Status and the list in its message come in the order of Go's maps, which is none. */
function isStatus(it: unknown): it is { message: string; details: Record<string, unknown> } {
  return typeof it === 'object' && it !== null && 'kind' in it && it.kind === 'Status' && 'details' in it && 'message' in it;
}

type Cause = { field?: string; message?: string };

function textOf({ field, message }: Cause): string {
  return `${field}: ${message}`;
}

function inOrder(status: { message: string; details: Record<string, unknown> }): Record<string, unknown> {
  const { causes } = status.details;
  if (!Array.isArray(causes) || causes.length < 2) return status;
  const list = /^(.*is invalid: )\[(.*)\]$/s.exec(status.message);
  const texts = causes.map(textOf);
  const message = list !== null && list[2] === texts.join(', ') ? `${list[1]}[${texts.sort().join(', ')}]` : status.message;
  return {
    ...status,
    message,
    details: { ...status.details, causes: [...(causes as Cause[])].sort((a, b) => byText(textOf(a), textOf(b))) },
  };
}

/** Several faults of one object, and several warnings, come in the order of Go's maps as well. */
function unordered(text: string): string {
  if (text.startsWith('299 - '))
    return text
      .split(', 299 - ')
      .map((it) => it.replace(/^299 - /, ''))
      .sort()
      .join(', ');
  const [head = '', ...lines] = text.split('\n');
  return head.endsWith('errors:') ? [head, ...lines.sort()].join('\n') : text;
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
      .replaceAll(/resourceVersion: "\d+"/g, 'resourceVersion: {rv}')
      .replaceAll(/UID in precondition: x, UID in object meta: \S+/g, 'UID in precondition: x, UID in object meta: {uid}')
      .replaceAll(/ResourceVersion in (record|the precondition) \(\d+\)/g, 'ResourceVersion in $1 ({rv})')
      .replaceAll(/the ResourceVersion in the precondition \(\d+\)/g, 'the ResourceVersion in the precondition ({rv})')
      .replaceAll(/Invalid value: "(\{\\?"|map\[).*": (?=json|strict|illegal|cannot|Go)/gs, 'Invalid value: {patch}: ')
      .replaceAll(/(?<=-gen-|Bad_)[bcdfghjklmnpqrstvwxz2456789]{5}\b/g, '{random}');
  const walk = (it: unknown): unknown => {
    if (isDeployment(it)) return walk(withoutController(it));
    if (isStatus(it)) return fields(inOrder(it));
    if (typeof it === 'string') return unordered(text(it));
    if (Array.isArray(it)) return it.every(isEntry) ? it.map(walk).sort(byText) : it.filter((item) => !isBookmark(item)).map(walk);
    if (typeof it !== 'object' || it === null) return it;
    return fields(it);
  };
  const fields = (it: object): Record<string, unknown> => {
    const out: Record<string, unknown> = {};
    for (const [key, inner] of Object.entries(it).sort(([a], [b]) => (a < b ? -1 : 1))) {
      const isVarying =
        key === 'ca.crt' || (VARYING.has(key) && inner !== null && typeof inner !== 'object' && inner !== '' && inner !== 'None');
      out[text(key)] = isVarying ? `{${key}}` : walk(inner);
    }
    return out;
  };
  return walk(value);
}
