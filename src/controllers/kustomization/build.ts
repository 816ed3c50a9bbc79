import type { Kustomization } from '../../api/index.ts';
import { isYamlObject, readYamlDocuments } from '../../golang/index.ts';
import { walkTree, type FileTree, type KubeObject } from '../../manifest/index.ts';
import { digestOf, type Digest } from '../../std/index.ts';

/** What was built, before variables are substituted. */
export type Built = {
  objects: KubeObject[];
  /** Every path of the tree the build read. */
  reads: ReadonlySet<string>;
  /** Hash of the build, for status.history. */
  digest: Digest;
};

/** Builds the manifests of a Kustomization (KB20–KB24): CPU-heavy work, behind this one function. */
export function buildManifests(object: Kustomization, tree: FileTree, folder: string): Built {
  const reads = new Set([...walkTree(tree, folder)].filter((path) => /\.ya?ml$/.test(path)));
  const objects: KubeObject[] = [];
  const decoder = new TextDecoder();
  for (const path of reads) {
    for (const document of readYamlDocuments(decoder.decode(tree.read(path)))) {
      if (isYamlObject(document) && document['kind'] !== 'Kustomization') objects.push(document as unknown as KubeObject);
    }
  }
  const { targetNamespace } = object.spec;
  if (targetNamespace !== undefined) for (const one of objects) one.metadata.namespace = targetNamespace;
  return { objects, reads, digest: digestOf(JSON.stringify(objects)) };
}
