import { memoryTree } from '../../src/manifest/index.ts';
import { build, type BuildOptions } from '../../src/kustomize/index.ts';
import type { Difference, Skip } from './report.ts';

/** A case of kustomize's own suite: a whole build in memory. */
export type KrustyCase = {
  test: string;
  files: Record<string, string> | null;
  path: string;
  reorder: string;
  restrict: string;
  plugins: string;
  helm: boolean;
  fn: boolean;
  managedby: boolean;
  yaml?: string;
  err?: string;
};

/** A case of one plugin: its configuration, and what it makes of some resources. */
export type PluginCase = { test: string; kind: 'transform' | 'generate'; config: string; files: Record<string, string>; in: string; yaml?: string; err?: string };

export function runKrustyCase(each: KrustyCase): Difference | Skip | undefined {
  if (each.files === null) return { skip: 'its files are on a disk we do not have' };
  const options: BuildOptions = {
    loadRestrictions: each.restrict === 'LoadRestrictionsNone' ? 'none' : 'rootOnly',
    reorder: each.reorder === 'none' ? 'none' : 'legacy',
    managedByLabel: each.managedby,
    isWholeFileSystem: true,
  };
  const { files } = each;
  return compare(each, () => build(inMemory(files), inTree(each.path), options).text());
}

export function runPluginCase(each: PluginCase): Difference | Skip | undefined {
  const files = { ...each.files, '/plugin-input.yaml': each.in, '/plugin-config.yaml': each.config };
  const kustomization =
    each.kind === 'transform'
      ? { resources: each.in.trim() === '' ? [] : ['plugin-input.yaml'], transformers: ['plugin-config.yaml'] }
      : { generators: ['plugin-config.yaml'] };
  const tree = inMemory({ ...files, '/kustomization.yaml': JSON.stringify(kustomization) });
  return compare(each, () => build(tree, '', { reorder: 'none', loadRestrictions: 'rootOnly' }).text());
}

function inTree(path: string): string {
  return path.replace(/^\.?\/?/, '');
}

function inMemory(files: Record<string, string>): ReturnType<typeof memoryTree> {
  return memoryTree(Object.fromEntries(Object.entries(files).map(([path, content]) => [inTree(path), toBytes(content)])));
}

/** The one byte outside UTF-8 that the cases have in their files became U+FFFD when they were written down. */
function toBytes(content: string): Uint8Array {
  return content.includes('\uFFFD') ? Buffer.concat(content.split('\uFFFD').flatMap((part) => [Buffer.of(0xff), Buffer.from(part)]).slice(1)) : Buffer.from(content);
}

function compare({ yaml, err }: { yaml?: string; err?: string }, run: () => string): Difference | undefined {
  let actual: string;
  try {
    actual = run();
  } catch (error) {
    if (err === undefined) throw error;
    const message = error instanceof Error ? error.message : String(error);
    return sameError(err, message) ? undefined : { expected: err, actual: message };
  }
  if (err !== undefined) return { expected: `error: ${err}`, actual };
  // The test program has no version; ours is kustomize's.
  const expected = (yaml ?? '').replaceAll('kustomize-(devel)', 'kustomize-v5.8.1');
  return actual === expected ? undefined : { expected, actual };
}

/** Addresses of Go values differ from run to run, and so does what a network says. */
function sameError(expected: string, actual: string): boolean {
  const normal = (text: string): string =>
    text
      .replaceAll(/&\{[^}]*\}/g, '&{}')
      .replaceAll(/Get "https?:.*$/gs, 'REMOTE')
      .replaceAll(/load 'https?:.*$/gs, 'REMOTE');
  return normal(expected) === normal(actual);
}
