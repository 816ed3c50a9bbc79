import { compareText, newNode, nodeField, readResourceNodes, writeNode, type YamlNode } from '../golang/index.ts';
import { errorMessage, isCodedError } from '../std/index.ts';
import { helmError } from './errors.ts';
import type { Hook } from './manifest/hook.ts';
import { sortManifests, type SortedManifests } from './manifest/sort.ts';
import { isBlank, splitManifests } from './manifest/split.ts';
import type { Rules } from './profile.ts';

/**
 * What of a chart goes through a post-renderer: `combined` everything as one stream (Helm 4), `separate` hooks and the rest one after
 * the other, `nohooks` only the rest (Helm 3).
 */
export type PostRenderStrategy = 'combined' | 'separate' | 'nohooks';

export type PostRender = {
  /** Default `combined`. */
  strategy?: PostRenderStrategy;
  /** Takes a stream of YAML documents and returns the changed one. */
  run: (manifests: string) => string;
};

/** How kyaml writes the annotations it sets. */
const SINGLE_QUOTED = 2;

/** Carries the file of a document through the post-renderer. */
const FILENAME_ANNOTATION = 'postrenderer.helm.sh/postrender-filename';

/**
 * Sends rendered files through a post-renderer and sorts what comes back. The text is written anew on the way: comments stay,
 * indentation becomes kyaml's.
 * @throws CodedError `PostRenderFailed`, `ManifestInvalid`
 */
export function postRender(files: ReadonlyMap<string, string>, { strategy = 'combined', run }: PostRender, rules: Rules): SortedManifests {
  if (strategy === 'combined') {
    const merged = failing('error merging manifests', () => merge(files, rules));
    const changed = failing('error while running post render on files', () => run(merged));
    return sortManifests(
      failing('error while parsing post rendered output', () => unmerge(changed, '')),
      rules,
    );
  }
  const sorted = sortManifests(files, rules);
  const out = new Map<string, string>();
  const hooks = byFile(sorted.hooks.map(({ path, manifest }: Hook) => [path, manifest]));
  const manifests = byFile(sorted.manifests.map(({ path, content }) => [path, content]));
  if (hooks.size > 0) add(out, strategy === 'separate' ? runGroup('hooks', hooks, run, rules) : hooks);
  if (manifests.size > 0) add(out, runGroup('manifests', manifests, run, rules));
  return sortManifests(out, rules);
}

function runGroup(name: string, files: ReadonlyMap<string, string>, run: PostRender['run'], rules: Rules): ReadonlyMap<string, string> {
  const merged = failing(`error merging ${name}`, () => merge(files, rules));
  const changed = failing(`error while running post render on ${name}`, () => run(merged));
  return failing(`error while parsing post rendered output for ${name}`, () => unmerge(changed, name));
}

function failing<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (isCodedError(error, 'BudgetExceeded', 'LimitExceeded', 'DeadlineExceeded')) throw error;
    throw helmError('PostRenderFailed', `${what}: ${errorMessage(error)}`, { cause: error });
  }
}

/** Documents of one file joined again. */
function byFile(documents: readonly (readonly [path: string, text: string])[]): Map<string, string> {
  const files = new Map<string, string>();
  for (const [path, text] of documents) join(files, path, text);
  return files;
}

function join(files: Map<string, string>, path: string, text: string): void {
  const existing = files.get(path);
  files.set(path, existing === undefined ? text : `${existing}\n---\n${text}`);
}

function add(into: Map<string, string>, files: ReadonlyMap<string, string>): void {
  for (const [path, text] of files) join(into, path, text);
}

/** One stream of all documents, each annotated with its file. */
function merge(files: ReadonlyMap<string, string>, rules: Rules): string {
  const out: string[] = [];
  for (const path of [...files.keys()].sort(compareText)) {
    const text = files.get(path) ?? '';
    if (path.startsWith('_', path.lastIndexOf('/') + 1) || isBlank(text)) continue;
    for (const document of splitManifests(text, rules)) {
      for (const node of read(document, path)) {
        assertMapping(node, path);
        annotate(node, path);
        out.push(writeNode(node));
      }
    }
  }
  return out.join('---\n');
}

function read(document: string, path: string): YamlNode[] {
  try {
    return readResourceNodes(document);
  } catch (error) {
    if (!isCodedError(error, 'GoError')) throw error;
    throw new Error(`parsing ${path}: ${error.message}`, { cause: error });
  }
}

/** In kyaml's words, without the content. */
function assertMapping(node: YamlNode, path: string): void {
  const { kind } = rootOf(node);
  if (kind === 'mapping') return;
  const name = kind === 'sequence' ? 'SequenceNode' : 'ScalarNode';
  throw new Error(`parsing ${path}: wrong node kind: expected MappingNode but got ${name}`);
}

/** Files of a stream, by the annotation of each document, which is removed. */
function unmerge(stream: string, group: string): Map<string, string> {
  const files = new Map<string, string[]>();
  for (const [i, node] of readResourceNodes(stream).entries()) {
    const path = takeAnnotation(node) ?? `generated-by-postrender-${group === '' ? '' : `${group}-`}${i}.yaml`;
    const texts = files.get(path) ?? [];
    files.set(path, texts);
    texts.push(writeNode(node));
  }
  return new Map([...files].map(([path, texts]) => [path, texts.join('---\n')]));
}

function rootOf(node: YamlNode): YamlNode {
  return node.kind === 'document' ? (node.content[0] ?? node) : node;
}

function annotate(node: YamlNode, path: string): void {
  dropEmpty(rootOf(node));
  const annotations = child(child(rootOf(node), 'metadata'), 'annotations');
  const existing = nodeField(annotations, FILENAME_ANNOTATION);
  const value = { ...newNode('scalar', '!!str', path), style: SINGLE_QUOTED };
  if (existing === undefined) annotations.content.push(newNode('scalar', '!!str', FILENAME_ANNOTATION), value);
  else Object.assign(existing, value);
}

/** The mapping under a name, made when there is none. */
function child(node: YamlNode, name: string): YamlNode {
  const existing = nodeField(node, name);
  if (existing?.kind === 'mapping') return existing;
  const made = newNode('mapping', '!!map', '');
  if (existing === undefined) node.content.push(newNode('scalar', '!!str', name), made);
  else Object.assign(existing, made);
  return existing ?? made;
}

function takeAnnotation(node: YamlNode): string | undefined {
  const root = rootOf(node);
  const metadata = nodeField(root, 'metadata');
  const annotations = metadata === undefined ? undefined : nodeField(metadata, 'annotations');
  if (metadata === undefined || annotations === undefined) return undefined;
  const path = nodeField(annotations, FILENAME_ANNOTATION)?.value;
  remove(annotations, FILENAME_ANNOTATION);
  dropEmpty(root);
  return path === '' ? undefined : path;
}

/** Takes out annotations, then metadata, that hold nothing. */
function dropEmpty(root: YamlNode): void {
  const metadata = nodeField(root, 'metadata');
  if (metadata === undefined) return;
  const annotations = nodeField(metadata, 'annotations');
  if (annotations !== undefined && isEmpty(annotations)) remove(metadata, 'annotations');
  if (isEmpty(metadata)) remove(root, 'metadata');
}

function isEmpty(node: YamlNode): boolean {
  return node.kind === 'scalar' ? node.tag === '!!null' : node.content.length === 0 && node.kind !== 'alias';
}

function remove(node: YamlNode, name: string): void {
  const at = node.content.findIndex((key, i) => i % 2 === 0 && key.value === name);
  if (at >= 0) node.content.splice(at, 2);
}
