import { build, type BuildOptions } from '../../src/kustomize/index.ts';
import { memoryTree } from '../../src/manifest/index.ts';
import { isCodedError } from '../../src/std/index.ts';
import { outputOf, pluginRun } from './kustomize-parts.ts';
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
export type PluginCase = {
  test: string;
  kind: 'transform' | 'generate';
  config: string;
  files: Record<string, string>;
  in: string;
  yaml?: string;
  err?: string;
};

export function runKrustyCase(each: KrustyCase): Difference | Skip | undefined {
  const { files } = each;
  if (files === null) return { skip: 'its files are not part of the case' };
  const options: BuildOptions = {
    loadRestrictions: each.restrict === 'LoadRestrictionsNone' ? 'none' : 'rootOnly',
    reorder: each.reorder === 'none' ? 'none' : 'legacy',
    managedByLabel: each.managedby,
    isWholeFileSystem: true,
  };
  return compare(each, () => build(inMemory(files), inTree(each.path), options).text());
}

export function runPluginCase(each: PluginCase): Difference | Skip | undefined {
  const tree = inMemory(each.files);
  return compare(each, () => outputOf(pluginRun(tree, each.config, each.kind === 'transform' ? each.in : undefined)));
}

function inTree(path: string): string {
  return path.replace(/^\.?\/?/, '');
}

function inMemory(files: Record<string, string>): ReturnType<typeof memoryTree> {
  return memoryTree(Object.fromEntries(Object.entries(files).map(([path, content]) => [inTree(path), toBytes(content)])));
}

/** The one byte outside UTF-8 that the cases have in their files became U+FFFD when they were written down. */
function toBytes(content: string): Uint8Array {
  const parts = content.split('\uFFFD').map((part) => Buffer.from(part));
  return Buffer.concat(parts.flatMap((part, i) => (i === 0 ? [part] : [Buffer.of(0xff), part])));
}

function compare({ yaml, err }: { yaml?: string; err?: string }, run: () => string): Difference | Skip | undefined {
  let actual: string;
  try {
    actual = run();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (err !== undefined && sameError(err, message)) return undefined;
    if (isCodedError(error, 'PluginDenied')) return { skip: 'it needs a program or container, which are never run' };
    const lost = isCodedError(error, 'FileMissing') && !(err ?? '').includes("doesn't exist");
    if (lost && message.includes('/patch')) return { skip: 'the file of its patch is not part of the case' };
    if (err === undefined) throw error;
    return { expected: err, actual: message };
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
      .replaceAll(/load 'https?:.*$/gs, 'REMOTE')
      .replaceAll(/"test"$/gm, 'test');
  return normal(expected) === normal(actual);
}
