import { coreRules } from './core.ts';
import type { KindRules } from './rules.ts';
import { workloadRules } from './workloads.ts';

const NONE: KindRules = {};
const RULES: Readonly<Record<string, KindRules>> = { ...coreRules, ...workloadRules };

/** What a collection's kind does beyond its schema. */
export function rulesOf(collection: string): KindRules {
  return RULES[collection] ?? NONE;
}

export { validateMetadata } from './names.ts';
export type { Draft, Draft0, KindRules } from './rules.ts';
export { mapAt, mapIn, mapsOf } from './pod-defaults.ts';
export { convert } from './conversion.ts';
