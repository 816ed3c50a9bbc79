import { existsSync } from 'node:fs';
import { join } from 'node:path';

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

/** The folder of the artifact corpus (env `SLUICE_CORPUS`, else beside the checkout), unpacked; undefined when it is absent. */
export function artifactCorpus(): string | undefined {
  const roots = [process.env['SLUICE_CORPUS'], new URL('../../../../shared/corpus', import.meta.url).pathname].filter(
    (root) => root !== undefined,
  );
  return roots
    .flatMap((root) => [join(root, 'artifacts', 'artifacts'), join(root, 'artifacts')])
    .find((folder) => existsSync(join(folder, 'layouts')));
}

/** The folder of the corpus's image layouts. */
export function corpusLayouts(): string | undefined {
  const corpus = artifactCorpus();
  return corpus === undefined ? undefined : join(corpus, 'layouts');
}
