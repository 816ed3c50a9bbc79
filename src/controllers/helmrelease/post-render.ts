import { helmKeys, type HelmRelease } from '../../api/index.ts';
import type { ManifestMetadata } from '../../helm/index.ts';
import { build } from '../../kustomize/index.ts';
import { memoryTree } from '../../manifest/index.ts';

type KustomizeRenderer = NonNullable<NonNullable<HelmRelease['spec']['postRenderers']>[number]['kustomize']>;

/** How manifests are changed: by kustomize here, where the spec has any, then on the thread that renders. */
export type PostRenderSteps = { run?: (manifests: string) => string; metadata: readonly ManifestMetadata[] };

/**
 * How rendered manifests are changed, in this order (HB56): `postRenderers`, `commonMetadata`, the labels that name the owner.
 * @throws KustomizeError, GoError
 */
export function postRenderWith(object: HelmRelease): PostRenderSteps {
  const { postRenderers = [], commonMetadata } = object.spec;
  const kustomizations = postRenderers.flatMap(({ kustomize }) => kustomize ?? []);
  return {
    ...(kustomizations.length === 0 ? {} : { run: (manifests) => kustomizations.reduce(runKustomize, manifests) }),
    metadata: [...(commonMetadata === undefined ? [] : [commonMetadata]), { labels: ownerLabels(object) }],
  };
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
