import { join } from 'node:path';
import { corpus } from '../../../test/corpus.ts';

/** Repositories of the artifact corpus, one image layout each. */
export const REPOSITORIES: readonly string[] = [
  'stefanprodan/manifests/podinfo',
  'stefanprodan/charts/podinfo',
  'fleet/apps',
  'misc/two-layers',
  'misc/plain-file',
  'misc/empty',
  'misc/index',
  'misc/many',
  'misc/reproducible',
];

/** The folder of the corpus's image layouts. */
export function corpusLayouts(): string | undefined {
  const folder = corpus('artifacts');
  return folder === undefined ? undefined : join(folder, 'layouts');
}
