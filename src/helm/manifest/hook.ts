import { compareText } from '../../golang/index.ts';
import type { ManifestHead } from './head.ts';

export type HookEvent =
  | 'pre-install'
  | 'post-install'
  | 'pre-delete'
  | 'post-delete'
  | 'pre-upgrade'
  | 'post-upgrade'
  | 'pre-rollback'
  | 'post-rollback'
  | 'test';

/** A manifest that is applied on an event instead of with the release. */
export type Hook = {
  readonly name: string;
  readonly kind: string;
  /** The file it was rendered from. */
  readonly path: string;
  readonly manifest: string;
  readonly events: readonly HookEvent[];
  readonly weight: number;
  /** As written, in lower case: `hook-succeeded`, `hook-failed`, `before-hook-creation` mean something. Empty stands for the last one. */
  readonly deletePolicies: readonly string[];
  readonly outputLogPolicies: readonly string[];
};

const EVENTS: ReadonlyMap<string, HookEvent> = new Map<string, HookEvent>([
  ['pre-install', 'pre-install'],
  ['post-install', 'post-install'],
  ['pre-delete', 'pre-delete'],
  ['post-delete', 'post-delete'],
  ['pre-upgrade', 'pre-upgrade'],
  ['post-upgrade', 'post-upgrade'],
  ['pre-rollback', 'pre-rollback'],
  ['post-rollback', 'post-rollback'],
  ['test', 'test'],
  ['test-success', 'test'],
]);

export const HOOK_ANNOTATION = 'helm.sh/hook';
const WEIGHT_ANNOTATION = 'helm.sh/hook-weight';
const DELETE_ANNOTATION = 'helm.sh/hook-delete-policy';
const OUTPUT_LOG_ANNOTATION = 'helm.sh/hook-output-log-policy';
const RESOURCE_POLICY_ANNOTATION = 'helm.sh/resource-policy';

/** True for a manifest with `helm.sh/resource-policy: keep`, which outlives its release. */
export function isKept({ annotations }: ManifestHead): boolean {
  return annotation(annotations, RESOURCE_POLICY_ANNOTATION)?.trim().toLowerCase() === 'keep';
}

/**
 * The hook a manifest is; `undefined` when it is none, `unknown` when it names an event there is not (Helm drops it silently).
 */
export function hookOf(head: ManifestHead, path: string, manifest: string): Hook | undefined | 'unknown' {
  const events = annotation(head.annotations, HOOK_ANNOTATION);
  if (events === undefined) return undefined;
  const known: HookEvent[] = [];
  for (const name of listed(events)) {
    const event = EVENTS.get(name);
    if (event === undefined) return 'unknown';
    known.push(event);
  }
  return {
    name: head.name,
    kind: head.kind,
    path,
    manifest,
    events: known,
    weight: weight(annotation(head.annotations, WEIGHT_ANNOTATION) ?? ''),
    deletePolicies: policies(head, DELETE_ANNOTATION),
    outputLogPolicies: policies(head, OUTPUT_LOG_ANNOTATION),
  };
}

/** The order in which hooks of one event run: by weight, then name; what is equal keeps its place (hooks come sorted by kind). */
export function sortHooksByWeight<H extends Hook>(hooks: readonly H[]): H[] {
  return hooks.toSorted((a, b) => a.weight - b.weight || compareText(a.name, b.name));
}

function annotation(annotations: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(annotations, name) ? annotations[name] : undefined;
}

function policies({ annotations }: ManifestHead, name: string): string[] {
  const value = annotation(annotations, name);
  return value === undefined ? [] : listed(value);
}

function listed(text: string): string[] {
  return text.split(',').map((part) => part.trim().toLowerCase());
}

/** Go's Atoi; what is no number weighs 0. */
function weight(text: string): number {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : 0;
  return Number.isSafeInteger(value) ? value : 0;
}
