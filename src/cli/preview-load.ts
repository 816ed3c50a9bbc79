import { customResourceDefinition, findCondition, kinds, type Kind } from '../api/index.ts';
import { isKubeError, type KubeClient, targetOf } from '../kube/index.ts';
import { formatObjectRef, type KubeObject, objectRef } from '../manifest/index.ts';
import { errorMessage } from '../std/index.ts';
import { each, isRecord, keyOf, valueAt } from './preview-objects.ts';

const FIELD_MANAGER = 'sluice-snapshot';

/** A cluster's state after a snapshot was loaded into it. */
export type Loaded = {
  /** Every object as the cluster now holds it, by key. */
  objects: Map<string, KubeObject>;
  /** What the cluster refused, and why. */
  refused: { object: string; message: string }[];
};

/**
 * Loads a snapshot into an empty cluster: definitions first (Flux's own when the snapshot has none), then namespaces, then the rest.
 * An object the cluster refuses is reported and does not stop the others.
 */
export async function loadSnapshot(client: KubeClient, snapshot: readonly KubeObject[], namespaces: readonly string[]): Promise<Loaded> {
  const loaded: Loaded = { objects: new Map(), refused: [] };
  const own = kinds.map((kind: Kind) => customResourceDefinition(kind) as KubeObject);
  const definitions = withMissing(snapshot.filter(isDefinition), own);
  const spaces = withMissing(
    snapshot.filter(isNamespace),
    namespaces.map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
  );
  await load(client, definitions, loaded);
  await established(client, definitions, loaded);
  await load(client, spaces, loaded);
  await load(
    client,
    snapshot.filter((object) => !isDefinition(object) && !isNamespace(object)),
    loaded,
  );
  // Those a cluster is born with: a target that names them does not create them.
  for (const object of (await client.list({ apiVersion: 'v1', kind: 'Namespace' })).items) {
    if (!loaded.objects.has(keyOf(object))) loaded.objects.set(keyOf(object), object);
  }
  return loaded;
}

function isDefinition(object: KubeObject): boolean {
  return object.kind === 'CustomResourceDefinition';
}

function isNamespace(object: KubeObject): boolean {
  return object.kind === 'Namespace' && object.apiVersion === 'v1';
}

function withMissing(objects: readonly KubeObject[], more: readonly KubeObject[]): KubeObject[] {
  const names = new Set(objects.map((object) => object.metadata.name));
  return [...objects, ...more.filter((object) => !names.has(object.metadata.name))];
}

async function load(client: KubeClient, objects: readonly KubeObject[], loaded: Loaded): Promise<void> {
  await each(objects, async (object) => {
    try {
      const stored = await store(client, object);
      loaded.objects.set(keyOf(stored), stored);
    } catch (error) {
      loaded.refused.push({ object: formatObjectRef(objectRef(object)), message: errorMessage(error) });
    }
  });
}

/** Stores an object with its managed fields and inventory, which a create would not take. */
async function store(client: KubeClient, object: KubeObject): Promise<KubeObject> {
  const { managedFields, ...metadata } = object.metadata;
  const { status, ...fields } = object;
  const body: KubeObject = { ...fields, metadata };
  let stored = await createOrReplace(client, body);
  // All at once, and by a patch: it owns nothing, so that ownership is what it was.
  if (managedFields !== undefined) {
    stored = await client.patch(
      targetOf(stored),
      { type: 'merge', body: { metadata: { managedFields } } },
      { fieldManager: FIELD_MANAGER },
    );
  }
  const inventory = valueAt(status, 'inventory');
  return inventory === undefined
    ? stored
    : await client.patchStatus(
        targetOf(stored),
        { type: 'merge', body: { status: { inventory } } },
        { fieldManager: 'kustomize-controller' },
      );
}

async function createOrReplace(client: KubeClient, object: KubeObject): Promise<KubeObject> {
  const options = { fieldManager: FIELD_MANAGER } as const;
  try {
    return await client.create(object, options);
  } catch (error) {
    if (isKubeError(error, 'Invalid') && object.kind === 'Service') return await client.create(withoutAddresses(object), options);
    if (!isKubeError(error, 'AlreadyExists')) throw error;
  }
  const { resourceVersion = '' } = (await client.get(targetOf(object))).metadata;
  return await client.update({ ...object, metadata: { ...object.metadata, resourceVersion } }, options);
}

/** Addresses of another cluster's range. */
function withoutAddresses(service: KubeObject): KubeObject {
  const { spec } = service;
  if (!isRecord(spec)) return service;
  const { clusterIP: _, clusterIPs: __, ...rest } = spec;
  return { ...service, spec: rest };
}

/** Waits until the kinds of the definitions are served. */
async function established(client: KubeClient, definitions: readonly KubeObject[], loaded: Loaded): Promise<void> {
  const waiting = new Set(definitions.filter((it) => loaded.objects.has(keyOf(it))).map((it) => it.metadata.name));
  const informer = client.informer({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' });
  try {
    await new Promise<void>((resolve) => {
      const look = (object: KubeObject): void => {
        const conditions = valueAt(object, 'status', 'conditions');
        const settled = Array.isArray(conditions)
          ? ['Established', 'NamesAccepted'].map((type) => findCondition(conditions as Parameters<typeof findCondition>[0], type)?.status)
          : [];
        if (settled[0] === 'True' || settled[1] === 'False') waiting.delete(object.metadata.name);
        if (waiting.size === 0) resolve();
      };
      informer.subscribe({ added: look, updated: look });
      if (waiting.size === 0) resolve();
    });
  } finally {
    informer.release();
  }
  for (const definition of definitions) if (loaded.objects.has(keyOf(definition))) client.mapper.learn(definition);
}
