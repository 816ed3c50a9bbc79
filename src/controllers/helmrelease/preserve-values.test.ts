import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadChart, recordChart, render, type Release } from '../../helm/index.ts';
import type { HelmRelease } from '../../api/index.ts';
import { memoryTree } from '../../manifest/index.ts';
import { preservedDefaults, releasedValues } from './values.ts';

const chart = (version: string, values: string): ReturnType<typeof loadChart> =>
  loadChart(
    memoryTree({
      'Chart.yaml': `apiVersion: v2\nname: app\nversion: ${version}\n`,
      'values.yaml': values,
      'templates/a.yaml': 'v: {{ .Values | toJson }}\n',
    }),
  );
const options = { name: 'app', namespace: 'default', revision: 1, isUpgrade: false };
const preserving = (preserveValues: boolean): HelmRelease => ({ spec: { upgrade: { preserveValues } } }) as HelmRelease;

describe('upgrade.preserveValues (HB51)', () => {
  const first = render(chart('1.0.0', 'kept: old\nset: old\nmap: {a: 1, b: 2}\n'), {
    release: options,
    values: { set: 'mine', map: { b: null } },
  });
  const last = { name: 'app', config: { set: 'mine', map: { b: null } }, chart: recordChart(first.chart) } as unknown as Release;
  const next = chart('2.0.0', 'kept: new\nset: new\nadded: yes\n');

  it('keeps the defaults and the values of the last revision, below those of the spec, as helm upgrade --reuse-values', () => {
    const object = preserving(true);
    const chartValues = preservedDefaults(object, last);
    assert.deepEqual(chartValues, { kept: 'old', set: 'mine', map: { a: 1 } });
    const values = releasedValues(object, { extra: 'x' }, last);
    const { manifests } = render(next, { release: options, values, chartValues: chartValues ?? {} });
    assert.equal(manifests[0]?.content.trim(), 'v: {"extra":"x","kept":"old","map":{"a":1,"b":null},"set":"mine"}');
  });

  it('takes the defaults of the new chart without it', () => {
    assert.equal(preservedDefaults(preserving(false), last), undefined);
    assert.deepEqual(releasedValues(preserving(false), { extra: 'x' }, last), { extra: 'x' });
  });
});
