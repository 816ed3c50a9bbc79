import { milliseconds } from '../../std/index.ts';
import type { Cluster } from './cluster.ts';
import { Loop } from './cluster.ts';

const NAMESPACES = '/namespaces';

/**
 * What the namespace, service account and root-CA controllers do: a new namespace gets its `default` ServiceAccount and
 * `kube-root-ca.crt`; one being deleted is emptied, then goes.
 */
export function runNamespaces(cluster: Cluster): () => void {
  const { api } = cluster;
  const loop = new Loop(api, (_, name) => {
    const namespace = cluster.get(NAMESPACES, '', name);
    if (namespace === undefined) return;
    if (namespace.metadata.deletionTimestamp === undefined) furnish(cluster, name);
    else if (empty(cluster, name))
      cluster.api.store.delete(NAMESPACES, '', name, cluster.get(NAMESPACES, '', name)?.metadata.resourceVersion ?? '');
    // Finalizers in the namespace may hold it: look again until they are gone.
    else loop.touchKey('', name, milliseconds(100));
  });
  const stop = api.store.watch(NAMESPACES, undefined, (change) => loop.touch(change.object));
  for (const namespace of cluster.list(NAMESPACES)) loop.touch(namespace);
  return () => {
    stop?.();
    loop.close();
  };
}

function furnish(cluster: Cluster, namespace: string): void {
  if (cluster.get('/serviceaccounts', namespace, 'default') === undefined) {
    cluster.create('/serviceaccounts', { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } });
  }
  if (cluster.get('/configmaps', namespace, 'kube-root-ca.crt') === undefined) {
    cluster.create('/configmaps', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'kube-root-ca.crt',
        namespace,
        annotations: {
          'kubernetes.io/description':
            'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.',
        },
      },
      data: { 'ca.crt': '' },
    });
  }
}

/** Deletes what is in a namespace; true when nothing is left. */
function empty(cluster: Cluster, namespace: string): boolean {
  let left = 0;
  const seen = new Set<string>();
  for (const kind of cluster.api.catalog.all()) {
    if (!kind.namespaced || !kind.verbs.includes('delete') || seen.has(kind.collection)) continue;
    seen.add(kind.collection);
    for (const object of cluster.list(kind.collection, namespace)) {
      if (object.metadata.deletionTimestamp === undefined || kind.collection === '/pods') cluster.delete(kind.collection, object, 0);
    }
    left += cluster.list(kind.collection, namespace).length;
  }
  return left === 0;
}
