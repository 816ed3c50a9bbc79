import type { GoMap } from '../../golang/index.ts';
import type { Chart } from '../chart/chart.ts';
import { rulesOf, type Profile } from '../profile.ts';
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

function sourceOf({ metadata, values, dependencies }: Chart): ValuesSource {
  return { name: metadata.name, values, dependencies: dependencies.map(sourceOf) };
}
