import type { YamlValue } from '../../golang/index.ts';
import { compareText } from '../../golang/index.ts';
import { errorMessage } from '../../std/index.ts';
import { helmError } from '../errors.ts';
import type { Rules } from '../profile.ts';
import { parseManifest, type ManifestHead, type ParsedManifest } from './head.ts';
import { hookOf, type Hook } from './hook.ts';
import { sortForInstall } from './kind-order.ts';
import { isBlank, splitManifests } from './split.ts';

/** One rendered document. */
export type Manifest = {
  /** The template it was rendered from, `chart/templates/file.yaml`. */
  readonly path: string;
  /** Its text, as Helm stores and prints it. */
  readonly content: string;
  readonly head: ManifestHead;
  /** The text once read. Shared between renders: do not change. */
  readonly value: YamlValue;
};

export type SortedManifests = { readonly manifests: Manifest[]; readonly hooks: Hook[]; readonly unknownHooks: string[] };

/**
 * Cuts rendered files into documents, tells hooks from the rest and puts both into install order.
 * @throws CodedError `ManifestInvalid`
 */
export function sortManifests(files: ReadonlyMap<string, string>, rules: Rules): SortedManifests {
  const manifests: Manifest[] = [];
  const hooks: Hook[] = [];
  const unknownHooks: string[] = [];
  for (const path of [...files.keys()].sort(compareText)) {
    const text = files.get(path) ?? '';
    if (baseName(path).startsWith('_') || isBlank(text)) continue;
    for (const content of splitManifests(text, rules)) {
      const { head, value } = parse(content, path, rules);
      const hook = hookOf(head, path, content);
      if (hook === undefined) manifests.push({ path, content, head, value });
      else if (hook === 'unknown') unknownHooks.push(path);
      else hooks.push(hook);
    }
  }
  return {
    manifests: sortForInstall(manifests, ({ head }) => head.kind, rules),
    hooks: sortForInstall(hooks, ({ kind }) => kind, rules),
    unknownHooks,
  };
}

function parse(content: string, path: string, { headType }: Rules): ParsedManifest {
  try {
    return parseManifest(content, headType);
  } catch (error) {
    throw helmError('ManifestInvalid', `YAML parse error on ${path}: ${errorMessage(error)}`, { subject: path, cause: error });
  }
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
