import type { FieldFault } from '../request/status.ts';
import { invalidValue, required } from './faults.ts';
import { mapAt, mapIn, setDefault } from './pod-defaults.ts';
import type { Draft, Draft0, KindRules } from './rules.ts';

const specOf = (object: Draft): Draft0 => mapIn(object, 'spec');

const horizontalPodAutoscaler: KindRules = {
  hasGeneration: true,
  defaults: (object) => {
    const spec = specOf(object);
    setDefault(spec, 'minReplicas', 1);
    if (object.apiVersion.endsWith('/v2') && spec['metrics'] === undefined) {
      spec['metrics'] = [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }];
    }
    if (object.apiVersion.endsWith('/v1')) setDefault(spec, 'targetCPUUtilizationPercentage', 80);
    const behavior = mapAt(spec, 'behavior');
    if (behavior !== undefined) scalingDefaults(behavior);
  },
  validate: (object) => {
    const spec = mapAt(object, 'spec');
    const [min, max] = [Number(spec?.['minReplicas'] ?? 1), Number(spec?.['maxReplicas'] ?? 0)];
    const faults: FieldFault[] = [];
    if (min < 1) faults.push(invalidValue('spec.minReplicas', min, 'must be greater than or equal to 1'));
    if (max === 0) faults.push(required('spec.maxReplicas'));
    else if (max < 0) faults.push(invalidValue('spec.maxReplicas', max, 'must be greater than 0'));
    if (max < min) faults.push(invalidValue('spec.maxReplicas', max, 'must be greater than or equal to `minReplicas`'));
    return faults;
  },
};

function scalingDefaults(behavior: Draft0): void {
  const up = mapIn(behavior, 'scaleUp');
  setDefault(up, 'stabilizationWindowSeconds', 0);
  setDefault(up, 'selectPolicy', 'Max');
  setDefault(up, 'policies', [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ]);
  const down = mapIn(behavior, 'scaleDown');
  setDefault(down, 'selectPolicy', 'Max');
  setDefault(down, 'policies', [{ type: 'Percent', value: 100, periodSeconds: 15 }]);
}

const disruptionBudget: KindRules = {
  hasGeneration: true,
  validate: (object) => {
    const { minAvailable, maxUnavailable } = mapAt(object, 'spec') ?? {};
    if (minAvailable === undefined || maxUnavailable === undefined) return [];
    return [invalidValue('spec', mapAt(object, 'spec'), 'minAvailable and maxUnavailable cannot be both set')];
  },
};

/** Autoscalers and disruption budgets. */
export const scalingRules: Readonly<Record<string, KindRules>> = {
  'autoscaling/horizontalpodautoscalers': horizontalPodAutoscaler,
  'policy/poddisruptionbudgets': disruptionBudget,
};
