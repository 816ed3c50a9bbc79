import type { Kustomization } from '../../api/index.ts';
import { buildFlux, type Diagnostic } from '../../kustomize/index.ts';
import { parseApiVersion, type FileTree, type KubeObject } from '../../manifest/index.ts';
import { CodedError } from '../../std/index.ts';

/** What was built, before variables are substituted. */
export type Built = {
  objects: KubeObject[];
  /** Every path of the tree the build read. */
  reads: ReadonlySet<string>;
  diagnostics: readonly Diagnostic[];
};

/**
 * Builds the manifests of a Kustomization (KB20–KB24): CPU-heavy work, behind this one function.
 * @throws KustomizeError, or CodedError `ManifestInvalid` for an object without kind or name
 */
export function buildManifests(object: Kustomization, tree: FileTree, folder: string): Built {
  const { objects, reads, diagnostics } = buildFlux(tree, folder, object.spec);
  const wanted = objects.filter(({ apiVersion }) => parseApiVersion(apiVersion ?? '').group !== 'kustomize.config.k8s.io');
  for (const one of wanted) checkObject(one);
  return { objects: wanted, reads, diagnostics };
}

function checkObject({ apiVersion, kind, metadata }: Partial<KubeObject>): void {
  const missing = [
    ...(apiVersion === undefined || apiVersion === '' ? ['apiVersion'] : []),
    ...(kind === undefined || kind === '' ? ['kind'] : []),
    ...(metadata?.name === undefined || metadata.name === '' ? ['metadata.name'] : []),
  ];
  if (missing.length === 0) return;
  const subject = `${kind ?? '?'}/${metadata?.name ?? '?'}`;
  throw new CodedError({
    code: 'ManifestInvalid',
    message: `check built object ${subject}: ${missing.join(', ')} missing`,
    subject,
    retryable: false,
  });
}
