import type { KubeObject } from '../../manifest/index.ts';
import { type Json, sameJson } from '../fields/index.ts';
import { labelSelectorMatches } from '../request/selector.ts';
import type { FieldFault } from '../request/status.ts';
import { mapAt, mapIn, podSpecDefaults } from './pod-defaults.ts';
import { forbiddenField, immutable, invalidValue, nonNegative, required, unsupported } from './faults.ts';
import { podSpecFaults } from './pod-faults.ts';
import type { Draft, Draft0 } from './rules.ts';

/** The spec of a draft, made when it is absent. */
export function specOf(object: Draft): Draft0 {
  return mapIn(object, 'spec');
}

/** Fills in the pod template of a spec. */
export function templateDefaults(spec: Draft0): void {
  const template = mapAt(spec, 'template');
  if (template === undefined) return;
  podSpecDefaults(mapIn(template, 'spec'));
  mapIn(template, 'metadata');
}

/** What a field is now, when it is otherwise than before; undefined when it is the same. */
export function changed(object: KubeObject, old: KubeObject | undefined, ...path: readonly string[]): unknown {
  if (old === undefined) return undefined;
  const at = (it: KubeObject): unknown => path.reduce<unknown>((value, key) => (value as Draft0 | undefined)?.[key], it);
  const [now, before] = [at(object), at(old)];
  return sameJson(now as Json | undefined, before as Json | undefined) ? undefined : (now ?? null);
}

/** Faults of `spec.selector`: there, not empty, matching the template, never changed. `what` is the kind in the texts. */
export function selectorFaults(object: KubeObject, old: KubeObject | undefined, what: string): FieldFault[] {
  const spec = object['spec'] as Draft0 | undefined;
  const selector = mapAt(spec, 'selector');
  const faults: FieldFault[] = [];
  const isEmpty = selector !== undefined && Object.keys(selector).length === 0;
  if (selector === undefined) faults.push(required('spec.selector'));
  if (isEmpty) faults.push(invalidValue('spec.selector', {}, `empty selector is invalid for ${what}`));
  const labels = mapAt(mapAt(mapAt(spec, 'template'), 'metadata'), 'labels') as Record<string, string> | undefined;
  if (selector === undefined || (!isEmpty && !labelSelectorMatches(selector, labels)))
    faults.push(invalidValue('spec.template.metadata.labels', labels ?? null, '`selector` does not match template `labels`'));
  const now = changed(object, old, 'spec', 'selector');
  if (now !== undefined) faults.push(immutable('spec.selector', now));
  return faults;
}

/** Faults of a pod template that runs for good. `what` is the kind in the texts. */
export function templateFaults(object: KubeObject, what: string): FieldFault[] {
  const spec = mapAt(object, 'spec');
  const pod = mapAt(mapAt(spec, 'template'), 'spec');
  const at = 'spec.template.spec';
  const faults = [...nonNegative('spec.replicas', spec?.['replicas']), ...podSpecFaults(pod, at)];
  const policy = pod?.['restartPolicy'];
  if (policy !== undefined && policy !== 'Always') faults.push(unsupported(`${at}.restartPolicy`, policy, ['Always']));
  if (pod?.['activeDeadlineSeconds'] !== undefined)
    faults.push(forbiddenField(`${at}.activeDeadlineSeconds`, `activeDeadlineSeconds in ${what} is not Supported`));
  return [...faults, ...['minReadySeconds', 'revisionHistoryLimit'].flatMap((it) => nonNegative(`spec.${it}`, spec?.[it]))];
}
