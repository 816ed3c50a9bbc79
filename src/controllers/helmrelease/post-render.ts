import { helmKeys, type HelmRelease } from '../../api/index.ts';
import { withCommonMetadata } from '../../apply/index.ts';
import { isYamlObject, readYamlDocuments, writeYaml, type YamlObject } from '../../golang/index.ts';
import { build, KustomizeError } from '../../kustomize/index.ts';
import { memoryTree, type KubeObject } from '../../manifest/index.ts';

type KustomizeRenderer = NonNullable<NonNullable<HelmRelease['spec']['postRenderers']>[number]['kustomize']>;

/**
 * Changes rendered manifests as the spec says, in this order (HB56): `postRenderers`, `commonMetadata`, the labels that name the owner.
 * @throws KustomizeError, GoError
 */
export function postRender(manifests: string, object: HelmRelease): string {
  let text = manifests;
  for (const { kustomize } of object.spec.postRenderers ?? []) if (kustomize !== undefined) text = runKustomize(text, kustomize);
  const { commonMetadata } = object.spec;
  return objectsOf(text)
    .map((each) => (commonMetadata === undefined ? each : withCommonMetadata(each, commonMetadata)))
    .map((each) => withCommonMetadata(each, { labels: ownerLabels(object) }))
    .map((each) => writeYaml(each as YamlObject))
    .join('---\n');
}

/** The labels that name the HelmRelease an object belongs to. */
export function ownerLabels({ metadata }: HelmRelease): Record<string, string> {
  return { [helmKeys.ownerName]: metadata.name, [helmKeys.ownerNamespace]: metadata.namespace };
}

const INPUT = 'helm-output.yaml';

function runKustomize(manifests: string, { patches = [], images = [] }: KustomizeRenderer): string {
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [INPUT],
    ...(patches.length === 0 ? {} : { patches }),
    ...(images.length === 0 ? {} : { images }),
  };
  const tree = memoryTree({ 'kustomization.yaml': JSON.stringify(kustomization), [INPUT]: manifests });
  return build(tree, '', { loadRestrictions: 'none', reorder: 'none' }).text();
}

/** The objects of a stream, those of lists one by one. */
function objectsOf(text: string): KubeObject[] {
  return readYamlDocuments(text, { dialect: 'v3', numbers: 'exact' }).flatMap((value): KubeObject[] => {
    if (value === null) return [];
    if (!isYamlObject(value)) throw new KustomizeError('ResourceInvalid', 'read rendered manifests: a document is no mapping');
    const { kind, items } = value;
    if (typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items)) return items.filter(isYamlObject).map(asObject);
    return [asObject(value)];
  });
}

/** Documents without metadata get it with their labels. */
function asObject(value: YamlObject): KubeObject {
  const metadata = isYamlObject(value['metadata'] ?? null) ? value['metadata'] : {};
  return { ...value, metadata } as KubeObject;
}
