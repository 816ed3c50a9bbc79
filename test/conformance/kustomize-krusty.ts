import { memoryTree } from '../../src/manifest/index.ts';
import { build, type BuildOptions } from '../../src/kustomize/index.ts';
import type { Difference, Skip } from './report.ts';

/** A case of kustomize's own suite: a whole build in memory. */
export type KrustyCase = {
  test: string;
  files: Record<string, string>;
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
  const options: BuildOptions = {
    loadRestrictions: each.restrict === 'LoadRestrictionsNone' ? 'none' : 'rootOnly',
    reorder: each.reorder === 'none' ? 'none' : 'legacy',
    managedByLabel: each.managedby,
  };
  return compare(each, () => build(inMemory(each.files), inTree(each.path), options).text());
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
  return memoryTree(Object.fromEntries(Object.entries(files).map(([path, content]) => [inTree(path), content])));
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
  return actual === yaml ? undefined : { expected: yaml ?? '', actual };
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
