import { filepathMatch } from '../golang/index.ts';
import { helmError } from './errors.ts';
import type { Hook } from './manifest/hook.ts';
import { splitManifests, trim } from './manifest/split.ts';
import { rulesOf, type Profile } from './profile.ts';
import { manifestText } from './release/release.ts';
import type { Rendered } from './render.ts';

export type TemplateOutputOptions = {
  /** CRDs first. Default false. */
  includeCrds?: boolean;
  /** Leave hooks out. Default false. */
  noHooks?: boolean;
  /** Leave test hooks out. Default false. */
  skipTests?: boolean;
  /** Only what was rendered from these files (globs), in the order of this list. */
  showOnly?: readonly string[];
  profile?: Profile;
};

/** What `helm template` prints, byte for byte. @throws CodedError `ChartInvalid` when `showOnly` names no file */
export function templateOutput(rendered: Rendered, options: TemplateOutputOptions = {}): string {
  const crds = options.includeCrds === true ? rendered.crds : [];
  const text = crds.map(({ path, content }) => `---\n# Source: ${path}\n${content}\n`).join('') + manifestText(rendered.manifests);
  const hooks = options.noHooks === true ? [] : rendered.hooks.filter((hook) => options.skipTests !== true || !isTest(hook));
  const all = `${trim(text)}\n${hooks.map(({ path, manifest }) => `---\n# Source: ${path}\n${manifest}\n`).join('')}`;
  return options.showOnly === undefined || options.showOnly.length === 0 ? all : onlyFrom(all, options.showOnly, options.profile ?? '4.2');
}

function isTest({ events }: Hook): boolean {
  return events.includes('test');
}

function onlyFrom(all: string, files: readonly string[], profile: Profile): string {
  const documents = splitManifests(all, rulesOf(profile)).map((text) => ({ text, path: /# Source: [^/\n]+\/(.+)/.exec(text)?.[1] }));
  const out: string[] = [];
  for (const file of files) {
    const matching = documents.filter(({ path }) => path !== undefined && filepathMatch(file, path));
    if (matching.length === 0) throw helmError('ChartInvalid', `could not find template ${file} in chart`, { subject: file });
    out.push(...matching.map(({ text }) => `---\n${text}\n`));
  }
  return out.join('');
}
