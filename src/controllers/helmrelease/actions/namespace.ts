import { isKubeError } from '../../../kube/index.ts';
import { FIELD_MANAGER } from './action.ts';
import { wrapped } from './errors.ts';
import type { Run } from './run.ts';

/** Creates the release's namespace when it is missing, with Helm's label. @throws CodedError `NamespaceFailed` */
export async function ensureNamespace({ target, signal }: Run): Promise<void> {
  const { client, namespace: name } = target;
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { name } } };
  try {
    await client.create(namespace, { fieldManager: FIELD_MANAGER, signal });
  } catch (error) {
    if (isKubeError(error, 'AlreadyExists')) return;
    // An account that may not create namespaces can still work in one that is there.
    if (
      isKubeError(error, 'Forbidden') &&
      (await client.find({ apiVersion: 'v1', kind: 'Namespace', name }, { signal }).catch(() => undefined))
    )
      return;
    throw wrapped('NamespaceFailed', `create namespace ${JSON.stringify(name)}: `, error);
  }
}
