import { isYamlObject, mapFromYaml, toYamlValue, type GoMap, type YamlObject } from '../../golang/index.ts';
import type { Chart } from '../chart/chart.ts';
import { rulesOf, type Profile } from '../profile.ts';
import type { Release } from '../release/release.ts';
import { coalesceValues, mergeValues, type ValuesSource } from './coalesce.ts';

/**
 * The values of a loaded chart and its subcharts with the user's over them, before any dependency is processed: Helm's CoalesceValues.
 * @throws CodedError `ValuesConflict`
 */
export function coalesceChartValues(chart: Chart, values: GoMap, profile: Profile = '4.2'): GoMap {
  return coalesceValues(sourceOf(chart), values, rulesOf(profile));
}

/** Like {@link coalesceChartValues} with nulls kept: Helm's MergeValues. @throws CodedError `ValuesConflict` */
export function mergeChartValues(chart: Chart, values: GoMap, profile: Profile = '4.2'): GoMap {
  return mergeValues(sourceOf(chart), values, rulesOf(profile));
}

/**
 * The defaults and values of a stored revision as one: what the next revision has for defaults when it reuses them (`helm upgrade
 * --reuse-values`). @throws CodedError `ValuesConflict`
 */
export function reusedChartValues(
  { name, chart, config }: Pick<Release, 'name' | 'chart' | 'config'>,
  profile: Profile = '4.2',
): YamlObject {
  const defaults = isYamlObject(chart['values']) ? mapFromYaml(chart['values']) : mapFromYaml({});
  const merged = coalesceValues({ name, values: defaults, dependencies: [] }, mapFromYaml(config ?? {}), rulesOf(profile));
  const plain = toYamlValue(merged, { integers: 'bigint' });
  return isYamlObject(plain) ? plain : {};
}

function sourceOf({ metadata, values, dependencies }: Chart): ValuesSource {
  return { name: metadata.name, values, dependencies: dependencies.map(sourceOf) };
}
