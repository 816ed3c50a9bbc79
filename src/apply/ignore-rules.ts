import { RE2JS } from 're2js';
import { CodedError, errorMessage } from '../std/index.ts';
import { parseApiVersion, type KubeObject } from '../manifest/index.ts';
import { cloneJson, equalJson, isRecord, parsePointer, setAt, valueAt } from './json.ts';
import { parseLabelSelector, type LabelMatcher } from './label-selector.ts';

/** Which objects a rule is for; every field is a regular expression for the whole value, or absent for any. */
export type IgnoreTarget = {
  group?: string;
  version?: string;
  kind?: string;
  name?: string;
  namespace?: string;
  labelSelector?: string;
  annotationSelector?: string;
};

/** Fields others manage (spec.ignore, KB59): RFC 6901 pointers, for the objects of `target` or for all. */
export type IgnoreRule = { paths: readonly string[]; target?: IgnoreTarget };

type CompiledRule = { paths: readonly string[][]; matches: (object: KubeObject) => boolean };

/** Ready to use rules. */
export type CompiledRules = readonly CompiledRule[];

/** @throws CodedError `IgnoreRuleInvalid` for a bad pattern, selector or pointer */
export function compileIgnoreRules(rules: readonly IgnoreRule[]): CompiledRules {
  return rules.map((rule) => ({ paths: rule.paths.map(toSegments), matches: compileTarget(rule.target) }));
}

/** The ignored paths of an object. */
export function ignoredPaths(rules: CompiledRules, object: KubeObject): string[][] {
  return rules.filter((rule) => rule.matches(object)).flatMap((rule) => [...rule.paths]);
}

/** A copy without what the paths lead to. */
export function withoutPaths(object: KubeObject, paths: readonly string[][]): KubeObject {
  if (paths.length === 0) return object;
  const copy = cloneJson(object);
  for (const path of paths) setAt(copy, path, undefined);
  return copy;
}

/**
 * The payload for an object with ignored fields that differ from the live ones: a field that another Apply manager owns is left out, otherwise
 * the live value is taken over, so that applying the rest changes neither (KB59).
 */
export function adaptPayload(
  desired: KubeObject,
  live: KubeObject,
  dryRun: KubeObject,
  paths: readonly string[][],
  fieldManager: string,
): KubeObject {
  const payload = cloneJson(desired);
  const removed: string[][] = [];
  for (const path of paths) {
    const have = valueAt(live, path);
    const want = valueAt(dryRun, path);
    if (have.found === want.found && equalJson(have.value, want.value)) continue;
    if (!have.found || isOwnedByOther(live, path, fieldManager)) removed.push(path);
    else setAt(payload, path, cloneJson(have.value));
  }
  // Later elements of a list first, so that removing one does not move the next.
  for (const path of removed.sort(laterFirst)) setAt(payload, path, undefined);
  return payload;
}

function laterFirst(a: readonly string[], b: readonly string[]): number {
  return b.join('/').localeCompare(a.join('/'), 'en', { numeric: true });
}

/** True when an Apply manager other than ours owns the field a pointer leads to. */
function isOwnedByOther(live: KubeObject, path: readonly string[], fieldManager: string): boolean {
  const entries = live.metadata.managedFields ?? [];
  return entries.some((entry) => {
    if (entry.operation !== 'Apply' || entry.manager === fieldManager || (entry.subresource ?? '') !== '') return false;
    return covers(entry.fieldsV1, live, path);
  });
}

function covers(fields: unknown, value: unknown, path: readonly string[]): boolean {
  const [head, ...rest] = path;
  if (head === undefined) return isRecord(fields);
  if (!isRecord(fields)) return false;
  if (!Array.isArray(value)) return covers(fields[`f:${head}`], valueAt(value, [head]).value, rest);
  const item: unknown = value[Number(head)];
  return Object.keys(fields).some((key) => key.startsWith('k:') && isKeyOf(key.slice(2), item) && covers(fields[key], item, rest));
}

function isKeyOf(json: string, item: unknown): boolean {
  const key: unknown = JSON.parse(json);
  return isRecord(key) && isRecord(item) && Object.entries(key).every(([name, value]) => equalJson(item[name], value));
}

function toSegments(pointer: string): string[] {
  const segments = parsePointer(pointer);
  if (segments === undefined || segments.length === 0) throw invalid(pointer, 'want a JSON pointer such as /spec/replicas');
  return segments;
}

function compileTarget(target: IgnoreTarget | undefined): (object: KubeObject) => boolean {
  if (target === undefined) return () => true;
  const field = (pattern: string | undefined): ((value: string) => boolean) => compilePattern(pattern);
  const [group, version, kind] = [field(target.group), field(target.version), field(target.kind)];
  const [name, namespace] = [field(target.name), field(target.namespace)];
  const labels: LabelMatcher = parseLabelSelector(target.labelSelector ?? '');
  const annotations: LabelMatcher = parseLabelSelector(target.annotationSelector ?? '');
  return (object) => {
    const api = parseApiVersion(object.apiVersion);
    const { metadata } = object;
    return (
      group(api.group) &&
      version(api.version) &&
      kind(object.kind) &&
      name(metadata.name) &&
      namespace(metadata.namespace ?? '') &&
      labels(metadata.labels ?? {}) &&
      annotations(metadata.annotations ?? {})
    );
  };
}

function compilePattern(pattern: string | undefined): (value: string) => boolean {
  if (pattern === undefined || pattern === '') return () => true;
  try {
    const compiled = RE2JS.compile(`^(?:${pattern})$`);
    return (value) => compiled.matches(value);
  } catch (error) {
    throw invalid(pattern, errorMessage(error));
  }
}

function invalid(subject: string, cause: string): CodedError<'IgnoreRuleInvalid'> {
  return new CodedError({
    code: 'IgnoreRuleInvalid',
    message: `compile ignore rule ${JSON.stringify(subject)}: ${cause}`,
    subject,
    retryable: false,
  });
}
